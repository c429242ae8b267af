"use strict";

const SECONDS = 5;

const number = new Intl.NumberFormat("en");

function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) {
    count /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? count : count.toFixed(1)} ${units[unit]}`;
}

function duration(seconds) {
  const parts = [[Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"], [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"]];
  const first = parts.findIndex(([count]) => count > 0);
  return first < 0 ? "0 s" : parts.slice(first, first + 2).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

// Text only: whatever the service says is shown, never interpreted.
function element(name, text, kind) {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function list(id, pairs) {
  const terms = pairs.flatMap(([term, value]) => [element("dt", term), element("dd", value)]);
  document.getElementById(id).replaceChildren(...terms);
}

function table(id, rows, none) {
  const made = (rows.length > 0 ? rows : [[none]]).map((cells) => {
    const row = document.createElement("tr");
    row.append(...cells.map((cell) => (typeof cell === "number" ? element("td", number.format(cell), "number") : element("td", cell))));
    return row;
  });
  document.getElementById(id).replaceChildren(...made);
}

function show(status) {
  const { compute, key_cache: keys, room_cache: rooms, process, tenants } = status;
  list("service", [
    ["version", status.version],
    ["backend", status.backend],
    ["up for", duration(status.uptime_seconds)],
    ["since", new Date(status.started_unix_seconds * 1000).toISOString().replace(".000Z", "Z")],
    ["tenants", tenants === null ? "the store does not answer" : `${number.format(tenants.count)}${tenants.more ? " or more" : ""}`],
    ["store failures", number.format(status.store_failures)],
  ]);
  list("load", [
    ["requests in flight", number.format(status.requests_in_flight)],
    ["connections", `${number.format(status.connections.open)} of ${number.format(status.connections.limit)}`],
    ["compute threads", `${number.format(compute.running)} of ${number.format(compute.threads)} work`],
    ["waiting for a thread", `${number.format(compute.waiting)}, ${number.format(compute.queue_length)} at most`],
    ["received", bytes(status.received_bytes)],
    ["sent", bytes(status.sent_bytes)],
  ]);
  const cache = (fill) => `${bytes(fill.bytes)} of ${bytes(fill.budget_bytes)}`;
  list("memory", [
    ["decoded key sets", number.format(keys.entries)],
    ["their memory", cache(keys)],
    ["rooms at hand", number.format(rooms.entries)],
    ["their memory", cache(rooms)],
    ["uploads", `${bytes(status.upload_bytes)} of ${bytes(status.upload_limit_bytes)}`],
    ["process", process === null ? "not known" : bytes(process.resident_bytes)],
    ["descriptors", process === null ? "not known" : `${number.format(process.open_descriptors)} of ${process.descriptor_limit === null ? "any number" : number.format(process.descriptor_limit)}`],
  ]);
  table("refusals", Object.entries(status.refusals).sort(([, a], [, b]) => b - a), "none");
  table("operators", status.operators.map((operator) => [operator.id, operator.parameters, operator.parameter_digest.slice(0, 16)]), "none");
}

async function refresh() {
  const state = document.getElementById("state");
  try {
    const answer = await fetch("/status.json", { signal: AbortSignal.timeout(SECONDS * 1000) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const status = await answer.json();
    show(status);
    state.textContent = status.accepting ? "takes requests" : "is stopping";
    state.className = status.accepting ? "good" : "bad";
  } catch (error) {
    state.textContent = `cannot be reached: ${error.message}`;
    state.className = "bad";
  }
  setTimeout(refresh, SECONDS * 1000);
}

refresh();
