//! Who asks, and what they may do.
//!
//! A key comes from the configuration or from the store. Keys of the store are looked up with every request, so that one that is revoked lets nobody in from then on, in every service.
//! As long as there is no key at all, a service on a loopback address lets everybody do everything; the first key that is made ends that.

use std::sync::atomic::{AtomicBool, Ordering};

use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::error::{ApiError, RequestError};
use crate::id::{BodyDigest, TenantId};
use crate::state::AppState;
use crate::store::{KeyHolder, Role, Store, StoreError, TenantLimits};
use crate::time::UnixMillis;

/// Who makes a request for a tenant.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The tenant.
    pub tenant: TenantId,
    /// The tenant's own limits.
    pub limits: TenantLimits,
}

/// What somebody may do.
#[derive(Clone, Debug)]
pub(crate) enum Rights {
    /// Everything: the service asks for no key.
    Open,
    /// What a role allows for a tenant.
    Tenant(Role, Caller),
    /// Tenants and keys.
    Administration,
}

/// A key that the configuration names.
#[derive(Clone, Debug)]
pub(crate) struct ConfiguredKey {
    pub(crate) digest: BodyDigest,
    /// `None` for the administrator's.
    pub(crate) tenant: Option<TenantId>,
}

/// The keys of the configuration, and whether any key is asked for.
pub(crate) struct Door {
    keys: Vec<ConfiguredKey>,
    /// Once it is closed it stays closed: whoever takes the last key away does not open the service.
    closed: AtomicBool,
}

impl Door {
    /// Closed where the configuration names a key or the store has one.
    pub(crate) async fn new(keys: Vec<ConfiguredKey>, store: &dyn Store) -> Result<Self, StoreError> {
        let closed = !keys.is_empty() || store.has_api_key().await?;
        Ok(Self { keys, closed: closed.into() })
    }

    /// Whether no key is asked for; looks again whether another service made one.
    pub(crate) async fn is_open(&self, store: &dyn Store) -> Result<bool, StoreError> {
        if !self.closed.load(Ordering::Relaxed) && store.has_api_key().await? {
            self.close();
        }
        Ok(!self.closed.load(Ordering::Relaxed))
    }

    /// From now on a key is asked for.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Hashes of keys are compared, all of them and in constant time: how long it takes says nothing about any key.
    fn configured(&self, digest: BodyDigest) -> Option<&ConfiguredKey> {
        let mut found = u32::MAX;
        for (index, known) in (0_u32..).zip(&self.keys) {
            found.conditional_assign(&index, known.digest.as_bytes().ct_eq(digest.as_bytes()));
        }
        self.keys.get(found as usize)
    }
}

/// The rights of whoever has this key.
pub(crate) async fn rights(state: &AppState, key: Option<&[u8]>) -> Result<Rights, ApiError> {
    let (door, store) = (state.door(), state.store().as_ref());
    if door.is_open(store).await? {
        return Ok(Rights::Open);
    }
    let digest = BodyDigest::of(key.ok_or(RequestError::Unauthorized)?);
    if let Some(known) = door.configured(digest) {
        let Some(tenant) = known.tenant.clone() else { return Ok(Rights::Administration) };
        let stored = store.tenant(&tenant).await?;
        if stored.as_ref().is_some_and(|stored| over(stored.suspended, state.clock().now())) {
            return Err(RequestError::Suspended.into());
        }
        let limits = stored.map(|stored| stored.limits).unwrap_or_default();
        return Ok(Rights::Tenant(Role::Tenant, Caller { tenant, limits }));
    }
    // The store finds a key by its hash: what its time tells about a hash helps nobody to find the key.
    let holder = store.key_holder(digest).await?.ok_or(RequestError::Unauthorized)?;
    of_holder(holder, state.clock().now())
}

/// Whether a moment has come.
pub(crate) fn over(moment: Option<UnixMillis>, now: UnixMillis) -> bool {
    moment.is_some_and(|moment| moment <= now)
}

fn of_holder(KeyHolder { key, tenant }: KeyHolder, now: UnixMillis) -> Result<Rights, ApiError> {
    if over(key.expires, now) || over(key.revoked, now) {
        return Err(RequestError::Unauthorized.into());
    }
    match (key.role, tenant) {
        (Role::Admin, _) => Ok(Rights::Administration),
        (_, None) => Err(RequestError::Unauthorized.into()),
        (_, Some(tenant)) if over(tenant.suspended, now) => Err(RequestError::Suspended.into()),
        (role, Some(tenant)) => Ok(Rights::Tenant(role, Caller { tenant: tenant.id, limits: tenant.limits })),
    }
}
