//! The contract for rooms.

use blindrelay_engine::operator::{HANDLE_BYTES, Handle};

use super::{Outcome, PLENTY, new_room, record, request, room_of, tenant};
use crate::id::{RoomId, TenantId};
use crate::store::{NewRecord, RoomChange, RoomChanges, RoomState, RoomUsage, Store, StoreError, StoredRecord};

pub(super) async fn all(store: &dyn Store) -> Outcome {
    rooms_belong_to_their_tenants(store).await?;
    rooms_come_in_pages(store).await?;
    changes_keep_their_order(store).await?;
    only_the_first_record_of_a_version_is_added(store).await?;
    handles_come_in_pages(store).await?;
    a_record_goes_with_its_last_handle(store).await?;
    removals_reach_whoever_has_the_record(store).await?;
    requests_are_answered_once(store).await
}

fn added(version: u64, record: &NewRecord) -> RoomChange {
    let NewRecord { bytes, handles, placement, .. } = record.clone();
    RoomChange::Added { version, record: StoredRecord { bytes, handles, placement } }
}

/// All changes after a version, in pages of two.
async fn changes(
    store: &dyn Store,
    tenant: &TenantId,
    room: RoomId,
    after: u64,
) -> Result<Vec<RoomChange>, StoreError> {
    let (mut after, mut all) = (after, Vec::new());
    loop {
        let page = store.changes(tenant, room, after, 2).await?.changes;
        let Some(last) = page.last() else { return Ok(all) };
        assert!(page.len() <= 2);
        after = last.version();
        all.extend(page);
    }
}

/// A room of somebody else is like none, for every method.
async fn rooms_belong_to_their_tenants(store: &dyn Store) -> Outcome {
    let (ours, theirs) = (tenant()?, tenant()?);
    let room = room_of("contract/7", None)?;
    let id = room.room;
    store.create_room(&ours, room.clone(), PLENTY).await?;
    assert!(matches!(store.create_room(&ours, room.clone(), PLENTY).await, Err(StoreError::RepeatedId)));
    assert_eq!(store.room(&ours, id).await?, Some(RoomState { room, version: 0 }));
    assert_eq!(store.usage(&ours, id).await?, RoomUsage::default());
    let known = record(0, b"record", 1)?;
    let enrolled = known.handles.clone();
    assert_eq!(store.add_record(&ours, id, known, PLENTY).await?, 1);
    assert_eq!(store.room(&ours, id).await?.map(|state| state.version), Some(1));
    let unknown = |error: StoreError| matches!(error, StoreError::UnknownRoom);
    let question = request("name", b"body")?;
    assert_eq!(store.room(&theirs, id).await?, None);
    assert!(store.rooms(&theirs, None, 10).await?.is_empty());
    assert!(store.usage(&theirs, id).await.is_err_and(unknown));
    assert!(store.add_record(&theirs, id, record(1, b"record", 1)?, PLENTY).await.is_err_and(unknown));
    for handle in enrolled {
        assert!(store.remove_handle(&theirs, id, handle).await.is_err_and(unknown));
    }
    assert!(store.handles(&theirs, id, None, 10).await.is_err_and(unknown));
    assert!(store.changes(&theirs, id, 0, 10).await.is_err_and(unknown));
    assert!(store.replay(&theirs, id, &question, 1).await.is_err_and(unknown));
    assert!(store.remove_room(&theirs, id).await.is_err_and(unknown));
    store.remove_room(&ours, id).await?;
    assert!(store.remove_room(&ours, id).await.is_err_and(unknown));
    assert!(store.usage(&ours, id).await.is_err_and(unknown));
    assert_eq!(store.room(&ours, id).await?, None);
    assert!(store.rooms(&ours, None, 10).await?.is_empty());
    Ok(())
}

/// Rooms are listed upwards from any id.
async fn rooms_come_in_pages(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(new_room(store, &ours).await?);
    }
    made.sort();
    let (mut after, mut listed) = (None, Vec::new());
    loop {
        let page = store.rooms(&ours, after, 2).await?;
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after = Some(last.room.room);
        listed.extend(page.iter().map(|state| state.room.room));
    }
    assert_eq!(listed, made);
    Ok(())
}

/// Records are read in the order in which they were added, in pages, as they were written.
async fn changes_keep_their_order(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let room = new_room(store, &ours).await?;
    let mut expected = Vec::new();
    for version in 0..5 {
        let record = record(version, &[version as u8], 2)?;
        assert_eq!(store.add_record(&ours, room, record.clone(), PLENTY).await?, version + 1);
        expected.push(added(version + 1, &record));
    }
    assert_eq!(changes(store, &ours, room, 0).await?, expected);
    assert!(changes(store, &ours, room, 3).await?.iter().eq(expected.iter().skip(3)));
    assert!(changes(store, &ours, room, 5).await?.is_empty());
    assert_eq!(store.usage(&ours, room).await?, RoomUsage { handles: 10, bytes: 5 });
    Ok(())
}

/// A record whose placement was chosen before another change is refused for that, whatever else is wrong with it.
async fn only_the_first_record_of_a_version_is_added(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let room = new_room(store, &ours).await?;
    let first = NewRecord { idempotency: Some(request("one", b"body")?), ..record(0, b"first", 1)? };
    store.add_record(&ours, room, first.clone(), PLENTY).await?;
    let outdated = |error: StoreError| matches!(error, StoreError::Outdated { expected: 0, found: 1 });
    assert!(store.add_record(&ours, room, first.clone(), PLENTY).await.is_err_and(outdated));
    assert!(store.add_record(&ours, room, record(0, b"second", 1)?, PLENTY).await.is_err_and(outdated));
    let early = store.add_record(&ours, room, record(2, b"early", 1)?, PLENTY).await;
    assert!(matches!(early, Err(StoreError::Outdated { expected: 2, found: 1 })));
    assert_eq!(changes(store, &ours, room, 0).await?, [added(1, &first)]);
    // A removal is a change like any other.
    for &handle in &first.handles {
        assert_eq!(store.remove_handle(&ours, room, handle).await?, 2);
    }
    let outdated = |error: StoreError| matches!(error, StoreError::Outdated { expected: 1, found: 2 });
    assert!(store.add_record(&ours, room, record(1, b"third", 1)?, PLENTY).await.is_err_and(outdated));
    assert_eq!(store.add_record(&ours, room, record(2, b"third", 1)?, PLENTY).await?, 3);
    Ok(())
}

/// Handles are listed upwards from any of them, also from one that is gone.
async fn handles_come_in_pages(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let room = new_room(store, &ours).await?;
    let added = record(0, b"record", 5)?;
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

/// A record is there as a whole until all its handles are gone.
async fn a_record_goes_with_its_last_handle(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let room = new_room(store, &ours).await?;
    let two = record(0, b"two values", 2)?;
    store.add_record(&ours, room, two.clone(), PLENTY).await?;
    let (Some(&first), Some(&second)) = (two.handles.first(), two.handles.last()) else {
        return Err(StoreError::UnknownHandle);
    };
    assert_eq!(store.remove_handle(&ours, room, first).await?, 2);
    assert!(matches!(store.remove_handle(&ours, room, first).await, Err(StoreError::UnknownHandle)));
    let removed = |version, handle| RoomChange::Removed { version, handle };
    assert_eq!(changes(store, &ours, room, 0).await?, [added(1, &two), removed(2, first)]);
    assert_eq!(store.usage(&ours, room).await?, RoomUsage { handles: 1, bytes: 10 });
    assert_eq!(store.remove_handle(&ours, room, second).await?, 3);
    assert_eq!(store.changes(&ours, room, 0, 10).await?, RoomChanges { version: 3, changes: Vec::new() });
    assert_eq!(store.usage(&ours, room).await?, RoomUsage::default());
    Ok(())
}

/// Whoever has a record learns that it is gone, at whatever version it left off; whoever begins at 0 gets what is there.
async fn removals_reach_whoever_has_the_record(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let room = new_room(store, &ours).await?;
    let (one, two, three) = (record(0, b"one", 1)?, record(1, b"two", 1)?, record(3, b"three", 1)?);
    store.add_record(&ours, room, one.clone(), PLENTY).await?;
    store.add_record(&ours, room, two.clone(), PLENTY).await?;
    let Some(&gone) = one.handles.first() else { return Err(StoreError::UnknownHandle) };
    store.remove_handle(&ours, room, gone).await?;
    store.add_record(&ours, room, three.clone(), PLENTY).await?;
    let removal = RoomChange::Removed { version: 3, handle: gone };
    assert_eq!(store.changes(&ours, room, 0, 10).await?.changes, [added(2, &two), added(4, &three)]);
    assert_eq!(changes(store, &ours, room, 1).await?, [added(2, &two), removal.clone(), added(4, &three)]);
    assert_eq!(changes(store, &ours, room, 2).await?, [removal, added(4, &three)]);
    assert_eq!(changes(store, &ours, room, 3).await?, [added(4, &three)]);
    Ok(())
}

/// A request with a name is answered with the same handles as long as its room exists, and its name serves no other.
async fn requests_are_answered_once(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let (room, other) = (new_room(store, &ours).await?, new_room(store, &ours).await?);
    let named = request("request-1", b"body")?;
    assert_eq!(store.replay(&ours, room, &named, 2).await?, None);
    let added = NewRecord { idempotency: Some(named.clone()), ..record(0, b"body", 2)? };
    store.add_record(&ours, room, added.clone(), PLENTY).await?;
    assert_eq!(store.replay(&ours, room, &named, 2).await?, Some(added.handles.clone()));
    assert_eq!(store.replay(&ours, other, &named, 2).await?, None);
    let conflict = |error: StoreError| matches!(error, StoreError::IdempotencyConflict);
    assert!(store.replay(&ours, room, &named, 1).await.is_err_and(conflict));
    assert!(store.replay(&ours, room, &request("request-1", b"another")?, 2).await.is_err_and(conflict));
    let again = NewRecord { idempotency: Some(named.clone()), ..record(1, b"body", 2)? };
    assert!(store.add_record(&ours, room, again, PLENTY).await.is_err_and(conflict));
    assert_eq!(store.usage(&ours, room).await?.handles, 2);
    for &handle in &added.handles {
        store.remove_handle(&ours, room, handle).await?;
    }
    assert_eq!(store.replay(&ours, room, &named, 2).await?, Some(added.handles));
    Ok(())
}
