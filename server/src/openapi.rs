//! The description of the HTTP API in the form of `OpenAPI` 3.1: what the annotations of the handlers say, and what is the same for many operations.

pub(crate) mod codes;
mod documents;
pub(crate) mod refusals;
mod schema;

use std::collections::BTreeMap;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Object, OpenApi, Ref, RefOr, Response, Schema};

pub(crate) use documents::{Card, History};
pub(crate) use refusals::Refusals;
pub(crate) use schema::{
    AfterDigest, AfterId, AfterName, AfterNumber, CollectionName, DayText, HandleId, Octets, OperatorId, PageLimit,
    Problem, Receipted, SubjectId,
};

/// What replaces the words of meters in the description of panels, whose routes are the same.
const PANELS: [(&str, &str); 6] = [
    (" meter", " panel"),
    ("/meter", "/panel"),
    ("-meter", "-panel"),
    ("\"meter", "\"panel"),
    ("`meter", "`panel"),
    ("Meter", "Panel"),
];

/// The description of panels, from that of meters.
fn panels(meters: &OpenApi) -> Result<OpenApi, serde_json::Error> {
    let text = serde_json::to_string(meters)?;
    serde_json::from_str(&PANELS.iter().fold(text, |text, (from, to)| text.replace(from, to)))
}

/// The whole description as JSON text: that of most routes, and that of meters, which holds for panels too.
pub(crate) fn document(most: OpenApi, mut meters: OpenApi) -> Result<String, serde_json::Error> {
    meters.components.get_or_insert_default().schemas.extend(schema::of_meters());
    let panels = panels(&meters)?;
    let mut whole = most.merge_from(meters).merge_from(panels);
    let operations = whole.paths.paths.values_mut().flat_map(operations);
    operations.for_each(complete);
    let components = whole.components.get_or_insert_default();
    components.security_schemes.insert("bearer".to_owned(), bearer());
    components.schemas.extend(schema::shared());
    components.headers.extend(headers());
    serde_json::to_string(&whole)
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().filter_map(Option::as_mut)
}

fn bearer() -> RefOr<SecurityScheme> {
    let text = "An API key: `Authorization: Bearer KEY`. The words in the security requirements of an operation are the roles of keys that may call it. As long as there is no \
                key at all, a service on a loopback address asks for none.";
    SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(text)).build()).into()
}

/// The headers of answers, by the names under which responses refer to them.
fn headers() -> BTreeMap<String, RefOr<utoipa::openapi::Header>> {
    let header =
        |schema: Object, text: &str| HeaderBuilder::new().schema(Some(schema)).description(Some(text)).build().into();
    BTreeMap::from([
        ("RequestId".to_owned(), header(schema::hex(16), "What the log calls the request.")),
        ("RetryAfter".to_owned(), header(schema::seconds(), "Seconds after which to come back.")),
        ("Location".to_owned(), header(schema::text("^/v1/jobs/[0-9a-f]{32}$"), "Where the job is.")),
        ("Authenticate".to_owned(), header(schema::text("^Bearer$"), "The scheme that is asked for.")),
        (
            "Tag".to_owned(),
            header(schema::text("^\"[0-9a-f]{64}\"$"), "SHA-256 of the body: its name for `If-None-Match`."),
        ),
    ])
}

/// Says in words which roles may call an operation, and names the headers that answers have for the same reason everywhere.
fn complete(operation: &mut Operation) {
    let roles: Vec<String> = operation.security.iter().flatten().filter_map(schema::role).collect();
    let who = if roles.is_empty() { "Public.".to_owned() } else { format!("Roles: {}.", roles.join(", ")) };
    let text = operation.description.take().filter(|text| !text.is_empty());
    operation.description = Some(text.map_or_else(|| who.clone(), |text| format!("{text}\n\n{who}")));
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            plain(&mut parameter.schema);
        }
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        for content in body.content.values_mut() {
            if let RefOr::T(content) = content {
                plain(&mut content.schema);
            }
        }
    }
    let kept = operation.responses.responses.contains_key("304");
    if kept {
        operation.parameters.get_or_insert_default().push(if_none_match().into());
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            name_headers(status, kept, response);
        }
    }
}

/// What may be left out of a request is left out, never `null`.
fn plain(schema: &mut Option<RefOr<Schema>>) {
    let Some(RefOr::T(Schema::OneOf(either))) = schema else { return };
    if let Some(reference) = either.items.iter().find(|item| matches!(item, RefOr::Ref(_))) {
        *schema = Some(reference.clone());
    }
}

/// The header of a client that has an answer already.
fn if_none_match() -> Parameter {
    let text = "The `etag` of an answer that is at hand, or several: 304 where it is still the answer.";
    let header =
        ParameterBuilder::new().name("If-None-Match").parameter_in(ParameterIn::Header).description(Some(text));
    header.schema(Some(Object::with_type(Type::String))).build()
}

fn name_headers(status: &str, kept: bool, response: &mut Response) {
    let refers = |name: &str| RefOr::Ref(Ref::new(format!("#/components/headers/{name}")));
    response.headers.insert("x-request-id".to_owned(), refers("RequestId"));
    let problem = response.content.contains_key(refusals::PROBLEM);
    match status {
        "200" | "304" if kept => _ = response.headers.insert("etag".to_owned(), refers("Tag")),
        "202" => {
            response.headers.insert("location".to_owned(), refers("Location"));
            response.headers.insert("retry-after".to_owned(), refers("RetryAfter"));
        }
        "401" => _ = response.headers.insert("www-authenticate".to_owned(), refers("Authenticate")),
        "429" | "503" if problem => _ = response.headers.insert("retry-after".to_owned(), refers("RetryAfter")),
        _ => {}
    }
}
