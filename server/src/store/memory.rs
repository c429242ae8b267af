//! A store in memory: what it holds is gone when the process ends.

mod access;
mod jobs;
mod kept;
mod keys;
mod ledger;
mod receipts;
mod room;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use self::access::Access;
use self::kept::Kept;
use self::room::Room;
use super::{KeySet, LedgerName, Quota, Store, StoreError};
use crate::id::{BodyDigest, JobId, RoomId, TenantId};

/// What a tenant keeps.
#[derive(Default)]
struct Holdings {
    keys: BTreeMap<BodyDigest, (KeySet, Arc<[u8]>)>,
    rooms: BTreeMap<RoomId, Room>,
    ledgers: BTreeMap<LedgerName, ledger::Ledger>,
    jobs: BTreeMap<JobId, jobs::Job>,
    kept: Kept,
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
    holdings: Mutex<HashMap<TenantId, Holdings>>,
    access: Mutex<Access>,
    secrets: Mutex<HashMap<String, [u8; 32]>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing panics while the lock is held, and nothing waits.
    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Holdings>> {
        self.holdings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn shared_secret(&self, name: &str, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(*secrets.entry(name.to_owned()).or_insert(fresh))
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
