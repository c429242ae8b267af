"use strict";

const METHODS = ["get", "put", "post", "delete"];

// Text only: whatever the description says is shown, never interpreted. Children are elements or texts.
function element(name, children = [], attributes = {}) {
  const made = document.createElement(name);
  made.append(...[children].flat());
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// Words between backticks become code.
function words(text) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? element("code", part) : part));
}

// Paragraphs, and lists of lines that begin with a star.
function prose(text) {
  return text.split("\n\n").map((block) => {
    const lines = block.split("\n");
    if (!lines.every((line) => line.startsWith("* "))) return element("p", words(block));
    return element("ul", lines.map((line) => element("li", words(line.slice(2)))));
  });
}

function resolve(description, value) {
  if (!value || !value.$ref) return value ?? {};
  const found = value.$ref.slice(2).split("/").reduce((node, part) => node[part], description);
  return { ...found, ...(value.description ? { description: value.description } : {}) };
}

function bounds(schema) {
  const { minimum, maximum, minLength, maxLength } = schema;
  const range = (low, high, what) => (low === undefined && high === undefined ? [] : [`${what}${low ?? ""} to ${high ?? ""}`.trim()]);
  return [...range(minimum, maximum, ""), ...range(minLength, maxLength, "length ")];
}

// A schema in a line.
function brief(description, given) {
  const schema = resolve(description, given);
  if (schema.oneOf) return schema.oneOf.map((part) => brief(description, part)).join(" or ");
  if (schema.type === "array") return `list of ${brief(description, schema.items)}`;
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (schema.pattern) return `text ${schema.pattern}`;
  const name = schema.properties || schema.allOf ? given?.$ref?.split("/").pop() : undefined;
  const type = name ?? [schema.type ?? "any"].flat().join(" or ").replace("string", schema.format === "binary" ? "bytes" : "text");
  return [type, ...bounds(schema)].join(", ");
}

// The fields of an object, with those of the objects that it is made of.
function fields(description, given) {
  const schema = resolve(description, given);
  const inherited = (schema.allOf ?? []).flatMap((part) => fields(description, part));
  const own = Object.entries(schema.properties ?? {}).map(([name, property]) => ({ name, property, required: schema.required?.includes(name) ?? false }));
  return [...inherited, ...own];
}

function row(cells) {
  return element("tr", cells.map((cell) => element("td", cell)));
}

function table(heads, rows) {
  const head = element("tr", heads.map((text) => element("th", text, { scope: "col" })));
  return element("table", [element("thead", head), element("tbody", rows)]);
}

function content(description, body) {
  return Object.entries(body?.content ?? {}).flatMap(([kind, { schema }]) => {
    const known = fields(description, schema);
    const title = element("p", [element("code", kind), ` ${known.length > 0 ? "" : brief(description, schema)}`]);
    if (known.length === 0) return [title];
    const rows = known.map(({ name, property, required }) => row([element("code", name), required ? "" : "may be missing", element("code", brief(description, property)), words(resolve(description, property).description ?? "")]));
    return [title, table(["field", "", "value", ""], rows)];
  });
}

function parameters(description, operation) {
  const rows = (operation.parameters ?? []).map((given) => {
    const { name, in: place, required, schema, description: text } = resolve(description, given);
    return row([element("code", name), `${place}${required ? "" : ", optional"}`, element("code", brief(description, schema)), words(text ?? "")]);
  });
  return rows.length === 0 ? [] : [element("h4", "Parameters"), table(["name", "where", "value", ""], rows)];
}

function responses(description, operation) {
  const all = Object.entries(operation.responses);
  const good = all.filter(([status]) => status < "400");
  const bad = all.filter(([status]) => status >= "400");
  const answers = good.flatMap(([status, answer]) => [element("p", [element("code", status), " ", ...words(answer.description ?? "")]), ...content(description, answer)]);
  const refusals = bad.map(([status, answer]) => row([element("code", status), prose(answer.description ?? "")]));
  return [element("h4", "Answers"), ...answers, element("h4", "Refusals"), table(["status", "codes"], refusals)];
}

function show(description, path, method, operation) {
  const label = element("code", method.toUpperCase(), { class: `method ${method}` });
  const summary = element("summary", [label, element("code", path), element("span", operation.summary)]);
  const request = operation.requestBody ? [element("h4", "Request"), ...prose(operation.requestBody.description ?? ""), ...content(description, operation.requestBody)] : [];
  const body = element("div", [...prose(operation.description ?? ""), ...parameters(description, operation), ...request, ...responses(description, operation)], { class: "body" });
  const article = element("article", element("details", [summary, body]), { id: operation.operationId });
  article.dataset.text = `${method} ${path} ${operation.summary} ${JSON.stringify(operation)}`.toLowerCase();
  return article;
}

function link(path, method, operation) {
  const label = element("span", method.toUpperCase(), { class: `method ${method}` });
  return element("li", element("a", [label, operation.summary], { href: `#${operation.operationId}` }));
}

function build(description) {
  document.getElementById("version").textContent = description.info.version;
  document.getElementById("about").replaceWith(...prose(description.info.description));
  const all = Object.entries(description.paths).flatMap(([path, item]) => METHODS.filter((method) => item[method]).map((method) => [path, method, item[method]]));
  for (const { name, description: text } of description.tags) {
    const own = all.filter(([, , operation]) => operation.tags.includes(name));
    document.getElementById("contents").append(element("h2", name), element("ul", own.map((one) => link(...one))));
    document.getElementById("content").append(element("section", [element("h2", name), ...prose(text), ...own.map((one) => show(description, ...one))]));
  }
  return all.length;
}

function open() {
  const details = document.getElementById(decodeURIComponent(location.hash.slice(1)))?.querySelector("details");
  if (!details) return;
  details.open = true;
  details.scrollIntoView();
  details.querySelector("summary").focus({ preventScroll: true });
}

function filter(total) {
  const wanted = document.getElementById("filter").value.toLowerCase().split(" ").filter(Boolean);
  let shown = 0;
  for (const article of document.querySelectorAll("article")) {
    const fits = wanted.every((word) => article.dataset.text.includes(word));
    article.hidden = !fits;
    document.querySelector(`nav a[href="#${article.id}"]`).parentElement.hidden = !fits;
    shown += fits ? 1 : 0;
  }
  for (const section of document.querySelectorAll("main section")) section.hidden = !section.querySelector("article:not([hidden])");
  document.getElementById("state").textContent = `${shown} of ${total} operations`;
}

async function start() {
  try {
    const answer = await fetch("/v1/openapi.json");
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const total = build(await answer.json());
    document.getElementById("filter").addEventListener("input", () => filter(total));
    window.addEventListener("hashchange", open);
    filter(total);
    open();
  } catch (error) {
    document.getElementById("state").textContent = `The description cannot be read: ${error.message}`;
  }
}

start();
