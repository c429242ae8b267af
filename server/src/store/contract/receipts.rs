//! The contract for receipts.

use std::sync::Arc;

use blindrelay_engine::operator::Handle;
use blindrelay_engine::params::ParameterDigest;
use blindrelay_trust::{
    CollectionId, CollectionKind, CollectionState, ContentDigest, Identity, NoiseClaim, OperatorId, Receipt,
    SignedReceipt, SoftwareVersion,
};

use super::ledger::{change, ledger_of, new_ledger};
use super::{Outcome, PLENTY, add_keys, key_set, new_room, record, room_of, tenant};
use crate::family::Family;
use crate::id::{BodyDigest, RoomId, TenantId};
use crate::store::{
    Content, LedgerName, NewReceipt, NewRecord, Quota, ReceiptSource, SourceChange, Store, StoreError, StoredLedger,
    StoredReceipt,
};
use crate::time::{Day, UnixMillis};

/// A moment on a day.
const MADE: u64 = 20_000 * 86_400_000 + 5;
const UNTIL: UnixMillis = UnixMillis(MADE + 1000);
const BEFORE: UnixMillis = UnixMillis(MADE + 999);

pub(super) async fn all(store: &dyn Store) -> Outcome {
    receipts_belong_to_their_tenants(store).await?;
    receipts_of_a_day_come_in_pages(store).await?;
    a_room_is_kept_as_it_was(store).await?;
    what_is_gone_already_is_not_kept(store).await?;
    sums_are_kept_as_they_were(store).await?;
    keys_are_kept_with_their_receipts(store).await?;
    what_one_receipt_needs_outlives_another(store).await
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

/// A receipt of a collection and version for a request.
fn receipt(
    kind: CollectionKind,
    id: &[u8; 16],
    version: u64,
    keys: Option<BodyDigest>,
    request: &[u8],
) -> Result<NewReceipt, StoreError> {
    let made = blindrelay_trust::UnixMillis::new(MADE).unwrap_or(blindrelay_trust::UnixMillis::MAX);
    let identity = Identity::of_process(made).map_err(broken)?;
    let receipt = Receipt {
        operator: OperatorId::new("contract/1").map_err(broken)?,
        software: SoftwareVersion::new("1").map_err(broken)?,
        parameters: ParameterDigest::from_bytes([3; 32]),
        evaluation_keys: keys.map(|digest| ContentDigest::from_bytes(*digest.as_bytes())),
        collection: CollectionState { kind, id: CollectionId::from_bytes(*id), version, content: None },
        request: ContentDigest::of(request),
        answer: ContentDigest::of(b"answer"),
        noise: NoiseClaim::new(1.0, 2.0).map_err(broken)?,
        time: made,
        key: identity.public().id(),
    };
    let signed = identity.sign(&receipt).map_err(broken)?;
    Ok(NewReceipt { signed, request: request.into(), until: UNTIL })
}

fn of_room(room: RoomId, version: u64, request: &[u8]) -> Result<NewReceipt, StoreError> {
    receipt(CollectionKind::Room, room.as_bytes(), version, None, request)
}

fn of_meter(name: LedgerName, version: u64, request: &[u8]) -> Result<NewReceipt, StoreError> {
    receipt(CollectionKind::Meter, name.id.as_bytes(), version, None, request)
}

fn content(bytes: &[u8]) -> Content {
    Content::of(bytes.into())
}

fn stored(receipt: &NewReceipt) -> StoredReceipt {
    let request_bytes = receipt.request.len() as u64;
    StoredReceipt { signed: receipt.signed.clone(), request_bytes, until: receipt.until }
}

fn added(version: u64, record: &NewRecord) -> SourceChange {
    let (digest, bytes) = (BodyDigest::of(&record.bytes), record.bytes.len() as u64);
    SourceChange::Added { version, digest, bytes, handles: record.handles.clone(), placement: record.placement }
}

fn removed(version: u64, handle: Handle) -> SourceChange {
    SourceChange::Removed { version, handle }
}

fn handles<const N: usize>(record: &NewRecord) -> Result<[Handle; N], StoreError> {
    record.handles.clone().try_into().map_err(|_| StoreError::UnknownHandle)
}

/// The way to the room of a receipt, in pages of one.
async fn changes(
    store: &dyn Store,
    tenant: &TenantId,
    receipt: &SignedReceipt,
) -> Result<Vec<SourceChange>, StoreError> {
    let (mut after, mut all) = (0, Vec::new());
    loop {
        let page = store.receipt_changes(tenant, receipt.receipt(), after, 1).await?;
        let Some(last) = page.last() else { return Ok(all) };
        assert_eq!(page.len(), 1);
        after = last.version();
        all.extend(page);
    }
}

/// A receipt of somebody else is like none, for every method, and one that is kept again stays as it is.
async fn receipts_belong_to_their_tenants(store: &dyn Store) -> Outcome {
    let (ours, theirs) = (tenant()?, tenant()?);
    let room = new_room(store, &ours).await?;
    let record = record(0, b"record", 1)?;
    store.add_record(&ours, room, record.clone(), PLENTY).await?;
    let new = of_room(room, 1, b"request")?;
    let (id, stated) = (new.signed.id(), new.signed.receipt());
    assert_eq!(store.receipt(&ours, id, BEFORE).await?, None);
    let foreign = store.keep_receipt(&theirs, new.clone(), PLENTY).await;
    assert!(matches!(foreign, Err(StoreError::UnknownRoom)));
    let before = store.stored_bytes(&ours).await?;
    store.keep_receipt(&ours, new.clone(), PLENTY).await?;
    let again = NewReceipt { until: UnixMillis(u64::MAX >> 1), ..new.clone() };
    store.keep_receipt(&ours, again, PLENTY).await?;
    assert_eq!(store.stored_bytes(&ours).await? - before, new.charge());
    assert_eq!(store.receipt(&ours, id, BEFORE).await?, Some(stored(&new)));
    assert_eq!(store.receipt(&ours, id, UNTIL).await?, None);
    assert_eq!(store.receipt_request(&ours, id).await?, Some(content(b"request")));
    let source = store.receipt_source(&ours, stated).await?;
    assert!(matches!(source, Some(ReceiptSource::Room(found)) if found.room == room));
    assert_eq!(store.receipt_changes(&ours, stated, 0, 9).await?, [added(1, &record)]);
    assert_eq!(store.receipt_record(&ours, stated, 1).await?, Some(content(&record.bytes)));
    assert_eq!(store.receipt_record(&ours, stated, 2).await?, None);
    assert_eq!(store.receipt_sums(&ours, stated).await?, None);
    assert_eq!(store.receipt(&theirs, id, BEFORE).await?, None);
    assert_eq!(store.receipts(&theirs, new.day(), None, 9, BEFORE).await?, []);
    assert_eq!(store.receipt_request(&theirs, id).await?, None);
    assert_eq!(store.receipt_source(&theirs, stated).await?, None);
    assert_eq!(store.receipt_changes(&theirs, stated, 0, 9).await?, []);
    assert_eq!(store.receipt_record(&theirs, stated, 1).await?, None);
    let full = Quota { bytes: store.stored_bytes(&ours).await? + new.charge() - 1, ..PLENTY };
    let refused = store.keep_receipt(&ours, of_room(room, 1, b"another")?, full).await;
    assert!(matches!(refused, Err(StoreError::Quota { what: "bytes", .. })));
    assert_eq!(store.receipts(&ours, new.day(), None, 9, BEFORE).await?, [stored(&new)]);
    Ok(())
}

/// Receipts are listed under their day upwards from any id, as long as they are kept.
async fn receipts_of_a_day_come_in_pages(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let room = new_room(store, &ours).await?;
    let mut kept = Vec::new();
    for request in 0..5 {
        let new = of_room(room, 0, &[request])?;
        store.keep_receipt(&ours, new.clone(), PLENTY).await?;
        kept.push(stored(&new));
    }
    kept.sort_by_key(|kept| kept.signed.id());
    let day = Day::of(UnixMillis(MADE));
    assert_eq!(store.receipts(&ours, day, None, 9, BEFORE).await?, kept);
    let first = store.receipts(&ours, day, None, 2, BEFORE).await?;
    assert!(first.iter().eq(kept.iter().take(2)));
    let after = first.last().map(|last| last.signed.id());
    assert!(store.receipts(&ours, day, after, 9, BEFORE).await?.iter().eq(kept.iter().skip(2)));
    assert_eq!(store.receipts(&ours, day, None, 9, UNTIL).await?, []);
    for other in [MADE - 86_400_000, MADE + 86_400_000] {
        assert_eq!(store.receipts(&ours, Day::of(UnixMillis(other)), None, 9, BEFORE).await?, []);
    }
    Ok(())
}

/// Whatever happens to a room, the way to the version of a receipt stays; what it costs is given back with the receipt.
async fn a_room_is_kept_as_it_was(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let before = store.stored_bytes(&ours).await?;
    let stored_room = room_of("contract/1", None)?;
    let room = stored_room.room;
    store.create_room(&ours, stored_room.clone(), PLENTY).await?;
    let (one, two) = (record(0, b"one", 1)?, record(1, b"two", 2)?);
    let ([first], [second, third]) = (handles(&one)?, handles(&two)?);
    store.add_record(&ours, room, one.clone(), PLENTY).await?;
    store.add_record(&ours, room, two.clone(), PLENTY).await?;
    store.remove_handle(&ours, room, second).await?;
    let new = of_room(room, 3, b"request")?;
    store.keep_receipt(&ours, new.clone(), PLENTY).await?;
    let way = [added(1, &one), added(2, &two), removed(3, second)];
    assert_eq!(changes(store, &ours, &new.signed).await?, way);
    // What comes later and goes again is nobody's.
    let late = record(3, b"late", 1)?;
    let [fourth] = handles(&late)?;
    let with = store.stored_bytes(&ours).await?;
    store.add_record(&ours, room, late, PLENTY).await?;
    store.remove_handle(&ours, room, fourth).await?;
    assert_eq!(store.stored_bytes(&ours).await?, with);
    store.remove_handle(&ours, room, first).await?;
    assert_eq!(changes(store, &ours, &new.signed).await?, way);
    assert_eq!(store.stored_bytes(&ours).await?, with);
    store.remove_handle(&ours, room, third).await?;
    assert_eq!(changes(store, &ours, &new.signed).await?, way);
    assert_eq!(store.changes(&ours, room, 0, 9).await?.changes, []);
    let empty = of_room(room, 7, b"request")?;
    store.keep_receipt(&ours, empty.clone(), PLENTY).await?;
    assert_eq!(changes(store, &ours, &empty.signed).await?, []);
    store.remove_room(&ours, room).await?;
    assert_eq!(changes(store, &ours, &new.signed).await?, way);
    assert_eq!(changes(store, &ours, &empty.signed).await?, []);
    let stated = new.signed.receipt();
    assert_eq!(store.receipt_record(&ours, stated, 2).await?, Some(content(&two.bytes)));
    assert_eq!(store.receipt_record(&ours, empty.signed.receipt(), 2).await?, None);
    assert_eq!(store.receipt_source(&ours, stated).await?, Some(ReceiptSource::Room(stored_room)));
    // Up to the moment all of it is there, then nothing.
    store.drop_receipts(BEFORE).await?;
    assert_eq!(store.stored_bytes(&ours).await? - before, 2 * new.charge() + one.charge().0 + 3 + 32);
    assert!(store.drop_receipts(UNTIL).await? >= 2);
    assert_eq!(store.stored_bytes(&ours).await?, before);
    assert_eq!(store.receipt_request(&ours, new.signed.id()).await?, None);
    assert_eq!(store.receipt_source(&ours, stated).await?, None);
    assert_eq!(store.receipt_record(&ours, stated, 2).await?, None);
    assert_eq!(changes(store, &ours, &new.signed).await?, []);
    Ok(())
}

/// A receipt of a version of which something was deleted before it could be set aside is refused.
async fn what_is_gone_already_is_not_kept(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let room = new_room(store, &ours).await?;
    let one = record(0, b"one", 1)?;
    let [first] = handles(&one)?;
    store.add_record(&ours, room, one, PLENTY).await?;
    store.add_record(&ours, room, record(1, b"two", 1)?, PLENTY).await?;
    // Nobody had a receipt of the room with this record.
    store.remove_handle(&ours, room, first).await?;
    for version in [1, 2] {
        let late = store.keep_receipt(&ours, of_room(room, version, b"request")?, PLENTY).await;
        assert!(matches!(late, Err(StoreError::Outdated { expected, found: 3 }) if expected == version));
    }
    let early = store.keep_receipt(&ours, of_room(room, 4, b"request")?, PLENTY).await;
    assert!(matches!(early, Err(StoreError::Outdated { expected: 4, found: 3 })));
    store.keep_receipt(&ours, of_room(room, 3, b"request")?, PLENTY).await?;
    let name = new_ledger(store, &ours).await?;
    store.change_ledger(&ours, name, change(0, b"second", 1, "one", b"one")?, PLENTY).await?;
    let late = store.keep_receipt(&ours, of_meter(name, 0, b"request")?, PLENTY).await;
    assert!(matches!(late, Err(StoreError::Outdated { expected: 0, found: 1 })));
    store.remove_ledger(&ours, name).await?;
    let gone = store.keep_receipt(&ours, of_meter(name, 1, b"request")?, PLENTY).await;
    assert!(matches!(gone, Err(StoreError::UnknownLedger { family: Family::Meters })));
    assert_eq!(store.receipts(&ours, Day::of(UnixMillis(MADE)), None, 9, BEFORE).await?.len(), 1);
    Ok(())
}

/// The sums of a receipt stay while newer ones take their place, and when their ledger goes.
async fn sums_are_kept_as_they_were(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let before = store.stored_bytes(&ours).await?;
    let ledger = ledger_of(Family::Meters)?;
    let name = ledger.name;
    store.create_ledger(&ours, ledger.clone(), Arc::from(*b"first"), PLENTY).await?;
    let new = of_meter(name, 0, b"")?;
    store.keep_receipt(&ours, new.clone(), PLENTY).await?;
    let stated = new.signed.receipt();
    let with = store.stored_bytes(&ours).await?;
    assert_eq!(store.receipt_sums(&ours, stated).await?, Some(content(b"first")));
    let second = change(0, b"second", 1, "one", b"one")?;
    let charge = second.charge();
    let tight = Quota { bytes: with + charge.0 + charge.1 - 1, ..PLENTY };
    let full = store.change_ledger(&ours, name, second.clone(), tight).await;
    assert!(matches!(full, Err(StoreError::Quota { what: "bytes", .. })));
    store.change_ledger(&ours, name, second, PLENTY).await?;
    assert_eq!(store.stored_bytes(&ours).await? - with, charge.0 + charge.1);
    store.change_ledger(&ours, name, change(1, b"third", 2, "two", b"two")?, PLENTY).await?;
    let newest = of_meter(name, 2, b"newest")?;
    store.keep_receipt(&ours, newest.clone(), PLENTY).await?;
    // One that was computed before the changes, and comes after them, finds what was set aside.
    let late = of_meter(name, 0, b"late")?;
    store.keep_receipt(&ours, late.clone(), PLENTY).await?;
    store.remove_ledger(&ours, name).await?;
    assert_eq!(store.receipt_sums(&ours, stated).await?, Some(content(b"first")));
    assert_eq!(store.receipt_sums(&ours, newest.signed.receipt()).await?, Some(content(b"third")));
    assert_eq!(store.receipt_source(&ours, stated).await?, Some(ReceiptSource::Ledger(ledger.clone())));
    assert_eq!(store.receipt_changes(&ours, stated, 0, 9).await?, []);
    let aside = ledger.charge() + 5 + 5;
    let receipts = new.charge() + newest.charge() + late.charge();
    assert_eq!(store.stored_bytes(&ours).await? - before, receipts + aside);
    store.drop_receipts(UNTIL).await?;
    assert_eq!(store.stored_bytes(&ours).await?, before);
    assert_eq!(store.receipt_sums(&ours, stated).await?, None);
    Ok(())
}

/// Keys of a receipt can be removed, and are there for it nevertheless.
async fn keys_are_kept_with_their_receipts(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let before = store.stored_bytes(&ours).await?;
    let (digest, told, bytes) = key_set(b"keys of a receipt");
    add_keys(store, &ours, b"keys of a receipt", PLENTY).await?;
    let ledger = StoredLedger { evaluation_keys: Some(digest), ..ledger_of(Family::Panels)? };
    let name = ledger.name;
    store.create_ledger(&ours, ledger, Arc::from(*b"sums"), PLENTY).await?;
    let new = receipt(CollectionKind::Panel, name.id.as_bytes(), 0, Some(digest), b"request")?;
    store.keep_receipt(&ours, new.clone(), PLENTY).await?;
    store.remove_ledger(&ours, name).await?;
    let with = store.stored_bytes(&ours).await?;
    // Removed, uploaded and removed again: they are kept once.
    for _ in 0..2 {
        store.remove_keys(&ours, digest).await?;
        assert_eq!(store.stored_bytes(&ours).await?, with);
        assert_eq!(store.keys(&ours, digest).await?, None);
        assert_eq!(store.receipt_keys(&ours, digest).await?, Some(content(&bytes)));
        add_keys(store, &ours, b"keys of a receipt", PLENTY).await?;
        assert_eq!(store.stored_bytes(&ours).await? - with, told.charge());
    }
    store.remove_keys(&ours, digest).await?;
    assert_eq!(store.receipt_keys(&tenant()?, digest).await?, None);
    store.drop_receipts(UNTIL).await?;
    assert_eq!(store.receipt_keys(&ours, digest).await?, None);
    assert_eq!(store.stored_bytes(&ours).await?, before);
    Ok(())
}

/// Of two receipts the one that is kept longer keeps what it needs, and no more.
async fn what_one_receipt_needs_outlives_another(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let room = new_room(store, &ours).await?;
    let (one, two) = (record(0, b"one", 1)?, record(2, b"two", 1)?);
    let ([first], [second]) = (handles(&one)?, handles(&two)?);
    store.add_record(&ours, room, one.clone(), PLENTY).await?;
    let short = of_room(room, 1, b"short")?;
    store.keep_receipt(&ours, short.clone(), PLENTY).await?;
    store.remove_handle(&ours, room, first).await?;
    store.add_record(&ours, room, two.clone(), PLENTY).await?;
    let later = UnixMillis(UNTIL.0 + 1);
    let long = NewReceipt { until: later, ..of_room(room, 3, b"long")? };
    store.keep_receipt(&ours, long.clone(), PLENTY).await?;
    store.remove_handle(&ours, room, second).await?;
    store.drop_receipts(UNTIL).await?;
    assert_eq!(store.receipt(&ours, short.signed.id(), BEFORE).await?, None);
    assert_eq!(store.receipt_record(&ours, short.signed.receipt(), 1).await?, None);
    assert_eq!(store.receipt(&ours, long.signed.id(), UNTIL).await?, Some(stored(&long)));
    assert_eq!(changes(store, &ours, &long.signed).await?, [added(3, &two)]);
    assert_eq!(store.stored_bytes(&ours).await?, long.charge() + two.charge().0);
    store.drop_receipts(later).await?;
    assert_eq!(store.stored_bytes(&ours).await?, 0);
    Ok(())
}
