//! What every store has to do, as functions that its tests call: [`all`] runs them one after the other.
//!
//! Each function makes tenants of its own, so that they can share a store with each other and with what is in it already.

mod access;
mod jobs;
mod ledger;
mod receipts;
mod room;

use std::sync::Arc;

use blindrelay_engine::operator::{HANDLE_BYTES, Handle, Placement};

use super::{Idempotency, KeySet, KeyTerms, NewRecord, Quota, RoomUsage, Store, StoreError, StoredRoom, Written};
use crate::id::{BodyDigest, IdempotencyKey, RoomId, TenantId};
use crate::time::UnixMillis;

const PLENTY: Quota = Quota { rooms: 100, ledgers: 100, changes: 100, keys: 100, jobs: 100, bytes: 1 << 30 };

type Outcome = Result<(), StoreError>;

/// Runs the whole contract.
///
/// # Panics
/// Where the store does not keep it.
pub async fn all(store: &dyn Store) -> Outcome {
    store.ready().await?;
    keys_are_kept_once_and_apart(store).await?;
    keys_of_rooms_stay(store).await?;
    revoked_keys_stay_revoked(store).await?;
    quotas_hold_and_are_given_back(store).await?;
    a_refused_change_changes_nothing(store).await?;
    a_secret_is_made_once(store).await?;
    room::all(store).await?;
    ledger::all(store).await?;
    jobs::all(store).await?;
    receipts::all(store).await?;
    access::all(store).await
}

fn unavailable(error: getrandom::Error) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

fn handle() -> Result<Handle, StoreError> {
    Handle::random().map_err(unavailable)
}

fn tenant() -> Result<TenantId, StoreError> {
    let name = format!("contract-{}", handle()?);
    TenantId::new(&name).ok_or_else(|| StoreError::Unavailable(name.into()))
}

fn room_of(operator: &str, evaluation_keys: Option<BodyDigest>) -> Result<StoredRoom, StoreError> {
    let room = RoomId::random().map_err(unavailable)?;
    Ok(StoredRoom { room, operator: operator.to_owned(), evaluation_keys })
}

async fn new_room(store: &dyn Store, tenant: &TenantId) -> Result<RoomId, StoreError> {
    let room = room_of("contract/1", None)?;
    let id = room.room;
    store.create_room(tenant, room, PLENTY).await?;
    Ok(id)
}

/// A record for a room of this version, at a place that no other version has.
fn record(version: u64, bytes: &[u8], count: usize) -> Result<NewRecord, StoreError> {
    let handles = (0..count).map(|_| handle()).collect::<Result<_, _>>()?;
    let placement = Placement { group: version as u32, place: 7 };
    Ok(NewRecord { version, bytes: bytes.into(), handles, placement, idempotency: None })
}

fn request(name: &str, body: &[u8]) -> Result<Idempotency, StoreError> {
    let key = IdempotencyKey::new(name).ok_or_else(|| StoreError::Unavailable(name.into()))?;
    Ok(Idempotency { key, body: BodyDigest::of(body) })
}

fn key_set(bytes: &[u8]) -> (BodyDigest, KeySet, Arc<[u8]>) {
    let told = KeySet {
        parameters: "contract".to_owned(),
        bytes: bytes.len(),
        relinearization: true,
        galois_elements: vec![3, 5],
        terms: KeyTerms { epoch: 9, expires: Some(UnixMillis(u64::from(u32::MAX) << 9)), revoked: None },
    };
    (BodyDigest::of(bytes), told, bytes.into())
}

async fn add_keys(store: &dyn Store, tenant: &TenantId, bytes: &[u8], quota: Quota) -> Result<Written, StoreError> {
    let (digest, told, bytes) = key_set(bytes);
    store.put_keys(tenant, digest, told, bytes, quota).await
}

/// Keys are found under their digest by their tenant only, and a second upload changes nothing.
async fn keys_are_kept_once_and_apart(store: &dyn Store) -> Outcome {
    let (ours, theirs) = (tenant()?, tenant()?);
    let (digest, told, bytes) = key_set(b"keys");
    assert_eq!(store.keys(&ours, digest).await?, None);
    assert_eq!(add_keys(store, &ours, b"keys", PLENTY).await?, Written::New);
    assert_eq!(add_keys(store, &ours, b"keys", PLENTY).await?, Written::Existing);
    assert_eq!(store.keys(&ours, digest).await?, Some(told));
    assert_eq!(store.key_bytes(&ours, digest).await?, Some(bytes));
    assert_eq!(store.keys(&theirs, digest).await?, None);
    assert_eq!(store.key_bytes(&theirs, digest).await?, None);
    let refused = store.remove_keys(&theirs, digest).await;
    assert!(matches!(refused, Err(StoreError::KeysMissing { digest: missing }) if missing == digest));
    store.remove_keys(&ours, digest).await?;
    assert_eq!(store.keys(&ours, digest).await?, None);
    assert!(matches!(store.remove_keys(&ours, digest).await, Err(StoreError::KeysMissing { .. })));
    Ok(())
}

/// A room needs its keys when it is made and keeps them until it goes.
async fn keys_of_rooms_stay(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let (digest, ..) = key_set(b"keys of a room");
    let room = room_of("contract/1", Some(digest))?;
    let early = store.create_room(&ours, room.clone(), PLENTY).await;
    assert!(matches!(early, Err(StoreError::KeysMissing { .. })));
    assert_eq!(store.room(&ours, room.room).await?, None);
    add_keys(store, &ours, b"keys of a room", PLENTY).await?;
    store.create_room(&ours, room.clone(), PLENTY).await?;
    assert!(matches!(store.remove_keys(&ours, digest).await, Err(StoreError::KeysInUse { .. })));
    store.remove_room(&ours, room.room).await?;
    store.remove_keys(&ours, digest).await
}

/// A revocation is for good, and the first one counts.
async fn revoked_keys_stay_revoked(store: &dyn Store) -> Outcome {
    let (ours, theirs) = (tenant()?, tenant()?);
    let (digest, told, bytes) = key_set(b"keys that are taken back");
    let missing = |error: StoreError| matches!(error, StoreError::KeysMissing { .. });
    assert!(store.revoke_keys(&ours, digest, UnixMillis(5)).await.is_err_and(missing));
    store.put_keys(&ours, digest, told.clone(), Arc::clone(&bytes), PLENTY).await?;
    assert!(store.revoke_keys(&theirs, digest, UnixMillis(5)).await.is_err_and(missing));
    let terms = KeyTerms { revoked: Some(UnixMillis(6)), ..told.terms };
    let revoked = KeySet { terms, ..told.clone() };
    assert_eq!(store.revoke_keys(&ours, digest, UnixMillis(6)).await?, revoked);
    assert_eq!(store.revoke_keys(&ours, digest, UnixMillis(7)).await?, revoked);
    assert_eq!(store.put_keys(&ours, digest, told, bytes, PLENTY).await?, Written::Existing);
    assert_eq!(store.keys(&ours, digest).await?, Some(revoked));
    Ok(())
}

/// What is above a quota is refused, and what is removed makes room.
async fn quotas_hold_and_are_given_back(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let full = |error: StoreError| matches!(error, StoreError::Quota { .. });
    let tight = Quota { rooms: 1, keys: 1, bytes: 100, ..PLENTY };
    add_keys(store, &ours, &[1; 60], tight).await?;
    assert!(add_keys(store, &ours, &[2; 1], tight).await.is_err_and(full));
    assert!(add_keys(store, &ours, &[2; 41], Quota { keys: 2, ..tight }).await.is_err_and(full));
    let room = room_of("contract/1", None)?;
    let id = room.room;
    store.create_room(&ours, room, tight).await?;
    assert!(store.create_room(&ours, room_of("contract/1", None)?, tight).await.is_err_and(full));
    // A handle is charged with the record that it belongs to.
    let fits = record(0, &[3; 100 - 60 - HANDLE_BYTES], 1)?;
    let handles = fits.handles.clone();
    store.add_record(&ours, id, fits, tight).await?;
    assert!(store.add_record(&ours, id, record(1, &[4], 1)?, tight).await.is_err_and(full));
    for handle in handles {
        store.remove_handle(&ours, id, handle).await?;
    }
    store.add_record(&ours, id, record(2, &[5; 100 - 60 - HANDLE_BYTES], 1)?, tight).await?;
    store.remove_room(&ours, id).await?;
    store.remove_keys(&ours, BodyDigest::of(&[1; 60])).await?;
    assert_eq!(add_keys(store, &ours, &[6; 100], tight).await?, Written::New);
    Ok(())
}

/// A change that is refused for its last reason has left no trace of its first steps.
async fn a_refused_change_changes_nothing(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let room = new_room(store, &ours).await?;
    let first = record(0, b"first", 1)?;
    store.add_record(&ours, room, first.clone(), PLENTY).await?;
    let mut clash = record(1, b"second", 1)?;
    clash.handles.extend(&first.handles);
    clash.idempotency = Some(request("clash", b"second")?);
    assert!(matches!(store.add_record(&ours, room, clash, PLENTY).await, Err(StoreError::RepeatedId)));
    let large = NewRecord { idempotency: Some(request("large", b"third")?), ..record(1, &[0; 100], 1)? };
    let refused = store.add_record(&ours, room, large, Quota { bytes: 100, ..PLENTY }).await;
    assert!(matches!(refused, Err(StoreError::Quota { what: "bytes", limit: 100 })));
    assert_eq!(store.usage(&ours, room).await?, RoomUsage { handles: 1, bytes: 5 });
    assert_eq!(store.replay(&ours, room, &request("clash", b"second")?, 2).await?, None);
    assert_eq!(store.replay(&ours, room, &request("large", b"third")?, 1).await?, None);
    Ok(())
}

/// The first who asks for a secret says what it is, for everybody.
async fn a_secret_is_made_once(store: &dyn Store) -> Outcome {
    let (name, other) = (handle()?.to_string(), handle()?.to_string());
    assert_eq!(store.shared_secret(&name, [1; 32]).await?, [1; 32]);
    assert_eq!(store.shared_secret(&other, [2; 32]).await?, [2; 32]);
    assert_eq!(store.shared_secret(&name, [3; 32]).await?, [1; 32]);
    Ok(())
}
