//! Rooms in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use async_trait::async_trait;
use blindrelay_engine::operator::Handle;

use super::{Holdings, MemoryStore};
use crate::id::{BodyDigest, IdempotencyKey, RoomId, TenantId};
use crate::store::{
    Idempotency, NewRecord, Quota, RoomChange, RoomChanges, RoomState, RoomStore, RoomUsage, StoreError, StoredRecord,
    StoredRoom,
};

pub(super) struct Record {
    pub(super) stored: StoredRecord,
    removed: BTreeSet<Handle>,
    pub(super) charge: u64,
}

#[derive(Clone, Copy)]
pub(super) struct Removal {
    pub(super) handle: Handle,
    /// The version that added its record.
    pub(super) record: u64,
}

pub(super) struct Room {
    pub(super) stored: StoredRoom,
    pub(super) version: u64,
    /// By the version that added them.
    pub(super) records: BTreeMap<u64, Record>,
    /// By the version that they made.
    pub(super) removals: BTreeMap<u64, Removal>,
    places: BTreeMap<Handle, u64>,
    requests: HashMap<IdempotencyKey, (BodyDigest, Vec<Handle>)>,
    charge: u64,
}

impl Room {
    fn new(stored: StoredRoom) -> Self {
        Self {
            stored,
            version: 0,
            records: BTreeMap::new(),
            removals: BTreeMap::new(),
            places: BTreeMap::new(),
            requests: HashMap::new(),
            charge: 0,
        }
    }

    pub(super) fn evaluation_keys(&self) -> Option<BodyDigest> {
        self.stored.evaluation_keys
    }

    fn state(&self) -> RoomState {
        RoomState { room: self.stored.clone(), version: self.version }
    }

    fn changes(&self, after: u64, limit: usize) -> RoomChanges {
        let later = (Bound::Excluded(after), Bound::Unbounded);
        let added = self.records.range(later).map(|(&version, record)| {
            let record = record.stored.clone();
            RoomChange::Added { version, record }
        });
        let concerns = |removal: &Removal| removal.record <= after || self.records.contains_key(&removal.record);
        let removed = self.removals.range(later).filter(|(_, removal)| concerns(removal));
        let removed = removed.map(|(&version, removal)| RoomChange::Removed { version, handle: removal.handle });
        let mut all: Vec<RoomChange> = added.take(limit).chain(removed.take(limit)).collect();
        all.sort_by_key(RoomChange::version);
        all.truncate(limit);
        RoomChanges { version: self.version, changes: all }
    }
}

impl MemoryStore {
    fn in_room<T>(&self, tenant: &TenantId, room: RoomId, read: impl FnOnce(&Room) -> T) -> Result<T, StoreError> {
        let tenants = self.lock();
        let room = tenants.get(tenant).and_then(|holdings| holdings.rooms.get(&room));
        room.map(read).ok_or(StoreError::UnknownRoom)
    }
}

#[async_trait]
impl RoomStore for MemoryStore {
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
        holdings.rooms.insert(room.room, Room::new(room));
        Ok(())
    }

    async fn room(&self, tenant: &TenantId, room: RoomId) -> Result<Option<RoomState>, StoreError> {
        Ok(self.in_room(tenant, room, Room::state).ok())
    }

    async fn rooms(
        &self,
        tenant: &TenantId,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<Vec<RoomState>, StoreError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let tenants = self.lock();
        let Some(holdings) = tenants.get(tenant) else { return Ok(Vec::new()) };
        Ok(holdings.rooms.range((start, Bound::Unbounded)).take(limit).map(|(_, room)| room.state()).collect())
    }

    async fn usage(&self, tenant: &TenantId, room: RoomId) -> Result<RoomUsage, StoreError> {
        self.in_room(tenant, room, |room| RoomUsage {
            handles: room.places.len(),
            bytes: room.records.values().map(|record| record.stored.bytes.len() as u64).sum(),
        })
    }

    async fn remove_room(&self, tenant: &TenantId, room: RoomId) -> Result<(), StoreError> {
        let mut tenants = self.lock();
        let holdings = tenants.get_mut(tenant).ok_or(StoreError::UnknownRoom)?;
        let gone = holdings.rooms.remove(&room).ok_or(StoreError::UnknownRoom)?;
        let charge = gone.charge;
        let aside = holdings.kept.take_room(gone);
        holdings.bytes = holdings.bytes.saturating_sub(charge.saturating_sub(aside));
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
    ) -> Result<u64, StoreError> {
        let mut tenants = self.lock();
        let holdings = tenants.get_mut(tenant).ok_or(StoreError::UnknownRoom)?;
        let found = holdings.rooms.get(&room).ok_or(StoreError::UnknownRoom)?;
        if found.version != record.version {
            return Err(StoreError::Outdated { expected: record.version, found: found.version });
        }
        if record.idempotency.as_ref().is_some_and(|request| found.requests.contains_key(&request.key)) {
            return Err(StoreError::IdempotencyConflict);
        }
        if record.handles.iter().any(|handle| found.places.contains_key(handle)) {
            return Err(StoreError::RepeatedId);
        }
        let (charge, lasting) = record.charge();
        holdings.charge(charge + lasting, quota)?;
        let room = holdings.rooms.get_mut(&room).ok_or(StoreError::UnknownRoom)?;
        room.version += 1;
        room.charge += charge + lasting;
        room.places.extend(record.handles.iter().map(|handle| (*handle, room.version)));
        if let Some(request) = record.idempotency {
            room.requests.insert(request.key, (request.body, record.handles.clone()));
        }
        let NewRecord { bytes, handles, placement, .. } = record;
        let stored = StoredRecord { bytes, handles, placement };
        room.records.insert(room.version, Record { stored, removed: BTreeSet::new(), charge });
        Ok(room.version)
    }

    async fn remove_handle(&self, tenant: &TenantId, room: RoomId, handle: Handle) -> Result<u64, StoreError> {
        let mut tenants = self.lock();
        let Holdings { rooms, bytes, kept, .. } = tenants.get_mut(tenant).ok_or(StoreError::UnknownRoom)?;
        let id = room;
        let room = rooms.get_mut(&id).ok_or(StoreError::UnknownRoom)?;
        let added = room.places.remove(&handle).ok_or(StoreError::UnknownHandle)?;
        let record = room.records.get_mut(&added).ok_or(StoreError::UnknownHandle)?;
        record.removed.insert(handle);
        room.version += 1;
        if record.removed.len() == record.stored.handles.len()
            && let Some(gone) = room.records.remove(&added)
        {
            room.charge = room.charge.saturating_sub(gone.charge);
            let charge = gone.charge;
            if !kept.take_record(id, added, gone, room.version) {
                *bytes = bytes.saturating_sub(charge);
            }
        }
        room.removals.insert(room.version, Removal { handle, record: added });
        Ok(room.version)
    }

    async fn handles(
        &self,
        tenant: &TenantId,
        room: RoomId,
        after: Option<Handle>,
        limit: usize,
    ) -> Result<Vec<Handle>, StoreError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.in_room(tenant, room, |room| {
            room.places.range((start, Bound::Unbounded)).map(|(handle, _)| *handle).take(limit).collect()
        })
    }

    async fn changes(
        &self,
        tenant: &TenantId,
        room: RoomId,
        after: u64,
        limit: usize,
    ) -> Result<RoomChanges, StoreError> {
        self.in_room(tenant, room, |room| room.changes(after, limit))
    }
}
