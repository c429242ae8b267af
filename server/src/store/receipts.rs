//! What a store keeps of receipts: each with its request until a moment, and as long what it was computed from.
//!
//! A receipt names a version of a room or of sums, and evaluation keys. While nobody changes them nothing is kept twice. What a change would delete, and a kept receipt was computed from,
//! is set aside instead: a record that goes, sums that are replaced, a room, meter or panel or keys that are removed. It stays charged to the tenant until the last such receipt goes.

use std::sync::Arc;

use async_trait::async_trait;
use blindrelay_engine::operator::{Handle, Placement};
use blindrelay_trust::{CollectionKind, Receipt, ReceiptId, SignedReceipt};

use super::{LedgerName, Quota, StoreError, StoredLedger, StoredRoom};
use crate::family::Family;
use crate::id::{BodyDigest, LedgerId, RoomId, TenantId};
use crate::time::{Day, UnixMillis};

/// A receipt that is to be kept.
#[derive(Clone, Debug)]
pub struct NewReceipt {
    /// The receipt.
    pub signed: SignedReceipt,
    /// The request that it names.
    pub request: Arc<[u8]>,
    /// From this moment on it is not there any more.
    pub until: UnixMillis,
}

impl NewReceipt {
    /// What it counts against [`Quota::bytes`]: the signed receipt and the request.
    pub fn charge(&self) -> u64 {
        (self.signed.to_bytes().len() + self.request.len()) as u64
    }

    /// The day under which it is listed.
    pub fn day(&self) -> Day {
        Day::of(UnixMillis(self.signed.receipt().time.get()))
    }
}

/// A receipt that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredReceipt {
    /// The receipt.
    pub signed: SignedReceipt,
    /// Bytes of its request.
    pub request_bytes: u64,
    /// From this moment on it is not there any more.
    pub until: UnixMillis,
}

/// The name of what a receipt was computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptSubject {
    /// A room.
    Room(RoomId),
    /// A meter or panel.
    Ledger(LedgerName),
}

impl ReceiptSubject {
    /// What a receipt names.
    pub fn of(receipt: &Receipt) -> Self {
        let id = *receipt.collection.id.as_bytes();
        let ledger = |family| Self::Ledger(LedgerName { family, id: LedgerId::from_bytes(id) });
        match receipt.collection.kind {
            CollectionKind::Room => Self::Room(RoomId::from_bytes(id)),
            CollectionKind::Meter => ledger(Family::Meters),
            CollectionKind::Panel => ledger(Family::Panels),
        }
    }

    /// Why there is nothing to keep a receipt of.
    pub fn unknown(self) -> StoreError {
        match self {
            Self::Room(_) => StoreError::UnknownRoom,
            Self::Ledger(name) => StoreError::UnknownLedger { family: name.family },
        }
    }
}

/// What a receipt was computed from, as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiptSource {
    /// A room.
    Room(StoredRoom),
    /// A meter or panel.
    Ledger(StoredLedger),
}

/// A step on the way to the room that a receipt was computed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceChange {
    /// A record was added, and was there.
    Added {
        /// The version that this made.
        version: u64,
        /// SHA-256 of the record.
        digest: BodyDigest,
        /// Its length.
        bytes: u64,
        /// All its handles in the order of its values.
        handles: Vec<Handle>,
        /// Where it stood.
        placement: Placement,
    },
    /// A handle of such a record was removed.
    Removed {
        /// The version that this made.
        version: u64,
        /// The handle.
        handle: Handle,
    },
}

impl SourceChange {
    /// The version that the change made.
    pub fn version(&self) -> u64 {
        match self {
            Self::Added { version, .. } | Self::Removed { version, .. } => *version,
        }
    }
}

/// Bytes that belong to a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Their SHA-256, against which they were checked when they were read.
    pub digest: BodyDigest,
    /// The bytes.
    pub bytes: Arc<[u8]>,
}

impl Content {
    /// Bytes with their digest.
    pub fn of(bytes: Arc<[u8]>) -> Self {
        Self { digest: BodyDigest::of(&bytes), bytes }
    }
}

/// The part of a store that keeps receipts. What belongs to a receipt is asked for with the receipt, which has to be one that is kept: of others it may be gone.
#[async_trait]
pub trait ReceiptStore: Send + Sync + 'static {
    /// Keeps a receipt with its request, and from now on what it was computed from. One that is there already stays as it is. [`StoreError::Outdated`] where something that it was computed from
    /// is gone: what the answer came from was changed while it was computed.
    async fn keep_receipt(&self, tenant: &TenantId, receipt: NewReceipt, quota: Quota) -> Result<(), StoreError>;

    /// A receipt that is kept beyond `now`.
    async fn receipt(
        &self,
        tenant: &TenantId,
        receipt: ReceiptId,
        now: UnixMillis,
    ) -> Result<Option<StoredReceipt>, StoreError>;

    /// At most `limit` receipts of a day that are kept beyond `now`, with an id above `after`, ascending.
    async fn receipts(
        &self,
        tenant: &TenantId,
        day: Day,
        after: Option<ReceiptId>,
        limit: usize,
        now: UnixMillis,
    ) -> Result<Vec<StoredReceipt>, StoreError>;

    /// The request of a receipt.
    async fn receipt_request(&self, tenant: &TenantId, receipt: ReceiptId) -> Result<Option<Content>, StoreError>;

    /// The room, meter or panel of a receipt, which may have been removed since.
    async fn receipt_source(&self, tenant: &TenantId, receipt: &Receipt) -> Result<Option<ReceiptSource>, StoreError>;

    /// At most `limit` changes after the version `after` that lead from an empty room to the one of a receipt, ascending.
    async fn receipt_changes(
        &self,
        tenant: &TenantId,
        receipt: &Receipt,
        after: u64,
        limit: usize,
    ) -> Result<Vec<SourceChange>, StoreError>;

    /// The record that a change with this version added.
    async fn receipt_record(
        &self,
        tenant: &TenantId,
        receipt: &Receipt,
        version: u64,
    ) -> Result<Option<Content>, StoreError>;

    /// The sums of a receipt of a meter or panel.
    async fn receipt_sums(&self, tenant: &TenantId, receipt: &Receipt) -> Result<Option<Content>, StoreError>;

    /// Evaluation keys of receipts, which may have been revoked or removed since.
    async fn receipt_keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<Option<Content>, StoreError>;

    /// Drops the receipts that are not kept beyond `now`, and what was set aside for them alone; how many they were.
    async fn drop_receipts(&self, now: UnixMillis) -> Result<u64, StoreError>;
}
