//! What a store keeps of evaluation keys.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Quota, StoreError, Written};
use crate::id::{BodyDigest, TenantId};
use crate::time::UnixMillis;

/// How long a key set may be used, as its owner says. Epoch and expiry never change; a revocation is for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeyTerms {
    /// The epoch of the secret key behind it, counted by its owner from 0.
    pub epoch: u64,
    /// From this moment on it is not used any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<UnixMillis>,
    /// When its owner took it out of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<UnixMillis>,
}

/// What is told about a key set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeySet {
    /// Name of the parameter set.
    pub parameters: String,
    /// Length of the key set.
    pub bytes: usize,
    /// Whether it has a relinearization key.
    pub relinearization: bool,
    /// Its automorphisms.
    pub galois_elements: Vec<u32>,
    /// How long it may be used.
    #[serde(flatten)]
    pub terms: KeyTerms,
}

impl KeySet {
    /// What it counts against [`Quota::bytes`].
    pub fn charge(&self) -> u64 {
        self.bytes as u64
    }
}

/// The part of a store that keeps evaluation keys.
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// Keeps a key set under the digest of its bytes. One that is there already stays as it is, its terms included.
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

    /// Takes a key set out of use from `at` on, and says what is told about it now. One that was revoked before stays as it is.
    async fn revoke_keys(&self, tenant: &TenantId, digest: BodyDigest, at: UnixMillis) -> Result<KeySet, StoreError>;

    /// Removes a key set that no room or ledger uses; [`StoreError::KeysMissing`] where there is none.
    async fn remove_keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<(), StoreError>;
}
