//! Receipts in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;
use blindrelay_trust::{Receipt, ReceiptId};

use super::kept::KeptReceipt;
use super::room::{Record, Removal};
use super::{Holdings, MemoryStore};
use crate::id::{BodyDigest, RoomId, TenantId};
use crate::store::{
    Content, NewReceipt, Quota, ReceiptSource, ReceiptStore, ReceiptSubject, SourceChange, StoreError, StoredReceipt,
};
use crate::time::{Day, UnixMillis};

impl Holdings {
    /// Refuses a receipt of which something is gone already.
    fn check_source(&self, receipt: &Receipt) -> Result<(), StoreError> {
        let subject = ReceiptSubject::of(receipt);
        let expected = receipt.collection.version;
        let (found, whole) = match subject {
            ReceiptSubject::Room(id) => {
                let room = self.rooms.get(&id).ok_or_else(|| subject.unknown())?;
                let there =
                    |record| room.records.contains_key(&record) || self.kept.records.contains_key(&(id, record));
                let later = room.removals.range((Bound::Excluded(expected), Bound::Unbounded));
                let mut of_it = later.filter(|(_, removal)| removal.record <= expected);
                (room.version, expected <= room.version && of_it.all(|(_, removal)| there(removal.record)))
            }
            ReceiptSubject::Ledger(name) => {
                let found = self.ledgers.get(&name).ok_or_else(|| subject.unknown())?.state().version;
                (found, expected == found || self.kept.sums.contains_key(&(name, expected)))
            }
        };
        if whole { Ok(()) } else { Err(StoreError::Outdated { expected, found }) }
    }

    fn records(&self, room: RoomId, version: u64) -> BTreeMap<u64, &Record> {
        let there = self.rooms.get(&room).map(|room| &room.records).into_iter().flatten();
        let there = there.filter(|(added, _)| **added <= version).map(|(added, record)| (*added, record));
        let aside = self.kept.records.range((room, 0)..=(room, version)).filter(|(_, kept)| version < kept.gone);
        there.chain(aside.map(|((_, added), kept)| (*added, &kept.record))).collect()
    }

    fn removals(&self, room: RoomId) -> Option<&BTreeMap<u64, Removal>> {
        let aside = || self.kept.rooms.get(&room).map(|(_, removals)| removals);
        self.rooms.get(&room).map(|room| &room.removals).or_else(aside)
    }
}

impl MemoryStore {
    fn in_kept<T>(&self, tenant: &TenantId, read: impl FnOnce(&Holdings) -> Option<T>) -> Option<T> {
        self.lock().get(tenant).and_then(read)
    }
}

#[async_trait]
impl ReceiptStore for MemoryStore {
    async fn keep_receipt(&self, tenant: &TenantId, receipt: NewReceipt, quota: Quota) -> Result<(), StoreError> {
        let mut tenants = self.lock();
        let stated = receipt.signed.receipt();
        let holdings = tenants.get_mut(tenant).ok_or_else(|| ReceiptSubject::of(stated).unknown())?;
        let id = receipt.signed.id();
        if holdings.kept.receipts.contains_key(&id) {
            return Ok(());
        }
        holdings.check_source(stated)?;
        let (charge, day) = (receipt.charge(), receipt.day());
        holdings.charge(charge, quota)?;
        let NewReceipt { signed, request, until } = receipt;
        let stored = StoredReceipt { signed, request_bytes: request.len() as u64, until };
        holdings.kept.receipts.insert(id, KeptReceipt { stored, day, request, charge });
        Ok(())
    }

    async fn receipt(
        &self,
        tenant: &TenantId,
        receipt: ReceiptId,
        now: UnixMillis,
    ) -> Result<Option<StoredReceipt>, StoreError> {
        let found = self.in_kept(tenant, |holdings| Some(holdings.kept.receipts.get(&receipt)?.stored.clone()));
        Ok(found.filter(|stored| stored.until > now))
    }

    async fn receipts(
        &self,
        tenant: &TenantId,
        day: Day,
        after: Option<ReceiptId>,
        limit: usize,
        now: UnixMillis,
    ) -> Result<Vec<StoredReceipt>, StoreError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page = |holdings: &Holdings| {
            let all = holdings.kept.receipts.range((start, Bound::Unbounded)).map(|(_, kept)| kept);
            let listed = all.filter(|kept| kept.day == day && kept.stored.until > now);
            Some(listed.take(limit).map(|kept| kept.stored.clone()).collect())
        };
        Ok(self.in_kept(tenant, page).unwrap_or_default())
    }

    async fn receipt_request(&self, tenant: &TenantId, receipt: ReceiptId) -> Result<Option<Content>, StoreError> {
        Ok(self
            .in_kept(tenant, |holdings| Some(Content::of(Arc::clone(&holdings.kept.receipts.get(&receipt)?.request)))))
    }

    async fn receipt_source(&self, tenant: &TenantId, receipt: &Receipt) -> Result<Option<ReceiptSource>, StoreError> {
        let subject = ReceiptSubject::of(receipt);
        Ok(self.in_kept(tenant, |holdings| match subject {
            ReceiptSubject::Room(room) => {
                let there = holdings.rooms.get(&room).map(|room| &room.stored);
                let room = there.or_else(|| holdings.kept.rooms.get(&room).map(|(room, _)| room))?;
                Some(ReceiptSource::Room(room.clone()))
            }
            ReceiptSubject::Ledger(name) => {
                let there = holdings.ledgers.get(&name).map(super::ledger::Ledger::stored);
                Some(ReceiptSource::Ledger(there.or_else(|| holdings.kept.ledgers.get(&name))?.clone()))
            }
        }))
    }

    async fn receipt_changes(
        &self,
        tenant: &TenantId,
        receipt: &Receipt,
        after: u64,
        limit: usize,
    ) -> Result<Vec<SourceChange>, StoreError> {
        let ReceiptSubject::Room(room) = ReceiptSubject::of(receipt) else { return Ok(Vec::new()) };
        let version = receipt.collection.version;
        let page = |holdings: &Holdings| {
            let records = holdings.records(room, version);
            let removals = holdings.removals(room).into_iter().flatten();
            let removals =
                removals.filter(|(made, removal)| **made <= version && records.contains_key(&removal.record));
            let removed = removals.map(|(&version, removal)| SourceChange::Removed { version, handle: removal.handle });
            let added = records.iter().map(|(&version, record)| SourceChange::Added {
                version,
                digest: BodyDigest::of(&record.stored.bytes),
                bytes: record.stored.bytes.len() as u64,
                handles: record.stored.handles.clone(),
                placement: record.stored.placement,
            });
            let mut all: Vec<SourceChange> = added.chain(removed).filter(|change| change.version() > after).collect();
            all.sort_by_key(SourceChange::version);
            all.truncate(limit);
            Some(all)
        };
        Ok(self.in_kept(tenant, page).unwrap_or_default())
    }

    async fn receipt_record(
        &self,
        tenant: &TenantId,
        receipt: &Receipt,
        version: u64,
    ) -> Result<Option<Content>, StoreError> {
        let ReceiptSubject::Room(room) = ReceiptSubject::of(receipt) else { return Ok(None) };
        let of = receipt.collection.version;
        Ok(self.in_kept(tenant, |holdings| {
            Some(Content::of(Arc::clone(&holdings.records(room, of).get(&version)?.stored.bytes)))
        }))
    }

    async fn receipt_sums(&self, tenant: &TenantId, receipt: &Receipt) -> Result<Option<Content>, StoreError> {
        let ReceiptSubject::Ledger(name) = ReceiptSubject::of(receipt) else { return Ok(None) };
        let version = receipt.collection.version;
        Ok(self.in_kept(tenant, |holdings| {
            let there = holdings.ledgers.get(&name).map(super::ledger::Ledger::state);
            let there = there.filter(|state| state.version == version).map(|state| &state.sums);
            there.or_else(|| holdings.kept.sums.get(&(name, version))).map(Arc::clone).map(Content::of)
        }))
    }

    async fn receipt_keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<Option<Content>, StoreError> {
        Ok(self.in_kept(tenant, |holdings| {
            let there = holdings.keys.get(&digest).map(|(_, bytes)| bytes);
            there.or_else(|| holdings.kept.keys.get(&digest)).map(Arc::clone).map(Content::of)
        }))
    }

    async fn drop_receipts(&self, now: UnixMillis) -> Result<u64, StoreError> {
        let mut dropped = 0;
        for holdings in self.lock().values_mut() {
            let (count, charge) = holdings.kept.drop_until(now);
            dropped += count;
            holdings.bytes = holdings.bytes.saturating_sub(charge);
        }
        Ok(dropped)
    }
}
