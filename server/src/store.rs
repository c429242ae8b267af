//! Everything that outlives a restart: key sets, rooms, records with their handles, sums, and which requests were answered already.
//!
//! Every method is one transaction: it happens as a whole or not at all, also when the future that runs it is dropped. Every id is looked up under
//! its tenant, so that nobody can reach what belongs to somebody else. `contract` states what an implementation has to do.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod ledger;
pub mod memory;

use std::sync::Arc;

use async_trait::async_trait;
use blindrelay_engine::operator::{HANDLE_BYTES, Handle};
use serde::{Deserialize, Serialize};

use crate::family::Family;
use crate::id::{BodyDigest, IdempotencyKey, RoomId, TenantId};

pub use ledger::{LedgerChange, LedgerName, LedgerState, LedgerStore, LedgerUsage, StoredLedger, Turn};

/// Why a store does not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The tenant has no such room.
    #[error("there is no such room")]
    UnknownRoom,
    /// The tenant has no such meter or panel.
    #[error("there is no such {}", .family.singular())]
    UnknownLedger {
        /// Which of them.
        family: Family,
    },
    /// The sums were changed since they were read.
    #[error("the sums are of version {found}, not {expected}")]
    Outdated {
        /// The version that was read.
        expected: u64,
        /// The version that is there.
        found: u64,
    },
    /// The room has no such handle.
    #[error("there is no such handle")]
    UnknownHandle,
    /// The tenant has no such keys.
    #[error("there are no evaluation keys {digest}")]
    KeysMissing {
        /// The keys.
        digest: BodyDigest,
    },
    /// A room or ledger of the tenant uses the keys.
    #[error("evaluation keys {digest} are in use")]
    KeysInUse {
        /// The keys.
        digest: BodyDigest,
    },
    /// The idempotency key was used in this room or ledger for another body or count.
    #[error("the idempotency key was used for another body")]
    IdempotencyConflict,
    /// A limit of the tenant.
    #[error("the limit of {limit} {what} is reached")]
    Quota {
        /// What is counted.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A new random id exists already.
    #[error("an id exists already")]
    RepeatedId,
    /// The store cannot be reached or is broken. It is not known whether the change happened.
    #[error("the store failed: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// How much a tenant may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Rooms.
    pub rooms: usize,
    /// Meters and panels.
    pub ledgers: usize,
    /// Changes of one meter or panel in its life.
    pub changes: usize,
    /// Key sets.
    pub keys: usize,
    /// Bytes of key sets, records and sums, as [`KeySet::charge`], [`NewRecord::charge`], [`StoredLedger::charge`] and
    /// [`LedgerChange::charge`] count them.
    pub bytes: u64,
}

/// What is told about a key set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySet {
    /// Name of the parameter set.
    pub parameters: String,
    /// Length of the key set.
    pub bytes: usize,
    /// Whether it has a relinearization key.
    pub relinearization: bool,
    /// Its automorphisms.
    pub galois_elements: Vec<u32>,
}

impl KeySet {
    /// What it counts against [`Quota::bytes`].
    pub fn charge(&self) -> u64 {
        self.bytes as u64
    }
}

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

/// The request that a record or a change of sums came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// What the client calls it.
    pub key: IdempotencyKey,
    /// Digest of its body.
    pub body: BodyDigest,
}

/// A record that is to be stored.
#[derive(Clone, Debug)]
pub struct NewRecord {
    /// The record.
    pub bytes: Arc<[u8]>,
    /// A handle for each of its values, at least one, all new.
    pub handles: Vec<Handle>,
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

/// A record with what became of its handles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Records of a room are numbered upwards in the order in which they came.
    pub sequence: u64,
    /// The record.
    pub bytes: Arc<[u8]>,
    /// All its handles in the order of its values.
    pub handles: Vec<Handle>,
    /// Those that were removed.
    pub removed: Vec<Handle>,
}

/// What became of a change that may be there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was made.
    New,
    /// It was there before.
    Existing,
}

/// The store.
#[async_trait]
pub trait Store: LedgerStore + Send + Sync + 'static {
    /// Whether requests can be served.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Keeps a key set under the digest of its bytes.
    async fn put_keys(
        &self,
        tenant: &TenantId,
        digest: BodyDigest,
        keys: KeySet,
        bytes: Arc<[u8]>,
        quota: Quota,
    ) -> Result<Written, StoreError>;

    /// What is told about a key set.
    async fn keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<Option<KeySet>, StoreError>;

    /// The bytes of a key set.
    async fn key_bytes(&self, tenant: &TenantId, digest: BodyDigest) -> Result<Option<Arc<[u8]>>, StoreError>;

    /// Removes a key set that no room or ledger uses; [`StoreError::KeysMissing`] where there is none.
    async fn remove_keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<(), StoreError>;

    /// Makes a room. Its keys must be there.
    async fn create_room(&self, tenant: &TenantId, room: StoredRoom, quota: Quota) -> Result<(), StoreError>;

    /// A room.
    async fn room(&self, tenant: &TenantId, room: RoomId) -> Result<Option<StoredRoom>, StoreError>;

    /// All rooms of all tenants, for a start.
    async fn rooms(&self) -> Result<Vec<(TenantId, StoredRoom)>, StoreError>;

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

    /// Appends a record to a room; [`StoreError::IdempotencyConflict`] where a request of its name was answered before.
    async fn add_record(
        &self,
        tenant: &TenantId,
        room: RoomId,
        record: NewRecord,
        quota: Quota,
    ) -> Result<(), StoreError>;

    /// Removes a handle; its record goes with its last one.
    async fn remove_handle(&self, tenant: &TenantId, room: RoomId, handle: Handle) -> Result<(), StoreError>;

    /// At most `limit` handles of a room above `after`, ascending.
    async fn handles(
        &self,
        tenant: &TenantId,
        room: RoomId,
        after: Option<Handle>,
        limit: usize,
    ) -> Result<Vec<Handle>, StoreError>;

    /// At most `limit` records of a room with a number above `after`, ascending.
    async fn records(
        &self,
        tenant: &TenantId,
        room: RoomId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<StoredRecord>, StoreError>;
}
