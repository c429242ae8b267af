//! The description of the API: what it says is what the service does, route by route, role by role, answer by answer.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tower::ServiceExt;

use crate::conformance;
use crate::rig::{Reply, Rig, Setup};

const METHODS: [Method; 5] = [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::PATCH];

/// The description as a service sends it; it is the same for all.
async fn description(app: &Router) -> &'static Value {
    static DESCRIPTION: OnceCell<Value> = OnceCell::const_new();
    let ask = async || {
        let request = Request::get("/v1/openapi.json").body(Body::empty()).unwrap();
        let answer = app.clone().oneshot(request).await.unwrap().into_body();
        serde_json::from_slice(&axum::body::to_bytes(answer, usize::MAX).await.unwrap()).unwrap()
    };
    DESCRIPTION.get_or_init(ask).await
}

/// Holds an answer against the description.
pub(crate) async fn conforms(app: &Router, method: &Method, path: &str, reply: &Reply) {
    let description = description(app).await;
    conformance::conforms(description, (method, path), (reply.status, &reply.headers, &reply.body));
}

/// Every described operation: its method, an address that leads to it, and what is said of it.
fn operations(description: &Value) -> Vec<(Method, String, &Value)> {
    let mut all = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        let id = |name: &str| match name {
            "version" => "0".to_owned(),
            "digest" | "receipt" => "0".repeat(64),
            _ => "0".repeat(32),
        };
        let segments = path
            .split('/')
            .map(|part| part.strip_prefix('{').map_or(part.to_owned(), |part| id(part.trim_end_matches('}'))));
        let address = segments.collect::<Vec<_>>().join("/");
        for (method, operation) in item.as_object().unwrap() {
            all.push((method.to_uppercase().parse().unwrap(), address.clone(), operation));
        }
    }
    all
}

fn roles(operation: &Value) -> BTreeSet<String> {
    let requirements = operation["security"].as_array().into_iter().flatten();
    requirements.map(|requirement| requirement["bearer"][0].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_description_has_the_routes_of_the_service_and_no_others() {
    let rig = Setup { keys: vec![("acme", "key")], ..Setup::default() }.start().await;
    let description = rig.get("/v1/openapi.json").await.expect(200).json();
    assert_eq!(description["openapi"], "3.1.0");
    let described: BTreeSet<String> = description["paths"].as_object().unwrap().keys().cloned().collect();
    // The router tells its paths in its debug output only.
    let routed = format!("{:?}", rig.app);
    let routed: BTreeSet<String> =
        routed.split('"').filter(|text| text.starts_with("/v1/")).map(str::to_owned).collect();
    assert_eq!(described, routed);

    let (mut offered, mut ids) = (BTreeMap::<String, BTreeSet<String>>::new(), BTreeSet::new());
    for (method, address, operation) in operations(&description) {
        let reply = rig.send(method.clone(), &address, &[], Body::empty()).await;
        if roles(operation).is_empty() {
            assert_ne!(reply.status, 401, "{method} {address}");
        } else {
            reply.refused(401, "unauthorized");
        }
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} twice");
        offered.entry(address).or_default().insert(method.to_string());
    }
    for (address, methods) in offered {
        for method in METHODS.into_iter().filter(|method| !methods.contains(method.as_str())) {
            let reply = rig.send(method, &address, &[], Body::empty()).await;
            let allowed = reply.headers.get("allow").unwrap().to_str().unwrap().split(',').filter(|one| *one != "HEAD");
            assert_eq!(allowed.map(str::to_owned).collect::<BTreeSet<_>>(), methods, "{address}");
            reply.refused(405, "method-not-allowed");
        }
    }
}

#[tokio::test]
async fn every_operation_is_for_the_roles_that_it_names() {
    let rig = Rig::new().await;
    let make = async |key: &str, wanted: Value| {
        let header = format!("Bearer {key}");
        let reply = rig.send(Method::POST, "/v1/api-keys", &[("authorization", &header)], wanted.to_string()).await;
        reply.expect(201).json()["key"].as_str().unwrap().to_owned()
    };
    let admin = make("", json!({"role": "admin"})).await;
    let header = format!("Bearer {admin}");
    rig.send(Method::PUT, "/v1/tenants/acme", &[("authorization", &header)], "").await.expect(201);
    let mut keys = vec![("admin", admin.clone())];
    for role in ["tenant", "relay", "auditor"] {
        keys.push((role, make(&admin, json!({"role": role, "tenant": "acme"})).await));
    }
    let description = rig.get("/v1/openapi.json").await.json();
    for (method, address, operation) in operations(&description) {
        let allowed = roles(operation);
        for (role, key) in &keys {
            let header = format!("Bearer {key}");
            let reply = rig.send(method.clone(), &address, &[("authorization", &header)], Body::empty()).await;
            let refused = reply.status == 403;
            assert_eq!(refused, !allowed.is_empty() && !allowed.contains(*role), "{role}: {method} {address}");
        }
    }
}

/// Status and code of all rows of the table of errors.
fn documented() -> BTreeSet<(String, String)> {
    let text = include_str!("../../../docs/http-api.md");
    let rows =
        text.split("| status | code | |").nth(1).unwrap().lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    cells
        .flat_map(|cells| {
            cells[2]
                .split(", ")
                .map(|code| (cells[1].to_owned(), code.trim_matches('`').to_owned()))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[tokio::test]
async fn codes_are_those_of_the_documentation() {
    let description = Rig::new().await.get("/v1/openapi.json").await.json();
    let mut described = BTreeSet::new();
    for (_, address, operation) in operations(&description) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let Some(problem) = response["content"].get("application/problem+json") else {
                assert!(status.starts_with(['2', '3']) || address == "/v1/health/ready", "{address} {status}");
                continue;
            };
            let own = &problem["schema"]["allOf"][1]["properties"];
            assert_eq!(own["status"]["enum"][0].to_string(), *status);
            for code in own["code"]["enum"].as_array().unwrap() {
                assert!(response["description"].as_str().unwrap().contains(code.as_str().unwrap()));
                described.insert((status.clone(), code.as_str().unwrap().to_owned()));
            }
        }
    }
    for (status, code) in [("404", "unknown-route"), ("405", "method-not-allowed")] {
        described.insert((status.to_owned(), code.to_owned()));
    }
    assert_eq!(described, documented());
}

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn references_lead_somewhere_and_words_are_those_of_the_family() {
    let description = Rig::new().await.get("/v1/openapi.json").await.json();
    let mut found = BTreeSet::new();
    references(&description, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        assert!(description.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    for (path, item) in description["paths"].as_object().unwrap() {
        let text = item.to_string().replace("arameter", "");
        assert!(!path.starts_with("/v1/panels") || !text.contains("eter"), "{path}");
        assert!(!path.starts_with("/v1/meters") || !text.contains("anel"), "{path}");
    }
}

#[tokio::test]
async fn what_does_not_change_is_sent_once() {
    let rig = Rig::new().await;
    let mut seen = BTreeSet::new();
    for path in [
        "/v1/parameters",
        "/v1/operators",
        "/v1/operators/match-signs/1",
        "/v1/identity",
        "/v1/openapi.json",
        "/v1/reference",
        "/v1/reference.js",
        "/v1/reference.css",
    ] {
        let first = rig.get(path).await.expect(200);
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        assert_eq!(tag, format!("\"{}\"", blindrelay_server::id::BodyDigest::of(&first.body)));
        assert_eq!(first.headers["cache-control"], "no-cache");
        assert!(seen.insert(tag.clone()));
        let several = format!("\"other\", W/{tag}");
        for known in [tag.as_str(), "*", &several] {
            let again = rig.send(Method::GET, path, &[("if-none-match", known)], Body::empty()).await.expect(304);
            assert_eq!((again.headers["etag"].to_str().unwrap(), again.body.len()), (tag.as_str(), 0));
        }
        for other in ["\"other\"", "", tag.trim_matches('"')] {
            let again = rig.send(Method::GET, path, &[("if-none-match", other)], Body::empty()).await.expect(200);
            assert_eq!(again.body, first.body);
        }
    }
    // What was not found has no tag.
    let missing = rig.send(Method::GET, "/v1/operators/none/1", &[("if-none-match", "*")], Body::empty()).await;
    assert!(missing.headers.get("etag").is_none());
    missing.refused(404, "unknown-operator");
}

#[tokio::test]
async fn the_reference_loads_nothing_from_elsewhere() {
    let rig = Rig::new().await;
    for path in ["/v1/reference", "/v1/reference.js", "/v1/reference.css"] {
        let reply = rig.get(path).await.expect(200);
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'") && !policy.contains("unsafe")
        );
        assert_eq!(reply.headers["x-content-type-options"], "nosniff");
        let text = String::from_utf8(reply.body).unwrap();
        for foreign in ["http://", "https://", "<style", " style=", "onclick", "innerHTML", "eval("] {
            assert!(!text.contains(foreign), "{path} has {foreign}");
        }
    }
}

#[tokio::test]
async fn a_list_of_values_is_no_object() {
    let rig = Rig::new().await;
    let operator = json!(["match-signs/1", null]).to_string();
    rig.post("/v1/rooms", operator).await.refused(400, "malformed-json");
    rig.post("/v1/meters", json!(["charge/1", {}, null]).to_string()).await.refused(400, "malformed-json");
    rig.post("/v1/api-keys", json!(["admin", null, "", null]).to_string()).await.refused(400, "malformed-json");
    for body in [json!([null, true]), json!({"limits": [1]}), json!({"limits": 1})] {
        let reply = rig.send(Method::PUT, "/v1/tenants/acme", &[], body.to_string()).await;
        reply.refused(400, "malformed-json");
    }
    rig.get("/v1/tenants/acme").await.refused(404, "unknown-tenant");
    rig.send(Method::PUT, "/v1/tenants/acme", &[], json!({"limits": null}).to_string()).await.expect(201);
}
