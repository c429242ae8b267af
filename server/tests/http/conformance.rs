//! Whether an answer is one that the description has.

use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

use crate::shape::fits;

/// Whether an address is one of a described path.
fn leads_to(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let pairs = || template.iter().zip(&path);
    template.len() == path.len()
        && pairs().all(|(part, found)| part.starts_with('{') && !found.is_empty() || part == found)
}

/// The operation that a request is for.
fn operation<'a>(description: &'a Value, method: &Method, path: &str) -> Option<&'a Value> {
    let path = path.split('?').next().unwrap();
    let paths = description["paths"].as_object().unwrap();
    let item = paths.iter().find(|(template, _)| leads_to(template, path))?.1;
    // Names of methods are told apart by case; the description writes them small.
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    if method.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    item.get(method.to_lowercase())
}

/// Holds an answer against the description: status, type, headers and fields.
pub(crate) fn conforms(
    description: &Value,
    (method, path): (&Method, &str),
    (status, headers, body): (StatusCode, &HeaderMap, &[u8]),
) {
    let what = format!("{method} {path} {status}: {}", String::from_utf8_lossy(body));
    let json = || serde_json::from_slice::<Value>(body).unwrap_or_else(|error| panic!("{error}: {what}"));
    let Some(operation) = operation(description, method, path) else {
        if method != Method::HEAD {
            assert!(["unknown-route", "method-not-allowed"].contains(&json()["code"].as_str().unwrap()), "{what}");
        }
        return;
    };
    let described = &operation["responses"][status.as_str()];
    assert!(described.is_object(), "not a described status: {what}");
    let Some(kind) = headers.get("content-type") else {
        return assert!(described.get("content").is_none() || status == 304, "no content: {what}");
    };
    let kind = kind.to_str().unwrap().split(';').next().unwrap();
    let schema = &described["content"][kind]["schema"];
    assert!(schema.is_object(), "not a described type: {what}");
    for header in described["headers"].as_object().unwrap().keys() {
        assert!(headers.contains_key(header), "no {header}: {what}");
    }
    if kind.ends_with("json") && method != Method::HEAD {
        fits(description, schema, &json()).unwrap_or_else(|reason| panic!("{reason}: {what}"));
    }
}
