//! Faults of operators, of the store and of the network: the service goes on, and nothing is half-done.

use std::sync::Arc;

use blindrelay_server::store::Store;

use crate::operators::{Evaluation, Scripted};
use crate::party::Party;
use crate::rig::{Rig, Setup};
use crate::stores::{Fault, FaultyStore};

async fn with_faulty_store() -> (Rig, Arc<FaultyStore>) {
    let store = FaultyStore::new();
    let rig = Setup { store: Arc::clone(&store) as Arc<dyn Store>, ..Setup::default() }.start().await;
    (rig, store)
}

#[tokio::test]
async fn a_panic_in_an_operator_is_one_answer() {
    let panicking = Arc::new(Scripted::new("test-panic/1", Evaluation::Panic).panicking_at(2));
    let rig = Setup { operators: vec![panicking], ..Setup::default() }.start().await;
    let party = Party::signs();
    let (room, good) = (rig.room("test-panic/1").await, rig.room("match-signs/1").await);
    let first = rig.enrol(&room, party.record(&["ada"]), 1).await;
    let lost = rig.post(&format!("{room}/handles"), party.record(&["grace"])).await;
    assert_eq!(lost.json()["detail"], "the service failed");
    assert_eq!(lost.json()["id"].as_str().unwrap().len(), 16);
    lost.refused(500, "internal");
    assert_eq!(rig.get(&format!("{room}/handles")).await.handles(), first);
    let next = rig.enrol(&room, party.record(&["alan"]), 1).await;
    let mut both = [first, next].concat();
    both.sort_unstable();
    assert_eq!(rig.get(&format!("{room}/handles")).await.handles(), both);
    rig.post(&format!("{room}/match"), party.probe("ada")).await.refused(500, "internal");
    let handle = rig.enrol(&good, party.record(&["ada"]), 1).await[0];
    assert_eq!(party.open(&rig.matched(&good, party.probe("ada")).await), [(handle, 128)]);
}

#[tokio::test]
async fn a_change_that_the_store_refuses_has_not_happened() {
    let ((rig, store), party) = (with_faulty_store().await, Party::signs());
    let room = rig.room("match-signs/1").await;
    let ada = rig.enrol(&room, party.record(&["ada"]), 1).await[0];
    let before = rig.view(&room).await;
    store.set(Fault::Before);
    rig.post(&format!("{room}/handles"), party.record(&["grace"])).await.refused(503, "store-unavailable");
    rig.delete(&format!("{room}/handles/{ada}")).await.refused(503, "store-unavailable");
    rig.delete(&room).await.refused(503, "store-unavailable");
    rig.put_keys(&party.relinearization_keys()).await.refused(503, "store-unavailable");
    assert_eq!(party.open(&rig.matched(&room, party.probe("ada")).await), [(ada, 128)]);
    store.set(Fault::None);
    assert_eq!(rig.view(&room).await, before);
    let grace = rig.enrol(&room, party.record(&["grace"]), 1).await[0];
    let mut expected = [(ada, 128), (grace, party.score("grace", "ada"))];
    expected.sort_unstable();
    assert_eq!(party.open(&rig.matched(&room, party.probe("ada")).await), expected);
}

#[tokio::test]
async fn a_change_of_unknown_fate_is_read_back_from_the_store() {
    let ((rig, store), party) = (with_faulty_store().await, Party::signs());
    let room = rig.room("match-signs/1").await;
    let ada = rig.enrol(&room, party.record(&["ada"]), 1).await[0];
    store.set(Fault::After);
    rig.post(&format!("{room}/handles"), party.record(&["grace"])).await.refused(503, "store-unavailable");
    store.set(Fault::None);
    let alan = rig.enrol(&room, party.record(&["alan"]), 1).await[0];
    let listed = rig.get(&format!("{room}/handles")).await.handles();
    let scores = party.open(&rig.matched(&room, party.probe("grace")).await);
    assert_eq!(scores.iter().map(|(handle, _)| *handle).collect::<Vec<_>>(), listed);
    assert_eq!(listed.len(), 3);
    let of = |wanted| scores.iter().find(|(handle, _)| *handle == wanted).map(|(_, score)| *score);
    assert_eq!((of(ada), of(alan)), (Some(party.score("ada", "grace")), Some(party.score("alan", "grace"))));
    let grace = listed.iter().find(|&&handle| handle != ada && handle != alan).unwrap();
    assert_eq!(of(*grace), Some(128));
}

#[tokio::test]
async fn a_store_that_is_down_is_told_and_everything_goes_on_when_it_is_back() {
    let ((rig, store), party) = (with_faulty_store().await, Party::signs());
    let room = rig.room("match-signs/1").await;
    let ada = rig.enrol(&room, party.record(&["ada"]), 1).await[0];
    store.set(Fault::Down);
    let ready = rig.get("/v1/health/ready").await.expect(503);
    assert_eq!(ready.json()["status"], "store-unavailable");
    rig.get("/v1/health/live").await.expect(200);
    rig.get(&room).await.refused(503, "store-unavailable");
    // Nobody could say whether the keys were revoked or the room was deleted meanwhile.
    let refused = rig.post(&format!("{room}/match"), party.probe("ada")).await;
    assert_eq!(refused.headers.get("retry-after").unwrap(), "1");
    assert!(!refused.json()["detail"].as_str().unwrap().contains("fire"));
    refused.refused(503, "store-unavailable");
    store.set(Fault::None);
    rig.get("/v1/health/ready").await.expect(200);
    assert_eq!(party.open(&rig.matched(&room, party.probe("ada")).await), [(ada, 128)]);
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_stop_its_change_halfway() {
    let ((rig, store), party) = (with_faulty_store().await, Party::signs());
    let room = rig.room("match-signs/1").await;
    store.turnstile.forget_permits(tokio::sync::Semaphore::MAX_PERMITS);
    let change = {
        let (rig, path, record) = (rig.clone(), format!("{room}/handles"), party.record(&["ada"]));
        tokio::spawn(async move { rig.post(&path, record).await })
    };
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    change.abort();
    assert!(change.await.unwrap_err().is_cancelled());
    // Not stored yet, so not matched yet.
    rig.post(&format!("{room}/match"), party.probe("ada")).await.refused(409, "room-empty");
    store.turnstile.add_permits(1);
    let scores = loop {
        let reply = rig.post(&format!("{room}/match"), party.probe("ada")).await;
        if reply.status.is_success() {
            break party.open(&reply.body);
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    };
    let stored = rig.get(&format!("{room}/handles")).await.handles();
    assert_eq!(scores, [(stored[0], 128)]);
}

#[tokio::test]
async fn changes_of_one_room_at_the_same_time_all_happen() {
    let (rig, party) = (Rig::new().await, Party::signs());
    let room = rig.room("match-signs/1").await;
    let mut changes = tokio::task::JoinSet::new();
    for member in 0..40 {
        let (rig, room, record) = (rig.clone(), room.clone(), party.record(&[&format!("member {member}")]));
        changes.spawn(async move {
            let handle = rig.enrol(&room, record, 1).await[0];
            if member % 4 == 0 {
                rig.delete(&format!("{room}/handles/{handle}")).await.expect(204);
                return None;
            }
            Some(handle)
        });
    }
    let mut enrolled: Vec<_> = changes.join_all().await.into_iter().flatten().collect();
    enrolled.sort_unstable();
    assert_eq!(enrolled.len(), 30);
    let scores = party.open(&rig.matched(&room, party.probe("member 1")).await);
    assert_eq!(scores.iter().map(|(handle, _)| *handle).collect::<Vec<_>>(), enrolled);
    assert_eq!(scores.iter().filter(|(_, score)| *score == 128).count(), 1);
}
