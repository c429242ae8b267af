//! Every refusal of meters and panels: its status, its code, and that nothing has changed.

use axum::body::Body;
use axum::http::Method;
use blindrelay_routing::MatchKind;
use blindrelay_server::Limits;
use blindrelay_server::id::BodyDigest;
use serde_json::json;

use crate::ledgers::{setup, sum};
use crate::party::Party;
use crate::rig::Setup;
use crate::sums::Sums;

#[tokio::test]
async fn ledgers_that_cannot_be_made() {
    let limits = Limits { ledgers_per_tenant: 1, ..Setup::default().limits };
    let (rig, party) = (Setup { limits, ..setup() }.start().await, Party::new(MatchKind::Embeddings, 1));
    let make = async |body: serde_json::Value| rig.post_json("/v1/meters", &body).await;
    rig.post("/v1/meters", "{").await.refused(400, "malformed-json");
    rig.post("/v1/meters", vec![b' '; (1 << 20) + 1]).await.refused(413, "body-too-long");
    make(json!({})).await.refused(400, "malformed-json");
    make(json!({"operator": "test-sums/1", "colour": "red"})).await.refused(400, "malformed-json");
    make(json!({"operator": "test-sums/1", "settings": "text"})).await.refused(400, "malformed-json");
    make(json!({"operator": "test-sums/2"})).await.refused(404, "unknown-operator");
    make(json!({"operator": "test-sums/1", "settings": {"colour": 1}})).await.refused(422, "settings");
    make(json!({"operator": "test-sums/1", "settings": {"limit": -1}})).await.refused(422, "settings");
    make(json!({"operator": "test-mean/1"})).await.refused(422, "wrong-resource");
    make(json!({"operator": "match-signs/1"})).await.refused(422, "wrong-resource");
    rig.post_json("/v1/panels", &json!({"operator": "test-sums/1"})).await.refused(422, "wrong-resource");
    let room = rig.post_json("/v1/rooms", &json!({"operator": "test-sums/1"})).await;
    assert_eq!(room.json()["detail"], "operator test-sums/1 is used through meters, not rooms");
    room.refused(422, "wrong-resource");
    make(json!({"operator": "test-sums/1", "evaluation_keys": "abc"})).await.refused(400, "malformed-id");
    make(json!({"operator": "test-keyed/1"})).await.refused(422, "keys-required");
    let keys = party.relinearization_keys();
    rig.put_keys(&keys).await.expect(201);
    let digest = BodyDigest::of(&keys).to_string();
    make(json!({"operator": "test-keyed/1", "evaluation_keys": digest})).await.refused(422, "wrong-parameters");
    assert_eq!(rig.get("/v1/meters").await.expect(200).json(), json!({"meters": [], "next": null}));
    make(json!({"operator": "test-sums/1"})).await.expect(201);
    rig.post_json("/v1/panels", &json!({"operator": "test-mean/1"})).await.refused(409, "quota-exceeded");
}

#[tokio::test]
async fn addresses_and_queries_that_cannot_be_read() {
    let rig = setup().start().await;
    for family in ["meters", "panels"] {
        for id in ["0", "zz", "0000000000000000000000000000000F", "%FF"] {
            rig.get(&format!("/v1/{family}/{id}")).await.refused(400, "malformed-id");
            rig.delete(&format!("/v1/{family}/{id}")).await.refused(400, "malformed-id");
            rig.post(&format!("/v1/{family}/{id}/report"), "").await.refused(400, "malformed-id");
            let batch = rig.post_named(&format!("/v1/{family}/{id}/batches"), "a", Sums::batch(1)).await;
            batch.refused(400, "malformed-id");
        }
        for query in ["limit=0", "limit=1001", "limit=x", "page=2"] {
            rig.get(&format!("/v1/{family}?{query}")).await.refused(400, "malformed-query");
        }
        rig.get(&format!("/v1/{family}?after=zz")).await.refused(400, "malformed-id");
        rig.get(&format!("/v1/{family}/{}/unknown", "0".repeat(32))).await.refused(404, "unknown-route");
        for path in [format!("/v1/{family}/{}/batches", "0".repeat(32)), format!("/v1/{family}/x/report")] {
            let reply = rig.get(&path).await;
            assert!(reply.headers.contains_key("allow"), "{path}");
            reply.refused(405, "method-not-allowed");
        }
    }
}

#[tokio::test]
async fn batches_that_are_refused_count_nothing() {
    let (rig, party) = (setup().start().await, Party::signs());
    let meter = rig.ledger("meters", "test-sums/1", json!({"limit": 100})).await;
    rig.append(&meter, "good", Sums::batch(40)).await;
    let before = rig.get(&meter).await.json();
    let path = format!("{meter}/batches");
    rig.post(&path, Sums::batch(1)).await.refused(400, "idempotency-key-required");
    for name in ["", "a b", "ä"] {
        rig.post_named(&path, name, Sums::batch(1)).await.refused(400, "malformed-header");
    }
    let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
    rig.send(Method::POST, &path, &twice, Sums::batch(1)).await.refused(400, "malformed-header");
    let send = async |body: Vec<u8>| rig.post_named(&path, "bad", body).await;
    send(Vec::new()).await.refused(400, "body-truncated");
    send(b"short".to_vec()).await.refused(400, "body-truncated");
    send(vec![0; 100]).await.refused(422, "malformed-object");
    send(party.record(&["ada"])).await.refused(422, "malformed-object");
    send(Sums::message(1, Vec::new())).await.refused(422, "unfit-batch");
    send(Sums::message(0, vec![0; 7])).await.refused(422, "unfit-batch");
    send(Sums::batch(61)).await.refused(422, "range");
    send(Sums::message(0, vec![0; 100_000])).await.refused(413, "body-too-long");
    let good = Sums::batch(1);
    for length in [39, 41, good.len() - 1] {
        send(good[..length].to_vec()).await.refused(400, "body-truncated");
    }
    send([good, vec![0]].concat()).await.refused(413, "body-too-long");
    let other = Party::new(MatchKind::Embeddings, 1);
    let foreign = blindrelay_engine::wire::Message {
        parameters: other.key.context().parameters().digest(),
        operator: "test-sums/1".to_owned(),
        part: 0,
        items: vec![vec![0; 8]],
    };
    send(foreign.to_bytes().unwrap()).await.refused(422, "wrong-parameters");
    assert_eq!(rig.get(&meter).await.json(), before);
    assert_eq!(sum(&rig, &meter).await, 40);
    // The name is still free.
    assert_eq!(rig.append(&meter, "bad", Sums::batch(60)).await, 2);
}

#[tokio::test]
async fn reports_that_are_refused() {
    let rig = setup().start().await;
    let meter = rig.ledger("meters", "test-sums/1", json!({"minimum": 2})).await;
    let path = format!("{meter}/report");
    rig.post(&path, "").await.refused(409, "too-few-contributions");
    rig.append(&meter, "one", Sums::batch(40)).await;
    let few = rig.post(&path, "").await;
    assert_eq!(few.json()["detail"], "a report needs at least 2 contributions, and there are 1");
    few.refused(409, "too-few-contributions");
    rig.append(&meter, "two", Sums::batch(2)).await;
    rig.post(&path, Sums::message(1, vec![0; 8])).await.refused(422, "unfit-request");
    rig.post(&path, "x").await.refused(422, "malformed-object");
    let large = rig.post(&path, vec![b' '; 100_001]).await;
    assert!(large.json()["detail"].as_str().unwrap().contains("the operator takes"));
    large.refused(413, "body-too-long");
    let nothing = Body::from_stream(futures_util::stream::empty::<Result<Vec<u8>, std::io::Error>>());
    rig.post(&path, nothing).await.expect(200);
}

#[tokio::test]
async fn merges_that_are_refused_count_nothing() {
    let rig = setup().start().await;
    let meter = rig.ledger("meters", "test-sums/1", json!({"limit": 100})).await;
    let twin = rig.ledger("meters", "test-sums/1", json!({"limit": 100})).await;
    rig.append(&meter, "one", Sums::batch(60)).await;
    rig.append(&twin, "one", Sums::batch(41)).await;
    let path = format!("{meter}/merge");
    let before = rig.get(&meter).await.json();
    let from = json!({"from": twin.rsplit('/').next().unwrap()}).to_string();
    rig.post(&path, from).await.refused(400, "idempotency-key-required");
    for body in ["", "{", "{}", "[]", r#"{"from": "zz", "to": "zz"}"#] {
        rig.post_named(&path, "m", body).await.refused(400, "malformed-json");
    }
    rig.post_named(&path, "m", r#"{"from": "zz"}"#).await.refused(400, "malformed-id");
    rig.post_named(&path, "m", vec![b' '; 5000]).await.refused(413, "body-too-long");
    rig.merge(&meter, "m", &"0".repeat(32)).await.refused(404, "unknown-meter");
    let panel = rig.ledger("panels", "test-mean/1", json!({"limit": 100})).await;
    rig.merge(&meter, "m", &panel).await.refused(404, "unknown-meter");
    rig.merge(&meter, "m", &meter).await.refused(422, "unfit-merge");
    let other = rig.ledger("meters", "test-sums/1", json!({"limit": 101})).await;
    rig.merge(&meter, "m", &other).await.refused(422, "unfit-merge");
    rig.merge(&meter, "m", &twin).await.refused(422, "range");
    let keys = Party::signs().relinearization_keys();
    rig.put_keys(&keys).await.expect(201);
    let request = json!({"operator": "test-keyed/1", "settings": {"limit": 100},
        "evaluation_keys": BodyDigest::of(&keys).to_string()});
    let keyed = rig.post_json("/v1/meters", &request).await.expect(201).json();
    rig.merge(&meter, "m", keyed["id"].as_str().unwrap()).await.refused(422, "unfit-merge");
    assert_eq!(rig.get(&meter).await.json(), before);
    let empty = rig.ledger("meters", "test-sums/1", json!({"limit": 100})).await;
    assert_eq!(rig.merge(&meter, "m", &empty).await.expect(201).json(), json!({"batches": 1}));
}

#[tokio::test]
async fn more_changes_and_bytes_than_a_ledger_may_keep() {
    let limits = Limits { changes_per_ledger: 2, bytes_per_tenant: 960, ..Setup::default().limits };
    let rig = Setup { limits, ..setup() }.start().await;
    let large = json!({"operator": "test-sums/1", "settings": {"padding": 1000}});
    rig.post_json("/v1/meters", &large).await.refused(409, "quota-exceeded");
    let meter = rig.ledger("meters", "test-sums/1", json!({"padding": 700})).await;
    rig.append(&meter, "one", Sums::batch(1)).await;
    rig.append(&meter, "two", Sums::batch(2)).await;
    let third = rig.post_named(&format!("{meter}/batches"), "three", Sums::batch(4)).await;
    assert!(third.json()["detail"].as_str().unwrap().starts_with("the limit of 2 changes of this meter or panel"));
    third.refused(409, "quota-exceeded");
    // What is in already is still answered.
    assert_eq!(rig.append(&meter, "one", Sums::batch(1)).await, 1);
    let second = rig.ledger("meters", "test-sums/1", json!({})).await;
    let long = "n".repeat(64);
    rig.append(&second, &long, Sums::batch(1)).await;
    rig.post_named(&format!("{second}/batches"), "x", Sums::batch(1)).await.refused(409, "quota-exceeded");
    assert_eq!((sum(&rig, &meter).await, sum(&rig, &second).await), (3, 1));
    rig.delete(&meter).await.expect(204);
    assert_eq!(rig.append(&second, "x", Sums::batch(1)).await, 2);
}

#[tokio::test]
async fn ledgers_of_others_are_as_if_they_were_not_there() {
    let keys = vec![("acme", "acme key"), ("other", "other key")];
    let rig = Setup { keys, ..setup() }.start().await;
    let (acme, other) = (rig.with_key("acme key"), rig.with_key("other key"));
    for (family, operator, unknown) in
        [("meters", "test-sums/1", "unknown-meter"), ("panels", "test-mean/1", "unknown-panel")]
    {
        let (ours, theirs) =
            (acme.ledger(family, operator, json!({})).await, other.ledger(family, operator, json!({})).await);
        acme.append(&ours, "one", Sums::batch(5)).await;
        other.get(&ours).await.refused(404, unknown);
        other.delete(&ours).await.refused(404, unknown);
        other.post_named(&format!("{ours}/batches"), "one", Sums::batch(5)).await.refused(404, unknown);
        other.post(&format!("{ours}/report"), "").await.refused(404, unknown);
        other.merge(&theirs, "steal", &ours).await.refused(404, unknown);
        other.merge(&ours, "give", &theirs).await.refused(404, unknown);
        let listed = other.get(&format!("/v1/{family}")).await.expect(200).json();
        assert_eq!(listed[family].as_array().unwrap().len(), 1);
        assert_eq!(sum(&acme, &ours).await, 5);
        // The same id in the other family is nothing, for its owner too.
        let (twin, missing) = match family {
            "meters" => (ours.replace("meters", "panels"), "unknown-panel"),
            _ => (ours.replace("panels", "meters"), "unknown-meter"),
        };
        acme.get(&twin).await.refused(404, missing);
        acme.delete(&twin).await.refused(404, missing);
        acme.post_named(&format!("{twin}/batches"), "one", Sums::batch(5)).await.refused(404, missing);
        acme.post(&format!("{twin}/report"), "").await.refused(404, missing);
        acme.get(&ours).await.expect(200);
        for (method, path) in [
            (Method::POST, format!("/v1/{family}")),
            (Method::GET, format!("/v1/{family}")),
            (Method::GET, ours.clone()),
            (Method::DELETE, ours.clone()),
            (Method::POST, format!("{ours}/batches")),
            (Method::POST, format!("{ours}/merge")),
            (Method::POST, format!("{ours}/report")),
            (Method::GET, format!("/v1/{family}/not-an-id")),
        ] {
            rig.send(method, &path, &[], Body::empty()).await.refused(401, "unauthorized");
        }
    }
}
