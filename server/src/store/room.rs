//! What a store keeps of rooms.

use std::sync::Arc;

use async_trait::async_trait;
use blindrelay_engine::operator::{HANDLE_BYTES, Handle, Placement};

use super::{Idempotency, Quota, StoreError};
use crate::id::{BodyDigest, RoomId, TenantId};

/// A room as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRoom {
    /// Its id.
    pub room: RoomId,
    /// Id of its operator.
    pub operator: String,
    /// The keys that requests in it are evaluated with.
    pub evaluation_keys: Option<BodyDigest>,
}

/// What is in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoomUsage {
    /// Handles.
    pub handles: usize,
    /// Bytes of its records, without overhead.
    pub bytes: u64,
}

/// A room as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomState {
    /// As it was made.
    pub room: StoredRoom,
    /// 0 when it is made, one more with every record and every removal.
    pub version: u64,
}

/// A record that is to be stored.
#[derive(Clone, Debug)]
pub struct NewRecord {
    /// The version of the room for which the placement was chosen.
    pub version: u64,
    /// The record.
    pub bytes: Arc<[u8]>,
    /// A handle for each of its values, at least one, all new.
    pub handles: Vec<Handle>,
    /// Where it stands in the room's collection.
    pub placement: Placement,
    /// The request, if the client gave it a name.
    pub idempotency: Option<Idempotency>,
}

impl NewRecord {
    /// What it counts against [`Quota::bytes`]: the record until its last handle goes, the rest until the room goes.
    pub fn charge(&self) -> (u64, u64) {
        let named = self.idempotency.as_ref().map_or(0, |idempotency| {
            idempotency.key.as_str().len() + idempotency.body.as_bytes().len() + HANDLE_BYTES * self.handles.len()
        });
        ((self.bytes.len() + HANDLE_BYTES * self.handles.len()) as u64, named as u64)
    }
}

/// A record that is in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// The record.
    pub bytes: Arc<[u8]>,
    /// All its handles in the order of its values, those that were removed since included.
    pub handles: Vec<Handle>,
    /// Where it stands.
    pub placement: Placement,
}

/// A change of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomChange {
    /// A record was added.
    Added {
        /// The version that this made.
        version: u64,
        /// The record.
        record: StoredRecord,
    },
    /// A handle was removed.
    Removed {
        /// The version that this made.
        version: u64,
        /// The handle.
        handle: Handle,
    },
}

impl RoomChange {
    /// The version that the change made.
    pub fn version(&self) -> u64 {
        match self {
            Self::Added { version, .. } | Self::Removed { version, .. } => *version,
        }
    }
}

/// Changes of a room, read at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomChanges {
    /// The room's version at that moment. Whoever has made all changes up to it has the room of this version, which may be above that of the last change: what was added and removed in
    /// between is no change.
    pub version: u64,
    /// The changes.
    pub changes: Vec<RoomChange>,
}

/// The part of a store that keeps rooms.
#[async_trait]
pub trait RoomStore: Send + Sync + 'static {
    /// Makes a room. Its keys must be there.
    async fn create_room(&self, tenant: &TenantId, room: StoredRoom, quota: Quota) -> Result<(), StoreError>;

    /// A room as it is now.
    async fn room(&self, tenant: &TenantId, room: RoomId) -> Result<Option<RoomState>, StoreError>;

    /// At most `limit` rooms of a tenant with an id above `after`, ascending.
    async fn rooms(&self, tenant: &TenantId, after: Option<RoomId>, limit: usize)
    -> Result<Vec<RoomState>, StoreError>;

    /// What is in a room.
    async fn usage(&self, tenant: &TenantId, room: RoomId) -> Result<RoomUsage, StoreError>;

    /// Removes a room with everything in it.
    async fn remove_room(&self, tenant: &TenantId, room: RoomId) -> Result<(), StoreError>;

    /// The handles that a request of this name was answered with, if there was one; [`StoreError::IdempotencyConflict`] if it was another
    /// request: another body, or another number of values.
    async fn replay(
        &self,
        tenant: &TenantId,
        room: RoomId,
        request: &Idempotency,
        count: usize,
    ) -> Result<Option<Vec<Handle>>, StoreError>;

    /// Adds a record to a room, whose version goes up by one; the new version. [`StoreError::Outdated`], before anything else is looked at, where the room is of another version than
    /// the record; [`StoreError::IdempotencyConflict`] where a request of its name was answered before.
    async fn add_record(
        &self,
        tenant: &TenantId,
        room: RoomId,
        record: NewRecord,
        quota: Quota,
    ) -> Result<u64, StoreError>;

    /// Removes a handle, and the room's version goes up by one; the new version. The handle's record goes with its last one.
    async fn remove_handle(&self, tenant: &TenantId, room: RoomId, handle: Handle) -> Result<u64, StoreError>;

    /// At most `limit` handles of a room above `after`, ascending.
    async fn handles(
        &self,
        tenant: &TenantId,
        room: RoomId,
        after: Option<Handle>,
        limit: usize,
    ) -> Result<Vec<Handle>, StoreError>;

    /// At most `limit` of the changes that made later versions than `after`, ascending: records that are still there, and removals. Whoever begins at 0, or goes on from any version, and makes
    /// all of them has what is in the room. Of a record that is gone there may be removals without the record; they concern nobody who does not have it.
    async fn changes(
        &self,
        tenant: &TenantId,
        room: RoomId,
        after: u64,
        limit: usize,
    ) -> Result<RoomChanges, StoreError>;
}
