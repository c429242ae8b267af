//! Tenants, API keys and the terms of evaluation keys.

use std::time::Duration;

use blindrelay_client::{Client, Error, KeyTerms, Role, TenantLimits, UnixMillis};
use serde_json::{Value, json};

use crate::script::{Arrived, ID, Pauses, Service, Step, client, json, problem};

const OTHER: &str = "ffffffffffffffffffffffffffffffff";
const MOMENT: u64 = 1_795_280_000_000;

fn tenant(name: &str) -> Value {
    json!({ "name": name, "created": 1, "suspended": null, "limits": { "rooms": 3 }, "stored_bytes": 9 })
}

fn api_key(id: &str) -> Value {
    json!({ "id": id, "role": "relay", "tenant": "acme", "label": "box 7", "created": 1, "expires": MOMENT, "revoked": null })
}

fn new_api_key(key: &str) -> Step {
    let mut made = api_key(ID);
    made["key"] = key.into();
    json(&made)
}

fn none() -> Step {
    Step::Answer(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_vec())
}

fn lines(arrived: &[Arrived]) -> Vec<&str> {
    arrived.iter().map(|request| request.line.as_str()).collect()
}

fn body(request: &Arrived) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

#[test]
fn tenants_are_made_listed_limited_and_suspended() {
    let page = |name: &str, next: Option<&str>| json(&json!({ "tenants": [tenant(name)], "next": next }));
    let one = || json(&tenant("acme"));
    let service = Service::start(vec![
        page("acme", Some("acme")),
        page("zeta", None),
        one(),
        one(),
        one(),
        one(),
        one(),
        one(),
        one(),
    ]);
    let client = client(&service.url, &Pauses::new());
    let names: Vec<String> = client.tenants().unwrap().into_iter().map(|tenant| tenant.name).collect();
    assert_eq!(names, ["acme", "zeta"]);
    let mut limits = TenantLimits::default();
    limits.bytes = Some(5);
    let made = client.create_tenant("acme", &limits).unwrap();
    assert_eq!((made.created, made.suspended, made.stored_bytes), (UnixMillis(1), None, 9));
    assert_eq!((made.limits.rooms, made.limits.bytes), (Some(3), None));
    client.limit_tenant("acme", &TenantLimits::default()).unwrap();
    client.suspend_tenant("acme").unwrap();
    client.resume_tenant("acme").unwrap();
    let arrived = service.finish();
    let (look, put) = ("GET /v1/tenants/acme", "PUT /v1/tenants/acme");
    let lists = ["GET /v1/tenants?limit=1000", "GET /v1/tenants?limit=1000&after=acme"];
    assert_eq!(lines(&arrived), [&lists[..], &[put, look, put, look, put, look, put]].concat());
    assert_eq!(body(&arrived[2]), json!({ "limits": { "bytes": 5 } }));
    assert_eq!(body(&arrived[4]), json!({ "limits": {} }));
    assert_eq!(body(&arrived[6]), json!({ "suspended": true }));
    assert_eq!(body(&arrived[8]), json!({ "suspended": false }));
}

#[test]
fn a_tenant_that_is_not_there_is_changed_by_nobody() {
    for change in [Client::suspend_tenant, Client::resume_tenant, |client: &Client, name: &str| {
        client.limit_tenant(name, &TenantLimits::default())
    }] {
        let service = Service::start(vec![problem("404 a", "", "unknown-tenant")]);
        let error = change(&client(&service.url, &Pauses::new()), "acmee").unwrap_err();
        assert_eq!(error.code(), Some("unknown-tenant"));
        assert_eq!(lines(&service.finish()), ["GET /v1/tenants/acmee"]);
    }
}

#[test]
fn api_keys_are_made_listed_rotated_and_revoked() {
    let page = |id: &str, next: Option<&str>| json(&json!({ "api_keys": [api_key(id)], "next": next }));
    let service = Service::start(vec![
        new_api_key("br1-00"),
        new_api_key("br1-01"),
        page(ID, Some(ID)),
        page(OTHER, None),
        page(ID, None),
        new_api_key("br1-02"),
        new_api_key("br1-03"),
        none(),
    ]);
    let client = client(&service.url, &Pauses::new());
    let made = client.create_api_key(Role::Relay, Some("acme"), "box 7", Some(UnixMillis(MOMENT))).unwrap();
    assert_eq!((made.key.as_str(), made.api_key.id.as_str(), made.api_key.role), ("br1-00", ID, Role::Relay));
    assert_eq!(made.api_key.expires, Some(UnixMillis(MOMENT)));
    assert!(!format!("{made:?}").contains("br1-"), "{made:?}");
    client.create_api_key(Role::Admin, None, "", None).unwrap();
    let ids: Vec<String> = client.api_keys(Some("acme")).unwrap().into_iter().map(|key| key.id).collect();
    assert_eq!(ids, [ID, OTHER]);
    assert_eq!(client.api_keys(None).unwrap().len(), 1);
    assert_eq!(client.rotate_api_key(ID, None).unwrap().key.as_str(), "br1-02");
    client.rotate_api_key(ID, Some(Duration::from_millis(7900))).unwrap();
    client.revoke_api_key(ID).unwrap();
    let arrived = service.finish();
    let list = "GET /v1/api-keys?limit=1000";
    let (of_acme, after) = (format!("{list}&tenant=acme"), format!("{list}&tenant=acme&after={ID}"));
    let rotate = format!("POST /v1/api-keys/{ID}/rotate");
    let (soon, revoke) = (format!("{rotate}?grace_seconds=7"), format!("DELETE /v1/api-keys/{ID}"));
    let create = "POST /v1/api-keys";
    assert_eq!(lines(&arrived), [create, create, &of_acme, &after, list, &rotate, &soon, &revoke]);
    let wanted = json!({ "role": "relay", "tenant": "acme", "label": "box 7", "expires": MOMENT });
    assert_eq!((body(&arrived[0]), body(&arrived[1])), (wanted, json!({ "role": "admin", "label": "" })));
}

#[test]
fn a_key_is_asked_for_once() {
    let ask: [fn(&Client) -> Error; 2] = [
        |client| client.create_api_key(Role::Admin, None, "", None).unwrap_err(),
        |client| client.rotate_api_key(ID, None).unwrap_err(),
    ];
    for ask in ask {
        let service = Service::start(vec![Step::Answer(Vec::new())]);
        let pauses = Pauses::new();
        let error = ask(&client(&service.url, &pauses));
        assert!(error.leaves_doubt(), "{error:?}");
        assert_eq!((service.finish().len(), pauses.noted().len()), (1, 0));
    }
}

#[test]
fn an_answer_without_a_usable_key_is_refused_and_not_quoted() {
    let mut nameless = api_key("../x");
    nameless["key"] = "br1-secret".into();
    let mut numbered = api_key(ID);
    numbered["role"] = "br1-secret".into();
    for step in [json(&api_key(ID)), new_api_key(""), new_api_key("br1-secret\u{1b}"), json(&nameless), json(&numbered)]
    {
        let service = Service::start(vec![step]);
        let error = client(&service.url, &Pauses::new()).create_api_key(Role::Admin, None, "", None).unwrap_err();
        assert!(matches!(error, Error::Foreign { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}

#[test]
fn what_no_service_would_take_is_not_sent() {
    let client = client("http://127.0.0.1:1", &Pauses::new());
    for error in [
        client.tenant("../x").unwrap_err(),
        client.create_tenant("a?b", &TenantLimits::default()).unwrap_err(),
        client.create_api_key(Role::Relay, None, "", None).unwrap_err(),
        client.create_api_key(Role::Admin, Some("acme"), "", None).unwrap_err(),
        client.create_api_key(Role::Admin, None, "a\nb", None).unwrap_err(),
        client.api_keys(Some("a&b")).unwrap_err(),
        client.revoke_api_key("x").unwrap_err(),
        client.rotate_api_key("x", None).unwrap_err(),
        client.keys("x").unwrap_err(),
        client.revoke_keys("x").unwrap_err(),
        client.delete_keys("x").unwrap_err(),
    ] {
        assert!(matches!(error, Error::Argument { .. }), "{error:?}");
    }
    for role in Role::ALL {
        assert_eq!(role.to_string().parse(), Ok(role));
        assert_eq!(serde_json::to_value(role).unwrap(), json!(role.as_str()));
    }
    assert!("Admin".parse::<Role>().is_err());
}

#[test]
fn evaluation_keys_have_terms() {
    let digest = "d1".repeat(32);
    let of = |revoked: Option<u64>| {
        json(&json!({ "digest": digest, "parameters": "match-2048", "bytes": 4, "relinearization": true,
            "galois_elements": [3], "epoch": 4, "expires": MOMENT, "revoked": revoked }))
    };
    let busy = || problem("503 a", "", "busy");
    let service = Service::start(vec![of(None), of(None), of(None), of(None), busy(), of(Some(7)), none()]);
    let client = client(&service.url, &Pauses::new());
    let expires = Some(UnixMillis(MOMENT));
    for terms in [
        KeyTerms { epoch: Some(4), expires },
        KeyTerms { epoch: None, expires },
        KeyTerms { epoch: Some(0), expires: None },
    ] {
        client.upload_keys(&digest, b"keys", terms, |_| ()).unwrap();
    }
    let shown = client.keys(&digest).unwrap();
    assert_eq!((shown.epoch, shown.expires, shown.revoked, shown.galois_elements), (4, expires, None, vec![3]));
    // Repeated, although it is a POST: a second revocation changes nothing.
    assert_eq!(client.revoke_keys(&digest).unwrap().revoked, Some(UnixMillis(7)));
    client.delete_keys(&digest).unwrap();
    let arrived = service.finish();
    let path = format!("/v1/keys/{digest}");
    let revoke = format!("POST {path}/revoke");
    let expected = [
        format!("PUT {path}?epoch=4&expires={MOMENT}"),
        format!("PUT {path}?expires={MOMENT}"),
        format!("PUT {path}?epoch=0"),
        format!("GET {path}"),
        revoke.clone(),
        revoke,
        format!("DELETE {path}"),
    ];
    assert_eq!(lines(&arrived), expected);
    assert_eq!(arrived[0].body, b"keys");
}

#[test]
fn lists_of_an_administrator_end() {
    let endless = || json(&json!({ "tenants": [tenant("acme")], "next": "acme" }));
    let service = Service::start(vec![endless(), endless()]);
    let error = client(&service.url, &Pauses::new()).tenants().unwrap_err();
    assert!(error.to_string().contains("does not end"), "{error}");
    assert_eq!(service.finish().len(), 2);
    let odd = json(&json!({ "api_keys": [api_key(ID)], "next": "a&b" }));
    let service = Service::start(vec![odd]);
    let error = client(&service.url, &Pauses::new()).api_keys(None).unwrap_err();
    assert!(error.to_string().contains("does not end"), "{error}");
}
