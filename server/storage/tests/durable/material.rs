//! What tests store.

use std::sync::Arc;

use blindrelay_engine::operator::{Handle, Placement};
use blindrelay_server::family::Family;
use blindrelay_server::id::{BodyDigest, IdempotencyKey, LedgerId, RoomId, TenantId};
use blindrelay_server::store::{
    Idempotency, KeySet, KeyStore as _, KeyTerms, LedgerChange, LedgerName, LedgerStore as _, NewRecord, Quota,
    RoomStore as _, StoredLedger, StoredRoom,
};
use blindrelay_storage::DurableStore;

pub(crate) const PLENTY: Quota =
    Quota { rooms: 100, ledgers: 100, changes: 10_000, keys: 100, jobs: 100, bytes: 1 << 30 };

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) async fn room(store: &DurableStore) -> RoomId {
    let room = RoomId::random().unwrap();
    let stored = StoredRoom { room, operator: "test/1".to_owned(), evaluation_keys: None };
    store.create_room(&tenant(), stored, PLENTY).await.unwrap();
    room
}

pub(crate) fn record(version: u64, bytes: &[u8]) -> NewRecord {
    NewRecord {
        version,
        bytes: bytes.into(),
        handles: vec![Handle::random().unwrap()],
        placement: Placement { group: 0, place: version as u32 },
        idempotency: None,
    }
}

pub(crate) async fn ledger(store: &DurableStore, sums: &[u8]) -> LedgerName {
    let name = LedgerName { family: Family::Meters, id: LedgerId::random().unwrap() };
    let stored = StoredLedger { name, operator: "test/1".to_owned(), settings: Arc::from("{}"), evaluation_keys: None };
    store.create_ledger(&tenant(), stored, sums.into(), PLENTY).await.unwrap();
    name
}

pub(crate) fn change(version: u64, sums: &[u8], request: &str) -> LedgerChange {
    let key = IdempotencyKey::new(request).unwrap();
    let request = Idempotency { key, body: BodyDigest::of(request.as_bytes()) };
    LedgerChange { version, sums: sums.into(), batches: version + 1, request }
}

pub(crate) async fn keys(store: &DurableStore, bytes: &[u8]) -> BodyDigest {
    let told = KeySet {
        parameters: "test".to_owned(),
        bytes: bytes.len(),
        relinearization: true,
        galois_elements: vec![3],
        terms: KeyTerms::default(),
    };
    let digest = BodyDigest::of(bytes);
    store.put_keys(&tenant(), digest, told, bytes.into(), PLENTY).await.unwrap();
    digest
}
