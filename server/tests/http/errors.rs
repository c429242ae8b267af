//! Every refusal: its status, its code, and that nothing has changed.

use axum::body::Body;
use axum::http::Method;
use blindrelay_engine::operator::KeyNeed;
use blindrelay_routing::MatchKind;
use blindrelay_server::Limits;
use blindrelay_server::id::{BodyDigest, TenantId};
use serde_json::json;

use crate::operators::{Evaluation, Scripted};
use crate::party::Party;
use crate::rig::{Rig, Setup};

#[tokio::test]
async fn addresses_that_lead_nowhere() {
    let rig = Rig::new().await;
    for path in ["/", "/v1", "/v1/room", "/v2/operators", "/v1/operators/match-signs", "/v1/rooms/00/unknown"] {
        rig.get(path).await.refused(404, "unknown-route");
    }
    for (method, path) in [
        (Method::POST, "/v1/operators"),
        (Method::GET, "/v1/rooms"),
        (Method::PUT, "/v1/rooms/00000000000000000000000000000000"),
        (Method::GET, "/v1/rooms/00000000000000000000000000000000/match"),
        (Method::PATCH, "/v1/keys/00"),
    ] {
        let reply = rig.send(method, path, &[], Body::empty()).await;
        assert!(reply.headers.contains_key("allow"), "{path}");
        reply.refused(405, "method-not-allowed");
    }
}

#[tokio::test]
async fn ids_and_queries_that_cannot_be_read() {
    let (rig, party) = (Rig::new().await, Party::signs());
    let room = rig.room("match-signs/1").await;
    rig.enrol(&room, party.record(&["ada"]), 1).await;
    let before = rig.view(&room).await;
    let upper = room.to_uppercase().replace("/V1/ROOMS/", "");
    for id in ["0", "zz", upper.as_str(), "00000000000000000000000000000000f", "%FF", "..%2f..%2fetc"] {
        rig.get(&format!("/v1/rooms/{id}")).await.refused(400, "malformed-id");
        rig.delete(&format!("/v1/rooms/{id}")).await.refused(400, "malformed-id");
        rig.post(&format!("/v1/rooms/{id}/match"), party.probe("ada")).await.refused(400, "malformed-id");
        rig.get(&format!("/v1/keys/{id}")).await.refused(400, "malformed-id");
        rig.send(Method::PUT, &format!("/v1/keys/{id}"), &[], "x").await.refused(400, "malformed-id");
        if id != upper {
            rig.delete(&format!("{room}/handles/{id}")).await.refused(400, "malformed-id");
        }
    }
    rig.get(&format!("{room}/handles?after=zz")).await.refused(400, "malformed-id");
    for query in ["limit=0", "limit=1001", "limit=-1", "limit=x", "page=2", "limit=1&limit=2"] {
        rig.get(&format!("{room}/handles?{query}")).await.refused(400, "malformed-query");
    }
    for query in ["count=x", "count=-1", "count=99999999999999999999999", "number=1"] {
        let reply = rig.post(&format!("{room}/handles?{query}"), party.record(&["ada"])).await;
        reply.refused(400, "malformed-query");
    }
    assert_eq!(rig.view(&room).await, before);
}

#[tokio::test]
async fn rooms_that_cannot_be_made() {
    let mut setup = Setup { limits: Limits { rooms_per_tenant: 1, ..Setup::default().limits }, ..Setup::default() };
    let needing = Scripted::new("needs-relinearization/1", Evaluation::Echo).needing(KeyNeed::Required, Vec::new());
    let rotating = Scripted::new("needs-rotation/1", Evaluation::Echo).needing(KeyNeed::None, vec![3]);
    setup.operators = vec![std::sync::Arc::new(needing), std::sync::Arc::new(rotating)];
    let (rig, party) = (setup.start().await, Party::signs());
    let make = |body: serde_json::Value| {
        let rig = rig.clone();
        async move { rig.post_json("/v1/rooms", &body).await }
    };
    rig.post("/v1/rooms", "{").await.refused(400, "malformed-json");
    rig.post("/v1/rooms", "").await.refused(400, "malformed-json");
    rig.post("/v1/rooms", vec![b' '; 5000]).await.refused(413, "body-too-long");
    make(json!({})).await.refused(400, "malformed-json");
    make(json!({"operator": "match-signs/1", "colour": "red"})).await.refused(400, "malformed-json");
    make(json!({"operator": "match-signs/2"})).await.refused(404, "unknown-operator");
    rig.get("/v1/operators/match-signs/2").await.refused(404, "unknown-operator");
    make(json!({"operator": "match-signs/1", "evaluation_keys": "abc"})).await.refused(400, "malformed-id");
    let missing = json!({"operator": "match-signs/1", "evaluation_keys": "0".repeat(64)});
    make(missing).await.refused(409, "keys-missing");
    let keys = party.relinearization_keys();
    rig.put_keys(&keys).await.expect(201);
    let digest = BodyDigest::of(&keys).to_string();
    make(json!({"operator": "match-embeddings/1", "evaluation_keys": digest})).await.refused(422, "wrong-parameters");
    make(json!({"operator": "needs-relinearization/1"})).await.refused(422, "keys-required");
    make(json!({"operator": "needs-rotation/1"})).await.refused(422, "keys-required");
    make(json!({"operator": "needs-rotation/1", "evaluation_keys": digest})).await.refused(422, "keys-incomplete");
    assert!(rig.store.rooms(&TenantId::only(), None, 10).await.unwrap().is_empty());
    make(json!({"operator": "needs-relinearization/1", "evaluation_keys": digest})).await.expect(201);
    make(json!({"operator": "match-signs/1"})).await.refused(409, "quota-exceeded");
    assert_eq!(rig.store.rooms(&TenantId::only(), None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn records_and_requests_that_do_not_belong_in_a_room() {
    let (rig, party, other) = (Rig::new().await, Party::signs(), Party::new(MatchKind::Embeddings, 1));
    let room = rig.room("match-signs/1").await;
    let (enrol, question) = (format!("{room}/handles"), format!("{room}/match"));
    rig.post(&question, party.probe("ada")).await.refused(409, "room-empty");
    let one = party.record(&["ada"]);
    rig.post(&format!("{enrol}?count=0"), one.clone()).await.refused(422, "value-count");
    rig.post(&format!("{enrol}?count=17"), one.clone()).await.refused(422, "value-count");
    rig.post(&enrol, other.record(&["ada"])).await.refused(422, "wrong-parameters");
    let large = party.relinearization_keys();
    let reply = rig.post(&enrol, large).await;
    assert!(reply.json()["detail"].as_str().unwrap().contains("the operator takes"));
    reply.refused(413, "body-too-long");
    let handle = rig.enrol(&room, one, 1).await[0];
    let before = rig.view(&room).await;
    rig.post(&question, other.probe("ada")).await.refused(422, "wrong-parameters");
    rig.delete(&format!("{enrol}/{}", "0".repeat(32))).await.refused(404, "unknown-handle");
    assert_eq!(rig.view(&room).await, before);
    rig.delete(&format!("{enrol}/{handle}")).await.expect(204);
    rig.delete(&format!("{enrol}/{handle}")).await.refused(404, "unknown-handle");
    rig.post(&question, party.probe("ada")).await.refused(409, "room-empty");
}

#[tokio::test]
async fn more_than_a_tenant_may_keep() {
    let (party, second) = (Party::signs(), Party::new(MatchKind::Signs, 2));
    let (keys, record) = (party.relinearization_keys(), party.record(&["ada"]));
    let bytes_per_tenant = (keys.len() + record.len() + 16) as u64;
    let limits = Limits { keys_per_tenant: 1, bytes_per_tenant, ..Setup::default().limits };
    let rig = Setup { limits, ..Setup::default() }.start().await;
    rig.put_keys(&keys).await.expect(201);
    rig.put_keys(&keys).await.expect(200);
    rig.put_keys(&second.relinearization_keys()).await.refused(409, "quota-exceeded");
    let room = rig.room("match-signs/1").await;
    let handle = rig.enrol(&room, record.clone(), 1).await[0];
    let before = rig.view(&room).await;
    rig.post(&format!("{room}/handles"), record.clone()).await.refused(409, "quota-exceeded");
    assert_eq!(rig.view(&room).await, before);
    let scores = party.open(&rig.matched(&room, party.probe("ada")).await);
    assert_eq!(scores, [(handle, 128)], "a refused record is not matched");
    rig.delete(&format!("{room}/handles/{handle}")).await.expect(204);
    let again = rig.enrol(&room, record, 1).await[0];
    assert_eq!(party.open(&rig.matched(&room, party.probe("ada")).await), [(again, 128)]);
}
