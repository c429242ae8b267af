//! What a store keeps of tenants and of the API keys that let somebody in.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{StoreError, Written};
use crate::id::{ApiKeyId, BodyDigest, TenantId};
use crate::time::UnixMillis;

/// What the holder of an API key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Works for a tenant: enrols, asks, adds batches. Cannot read reports, nor change keys, rooms, meters and panels.
    Relay,
    /// Everything of one tenant.
    Tenant,
    /// Reads what a tenant has, receipts and what they were made from; changes nothing.
    Auditor,
    /// Tenants, API keys and the service itself; nothing of what tenants keep.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Relay, Self::Tenant, Self::Auditor, Self::Admin];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Tenant => "tenant",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is relay, tenant, auditor or admin")]
pub struct RoleParseError;

impl FromStr for Role {
    type Err = RoleParseError;

    fn from_str(text: &str) -> Result<Self, RoleParseError> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(RoleParseError)
    }
}

/// Limits of one tenant; what is left out is as the service's configuration says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantLimits {
    /// Rooms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rooms: Option<usize>,
    /// Meters and panels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledgers: Option<usize>,
    /// Changes of one meter or panel in its life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<usize>,
    /// Key sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<usize>,
    /// Jobs that are not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<usize>,
    /// Bytes of key sets, records, sums and jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = "uint64")]
    pub bytes: Option<u64>,
    /// Milliseconds of computation in a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = "uint64")]
    pub compute_millis_per_minute: Option<u64>,
    /// Requests that wait or compute at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent_requests: Option<usize>,
}

/// A tenant as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTenant {
    /// Its name.
    pub id: TenantId,
    /// When it was made.
    pub created: UnixMillis,
    /// Since when nobody is let in for it.
    pub suspended: Option<UnixMillis>,
    /// Its limits.
    pub limits: TenantLimits,
}

/// An API key, without the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// What it is called where it is listed or revoked.
    pub id: ApiKeyId,
    /// SHA-256 of the key.
    pub digest: BodyDigest,
    /// Whom it lets in; `None` for an [`Role::Admin`].
    pub tenant: Option<TenantId>,
    /// What its holder may do.
    pub role: Role,
    /// What people call it, at most 64 characters.
    pub label: String,
    /// When it was made.
    pub created: UnixMillis,
    /// From this moment on it lets nobody in.
    pub expires: Option<UnixMillis>,
    /// From when on it is out of use.
    pub revoked: Option<UnixMillis>,
}

/// Who holds a key: the key, and its tenant as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyHolder {
    /// The key.
    pub key: ApiKey,
    /// Its tenant.
    pub tenant: Option<StoredTenant>,
}

/// The part of a store that keeps tenants and API keys.
#[async_trait]
pub trait AccessStore: Send + Sync + 'static {
    /// Makes a tenant; one that is there already stays as it is.
    async fn create_tenant(&self, tenant: StoredTenant) -> Result<Written, StoreError>;

    /// A tenant.
    async fn tenant(&self, tenant: &TenantId) -> Result<Option<StoredTenant>, StoreError>;

    /// At most `limit` tenants with a name above `after`, ascending by bytes.
    async fn tenants(&self, after: Option<&TenantId>, limit: usize) -> Result<Vec<StoredTenant>, StoreError>;

    /// Bytes of key sets, records, sums and jobs that a tenant keeps, as they are charged; 0 for an unknown one.
    async fn stored_bytes(&self, tenant: &TenantId) -> Result<u64, StoreError>;

    /// Replaces limits and suspension of a tenant; [`StoreError::UnknownTenant`].
    async fn change_tenant(
        &self,
        tenant: &TenantId,
        limits: TenantLimits,
        suspended: Option<UnixMillis>,
    ) -> Result<(), StoreError>;

    /// Keeps an API key. [`StoreError::UnknownTenant`] where its tenant is not there, [`StoreError::RepeatedId`] where its id or digest is.
    async fn add_api_key(&self, key: ApiKey) -> Result<(), StoreError>;

    /// The key with this digest, expired or revoked or not.
    async fn key_holder(&self, digest: BodyDigest) -> Result<Option<KeyHolder>, StoreError>;

    /// Whether there is any key, expired or revoked or not.
    async fn has_api_key(&self) -> Result<bool, StoreError>;

    /// The key with this id, expired or revoked or not.
    async fn api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError>;

    /// At most `limit` keys with an id above `after`, ascending: those of a tenant, or all.
    async fn api_keys(
        &self,
        tenant: Option<&TenantId>,
        after: Option<ApiKeyId>,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StoreError>;

    /// Takes a key out of use from `at` on, which may be later than now; of several moments the earliest counts. [`StoreError::UnknownApiKey`].
    async fn revoke_api_key(&self, id: ApiKeyId, at: UnixMillis) -> Result<(), StoreError>;
}
