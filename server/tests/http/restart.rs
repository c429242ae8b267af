//! A service that starts with what an earlier one has stored.

use std::sync::Arc;

use blindrelay_server::store::Store;
use blindrelay_server::store::memory::MemoryStore;
use blindrelay_server::{AppState, Registry};

use crate::operators::{Evaluation, Scripted};
use crate::party::Party;
use crate::rig::Setup;
use crate::stores::{Fault, FaultyStore};

fn setup(store: &Arc<dyn Store>) -> Setup {
    Setup { store: Arc::clone(store), ..Setup::default() }
}

#[tokio::test]
async fn everything_is_there_again() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (party, rig) = (Party::signs(), setup(&store).start().await);
    let keys = party.relinearization_keys();
    rig.put_keys(&keys).await.expect(201);
    let (room, empty) = (rig.room_with("match-signs/1", &keys).await, rig.room("match-signs/1").await);
    // More than a group, some of it removed: single values, whole records, and values of a shared record.
    let mut handles = Vec::new();
    for record in 0..12 {
        let names = [format!("{record} a"), format!("{record} b"), format!("{record} c")];
        let names = names.each_ref().map(String::as_str);
        handles.push(rig.enrol(&room, party.record(&names), 3).await);
    }
    for handle in [&handles[0][..], &handles[3][1..2], &handles[7][..2]].concat() {
        rig.delete(&format!("{room}/handles/{handle}")).await.expect(204);
    }
    let scores = party.open(&rig.matched(&room, party.probe("5 b")).await);
    let view = rig.view(&room).await;
    assert_eq!(scores.len(), 30);
    drop(rig);

    let again = setup(&store).start().await;
    assert_eq!(again.view(&room).await, view);
    assert_eq!(party.open(&again.matched(&room, party.probe("5 b")).await), scores);
    again.post(&format!("{empty}/match"), party.probe("5 b")).await.refused(409, "room-empty");
    let late = again.enrol(&room, party.record(&["late"]), 1).await[0];
    let scores = party.open(&again.matched(&room, party.probe("late")).await);
    assert_eq!(scores.iter().find(|(_, score)| *score == 128), Some(&(late, 128)));
    assert_eq!(scores.len(), 31);
}

#[tokio::test]
async fn rooms_of_an_operator_that_is_gone_can_only_be_deleted() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let party = Party::signs();
    let mut with_operator = setup(&store);
    with_operator.operators = vec![Arc::new(Scripted::new("test-echo/1", Evaluation::Echo))];
    let rig = with_operator.start().await;
    let room = rig.room("test-echo/1").await;
    let handle = rig.enrol(&room, party.record(&["ada"]), 1).await[0];

    let without = setup(&store).start().await;
    without.post(&format!("{room}/match"), party.probe("ada")).await.refused(410, "operator-retired");
    without.post(&format!("{room}/handles"), party.record(&["ada"])).await.refused(410, "operator-retired");
    without.delete(&format!("{room}/handles/{handle}")).await.refused(410, "operator-retired");
    let shown = without.get(&room).await.expect(200).json();
    assert_eq!((&shown["operator"], &shown["parameters"]), (&"test-echo/1".into(), &serde_json::Value::Null));
    assert_eq!(without.get(&format!("{room}/handles")).await.expect(200).handles(), [handle]);
    without.delete(&room).await.expect(204);
    without.get(&room).await.refused(404, "unknown-room");
}

#[tokio::test]
async fn one_room_that_cannot_be_made_again_stops_no_other() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let party = Party::signs();
    let panicking = |append| {
        let mut setup = setup(&store);
        setup.operators = vec![Arc::new(Scripted::new("test-panic/1", Evaluation::Echo).panicking_at(append))];
        setup
    };
    let rig = panicking(0).start().await;
    let (bad, good) = (rig.room("test-panic/1").await, rig.room("match-signs/1").await);
    let odd = rig.enrol(&bad, party.record(&["ada"]), 1).await[0];
    let ada = rig.enrol(&good, party.record(&["ada"]), 1).await[0];

    let again = panicking(1).start().await;
    assert_eq!(party.open(&again.matched(&good, party.probe("ada")).await), [(ada, 128)]);
    // Making the room again panics once; the next request tries again.
    again.post(&format!("{bad}/match"), party.probe("ada")).await.refused(500, "internal");
    assert_eq!(again.matched(&bad, party.probe("ada")).await, odd.as_bytes());
}

#[tokio::test]
async fn a_store_that_is_down_stops_the_start() {
    let store = FaultyStore::new();
    store.set(Fault::Down);
    let config = Setup::default().config();
    let error = AppState::open(&config, Registry::new(), store).await.err().unwrap();
    assert!(error.to_string().contains("the disk is on fire"));
}
