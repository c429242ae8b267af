//! Receipts that are kept: what an auditor finds of them, and how long.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::Method;
use blindrelay_engine::operator::{Handle, Placement};
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::Wire;
use blindrelay_server::id::BodyDigest;
use blindrelay_server::receipts::{RECEIPTED, ReceiptSettings};
use blindrelay_server::store::memory::MemoryStore;
use blindrelay_server::{Limits, Registry};
use blindrelay_trust::{Receipt, SignedReceipt};
use serde_json::{Value, json};

use crate::access::Timed;
use crate::ledgers::setup;
use crate::party::Party;
use crate::receipts::open;
use crate::rig::{Reply, Rig, Setup};
use crate::stores::FaultyStore;
use crate::sums::{Sums, read};

async fn ask(rig: &Rig, path: &str, body: Vec<u8>) -> Reply {
    rig.send(Method::POST, path, &[("accept", RECEIPTED)], body).await
}

async fn part(rig: &Rig, signed: &SignedReceipt, part: &str) -> Reply {
    rig.get(&format!("/v1/receipts/{}{part}", signed.id())).await
}

/// The day of a receipt, as it is written.
fn day(receipt: &Receipt) -> String {
    receipt.time.to_string()[..10].to_owned()
}

/// Makes the room of a receipt from what the service tells of it, and computes the answer.
async fn again(rig: &Rig, registry: &Registry, signed: &SignedReceipt) -> Vec<u8> {
    let receipt = signed.receipt();
    let operator = registry.operator(receipt.operator.as_str()).unwrap();
    let mut collection = operator.new_collection();
    let mut after = 0;
    loop {
        let page = part(rig, signed, &format!("/changes?limit=1&after={after}")).await.expect(200).json();
        for change in page["changes"].as_array().unwrap() {
            if let Some(handle) = change["removed"].as_str() {
                collection.remove(handle.parse().unwrap()).unwrap();
                continue;
            }
            let (version, added) = (&change["version"], &change["added"]);
            let record = part(rig, signed, &format!("/records/{version}")).await.expect(200);
            assert_eq!(record.headers["etag"], format!("\"{}\"", BodyDigest::of(&record.body)));
            assert_eq!(
                (&added["bytes"], &added["digest"]),
                (&json!(record.body.len()), &json!(BodyDigest::of(&record.body).to_string()))
            );
            let handles = added["handles"].as_array().unwrap().iter();
            let handles: Vec<Handle> = handles.map(|handle| handle.as_str().unwrap().parse().unwrap()).collect();
            let number = |name: &str| u32::try_from(added[name].as_u64().unwrap()).unwrap();
            let placement = Placement { group: number("group"), place: number("place") };
            collection.restore(&record.body, &handles, placement).unwrap();
        }
        match page["next"].as_u64() {
            Some(next) => after = next,
            None => break,
        }
    }
    let keys = part(rig, signed, "/keys").await.expect(200).body;
    let keys = EvaluationKeys::from_bytes(&keys, operator.parameters()).unwrap();
    let request = part(rig, signed, "/request").await.expect(200).body;
    let snapshot = collection.snapshot();
    assert_eq!(receipt.collection.content.unwrap().as_bytes(), &snapshot.digest());
    snapshot.evaluate(&request, Some(&keys)).unwrap()
}

#[tokio::test]
async fn an_answer_comes_out_again_whatever_was_removed_since() {
    let setup = Setup { keys: vec![("acme", "ours"), ("other", "theirs")], ..Setup::default() };
    let (rig, party) = (setup.start().await.with_key("ours"), Party::signs());
    let keys = party.relinearization_keys();
    rig.put_keys(&keys).await.expect(201);
    let room = rig.room_with("match-signs/1", &keys).await;
    let pair = rig.enrol(&room, party.record(&["ada", "grace"]), 2).await;
    let one = rig.enrol(&room, party.record(&["alan"]), 1).await[0];
    rig.delete(&format!("{room}/handles/{}", pair[1])).await.expect(204);
    let (path, probe) = (format!("{room}/match"), party.probe("ada"));
    let (signed, answer) = open(&ask(&rig, &path, probe.clone()).await.expect(200));
    assert_eq!(signed.receipt().collection.version, 3);
    let source = part(&rig, &signed, "/source").await.expect(200).json();
    let keys_digest = BodyDigest::of(&keys).to_string();
    let (kind, version) = ("room", 3);
    assert_eq!(
        source,
        json!({"kind": kind, "collection": room.rsplit('/').next().unwrap(), "version": version,
        "operator": "match-signs/1", "evaluation_keys": keys_digest})
    );
    assert_eq!(part(&rig, &signed, "/request").await.expect(200).body, probe);
    assert_eq!(again(&rig, rig.state.registry(), &signed).await, answer);

    // Another record at the place that one leaves, then nothing at all.
    rig.delete(&format!("{room}/handles/{one}")).await.expect(204);
    rig.enrol(&room, party.record(&["mary"]), 1).await;
    let (later, other) = open(&ask(&rig, &path, probe).await.expect(200));
    assert_eq!(again(&rig, rig.state.registry(), &later).await, other);
    assert_eq!(again(&rig, rig.state.registry(), &signed).await, answer);
    rig.post(&format!("/v1/keys/{keys_digest}/revoke"), "").await.expect(200);
    rig.delete(&room).await.expect(204);
    rig.delete(&format!("/v1/keys/{keys_digest}")).await.expect(204);
    assert_eq!(again(&rig, rig.state.registry(), &signed).await, answer);
    assert_eq!(again(&rig, rig.state.registry(), &later).await, other);
    assert_eq!(part(&rig, &signed, "/source").await.expect(200).json(), source);
    let kept = part(&rig, &signed, "").await.expect(200);
    assert_eq!(
        (kept.body, &kept.headers["cache-control"]),
        (signed.to_bytes(), &"private, max-age=31536000, immutable".parse().unwrap())
    );

    // Somebody else's receipt is like none, with all its parts.
    let stranger = rig.with_key("theirs");
    for name in ["", "/request", "/source", "/changes", "/records/1", "/keys", "/sums"] {
        part(&stranger, &signed, name).await.refused(404, "unknown-receipt");
    }
    part(&rig, &signed, "/sums").await.refused(404, "unknown-receipt");
    part(&rig, &signed, "/records/3").await.refused(404, "unknown-receipt");
    part(&rig, &signed, "/records/first").await.refused(400, "malformed-id");
    part(&rig, &signed, "/changes?after=first").await.refused(400, "malformed-query");
    part(&rig, &signed, "/changes?limit=0").await.refused(400, "malformed-query");
}

#[tokio::test]
async fn the_receipts_of_a_day_are_listed_in_pages() {
    let (rig, party) = (Rig::new().await, Party::signs());
    let room = rig.room("match-signs/1").await;
    rig.enrol(&room, party.record(&["ada"]), 1).await;
    let mut given = Vec::new();
    for name in ["ada", "grace", "alan"] {
        let reply = ask(&rig, &format!("{room}/match"), party.probe(name)).await.expect(200);
        given.push(open(&reply).0);
    }
    // Without a receipt nothing is kept.
    rig.matched(&room, party.probe("mary")).await;
    given.sort_by_key(SignedReceipt::id);
    let day = day(given[0].receipt());
    let all = rig.get(&format!("/v1/receipts?day={day}")).await.expect(200).json();
    let ids = |page: &Value| -> Vec<String> {
        page["receipts"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let expected: Vec<String> = given.iter().map(|signed| signed.id().to_string()).collect();
    assert_eq!((ids(&all), &all["next"]), (expected.clone(), &Value::Null));
    let entry = &all["receipts"][0];
    let receipt = given[0].receipt();
    let time = receipt.time.get();
    assert_eq!(
        *entry,
        json!({"id": expected[0], "operator": "match-signs/1", "kind": "room",
        "collection": receipt.collection.id.to_string(), "version": 1, "time": time, "request_bytes": 10_568,
        "until": time + 30 * 86_400_000})
    );
    let first = rig.get(&format!("/v1/receipts?day={day}&limit=2")).await.expect(200).json();
    assert_eq!((ids(&first).as_slice(), &first["next"]), (&expected[..2], &json!(expected[1])));
    let rest = rig.get(&format!("/v1/receipts?day={day}&after={}", expected[1])).await.expect(200).json();
    assert_eq!(ids(&rest), expected[2..]);
    let other = rig.get("/v1/receipts?day=2001-02-03").await.expect(200).json();
    assert_eq!(other, json!({"receipts": [], "next": null}));
    for query in ["", "?day=today", "?day=2026-02-30", "?day=2026-11-21&limit=0", "?day=2026-11-21&more=1"] {
        rig.get(&format!("/v1/receipts{query}")).await.refused(400, "malformed-query");
    }
    rig.get(&format!("/v1/receipts?day={day}&after=00")).await.refused(400, "malformed-id");
    rig.get("/v1/receipts/00").await.refused(400, "malformed-id");
}

#[tokio::test]
async fn sums_stay_as_they_were_for_their_receipts() {
    let rig = setup().start().await;
    let panel = rig.ledger("panels", "test-mean/1", json!({"limit": 1000})).await;
    rig.append(&panel, "one", Sums::batch(5)).await;
    let (signed, answer) = open(&ask(&rig, &format!("{panel}/report"), Vec::new()).await.expect(200));
    let sums = part(&rig, &signed, "/sums").await.expect(200).body;
    rig.append(&panel, "two", Sums::batch(7)).await;
    let (later, _) = open(&ask(&rig, &format!("{panel}/report"), Vec::new()).await.expect(200));
    rig.delete(&panel).await.expect(204);
    assert_eq!(part(&rig, &signed, "/sums").await.expect(200).body, sums);
    assert_eq!(BodyDigest::of(&sums).as_bytes(), signed.receipt().collection.content.unwrap().as_bytes());
    assert_ne!(part(&rig, &later, "/sums").await.expect(200).body, sums);
    let source = part(&rig, &signed, "/source").await.expect(200).json();
    assert_eq!((&source["kind"], &source["settings"]), (&json!("panel"), &json!("{\"limit\":1000}")));
    let (_, operator) = rig.state.registry().accumulation("test-mean/1").unwrap();
    let restored = operator.restore(source["settings"].as_str().unwrap(), &sums).unwrap();
    assert_eq!((restored.report(b"", None).unwrap(), read(&answer).0), (answer, 5));
    assert_eq!(part(&rig, &signed, "/request").await.expect(200).body, b"");
    assert_eq!(part(&rig, &signed, "/changes").await.expect(200).json(), json!({"changes": [], "next": null}));
    for name in ["/keys", "/records/0"] {
        part(&rig, &signed, name).await.refused(404, "unknown-receipt");
    }
}

#[tokio::test]
async fn receipts_end_when_their_time_is_over() {
    let (timed, party) = (Timed::start().await, Party::signs());
    let rig = &timed.rig;
    let room = rig.room("match-signs/1").await;
    let ada = rig.enrol(&room, party.record(&["ada"]), 1).await[0];
    let before = rig.store.stored_bytes(&blindrelay_server::id::TenantId::only()).await.unwrap();
    let (signed, _) = open(&ask(rig, &format!("{room}/match"), party.probe("ada")).await.expect(200));
    rig.delete(&format!("{room}/handles/{ada}")).await.expect(204);
    let list = format!("/v1/receipts?day={}", day(signed.receipt()));
    timed.advance(30 * 86_400 - 1);
    assert_eq!(rig.store.drop_receipts(rig.state.clock().now()).await.unwrap(), 0);
    part(rig, &signed, "/records/1").await.expect(200);
    assert_eq!(rig.get(&list).await.expect(200).json()["receipts"].as_array().unwrap().len(), 1);
    timed.advance(1);
    for name in ["", "/request", "/source", "/changes", "/records/1"] {
        part(rig, &signed, name).await.refused(404, "unknown-receipt");
    }
    assert_eq!(rig.get(&list).await.expect(200).json(), json!({"receipts": [], "next": null}));
    assert_eq!(rig.store.drop_receipts(rig.state.clock().now()).await.unwrap(), 1);
    let after = rig.store.stored_bytes(&blindrelay_server::id::TenantId::only()).await.unwrap();
    assert_eq!(before - after, 10_568 + 16, "the record went with the receipt");
}

#[tokio::test]
async fn none_is_kept_where_the_configuration_says_so() {
    let setup = Setup { receipts: ReceiptSettings { keep_days: 0 }, ..Setup::default() };
    let (rig, party) = (setup.start().await, Party::signs());
    let room = rig.room("match-signs/1").await;
    rig.enrol(&room, party.record(&["ada"]), 1).await;
    let (signed, _) = open(&ask(&rig, &format!("{room}/match"), party.probe("ada")).await.expect(200));
    part(&rig, &signed, "").await.refused(404, "unknown-receipt");
}

#[tokio::test]
async fn an_answer_whose_source_went_is_computed_again_and_not_for_ever() {
    let (store, party) = (FaultyStore::new(), Party::signs());
    let mut setup = setup();
    setup.store = Arc::<FaultyStore>::clone(&store);
    let rig = setup.start().await;
    let room = rig.room("match-signs/1").await;
    rig.enrol(&room, party.record(&["ada"]), 1).await;
    let meter = rig.ledger("meters", "test-sums/1", json!({})).await;
    rig.append(&meter, "one", Sums::batch(5)).await;
    for (path, body) in [(format!("{room}/match"), party.probe("ada")), (format!("{meter}/report"), Vec::new())] {
        store.gone.store(7, Ordering::SeqCst);
        let (signed, _) = open(&ask(&rig, &path, body.clone()).await.expect(200));
        part(&rig, &signed, "").await.expect(200);
        store.gone.store(8, Ordering::SeqCst);
        ask(&rig, &path, body.clone()).await.refused(503, "contended");
        // Who wants no receipt waits for nobody.
        store.gone.store(8, Ordering::SeqCst);
        rig.post(&path, body).await.expect(200);
        store.gone.store(0, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_receipt_that_does_not_fit_is_refused_and_the_answer_alone_is_not() {
    let party = Party::signs();
    let record = party.record(&["ada"]);
    let limits = Limits { bytes_per_tenant: record.len() as u64 + 16 + 20_000, ..Setup::default().limits };
    let rig = Setup { limits, ..Setup::default() }.start().await;
    let room = rig.room("match-signs/1").await;
    rig.enrol(&room, record, 1).await;
    let path = format!("{room}/match");
    ask(&rig, &path, party.probe("ada")).await.expect(200);
    ask(&rig, &path, party.probe("ada")).await.refused(409, "quota-exceeded");
    rig.matched(&room, party.probe("ada")).await;
}

#[tokio::test]
async fn a_room_that_is_made_again_has_the_version_of_what_is_in_it() {
    let store = Arc::new(MemoryStore::new());
    let party = Party::signs();
    let start = async || Setup { store: Arc::<MemoryStore>::clone(&store), ..Setup::default() }.start().await;
    let here = start().await;
    let keys = party.relinearization_keys();
    here.put_keys(&keys).await.expect(201);
    let room = here.room_with("match-signs/1", &keys).await;
    let ada = here.enrol(&room, party.record(&["ada"]), 1).await[0];
    here.enrol(&room, party.record(&["grace"]), 1).await;
    here.delete(&format!("{room}/handles/{ada}")).await.expect(204);
    // Who makes the room from the store never sees the first record, nor its removal.
    let there = start().await;
    let (signed, answer) = open(&ask(&there, &format!("{room}/match"), party.probe("ada")).await.expect(200));
    assert_eq!(signed.receipt().collection.version, 3);
    assert_eq!(again(&here, here.state.registry(), &signed).await, answer);
    let reply = here.send(Method::GET, &format!("/v1/receipts/{}", signed.id()), &[], Body::empty()).await;
    assert_eq!(reply.expect(200).body, signed.to_bytes());
}
