//! One of everything that a store keeps, always the same: what was written by an older program is read by this one.

use std::sync::Arc;

use blindrelay_engine::operator::{HANDLE_BYTES, Handle, Placement};
use blindrelay_server::family::Family;
use blindrelay_server::id::{ApiKeyId, BodyDigest, IdempotencyKey, LedgerId, RoomId, TenantId};
use blindrelay_server::store::{
    AccessStore, ApiKey, Idempotency, KeyHolder, KeySet, KeyStore, KeyTerms, LedgerChange, LedgerName, LedgerState,
    LedgerStore, NewRecord, Quota, Role, RoomChange, RoomStore, StoreError, StoredLedger, StoredRecord, StoredRoom,
    StoredTenant, TenantLimits, Turn,
};
use blindrelay_server::time::UnixMillis;
use blindrelay_storage::DurableStore;

pub(crate) const PLENTY: Quota = Quota { rooms: 9, ledgers: 9, changes: 9, keys: 9, jobs: 9, bytes: 1 << 20 };
pub(crate) const ROOM: RoomId = RoomId::from_bytes([1; 16]);
pub(crate) const NAME: LedgerName = LedgerName { family: Family::Panels, id: LedgerId::from_bytes([2; 16]) };
pub(crate) const KEYS: &[u8] = b"evaluation keys";

/// Why the samples cannot be written, or what is not as they say.
type Outcome = Result<(), Box<dyn std::error::Error>>;

pub(crate) fn handle(number: u8) -> Handle {
    Handle::from_bytes([number; HANDLE_BYTES])
}

pub(crate) fn tenant() -> Result<StoredTenant, &'static str> {
    let limits = TenantLimits { rooms: Some(7), compute_millis_per_minute: Some(1), ..TenantLimits::default() };
    let id = TenantId::new("samples-1").ok_or("a tenant's name")?;
    Ok(StoredTenant { id, created: UnixMillis(3), suspended: Some(UnixMillis(u64::MAX)), limits })
}

pub(crate) fn api_key() -> Result<ApiKey, &'static str> {
    Ok(ApiKey {
        id: ApiKeyId::from_bytes([4; 16]),
        digest: BodyDigest::of(b"api key"),
        tenant: Some(tenant()?.id),
        role: Role::Auditor,
        label: "an auditor's key – “ä”".to_owned(),
        created: UnixMillis(5),
        expires: Some(UnixMillis(6)),
        revoked: None,
    })
}

pub(crate) fn key_set() -> KeySet {
    KeySet {
        parameters: "match-2048".to_owned(),
        bytes: KEYS.len(),
        relinearization: true,
        galois_elements: vec![3, u32::MAX],
        terms: KeyTerms { epoch: u64::MAX, expires: Some(UnixMillis(8)), revoked: None },
    }
}

fn room() -> StoredRoom {
    StoredRoom { room: ROOM, operator: "match-signs/1".to_owned(), evaluation_keys: Some(BodyDigest::of(KEYS)) }
}

pub(crate) fn request(name: &str) -> Result<Idempotency, &'static str> {
    Ok(Idempotency { key: IdempotencyKey::new(name).ok_or("a request's name")?, body: BodyDigest::of(name.as_bytes()) })
}

pub(crate) fn record(version: u64, handles: &[u8], name: Option<&str>) -> Result<NewRecord, &'static str> {
    Ok(NewRecord {
        version,
        bytes: format!("record {version}").as_bytes().into(),
        handles: handles.iter().copied().map(handle).collect(),
        placement: Placement { group: version as u32, place: u32::MAX },
        idempotency: name.map(request).transpose()?,
    })
}

fn ledger() -> StoredLedger {
    let (operator, settings) = ("statistics/1".to_owned(), Arc::from(r#"{"a":"ä"}"#));
    StoredLedger { name: NAME, operator, settings, evaluation_keys: None }
}

/// Writes the samples to an empty store.
pub(crate) async fn write(store: &DurableStore) -> Outcome {
    let tenant = tenant()?;
    store.create_tenant(tenant.clone()).await?;
    store.add_api_key(api_key()?).await?;
    let ours = &tenant.id;
    store.put_keys(ours, BodyDigest::of(KEYS), key_set(), KEYS.into(), PLENTY).await?;
    store.create_room(ours, room(), PLENTY).await?;
    store.add_record(ours, ROOM, record(0, &[1, 2], Some("enrolment"))?, PLENTY).await?;
    store.add_record(ours, ROOM, record(1, &[3], None)?, PLENTY).await?;
    store.remove_handle(ours, ROOM, handle(2)).await?;
    store.remove_handle(ours, ROOM, handle(3)).await?;
    store.create_ledger(ours, ledger(), Arc::from(*b"no sums"), PLENTY).await?;
    let change = LedgerChange { version: 0, sums: Arc::from(*b"sums"), batches: 1, request: request("batch")? };
    store.change_ledger(ours, NAME, change, PLENTY).await?;
    Ok(())
}

/// Finds the samples as they were written.
pub(crate) async fn check(store: &DurableStore) -> Outcome {
    let tenant = tenant()?;
    let ours = &tenant.id;
    let holder = KeyHolder { key: api_key()?, tenant: Some(tenant.clone()) };
    assert_eq!(store.key_holder(holder.key.digest).await?, Some(holder));
    assert_eq!(store.keys(ours, BodyDigest::of(KEYS)).await?, Some(key_set()));
    assert_eq!(store.key_bytes(ours, BodyDigest::of(KEYS)).await?.as_deref(), Some(KEYS));
    let state = store.room(ours, ROOM).await?.ok_or(StoreError::UnknownRoom)?;
    assert_eq!((state.room, state.version), (room(), 4));
    let NewRecord { bytes, handles, placement, .. } = record(0, &[1, 2], None)?;
    let changes = [
        RoomChange::Added { version: 1, record: StoredRecord { bytes, handles: handles.clone(), placement } },
        RoomChange::Removed { version: 3, handle: handle(2) },
    ];
    assert_eq!(store.changes(ours, ROOM, 0, 10).await?.changes, changes);
    assert_eq!(store.handles(ours, ROOM, None, 10).await?, [handle(1)]);
    assert_eq!(store.replay(ours, ROOM, &request("enrolment")?, 2).await?, Some(handles));
    let (stored, usage) = store.ledger(ours, NAME).await?.ok_or(StoreError::UnknownLedger { family: NAME.family })?;
    assert_eq!((stored, usage.batches, usage.bytes), (ledger(), 1, 4));
    assert_eq!(store.sums(ours, NAME).await?, LedgerState { version: 1, sums: Arc::from(*b"sums") });
    assert_eq!(store.turn(ours, NAME, &request("batch")?).await?, Turn::Answered(1));
    let (record, named) = record(0, &[1, 2], Some("enrolment"))?.charge();
    let change = LedgerChange { version: 0, sums: Arc::from(*b"sums"), batches: 1, request: request("batch")? };
    let (sums, change) = change.charge();
    let all = key_set().charge() + record + named + ledger().charge() + sums + change;
    assert_eq!(store.stored_bytes(ours).await?, all);
    Ok(())
}
