//! A store in memory: what it holds is gone when the process ends.

mod ledger;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use blindrelay_engine::operator::Handle;

use super::{
    Idempotency, KeySet, LedgerName, NewRecord, Quota, RoomUsage, Store, StoreError, StoredRecord, StoredRoom, Written,
};
use crate::id::{BodyDigest, IdempotencyKey, RoomId, TenantId};

struct Record {
    bytes: Arc<[u8]>,
    handles: Vec<Handle>,
    removed: BTreeSet<Handle>,
    charge: u64,
}

struct Room {
    stored: StoredRoom,
    records: BTreeMap<u64, Record>,
    next: u64,
    places: BTreeMap<Handle, u64>,
    requests: HashMap<IdempotencyKey, (BodyDigest, Vec<Handle>)>,
    charge: u64,
}

#[derive(Default)]
struct Holdings {
    keys: BTreeMap<BodyDigest, (KeySet, Arc<[u8]>)>,
    rooms: BTreeMap<RoomId, Room>,
    ledgers: BTreeMap<LedgerName, ledger::Ledger>,
    bytes: u64,
}

impl Holdings {
    fn charge(&mut self, bytes: u64, quota: Quota) -> Result<(), StoreError> {
        let all = self.bytes.saturating_add(bytes);
        if all > quota.bytes {
            return Err(StoreError::Quota { what: "bytes", limit: quota.bytes });
        }
        self.bytes = all;
        Ok(())
    }
}

/// The store.
#[derive(Default)]
pub struct MemoryStore {
    tenants: Mutex<HashMap<TenantId, Holdings>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing panics while the lock is held, and nothing waits.
    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Holdings>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_room<T>(&self, tenant: &TenantId, room: RoomId, read: impl FnOnce(&Room) -> T) -> Result<T, StoreError> {
        let tenants = self.lock();
        let room = tenants.get(tenant).and_then(|holdings| holdings.rooms.get(&room));
        room.map(read).ok_or(StoreError::UnknownRoom)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn put_keys(
        &self,
        tenant: &TenantId,
        digest: BodyDigest,
        keys: KeySet,
        bytes: Arc<[u8]>,
        quota: Quota,
    ) -> Result<Written, StoreError> {
        let mut tenants = self.lock();
        let holdings = tenants.entry(tenant.clone()).or_default();
        if holdings.keys.contains_key(&digest) {
            return Ok(Written::Existing);
        }
        if holdings.keys.len() >= quota.keys {
            return Err(StoreError::Quota { what: "key sets", limit: quota.keys as u64 });
        }
        holdings.charge(keys.charge(), quota)?;
        holdings.keys.insert(digest, (keys, bytes));
        Ok(Written::New)
    }

    async fn keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<Option<KeySet>, StoreError> {
        let tenants = self.lock();
        Ok(tenants.get(tenant).and_then(|holdings| holdings.keys.get(&digest)).map(|(keys, _)| keys.clone()))
    }

    async fn key_bytes(&self, tenant: &TenantId, digest: BodyDigest) -> Result<Option<Arc<[u8]>>, StoreError> {
        let tenants = self.lock();
        Ok(tenants.get(tenant).and_then(|holdings| holdings.keys.get(&digest)).map(|(_, bytes)| Arc::clone(bytes)))
    }

    async fn remove_keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<(), StoreError> {
        let mut tenants = self.lock();
        let holdings = tenants.get_mut(tenant).ok_or(StoreError::KeysMissing { digest })?;
        let rooms = holdings.rooms.values().map(|room| room.stored.evaluation_keys);
        if rooms.chain(holdings.ledgers.values().map(ledger::Ledger::evaluation_keys)).any(|keys| keys == Some(digest))
        {
            return Err(StoreError::KeysInUse { digest });
        }
        let (keys, _) = holdings.keys.remove(&digest).ok_or(StoreError::KeysMissing { digest })?;
        holdings.bytes = holdings.bytes.saturating_sub(keys.charge());
        Ok(())
    }

    async fn create_room(&self, tenant: &TenantId, room: StoredRoom, quota: Quota) -> Result<(), StoreError> {
        let mut tenants = self.lock();
        let holdings = tenants.entry(tenant.clone()).or_default();
        if let Some(digest) = room.evaluation_keys.filter(|digest| !holdings.keys.contains_key(digest)) {
            return Err(StoreError::KeysMissing { digest });
        }
        if holdings.rooms.contains_key(&room.room) {
            return Err(StoreError::RepeatedId);
        }
        if holdings.rooms.len() >= quota.rooms {
            return Err(StoreError::Quota { what: "rooms", limit: quota.rooms as u64 });
        }
        let empty = Room {
            stored: room.clone(),
            records: BTreeMap::new(),
            next: 0,
            places: BTreeMap::new(),
            requests: HashMap::new(),
            charge: 0,
        };
        holdings.rooms.insert(room.room, empty);
        Ok(())
    }

    async fn room(&self, tenant: &TenantId, room: RoomId) -> Result<Option<StoredRoom>, StoreError> {
        let tenants = self.lock();
        let found = tenants.get(tenant).and_then(|holdings| holdings.rooms.get(&room));
        Ok(found.map(|room| room.stored.clone()))
    }

    async fn rooms(&self) -> Result<Vec<(TenantId, StoredRoom)>, StoreError> {
        let tenants = self.lock();
        let of_tenant = |(tenant, holdings): (&TenantId, &Holdings)| {
            holdings.rooms.values().map(|room| (tenant.clone(), room.stored.clone())).collect::<Vec<_>>()
        };
        Ok(tenants.iter().flat_map(of_tenant).collect())
    }

    async fn usage(&self, tenant: &TenantId, room: RoomId) -> Result<RoomUsage, StoreError> {
        self.in_room(tenant, room, |room| RoomUsage {
            handles: room.places.len(),
            bytes: room.records.values().map(|record| record.bytes.len() as u64).sum(),
        })
    }

    async fn remove_room(&self, tenant: &TenantId, room: RoomId) -> Result<(), StoreError> {
        let mut tenants = self.lock();
        let holdings = tenants.get_mut(tenant).ok_or(StoreError::UnknownRoom)?;
        let gone = holdings.rooms.remove(&room).ok_or(StoreError::UnknownRoom)?;
        holdings.bytes = holdings.bytes.saturating_sub(gone.charge);
        Ok(())
    }

    async fn replay(
        &self,
        tenant: &TenantId,
        room: RoomId,
        request: &Idempotency,
        count: usize,
    ) -> Result<Option<Vec<Handle>>, StoreError> {
        self.in_room(tenant, room, |room| match room.requests.get(&request.key) {
            Some((body, handles)) if *body == request.body && handles.len() == count => Ok(Some(handles.clone())),
            Some(_) => Err(StoreError::IdempotencyConflict),
            None => Ok(None),
        })?
    }

    async fn add_record(
        &self,
        tenant: &TenantId,
        room: RoomId,
        record: NewRecord,
        quota: Quota,
    ) -> Result<(), StoreError> {
        let mut tenants = self.lock();
        let holdings = tenants.get_mut(tenant).ok_or(StoreError::UnknownRoom)?;
        let found = holdings.rooms.get(&room).ok_or(StoreError::UnknownRoom)?;
        if record.idempotency.as_ref().is_some_and(|request| found.requests.contains_key(&request.key)) {
            return Err(StoreError::IdempotencyConflict);
        }
        if record.handles.iter().any(|handle| found.places.contains_key(handle)) {
            return Err(StoreError::RepeatedId);
        }
        let (charge, lasting) = record.charge();
        holdings.charge(charge + lasting, quota)?;
        let room = holdings.rooms.get_mut(&room).ok_or(StoreError::UnknownRoom)?;
        let sequence = room.next;
        room.next += 1;
        room.charge += charge + lasting;
        room.places.extend(record.handles.iter().map(|handle| (*handle, sequence)));
        if let Some(request) = record.idempotency {
            room.requests.insert(request.key, (request.body, record.handles.clone()));
        }
        let (bytes, handles) = (record.bytes, record.handles);
        room.records.insert(sequence, Record { bytes, handles, removed: BTreeSet::new(), charge });
        Ok(())
    }

    async fn remove_handle(&self, tenant: &TenantId, room: RoomId, handle: Handle) -> Result<(), StoreError> {
        let mut tenants = self.lock();
        let holdings = tenants.get_mut(tenant).ok_or(StoreError::UnknownRoom)?;
        let room = holdings.rooms.get_mut(&room).ok_or(StoreError::UnknownRoom)?;
        let sequence = room.places.remove(&handle).ok_or(StoreError::UnknownHandle)?;
        let record = room.records.get_mut(&sequence).ok_or(StoreError::UnknownHandle)?;
        record.removed.insert(handle);
        if record.removed.len() == record.handles.len() {
            let charge = record.charge;
            room.records.remove(&sequence);
            room.charge = room.charge.saturating_sub(charge);
            holdings.bytes = holdings.bytes.saturating_sub(charge);
        }
        Ok(())
    }

    async fn handles(
        &self,
        tenant: &TenantId,
        room: RoomId,
        after: Option<Handle>,
        limit: usize,
    ) -> Result<Vec<Handle>, StoreError> {
        use std::ops::Bound;
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.in_room(tenant, room, |room| {
            room.places.range((start, Bound::Unbounded)).map(|(handle, _)| *handle).take(limit).collect()
        })
    }

    async fn records(
        &self,
        tenant: &TenantId,
        room: RoomId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        use std::ops::Bound;
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let stored = |(&sequence, record): (&u64, &Record)| StoredRecord {
            sequence,
            bytes: Arc::clone(&record.bytes),
            handles: record.handles.clone(),
            removed: record.removed.iter().copied().collect(),
        };
        self.in_room(tenant, room, |room| {
            room.records.range((start, Bound::Unbounded)).take(limit).map(stored).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract;

    #[tokio::test]
    async fn keeps_the_contract() {
        contract::all(&MemoryStore::new()).await.unwrap();
    }
}
