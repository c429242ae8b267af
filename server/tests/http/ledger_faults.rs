//! Many changes at once, clients that go away, faults of operator and store: nothing is lost, and nothing counts twice or by halves.

use std::sync::Arc;
use std::time::Duration;

use blindrelay_engine::operator::Resource;
use blindrelay_server::Limits;
use blindrelay_server::access::Caller;
use blindrelay_server::family::Family;
use blindrelay_server::id::{BodyDigest, IdempotencyKey, TenantId};
use blindrelay_server::store::memory::MemoryStore;
use blindrelay_server::store::{Idempotency, LedgerChange, LedgerName, LedgerStore, Store, TenantLimits};
use serde_json::json;

use crate::client::Client;
use crate::ledgers::{setup, sum};
use crate::operators::Gate;
use crate::rig::{Rig, Setup};
use crate::sockets::Running;
use crate::stores::{Fault, FaultyStore};
use crate::sums::{PANIC, Sums, WAIT, read};

async fn with_faulty_store() -> (Rig, Arc<FaultyStore>) {
    let store = FaultyStore::new();
    let rig = Setup { store: Arc::clone(&store) as Arc<dyn Store>, ..setup() }.start().await;
    (rig, store)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_clients_at_two_services_lose_nothing() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let start = || Running::start(Setup { store: Arc::clone(&store), ..setup() });
    // Two services on one store: what they compute at the same time must not overwrite each other.
    let services = [start().await, start().await];
    let meter = services[0].rig.ledger("meters", "test-sums/1", json!({"padding": 20_000})).await;
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..16_u64 {
        let (address, path) = (services[usize::try_from(client % 2).unwrap()].address, format!("{meter}/batches"));
        clients.spawn(async move {
            let mut connection = Client::connect(address).await;
            for batch in 0..50_u64 {
                let (name, number) = (format!("{client}-{batch}"), Sums::batch(client * 1000 + batch));
                // Every third is sent twice.
                for _ in 0..=u64::from(batch % 3 == 0) {
                    let (status, body) = connection.post_named(&path, &name, &number).await.unwrap();
                    assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
                }
            }
        });
    }
    clients.join_all().await;
    let expected: u64 = (0..16).flat_map(|client| (0..50).map(move |batch| client * 1000 + batch)).sum();
    for service in services {
        assert_eq!(sum(&service.rig, &meter).await, expected);
        assert_eq!(service.rig.get(&meter).await.json()["batches"], 800);
        service.end().await;
    }
}

#[tokio::test]
async fn the_same_batch_at_the_same_time_counts_once() {
    let (rig, _) = with_faulty_store().await;
    let meter = rig.ledger("meters", "test-sums/1", json!({})).await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (rig, meter) = (rig.clone(), meter.clone());
        all.spawn(async move { rig.append(&meter, "same", Sums::batch(5)).await });
    }
    assert_eq!(all.join_all().await, [1; 20]);
    assert_eq!(sum(&rig, &meter).await, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_cut_off_counts_nothing() {
    let running = Running::start(setup()).await;
    let meter = running.rig.ledger("meters", "test-sums/1", json!({})).await;
    let batch = Sums::message(0, [7_u64.to_le_bytes().to_vec(), vec![0; 60_000]].concat());
    let path = format!("{meter}/batches");
    for cut in [0, 20, 45, 1000, batch.len() - 1] {
        let mut client = running.client().await;
        let head = Client::named_head(&path, "cut", batch.len());
        client.write([head.as_bytes(), &batch[..cut]].concat()).await;
        client.finish().await;
        if let Some((status, _)) = client.answer().await {
            assert_eq!(status, 400);
        }
        drop(client);
    }
    let mut abrupt = running.client().await;
    abrupt.write([Client::named_head(&path, "cut", batch.len()).as_bytes(), &batch[..1000]].concat()).await;
    drop(abrupt);
    assert_eq!(running.rig.get(&meter).await.json()["batches"], 0);
    // Starting again from the beginning gives what one upload would have given.
    let mut client = running.client().await;
    for _ in 0..2 {
        assert_eq!(client.post_named(&path, "cut", &batch).await, Some((201, br#"{"batches":1}"#.to_vec())));
    }
    assert_eq!(sum(&running.rig, &meter).await, 7);
    running.end().await;
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_stop_its_change_halfway() {
    let (rig, store) = with_faulty_store().await;
    let meter = rig.ledger("meters", "test-sums/1", json!({})).await;
    store.turnstile.forget_permits(tokio::sync::Semaphore::MAX_PERMITS);
    let change = {
        let (rig, meter) = (rig.clone(), meter.clone());
        tokio::spawn(async move { rig.append(&meter, "one", Sums::batch(9)).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    change.abort();
    assert!(change.await.unwrap_err().is_cancelled());
    assert_eq!(rig.get(&meter).await.json()["batches"], 0);
    store.turnstile.add_permits(1);
    while rig.get(&meter).await.json()["batches"] == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(rig.append(&meter, "one", Sums::batch(9)).await, 1);
    assert_eq!(sum(&rig, &meter).await, 9);
}

#[tokio::test]
async fn a_panic_in_an_operator_changes_nothing() {
    let (rig, _) = with_faulty_store().await;
    let meter = rig.ledger("meters", "test-sums/1", json!({})).await;
    rig.append(&meter, "one", Sums::batch(1)).await;
    let before = rig.get(&meter).await.json();
    let reply = rig.post_named(&format!("{meter}/batches"), "two", Sums::batch(PANIC)).await;
    assert_eq!(reply.json()["detail"], "the service failed");
    reply.refused(500, "internal");
    assert_eq!(rig.get(&meter).await.json(), before);
    assert_eq!(rig.append(&meter, "two", Sums::batch(2)).await, 2);
    assert_eq!(sum(&rig, &meter).await, 3);
}

#[tokio::test]
async fn a_change_that_the_store_refuses_has_not_happened() {
    let (rig, store) = with_faulty_store().await;
    let (meter, other) =
        (rig.ledger("meters", "test-sums/1", json!({})).await, rig.ledger("meters", "test-sums/1", json!({})).await);
    rig.append(&meter, "one", Sums::batch(1)).await;
    let path = format!("{meter}/batches");
    store.set(Fault::Before);
    rig.post_named(&path, "two", Sums::batch(2)).await.refused(503, "store-unavailable");
    rig.merge(&other, "two", &meter).await.refused(503, "store-unavailable");
    rig.delete(&meter).await.refused(503, "store-unavailable");
    rig.post_json("/v1/meters", &json!({"operator": "test-sums/1"})).await.refused(503, "store-unavailable");
    assert_eq!(sum(&rig, &meter).await, 1);
    store.set(Fault::Down);
    rig.get("/v1/meters").await.refused(503, "store-unavailable");
    rig.post(&format!("{meter}/report"), "").await.refused(503, "store-unavailable");
    store.set(Fault::None);
    assert_eq!(rig.append(&meter, "two", Sums::batch(2)).await, 2);
    assert_eq!(rig.get("/v1/meters").await.json()["meters"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_change_of_unknown_fate_can_be_repeated() {
    let (rig, store) = with_faulty_store().await;
    let meter = rig.ledger("meters", "test-sums/1", json!({})).await;
    store.set(Fault::After);
    rig.post_named(&format!("{meter}/batches"), "one", Sums::batch(1)).await.refused(503, "store-unavailable");
    store.set(Fault::None);
    assert_eq!(rig.append(&meter, "one", Sums::batch(1)).await, 1);
    assert_eq!(sum(&rig, &meter).await, 1);
}

#[tokio::test]
async fn whoever_is_slower_begins_again() {
    let (rig, store) = with_faulty_store().await;
    let meter = rig.ledger("meters", "test-sums/1", json!({})).await;
    store.outdated.store(5, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(rig.append(&meter, "one", Sums::batch(1)).await, 1);
    store.outdated.store(usize::MAX, std::sync::atomic::Ordering::SeqCst);
    let given_up = rig.post_named(&format!("{meter}/batches"), "two", Sums::batch(2)).await;
    assert_eq!(given_up.headers.get("retry-after").unwrap(), "1");
    given_up.refused(503, "contended");
    store.outdated.store(0, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(rig.append(&meter, "two", Sums::batch(2)).await, 2);
    assert_eq!(sum(&rig, &meter).await, 3);
}

#[tokio::test]
async fn sums_that_cannot_be_read_are_a_fault_of_the_service() {
    let store = Arc::new(MemoryStore::new());
    let rig = Setup { store: Arc::clone(&store) as Arc<dyn Store>, ..setup() }.start().await;
    let meter = rig.ledger("meters", "test-sums/1", json!({})).await;
    let name = LedgerName { family: Family::Meters, id: meter.rsplit('/').next().unwrap().parse().unwrap() };
    let request = Idempotency { key: IdempotencyKey::new("torn").unwrap(), body: BodyDigest::of(b"") };
    let change = LedgerChange { version: 0, sums: Arc::from([0; 3]), batches: 1, request };
    let caller = Caller { tenant: TenantId::only(), limits: TenantLimits::default() };
    store.change_ledger(&caller.tenant, name, change, rig.state.quota(&caller)).await.unwrap();
    rig.post(&format!("{meter}/report"), "").await.refused(500, "internal");
    rig.post_named(&format!("{meter}/batches"), "two", Sums::batch(2)).await.refused(500, "internal");
}

#[tokio::test]
async fn a_full_queue_is_told_at_once_and_empties_again() {
    let gate = Arc::new(Gate::default());
    let limits = Limits { compute_threads: 1, queue_length: 1, ..Setup::default().limits };
    let gated = Arc::new(Sums::new("test-wait/1", Resource::Meters).gated(&gate));
    let rig = Setup { limits, accumulations: vec![gated], ..Setup::default() }.start().await;
    let meter = rig.ledger("meters", "test-wait/1", json!({})).await;
    let append = |name: &'static str| {
        let (rig, meter) = (rig.clone(), meter.clone());
        tokio::spawn(async move { rig.append(&meter, name, Sums::batch(WAIT)).await })
    };
    let running = append("one");
    gate.arrivals(1).await;
    let queued = append("two");
    while rig.state.compute().enter().is_ok() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let refused = rig.post_named(&format!("{meter}/batches"), "three", Sums::batch(1)).await;
    assert_eq!(refused.headers.get("retry-after").unwrap(), "1");
    refused.refused(503, "queue-full");
    rig.post(&format!("{meter}/report"), "").await.refused(503, "queue-full");
    gate.open();
    assert_eq!((running.await.unwrap(), queued.await.unwrap()), (1, 2));
    assert_eq!(rig.append(&meter, "three", Sums::batch(1)).await, 3);
    let report = rig.post(&format!("{meter}/report"), "").await.expect(200);
    assert_eq!(read(&report.body).0, 2 * WAIT + 1);
}
