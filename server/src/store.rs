//! Everything that outlives a restart: tenants and their API keys, evaluation keys, rooms, records with their handles, sums, which requests were answered already, and receipts.
//!
//! Every method is one transaction: it happens as a whole or not at all, also when the future that runs it is dropped, and what it has answered with success survives
//! a crash. Every id is looked up under its tenant, so that nobody can reach what belongs to somebody else. `contract` states what an implementation has to do.
//!
//! Any number of services may work on one store at the same time. What they keep in memory is a copy under a version: a room's changes are numbered, and so are those of
//! a ledger's sums. A change that was computed from an old version is refused ([`StoreError::Outdated`]) and computed again.

mod access;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod jobs;
mod keys;
mod ledger;
pub mod memory;
mod receipts;
mod room;

use async_trait::async_trait;

use crate::family::Family;
use crate::id::{BodyDigest, IdempotencyKey};

pub use access::{AccessStore, ApiKey, KeyHolder, Role, StoredTenant, TenantLimits};
pub use jobs::{JobStore, NewJob, Outcome, PART_CHARGE, Part, PartResult, StoredJob, Subject, Work};
pub use keys::{KeySet, KeyStore, KeyTerms};
pub use ledger::{LedgerChange, LedgerName, LedgerState, LedgerStore, LedgerUsage, StoredLedger, Turn};
pub use receipts::{Content, NewReceipt, ReceiptSource, ReceiptStore, ReceiptSubject, SourceChange, StoredReceipt};
pub use room::{NewRecord, RoomChange, RoomChanges, RoomState, RoomStore, RoomUsage, StoredRecord, StoredRoom};

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
    /// There is no such tenant.
    #[error("there is no such tenant")]
    UnknownTenant,
    /// There is no such API key.
    #[error("there is no such API key")]
    UnknownApiKey,
    /// The tenant has no such job, or the job no such part.
    #[error("there is no such job")]
    UnknownJob,
    /// A room or the sums of a ledger were changed since they were read.
    #[error("what is stored is of version {found}, not {expected}")]
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
    /// Jobs that are not finished.
    pub jobs: usize,
    /// Bytes of key sets, records, sums, jobs and receipts, as [`KeySet::charge`], [`NewRecord::charge`], [`StoredLedger::charge`],
    /// [`LedgerChange::charge`], [`NewJob::charge`], [`Outcome::charge`] and [`NewReceipt::charge`] count them, and of what is set aside for receipts.
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
pub trait Store:
    AccessStore + KeyStore + RoomStore + LedgerStore + JobStore + ReceiptStore + Send + Sync + 'static
{
    /// Whether requests can be served.
    async fn ready(&self) -> Result<(), StoreError>;

    /// A secret that all services on the store share under a name: `fresh` if there is none yet, and from then on always the same.
    async fn shared_secret(&self, name: &str, fresh: [u8; 32]) -> Result<[u8; 32], StoreError>;
}
