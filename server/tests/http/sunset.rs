//! Parameters that are about to go, beside those that stay.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use blindrelay_engine::Backend;
use blindrelay_routing::MatchKind;
use blindrelay_server::store::memory::MemoryStore;
use blindrelay_server::time::{Clock, UnixMillis};
use blindrelay_server::{AppState, Config, ConfigError, Environment, Registry, StartError, app};
use serde_json::{Value, json};

use crate::party::Party;
use crate::rig::Rig;

/// The beginning of 2027-06-01, UTC.
const SUNSET: u64 = 1_811_808_000_000;

#[tokio::test]
async fn from_its_sunset_on_nothing_new_is_made_with_a_parameter_set() {
    let now = Arc::new(AtomicU64::new(SUNSET - 1));
    let read = Arc::clone(&now);
    let clock = Clock::new(move || UnixMillis(read.load(Ordering::Relaxed)));
    let config = Config::from_toml("[sunset]\nmatch-2048 = \"2027-06-01\"").unwrap();
    let store = Arc::new(MemoryStore::new());
    let environment = Environment { clock, ..Environment::default() };
    let registry = Registry::standard(Backend::detect()).unwrap();
    let state = AppState::within(&config, registry, store.clone(), environment).await.unwrap();
    let rig = Rig { app: app(state.clone()), state, store, key: None };

    let sets = rig.get("/v1/parameters").await.expect(200).json()["sets"].clone();
    let sunset =
        |name: &str| sets.as_array().unwrap().iter().find(|set| set["name"] == name).unwrap()["sunset"].clone();
    assert_eq!((sunset("match-2048"), sunset("match-4096")), (json!(SUNSET), Value::Null));
    let party = Party::signs();
    let keys = party.relinearization_keys();
    rig.put_keys(&keys).await.expect(201);
    let room = rig.room_with("match-signs/1", &keys).await;
    let ada = rig.enrol(&room, party.record(&["ada"]), 1).await[0];

    now.store(SUNSET, Ordering::Relaxed);
    let refused = rig.post_json("/v1/rooms", &json!({"operator": "match-signs/1"})).await;
    assert!(refused.json()["detail"].as_str().unwrap().contains("2027-06-01"));
    refused.refused(410, "parameters-sunset");
    let others = Party::new(MatchKind::Signs, 77).relinearization_keys();
    rig.put_keys(&others).await.refused(410, "parameters-sunset");
    // The other configuration is offered as before, and what is there is answered and changed.
    rig.put_keys(&keys).await.expect(200);
    rig.enrol(&room, party.record(&["mary"]), 1).await;
    let answer = party.open(&rig.matched(&room, party.probe("ada")).await);
    assert!(answer.contains(&(ada, 128)), "{answer:?}");
    rig.room("match-embeddings/1").await;
}

#[tokio::test]
async fn a_sunset_of_nothing_is_refused() {
    let config = Config::from_toml("[sunset]\nmatch-1024 = \"2027-06-01\"").unwrap();
    let registry = Registry::standard(Backend::detect()).unwrap();
    let refused = AppState::open(&config, registry, Arc::new(MemoryStore::new())).await;
    assert!(matches!(refused, Err(StartError::Config(ConfigError::SunsetName { name })) if name == "match-1024"));
}
