//! The whole life of meters and panels.

use std::sync::Arc;

use blindrelay_engine::operator::{KeyNeed, Resource};
use blindrelay_engine::params::{Parameters, STATS_8192, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::Wire;
use blindrelay_engine::{Backend, ckks};
use blindrelay_keyholder::{KeyRequirements, SecretKey};
use blindrelay_server::id::BodyDigest;
use blindrelay_server::store::Store;
use blindrelay_server::store::memory::MemoryStore;
use blindrelay_server::{Registry, RegistryError};
use serde_json::{Value, json};

use crate::operators::{Evaluation, Scripted};
use crate::party::Party;
use crate::rig::{Rig, Setup};
use crate::sums::{Sums, read};

/// The operators of tests: one for each family, and one that needs keys.
pub(crate) fn setup() -> Setup {
    let keyed = Sums::new("test-keyed/1", Resource::Meters).needing(KeyNeed::Required);
    Setup {
        accumulations: vec![
            Arc::new(Sums::new("test-sums/1", Resource::Meters)),
            Arc::new(Sums::new("test-mean/1", Resource::Panels)),
            Arc::new(keyed),
        ],
        ..Setup::default()
    }
}

/// The sum of a ledger.
pub(crate) async fn sum(rig: &Rig, ledger: &str) -> u64 {
    read(&rig.post(&format!("{ledger}/report"), "").await.expect(200).body).0
}

#[tokio::test]
async fn both_families_live_the_same_life() {
    let rig = setup().start().await;
    for (family, singular, operator) in [("meters", "meter", "test-sums/1"), ("panels", "panel", "test-mean/1")] {
        let request = json!({"operator": operator, "settings": {"minimum": 2, "limit": 1000}});
        let made = rig.post_json(&format!("/v1/{family}"), &request).await.expect(201).json();
        let id = made["id"].as_str().unwrap();
        let expected = json!({
            "id": id, "operator": operator, "parameters": "match-2048",
            "settings": {"limit": 1000, "minimum": 2}, "batches": 0, "bytes": 16,
        });
        assert_eq!(made, expected);
        let ledger = format!("/v1/{family}/{id}");
        assert_eq!(rig.append(&ledger, "first", Sums::batch(30)).await, 1);
        rig.post(&format!("{ledger}/report"), "").await.refused(409, "too-few-contributions");
        assert_eq!(rig.append(&ledger, "second", Sums::batch(12)).await, 2);
        let report = rig.post(&format!("{ledger}/report"), "").await.expect(200);
        assert_eq!(report.headers.get("content-type").unwrap(), "application/octet-stream");
        assert_eq!(read(&report.body), (42, 0, false));
        let question = Sums::batch(0);
        let report = rig.post(&format!("{ledger}/report"), question.clone()).await.expect(200);
        assert_eq!(read(&report.body), (42, question.len() as u64, false));
        let shown = rig.get(&ledger).await.expect(200).json();
        assert_eq!((&shown["batches"], &shown["bytes"], &shown["id"]), (&json!(2), &json!(16), &made["id"]));
        rig.delete(&ledger).await.expect(204);
        let unknown = format!("unknown-{singular}");
        rig.get(&ledger).await.refused(404, &unknown);
        rig.delete(&ledger).await.refused(404, &unknown);
        rig.post(&format!("{ledger}/report"), "").await.refused(404, &unknown);
        rig.post_named(&format!("{ledger}/batches"), "first", Sums::batch(1)).await.refused(404, &unknown);
        rig.merge(&ledger, "merge", &ledger).await.refused(404, &unknown);
    }
}

#[tokio::test]
async fn settings_have_one_spelling() {
    let rig = setup().start().await;
    let texts = [
        r#"{"operator": "test-sums/1", "settings": {"minimum": 3, "limit": 5}}"#,
        r#"{ "settings":{"limit":5,"minimum" :3} , "operator":"test-sums/1"}"#,
    ];
    let mut ledgers = Vec::new();
    for text in texts {
        let made = rig.post("/v1/meters", text).await.expect(201).json();
        ledgers.push(format!("/v1/meters/{}", made["id"].as_str().unwrap()));
    }
    rig.append(&ledgers[0], "one", Sums::batch(1)).await;
    rig.append(&ledgers[1], "one", Sums::batch(2)).await;
    // Settings are compared by their text.
    rig.merge(&ledgers[0], "merge", &ledgers[1]).await.expect(201);
    let without = rig.post("/v1/meters", r#"{"operator": "test-sums/1"}"#).await.expect(201).json();
    assert_eq!(without["settings"], json!({}));
}

#[tokio::test]
async fn ledgers_are_listed_in_pages_by_family() {
    let rig = setup().start().await;
    let mut meters = Vec::new();
    for _ in 0..5 {
        let meter = rig.ledger("meters", "test-sums/1", json!({})).await;
        meters.push(meter.rsplit('/').next().unwrap().to_owned());
    }
    let panel = rig.ledger("panels", "test-mean/1", json!({})).await;
    meters.sort();
    let mut listed: Vec<String> = Vec::new();
    let mut next = String::new();
    loop {
        let page = rig.get(&format!("/v1/meters?after={next}&limit=2")).await.expect(200).json();
        let entries = page["meters"].as_array().unwrap();
        assert!(entries.len() <= 2);
        listed.extend(entries.iter().map(|entry| entry["id"].as_str().unwrap().to_owned()));
        let Some(after) = page["next"].as_str() else { break };
        after.clone_into(&mut next);
    }
    assert_eq!(listed, meters);
    let panels = rig.get("/v1/panels").await.expect(200).json();
    assert_eq!((panels["panels"].as_array().unwrap().len(), &panels["next"]), (1, &Value::Null));
    let entry = &panels["panels"][0];
    assert_eq!(format!("/v1/panels/{}", entry["id"].as_str().unwrap()), panel);
    let expected = json!({
        "id": entry["id"], "operator": "test-mean/1", "parameters": "match-2048", "batches": 0, "bytes": 16,
    });
    assert_eq!(*entry, expected);
}

#[tokio::test]
async fn a_repeated_batch_counts_once() {
    let rig = setup().start().await;
    let meter = rig.ledger("meters", "test-sums/1", json!({})).await;
    let batches = format!("{meter}/batches");
    for _ in 0..3 {
        assert_eq!(rig.append(&meter, "monday", Sums::batch(5)).await, 1);
    }
    rig.post_named(&batches, "monday", Sums::batch(6)).await.refused(409, "idempotency-conflict");
    assert_eq!(rig.append(&meter, "tuesday", Sums::batch(5)).await, 2);
    // The answer is that of its own time.
    assert_eq!(rig.append(&meter, "monday", Sums::batch(5)).await, 1);
    assert_eq!(sum(&rig, &meter).await, 10);
    // Another ledger knows nothing of the name.
    let other = rig.ledger("meters", "test-sums/1", json!({})).await;
    assert_eq!(rig.append(&other, "monday", Sums::batch(6)).await, 1);
    // A batch that was refused has not used its name.
    let tight = rig.ledger("meters", "test-sums/1", json!({"limit": 10})).await;
    rig.post_named(&format!("{tight}/batches"), "monday", Sums::batch(11)).await.refused(422, "range");
    assert_eq!(rig.append(&tight, "monday", Sums::batch(10)).await, 1);
}

#[tokio::test]
async fn sums_are_merged_once_and_both_stay() {
    let rig = setup().start().await;
    let (whole, part) =
        (rig.ledger("meters", "test-sums/1", json!({})).await, rig.ledger("meters", "test-sums/1", json!({})).await);
    rig.append(&whole, "a", Sums::batch(1)).await;
    rig.append(&part, "a", Sums::batch(10)).await;
    rig.append(&part, "b", Sums::batch(100)).await;
    for _ in 0..2 {
        assert_eq!(rig.merge(&whole, "part", &part).await.expect(201).json(), json!({"batches": 3}));
    }
    assert_eq!((sum(&rig, &whole).await, sum(&rig, &part).await), (111, 110));
    let other = rig.ledger("meters", "test-sums/1", json!({})).await;
    rig.merge(&whole, "part", &other).await.refused(409, "idempotency-conflict");
    rig.merge(&whole, "a", &part).await.refused(409, "idempotency-conflict");
    rig.post_named(&format!("{whole}/batches"), "part", Sums::batch(1)).await.refused(409, "idempotency-conflict");
    // What is merged afterwards is what is there then, and a repeated request is answered also when the source is gone.
    rig.append(&part, "c", Sums::batch(1000)).await;
    assert_eq!(rig.merge(&other, "part", &part).await.expect(201).json(), json!({"batches": 3}));
    rig.delete(&part).await.expect(204);
    assert_eq!(rig.merge(&other, "part", &part).await.expect(201).json(), json!({"batches": 3}));
    assert_eq!((sum(&rig, &whole).await, sum(&rig, &other).await), (111, 1110));
}

#[tokio::test]
async fn operators_are_given_the_keys_of_the_ledger() {
    let (rig, party) = (setup().start().await, Party::signs());
    let keys = party.relinearization_keys();
    let digest = BodyDigest::of(&keys).to_string();
    let request = json!({"operator": "test-keyed/1", "evaluation_keys": digest});
    rig.post_json("/v1/meters", &request).await.refused(409, "keys-missing");
    rig.put_keys(&keys).await.expect(201);
    let made = rig.post_json("/v1/meters", &request).await.expect(201).json();
    assert_eq!(made["evaluation_keys"], digest.as_str());
    let meter = format!("/v1/meters/{}", made["id"].as_str().unwrap());
    rig.append(&meter, "one", Sums::batch(7)).await;
    assert_eq!(read(&rig.post(&format!("{meter}/report"), "").await.expect(200).body), (7, 0, true));
    rig.delete(&format!("/v1/keys/{digest}")).await.refused(409, "keys-in-use");
    rig.delete(&meter).await.expect(204);
    rig.delete(&format!("/v1/keys/{digest}")).await.expect(204);
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let start = || Setup { store: Arc::clone(&store), ..setup() }.start();
    let rig = start().await;
    let (meter, panel) =
        (rig.ledger("meters", "test-sums/1", json!({})).await, rig.ledger("panels", "test-mean/1", json!({})).await);
    rig.append(&meter, "one", Sums::batch(3)).await;
    rig.append(&panel, "one", Sums::batch(4)).await;
    let view = rig.get(&meter).await.expect(200).json();
    drop(rig);

    let again = start().await;
    assert_eq!(again.get(&meter).await.expect(200).json(), view);
    assert_eq!((sum(&again, &meter).await, sum(&again, &panel).await), (3, 4));
    assert_eq!(again.append(&meter, "one", Sums::batch(3)).await, 1);
    assert_eq!(again.append(&meter, "two", Sums::batch(3)).await, 2);
    assert_eq!(sum(&again, &meter).await, 6);
    drop(again);

    let without = Setup { store: Arc::clone(&store), ..Setup::default() }.start().await;
    let shown = without.get(&meter).await.expect(200).json();
    assert_eq!((&shown["operator"], &shown["parameters"]), (&json!("test-sums/1"), &Value::Null));
    let batches = format!("{meter}/batches");
    without.post_named(&batches, "three", Sums::batch(1)).await.refused(410, "operator-retired");
    without.post(&format!("{meter}/report"), "").await.refused(410, "operator-retired");
    without.merge(&meter, "merge", &meter).await.refused(410, "operator-retired");
    without.delete(&meter).await.expect(204);
    without.get(&meter).await.refused(404, "unknown-meter");
}

#[tokio::test]
async fn keys_of_approximate_schemes_are_taken() {
    let parameters = Parameters::new(preset(STATS_8192).unwrap(), Backend::detect()).unwrap();
    let operator = Sums::at("test-stats/1", Resource::Panels, parameters.clone()).needing(KeyNeed::Required);
    let rig = Setup { accumulations: vec![Arc::new(operator)], ..Setup::default() }.start().await;
    let sets = rig.get("/v1/parameters").await.expect(200).json();
    let set = sets["sets"].as_array().unwrap().iter().find(|set| set["name"] == STATS_8192).unwrap();
    assert_eq!((&set["scheme"], &set["plaintext_modulus"]), (&json!("ckks"), &Value::Null));
    assert!(set["scale_bits"].is_u64());
    let card = rig.get("/v1/operators/test-stats/1").await.expect(200).json();
    assert_eq!((&card["resource"], &card["parameters"]), (&json!("panels"), &json!(STATS_8192)));
    let key = SecretKey::from_seed(&ckks::Context::new(&parameters).unwrap(), Seed::from_bytes([5; 32]));
    let keys = key.evaluation_keys(&KeyRequirements { relinearization: true, ..KeyRequirements::default() }).to_bytes();
    assert_eq!(rig.put_keys(&keys).await.expect(201).json()["parameters"], STATS_8192);
    let request = json!({"operator": "test-stats/1", "evaluation_keys": BodyDigest::of(&keys).to_string()});
    let made = rig.post_json("/v1/panels", &request).await.expect(201).json();
    assert_eq!(made["parameters"], STATS_8192);
}

#[test]
fn operators_are_registered_where_they_belong() {
    let mut registry = Registry::new();
    let rooms = Arc::new(Sums::new("test-rooms/1", Resource::Rooms));
    let refused = registry.register_accumulation(rooms).unwrap_err();
    assert!(matches!(refused, RegistryError::Resource { resource: Resource::Rooms, .. }), "{refused}");
    registry.register_accumulation(Arc::new(Sums::new("test-sums/1", Resource::Meters))).unwrap();
    registry.register(Arc::new(Scripted::new("test-echo/1", Evaluation::Echo))).unwrap();
    // One id, one operator, whatever it is for.
    let again = registry.register(Arc::new(Scripted::new("test-sums/1", Evaluation::Echo)));
    assert!(matches!(again, Err(RegistryError::Repeated { .. })));
    let again = registry.register_accumulation(Arc::new(Sums::new("test-echo/1", Resource::Panels)));
    assert!(matches!(again, Err(RegistryError::Repeated { .. })));
    let ids: Vec<&str> = registry.cards().iter().map(|card| card.id.as_str()).collect();
    assert_eq!(ids, ["test-echo/1", "test-sums/1"]);
}
