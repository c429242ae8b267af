//! Keys, and what belongs to whom.

use axum::body::Body;
use axum::http::Method;
use blindrelay_server::id::{BodyDigest, TenantId};
use serde_json::json;

use crate::party::Party;
use crate::rig::{Rig, Setup};

async fn two_tenants() -> Rig {
    Setup { keys: vec![("acme", "acme key"), ("acme", "new acme key"), ("other", "other key")], ..Setup::default() }
        .start()
        .await
}

#[tokio::test]
async fn nothing_of_a_tenant_is_done_without_a_key() {
    let rig = two_tenants().await;
    let room = rig.with_key("acme key").room("match-signs/1").await;
    let keys = format!("/v1/keys/{}", "0".repeat(64));
    let calls = [
        (Method::PUT, keys.clone()),
        (Method::GET, keys.clone()),
        (Method::DELETE, keys),
        (Method::POST, "/v1/rooms".to_owned()),
        (Method::GET, room.clone()),
        (Method::DELETE, room.clone()),
        (Method::POST, format!("{room}/handles")),
        (Method::GET, format!("{room}/handles")),
        (Method::DELETE, format!("{room}/handles/{}", "0".repeat(32))),
        (Method::POST, format!("{room}/match")),
        // The key is asked for before anything else is looked at.
        (Method::GET, "/v1/rooms/not-an-id".to_owned()),
    ];
    for (method, path) in calls {
        let missing = rig.send(method.clone(), &path, &[], Body::empty()).await;
        assert_eq!(missing.headers.get("www-authenticate").unwrap(), "Bearer");
        missing.refused(401, "unauthorized");
        for wrong in ["Bearer acme kez", "Bearer", "Bearer acme key ", "Basic acme key", "acme key", "Bearer "] {
            let reply = rig.send(method.clone(), &path, &[("authorization", wrong)], Body::empty()).await;
            reply.refused(401, "unauthorized");
        }
        let digest = format!("Bearer {}", BodyDigest::of(b"acme key"));
        let reply = rig.send(method.clone(), &path, &[("authorization", digest.as_str())], Body::empty()).await;
        reply.refused(401, "unauthorized");
    }
    for path in ["/v1/parameters", "/v1/operators", "/v1/operators/match-signs/1", "/v1/health/ready"] {
        rig.get(path).await.expect(200);
    }
}

#[tokio::test]
async fn what_belongs_to_others_is_as_if_it_were_not_there() {
    let rig = two_tenants().await;
    let (acme, other) = (rig.with_key("acme key"), rig.with_key("other key"));
    let party = Party::signs();
    let keys = party.relinearization_keys();
    let (digest, probe) = (BodyDigest::of(&keys), party.probe("ada"));
    acme.put_keys(&keys).await.expect(201);
    let room = acme.room_with("match-signs/1", &keys).await;
    let handle = acme.enrol(&room, party.record(&["ada"]), 1).await[0];
    let before = acme.view(&room).await;
    let nowhere = format!("/v1/rooms/{}", "0".repeat(32));
    for (method, tail, body) in [
        (Method::GET, String::new(), Vec::new()),
        (Method::DELETE, String::new(), Vec::new()),
        (Method::GET, "/handles".to_owned(), Vec::new()),
        (Method::POST, "/handles".to_owned(), party.record(&["eve"])),
        (Method::DELETE, format!("/handles/{handle}"), Vec::new()),
        (Method::POST, "/match".to_owned(), probe.clone()),
    ] {
        let theirs = other.send(method.clone(), &format!("{room}{tail}"), &[], body.clone()).await;
        let unknown = other.send(method, &format!("{nowhere}{tail}"), &[], body).await;
        assert_eq!(theirs.body, unknown.body);
        theirs.refused(404, "unknown-room");
    }
    other.get(&format!("/v1/keys/{digest}")).await.refused(404, "unknown-keys");
    other.delete(&format!("/v1/keys/{digest}")).await.refused(404, "unknown-keys");
    let stolen = json!({"operator": "match-signs/1", "evaluation_keys": digest.to_string()});
    other.post_json("/v1/rooms", &stolen).await.refused(409, "keys-missing");
    assert_eq!(acme.view(&room).await, before);
    // The other key of the same tenant reaches the same things.
    let renewed = rig.with_key("new acme key");
    assert_eq!(renewed.view(&room).await, before);
    assert_eq!(party.open(&renewed.matched(&room, probe).await), [(handle, 128)]);
    other.put_keys(&keys).await.expect(201);
    acme.delete(&room).await.expect(204);
    acme.delete(&format!("/v1/keys/{digest}")).await.expect(204);
    other.get(&format!("/v1/keys/{digest}")).await.expect(200);
}

#[tokio::test]
async fn web_pages_cannot_use_a_service_without_keys() {
    let rig = Rig::new().await;
    let body = json!({"operator": "match-signs/1"}).to_string();
    let reply = rig.send(Method::POST, "/v1/rooms", &[("origin", "https://example.org")], body).await;
    reply.refused(403, "origin-refused");
    assert!(rig.store.rooms(&TenantId::only(), None, 10).await.unwrap().is_empty());
}
