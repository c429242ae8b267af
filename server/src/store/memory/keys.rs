//! Evaluation keys in memory.

use std::sync::Arc;

use async_trait::async_trait;

use super::{MemoryStore, ledger};
use crate::id::{BodyDigest, TenantId};
use crate::store::{KeySet, KeyStore, Quota, StoreError, Written};
use crate::time::UnixMillis;

#[async_trait]
impl KeyStore for MemoryStore {
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

    async fn revoke_keys(&self, tenant: &TenantId, digest: BodyDigest, at: UnixMillis) -> Result<KeySet, StoreError> {
        let mut tenants = self.lock();
        let found = tenants.get_mut(tenant).and_then(|holdings| holdings.keys.get_mut(&digest));
        let (keys, _) = found.ok_or(StoreError::KeysMissing { digest })?;
        keys.terms.revoked.get_or_insert(at);
        Ok(keys.clone())
    }

    async fn remove_keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<(), StoreError> {
        let mut tenants = self.lock();
        let holdings = tenants.get_mut(tenant).ok_or(StoreError::KeysMissing { digest })?;
        let rooms = holdings.rooms.values().map(super::room::Room::evaluation_keys);
        if rooms.chain(holdings.ledgers.values().map(ledger::Ledger::evaluation_keys)).any(|keys| keys == Some(digest))
        {
            return Err(StoreError::KeysInUse { digest });
        }
        let (keys, bytes) = holdings.keys.remove(&digest).ok_or(StoreError::KeysMissing { digest })?;
        if !holdings.kept.take_keys(digest, bytes) {
            holdings.bytes = holdings.bytes.saturating_sub(keys.charge());
        }
        Ok(())
    }
}
