//! What a store keeps of ledgers: the encoded sums under a version, and the digests of the requests that are in them.
//!
//! Any number of services may work on one store. A change reads the sums with their version, computes the new sums, and writes them back on condition
//! that the version is still the same, in one transaction with the record of the request. So a request is in the sums exactly when its
//! record is there, and whoever repeats it finds the record.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Idempotency, Quota, StoreError};
use crate::family::Family;
use crate::id::{BodyDigest, LedgerId, TenantId};

/// The name of a ledger under its tenant. The same id in the other family names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerName {
    /// Its family.
    pub family: Family,
    /// Its id.
    pub id: LedgerId,
}

/// A ledger as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLedger {
    /// Its name.
    pub name: LedgerName,
    /// Id of its operator.
    pub operator: String,
    /// The operator's settings: JSON with sorted fields and no white space.
    pub settings: Arc<str>,
    /// The keys that its batches and requests are evaluated with.
    pub evaluation_keys: Option<BodyDigest>,
}

impl StoredLedger {
    /// What it counts against [`Quota::bytes`] besides its sums.
    pub fn charge(&self) -> u64 {
        self.settings.len() as u64
    }
}

/// What is in a ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerUsage {
    /// Batches in the sums, those of merged ledgers included.
    pub batches: u64,
    /// Bytes of the encoded sums.
    pub bytes: u64,
}

/// The sums of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerState {
    /// 0 when it is made, one more with every change.
    pub version: u64,
    /// The encoded sums.
    pub sums: Arc<[u8]>,
}

/// What a request to change a ledger finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is in the sums already, and was answered with this number of batches.
    Answered(u64),
    /// It is not in these sums.
    Open(LedgerState),
}

/// A change of sums.
#[derive(Clone, Debug)]
pub struct LedgerChange {
    /// The version that the new sums were computed from.
    pub version: u64,
    /// The new sums.
    pub sums: Arc<[u8]>,
    /// Batches in them; also what a repeated request is answered with.
    pub batches: u64,
    /// The request.
    pub request: Idempotency,
}

impl LedgerChange {
    /// What it counts against [`Quota::bytes`]: the sums instead of the former ones, the record until the ledger goes.
    pub fn charge(&self) -> (u64, u64) {
        let record = self.request.key.as_str().len() + self.request.body.as_bytes().len() + size_of::<u64>();
        (self.sums.len() as u64, record as u64)
    }
}

/// The part of a store that keeps ledgers. Every method is one transaction.
#[async_trait]
pub trait LedgerStore: Send + Sync + 'static {
    /// Makes a ledger with its first sums, at version 0 and with no batches. Its keys must be there.
    async fn create_ledger(
        &self,
        tenant: &TenantId,
        ledger: StoredLedger,
        sums: Arc<[u8]>,
        quota: Quota,
    ) -> Result<(), StoreError>;

    /// A ledger and what is in it.
    async fn ledger(
        &self,
        tenant: &TenantId,
        name: LedgerName,
    ) -> Result<Option<(StoredLedger, LedgerUsage)>, StoreError>;

    /// At most `limit` ledgers of a family with an id above `after`, ascending.
    async fn ledgers(
        &self,
        tenant: &TenantId,
        family: Family,
        after: Option<LedgerId>,
        limit: usize,
    ) -> Result<Vec<(StoredLedger, LedgerUsage)>, StoreError>;

    /// Removes a ledger with its sums and the records of its requests.
    async fn remove_ledger(&self, tenant: &TenantId, name: LedgerName) -> Result<(), StoreError>;

    /// The sums of a ledger.
    async fn sums(&self, tenant: &TenantId, name: LedgerName) -> Result<LedgerState, StoreError>;

    /// The sums of a ledger together with what is known of a request, both of the same moment; [`StoreError::IdempotencyConflict`] where the
    /// request's name was used for another body.
    async fn turn(&self, tenant: &TenantId, name: LedgerName, request: &Idempotency) -> Result<Turn, StoreError>;

    /// Writes new sums and the record of the request, both or neither: [`StoreError::Outdated`], before anything else is looked at, where the sums are of another version,
    /// [`StoreError::IdempotencyConflict`] where the request's name was used before, [`StoreError::Quota`] where the ledger has all the
    /// changes or the tenant all the bytes that it may have.
    async fn change_ledger(
        &self,
        tenant: &TenantId,
        name: LedgerName,
        change: LedgerChange,
        quota: Quota,
    ) -> Result<(), StoreError>;
}
