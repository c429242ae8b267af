//! Several services on one store.

use std::sync::Arc;

use blindrelay_server::Limits;
use blindrelay_server::store::Store;
use blindrelay_server::store::memory::MemoryStore;

use crate::party::Party;
use crate::rig::{Rig, Setup};

async fn nodes<const N: usize>(limits: Limits) -> [Rig; N] {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let mut rigs = Vec::new();
    for _ in 0..N {
        let setup = Setup { store: Arc::clone(&store), limits: limits.clone(), ..Setup::default() };
        rigs.push(setup.start().await);
    }
    rigs.try_into().ok().unwrap()
}

fn limits() -> Limits {
    Setup::default().limits
}

#[tokio::test]
async fn what_one_service_answered_the_others_know() {
    let [here, there] = nodes(limits()).await;
    let party = Party::signs();
    let keys = party.relinearization_keys();
    here.put_keys(&keys).await.expect(201);
    let room = there.room_with("match-signs/1", &keys).await;
    let probe = || party.probe("ada");
    // Changes come in turns; after each, the other service answers from it.
    let ada = here.enrol(&room, party.record(&["ada"]), 1).await[0];
    assert_eq!(party.open(&there.matched(&room, probe()).await), [(ada, 128)]);
    let pair = there.enrol(&room, party.record(&["grace", "alan"]), 2).await;
    assert_eq!(party.open(&here.matched(&room, probe()).await).len(), 3);
    here.delete(&format!("{room}/handles/{}", pair[1])).await.expect(204);
    let mut expected = [(ada, 128), (pair[0], party.score("grace", "ada"))];
    expected.sort_unstable();
    for rig in [&here, &there] {
        assert_eq!(party.open(&rig.matched(&room, probe()).await), expected);
    }
    // The same records at the same places: the answers are the same, byte for byte.
    let probe = probe();
    assert_eq!(here.matched(&room, probe.clone()).await, there.matched(&room, probe.clone()).await);
    there.delete(&room).await.expect(204);
    here.post(&format!("{room}/match"), probe).await.refused(404, "unknown-room");
    here.post(&format!("{room}/handles"), party.record(&["ada"])).await.refused(404, "unknown-room");
}

#[tokio::test]
async fn records_that_reach_several_services_at_once_are_all_enrolled() {
    let all: [Rig; 3] = nodes(limits()).await;
    let party = Arc::new(Party::signs());
    let room = all[0].room("match-signs/1").await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..30 {
        let (rig, party, room) = (all[number % 3].clone(), Arc::clone(&party), room.clone());
        tasks.spawn(async move {
            let name = format!("participant {number}");
            let handle = rig.enrol(&room, party.record(&[&name]), 1).await[0];
            // Every third goes again.
            if number % 3 == 1 {
                rig.delete(&format!("{room}/handles/{handle}")).await.expect(204);
                return None;
            }
            Some((handle, name))
        });
    }
    let mut enrolled = Vec::new();
    while let Some(done) = tasks.join_next().await {
        enrolled.extend(done.unwrap());
    }
    assert_eq!(enrolled.len(), 20);
    let probe = party.probe("participant 3");
    let answers = [&all[0], &all[1], &all[2]].map(|rig| rig.matched(&room, probe.clone()));
    let [first, second, third] = answers;
    let first = first.await;
    assert_eq!((&first, &first), (&second.await, &third.await));
    let mut expected: Vec<_> =
        enrolled.iter().map(|(handle, name)| (*handle, party.score(name, "participant 3"))).collect();
    expected.sort_unstable();
    assert_eq!(party.open(&first), expected);
}

#[tokio::test]
async fn a_repeated_request_is_answered_again_by_any_service() {
    let [here, there] = nodes(limits()).await;
    let party = Party::signs();
    let (room, record) = (here.room("match-signs/1").await, party.record(&["ada"]));
    let path = format!("{room}/handles");
    let first = here.post_named(&path, "one", record.clone()).await.expect(201).handles();
    assert_eq!(there.post_named(&path, "one", record).await.expect(201).handles(), first);
    there.post_named(&path, "one", party.record(&["grace"])).await.refused(409, "idempotency-conflict");
    assert_eq!(party.open(&there.matched(&room, party.probe("ada")).await), [(first[0], 128)]);
}

#[tokio::test]
async fn more_rooms_than_fit_into_memory_are_made_again_when_they_are_used() {
    let [rig] = nodes(Limits { room_cache_bytes: 1, ..limits() }).await;
    let party = Party::signs();
    let mut rooms = Vec::new();
    for name in ["ada", "grace", "alan"] {
        let room = rig.room("match-signs/1").await;
        let handle = rig.enrol(&room, party.record(&[name]), 1).await[0];
        rooms.push((room, name, handle));
    }
    for _ in 0..2 {
        for (room, name, handle) in &rooms {
            assert_eq!(party.open(&rig.matched(room, party.probe(name)).await), [(*handle, 128)]);
        }
    }
}

#[tokio::test]
async fn revoked_keys_stop_at_once_in_every_service() {
    let [here, there] = nodes(limits()).await;
    let party = Party::signs();
    let keys = party.relinearization_keys();
    let digest = here.put_keys(&keys).await.expect(201).json()["digest"].as_str().unwrap().to_owned();
    let room = here.room_with("match-signs/1", &keys).await;
    here.enrol(&room, party.record(&["ada"]), 1).await;
    there.matched(&room, party.probe("ada")).await;
    let revoked = here.post(&format!("/v1/keys/{digest}/revoke"), "").await.expect(200).json();
    assert!(revoked["revoked"].as_u64().unwrap() > 1_700_000_000_000);
    for rig in [&here, &there] {
        rig.post(&format!("{room}/match"), party.probe("ada")).await.refused(409, "keys-revoked");
        rig.put_keys(&keys).await.refused(409, "keys-revoked");
        assert_eq!(rig.get(&format!("/v1/keys/{digest}")).await.expect(200).json(), revoked);
    }
    // The first moment counts.
    assert_eq!(there.post(&format!("/v1/keys/{digest}/revoke"), "").await.expect(200).json(), revoked);
    there.post(&format!("/v1/keys/{}/revoke", "0".repeat(64)), "").await.refused(404, "unknown-keys");
}
