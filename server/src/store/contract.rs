//! What every store has to do, as functions that its tests call: [`all`] runs them one after the other.
//!
//! Each function makes tenants of its own, so that they can share a store with each other and with what is in it already.

mod ledger;

use std::sync::Arc;

use blindrelay_engine::operator::{HANDLE_BYTES, Handle};

use super::{Idempotency, KeySet, NewRecord, Quota, RoomUsage, Store, StoreError, StoredRecord, StoredRoom, Written};
use crate::id::{BodyDigest, IdempotencyKey, RoomId, TenantId};

const PLENTY: Quota = Quota { rooms: 100, ledgers: 100, changes: 100, keys: 100, bytes: 1 << 30 };

type Outcome = Result<(), StoreError>;

/// Runs the whole contract.
///
/// # Panics
/// Where the store does not keep it.
pub async fn all(store: &dyn Store) -> Outcome {
    store.ready().await?;
    keys_are_kept_once_and_apart(store).await?;
    keys_of_rooms_stay(store).await?;
    rooms_belong_to_their_tenants(store).await?;
    records_keep_their_order(store).await?;
    handles_come_in_pages(store).await?;
    a_record_goes_with_its_last_handle(store).await?;
    requests_are_answered_once(store).await?;
    quotas_hold_and_are_given_back(store).await?;
    a_refused_change_changes_nothing(store).await?;
    ledger::all(store).await
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

fn record(bytes: &[u8], count: usize) -> Result<NewRecord, StoreError> {
    let handles = (0..count).map(|_| handle()).collect::<Result<_, _>>()?;
    Ok(NewRecord { bytes: bytes.into(), handles, idempotency: None })
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

/// A room of somebody else is like none, for every method.
async fn rooms_belong_to_their_tenants(store: &dyn Store) -> Outcome {
    let (ours, theirs) = (tenant()?, tenant()?);
    let room = room_of("contract/7", None)?;
    let id = room.room;
    store.create_room(&ours, room.clone(), PLENTY).await?;
    assert!(matches!(store.create_room(&ours, room.clone(), PLENTY).await, Err(StoreError::RepeatedId)));
    assert_eq!(store.room(&ours, id).await?.as_ref(), Some(&room));
    assert!(store.rooms().await?.contains(&(ours.clone(), room)));
    assert_eq!(store.usage(&ours, id).await?, RoomUsage::default());
    let known = record(b"record", 1)?;
    let enrolled = known.handles.clone();
    store.add_record(&ours, id, known, PLENTY).await?;
    let unknown = |error: StoreError| matches!(error, StoreError::UnknownRoom);
    let question = request("name", b"body")?;
    assert_eq!(store.room(&theirs, id).await?, None);
    assert!(store.usage(&theirs, id).await.is_err_and(unknown));
    assert!(store.add_record(&theirs, id, record(b"record", 1)?, PLENTY).await.is_err_and(unknown));
    for handle in enrolled {
        assert!(store.remove_handle(&theirs, id, handle).await.is_err_and(unknown));
    }
    assert!(store.handles(&theirs, id, None, 10).await.is_err_and(unknown));
    assert!(store.records(&theirs, id, None, 10).await.is_err_and(unknown));
    assert!(store.replay(&theirs, id, &question, 1).await.is_err_and(unknown));
    assert!(store.remove_room(&theirs, id).await.is_err_and(unknown));
    store.remove_room(&ours, id).await?;
    assert!(store.remove_room(&ours, id).await.is_err_and(unknown));
    assert!(store.usage(&ours, id).await.is_err_and(unknown));
    assert!(!store.rooms().await?.iter().any(|(_, room)| room.room == id));
    Ok(())
}

/// Records are read in the order in which they were added, in pages.
async fn records_keep_their_order(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let room = new_room(store, &ours).await?;
    let added = (0_u8..5).map(|i| record(&[i], 2)).collect::<Result<Vec<_>, _>>()?;
    for record in &added {
        store.add_record(&ours, room, record.clone(), PLENTY).await?;
    }
    let mut after = None;
    let mut read: Vec<StoredRecord> = Vec::new();
    loop {
        let page = store.records(&ours, room, after, 2).await?;
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after = Some(last.sequence);
        read.extend(page);
    }
    assert!(read.is_sorted_by(|a, b| a.sequence < b.sequence));
    assert_eq!(read.len(), added.len());
    for (read, added) in read.iter().zip(&added) {
        assert_eq!((&read.bytes, &read.handles, read.removed.len()), (&added.bytes, &added.handles, 0));
    }
    assert_eq!(store.usage(&ours, room).await?, RoomUsage { handles: 10, bytes: 5 });
    Ok(())
}

/// Handles are listed upwards from any of them, also from one that is gone.
async fn handles_come_in_pages(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let room = new_room(store, &ours).await?;
    let added = record(b"record", 5)?;
    let mut sorted = added.handles.clone();
    sorted.sort();
    store.add_record(&ours, room, added, PLENTY).await?;
    assert_eq!(store.handles(&ours, room, None, 10).await?, sorted);
    let first = store.handles(&ours, room, None, 2).await?;
    assert!(first.iter().eq(sorted.iter().take(2)));
    let Some(&cursor) = first.last() else { return Err(StoreError::UnknownHandle) };
    store.remove_handle(&ours, room, cursor).await?;
    assert!(store.handles(&ours, room, Some(cursor), 10).await?.iter().eq(sorted.iter().skip(2)));
    let highest = Handle::from_bytes([0xff; HANDLE_BYTES]);
    assert!(store.handles(&ours, room, Some(highest), 10).await?.is_empty());
    Ok(())
}

/// A record says which of its handles are gone, and is gone when all are.
async fn a_record_goes_with_its_last_handle(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let room = new_room(store, &ours).await?;
    let added = record(b"two values", 2)?;
    store.add_record(&ours, room, added.clone(), PLENTY).await?;
    let (Some(&first), Some(&second)) = (added.handles.first(), added.handles.last()) else {
        return Err(StoreError::UnknownHandle);
    };
    store.remove_handle(&ours, room, first).await?;
    assert!(matches!(store.remove_handle(&ours, room, first).await, Err(StoreError::UnknownHandle)));
    let left = store.records(&ours, room, None, 10).await?;
    let seen: Vec<_> = left.iter().map(|record| (record.handles.clone(), record.removed.clone())).collect();
    assert_eq!(seen, [(added.handles, vec![first])]);
    assert_eq!(store.usage(&ours, room).await?, RoomUsage { handles: 1, bytes: 10 });
    store.remove_handle(&ours, room, second).await?;
    assert!(store.records(&ours, room, None, 10).await?.is_empty());
    assert_eq!(store.usage(&ours, room).await?, RoomUsage::default());
    Ok(())
}

/// A request with a name is answered with the same handles as long as its room exists, and its name serves no other.
async fn requests_are_answered_once(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let (room, other) = (new_room(store, &ours).await?, new_room(store, &ours).await?);
    let named = request("request-1", b"body")?;
    assert_eq!(store.replay(&ours, room, &named, 2).await?, None);
    let added = NewRecord { idempotency: Some(named.clone()), ..record(b"body", 2)? };
    store.add_record(&ours, room, added.clone(), PLENTY).await?;
    assert_eq!(store.replay(&ours, room, &named, 2).await?, Some(added.handles.clone()));
    assert_eq!(store.replay(&ours, other, &named, 2).await?, None);
    let conflict = |error: StoreError| matches!(error, StoreError::IdempotencyConflict);
    assert!(store.replay(&ours, room, &named, 1).await.is_err_and(conflict));
    assert!(store.replay(&ours, room, &request("request-1", b"another")?, 2).await.is_err_and(conflict));
    let again = NewRecord { idempotency: Some(named.clone()), ..record(b"body", 2)? };
    assert!(store.add_record(&ours, room, again, PLENTY).await.is_err_and(conflict));
    assert_eq!(store.usage(&ours, room).await?.handles, 2);
    for &handle in &added.handles {
        store.remove_handle(&ours, room, handle).await?;
    }
    assert_eq!(store.replay(&ours, room, &named, 2).await?, Some(added.handles));
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
    let fits = record(&[3; 100 - 60 - HANDLE_BYTES], 1)?;
    let handles = fits.handles.clone();
    store.add_record(&ours, id, fits, tight).await?;
    assert!(store.add_record(&ours, id, record(&[4], 1)?, tight).await.is_err_and(full));
    for handle in handles {
        store.remove_handle(&ours, id, handle).await?;
    }
    store.add_record(&ours, id, record(&[5; 100 - 60 - HANDLE_BYTES], 1)?, tight).await?;
    store.remove_room(&ours, id).await?;
    store.remove_keys(&ours, BodyDigest::of(&[1; 60])).await?;
    assert_eq!(add_keys(store, &ours, &[6; 100], tight).await?, Written::New);
    Ok(())
}

/// A change that is refused for its last reason has left no trace of its first steps.
async fn a_refused_change_changes_nothing(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let room = new_room(store, &ours).await?;
    let first = record(b"first", 1)?;
    store.add_record(&ours, room, first.clone(), PLENTY).await?;
    let mut clash = record(b"second", 1)?;
    clash.handles.extend(&first.handles);
    clash.idempotency = Some(request("clash", b"second")?);
    assert!(matches!(store.add_record(&ours, room, clash, PLENTY).await, Err(StoreError::RepeatedId)));
    let large = NewRecord { idempotency: Some(request("large", b"third")?), ..record(&[0; 100], 1)? };
    let refused = store.add_record(&ours, room, large, Quota { bytes: 100, ..PLENTY }).await;
    assert!(matches!(refused, Err(StoreError::Quota { what: "bytes", limit: 100 })));
    assert_eq!(store.usage(&ours, room).await?, RoomUsage { handles: 1, bytes: 5 });
    assert_eq!(store.replay(&ours, room, &request("clash", b"second")?, 2).await?, None);
    assert_eq!(store.replay(&ours, room, &request("large", b"third")?, 1).await?, None);
    Ok(())
}
