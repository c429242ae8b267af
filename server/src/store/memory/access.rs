//! Tenants and API keys in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{MutexGuard, PoisonError};

use async_trait::async_trait;

use super::MemoryStore;
use crate::id::{ApiKeyId, BodyDigest, TenantId};
use crate::store::{AccessStore, ApiKey, KeyHolder, StoreError, StoredTenant, TenantLimits, Written};
use crate::time::UnixMillis;

#[derive(Default)]
pub(super) struct Access {
    tenants: BTreeMap<TenantId, StoredTenant>,
    keys: BTreeMap<ApiKeyId, ApiKey>,
}

impl MemoryStore {
    fn access(&self) -> MutexGuard<'_, Access> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl AccessStore for MemoryStore {
    async fn create_tenant(&self, tenant: StoredTenant) -> Result<Written, StoreError> {
        let mut access = self.access();
        if access.tenants.contains_key(&tenant.id) {
            return Ok(Written::Existing);
        }
        access.tenants.insert(tenant.id.clone(), tenant);
        Ok(Written::New)
    }

    async fn tenant(&self, tenant: &TenantId) -> Result<Option<StoredTenant>, StoreError> {
        Ok(self.access().tenants.get(tenant).cloned())
    }

    async fn tenants(&self, after: Option<&TenantId>, limit: usize) -> Result<Vec<StoredTenant>, StoreError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let access = self.access();
        Ok(access.tenants.range((start, Bound::Unbounded)).take(limit).map(|(_, tenant)| tenant.clone()).collect())
    }

    async fn stored_bytes(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        Ok(self.lock().get(tenant).map_or(0, |holdings| holdings.bytes))
    }

    async fn change_tenant(
        &self,
        tenant: &TenantId,
        limits: TenantLimits,
        suspended: Option<UnixMillis>,
    ) -> Result<(), StoreError> {
        let mut access = self.access();
        let found = access.tenants.get_mut(tenant).ok_or(StoreError::UnknownTenant)?;
        (found.limits, found.suspended) = (limits, suspended);
        Ok(())
    }

    async fn add_api_key(&self, key: ApiKey) -> Result<(), StoreError> {
        let mut access = self.access();
        if key.tenant.as_ref().is_some_and(|tenant| !access.tenants.contains_key(tenant)) {
            return Err(StoreError::UnknownTenant);
        }
        if access.keys.values().any(|known| known.id == key.id || known.digest == key.digest) {
            return Err(StoreError::RepeatedId);
        }
        access.keys.insert(key.id, key);
        Ok(())
    }

    async fn key_holder(&self, digest: BodyDigest) -> Result<Option<KeyHolder>, StoreError> {
        let access = self.access();
        let Some(key) = access.keys.values().find(|key| key.digest == digest).cloned() else { return Ok(None) };
        let tenant = key.tenant.as_ref().and_then(|tenant| access.tenants.get(tenant)).cloned();
        Ok(Some(KeyHolder { key, tenant }))
    }

    async fn has_api_key(&self) -> Result<bool, StoreError> {
        Ok(!self.access().keys.is_empty())
    }

    async fn api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.access().keys.get(&id).cloned())
    }

    async fn api_keys(
        &self,
        tenant: Option<&TenantId>,
        after: Option<ApiKeyId>,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StoreError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let access = self.access();
        let all = access.keys.range((start, Bound::Unbounded)).map(|(_, key)| key);
        let wanted = all.filter(|key| tenant.is_none_or(|tenant| key.tenant.as_ref() == Some(tenant)));
        Ok(wanted.take(limit).cloned().collect())
    }

    async fn revoke_api_key(&self, id: ApiKeyId, at: UnixMillis) -> Result<(), StoreError> {
        let mut access = self.access();
        let key = access.keys.get_mut(&id).ok_or(StoreError::UnknownApiKey)?;
        key.revoked = Some(key.revoked.map_or(at, |revoked| revoked.min(at)));
        Ok(())
    }
}
