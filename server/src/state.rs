//! What all requests share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use blindrelay_engine::operator::OperatorCard;
use blindrelay_engine::params::ParameterDigest;
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::Wire;

use crate::compute::{ComputePool, Place};
use crate::config::{Config, ConfigError, Limits};
use crate::error::{ApiError, KeysError, Resource};
use crate::id::{BodyDigest, RoomId, TenantId};
use crate::keys::{self, KeyCache};
use crate::ledger::ChangeLocks;
use crate::registry::Registry;
use crate::room::Room;
use crate::store::{Quota, Store, StoreError};

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The compute threads.
    #[error("the compute threads cannot be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct Inner {
    limits: Limits,
    /// Empty: no key is asked for.
    keys: Vec<(BodyDigest, TenantId)>,
    registry: Registry,
    store: Arc<dyn Store>,
    compute: ComputePool,
    decoded: KeyCache,
    rooms: RwLock<HashMap<(TenantId, RoomId), Arc<Room>>>,
    ledger_changes: ChangeLocks,
    stopping: AtomicBool,
}

/// The state of a service; clones share it.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

impl AppState {
    /// Checks the configuration, starts the compute threads and makes every room again from what the store has. A room of an operator that is not registered
    /// stays in the store; requests for it are answered with 410.
    pub async fn open(config: &Config, registry: Registry, store: Arc<dyn Store>) -> Result<Self, StartError> {
        config.check()?;
        let limits = config.limits.clone();
        let compute = ComputePool::new(limits.compute_threads, limits.queue_length, limits.queue_timeout())?;
        let state = Self(Arc::new(Inner {
            decoded: KeyCache::new(limits.key_cache_bytes),
            keys: config.keys()?,
            registry,
            store,
            compute,
            rooms: RwLock::default(),
            ledger_changes: ChangeLocks::default(),
            stopping: AtomicBool::new(false),
            limits,
        }));
        state.rebuild().await?;
        Ok(state)
    }

    /// Makes the collections of all rooms before the first request. One that fails is logged and tried again when it is used: a single
    /// room must not keep the service from starting.
    async fn rebuild(&self) -> Result<(), StartError> {
        for (tenant, stored) in self.store().rooms().await? {
            let room = stored.room;
            let Some(operator) = self.registry().operator(&stored.operator) else {
                tracing::warn!(%tenant, %room, operator = stored.operator, "the room's operator is not registered");
                continue;
            };
            let live = Arc::new(Room::of_store(tenant.clone(), stored, Arc::clone(operator)));
            self.add_room(tenant.clone(), Arc::clone(&live));
            let rebuilt = match self.compute().enter() {
                Ok(place) => live.snapshot(self.store().as_ref(), &place).await.map(|_| ()),
                Err(error) => Err(error),
            };
            if let Err(error) = rebuilt {
                tracing::error!(%tenant, %room, %error, "the room could not be made from the store");
            }
        }
        Ok(())
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Digests of all keys with their tenants; empty where none is asked for.
    pub fn keys(&self) -> &[(BodyDigest, TenantId)] {
        &self.0.keys
    }

    /// The operators.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// The compute threads.
    pub fn compute(&self) -> &ComputePool {
        &self.0.compute
    }

    /// Decoded keys.
    pub fn decoded(&self) -> &KeyCache {
        &self.0.decoded
    }

    /// What a tenant may keep.
    pub fn quota(&self) -> Quota {
        let limits = self.limits();
        Quota {
            rooms: limits.rooms_per_tenant,
            ledgers: limits.ledgers_per_tenant,
            changes: limits.changes_per_ledger,
            keys: limits.keys_per_tenant,
            bytes: limits.bytes_per_tenant,
        }
    }

    /// Whether the service was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }

    /// From now on the service is not ready.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// Who changes which ledger in this process.
    pub(crate) fn ledger_changes(&self) -> &ChangeLocks {
        &self.0.ledger_changes
    }

    /// Puts a room among the live ones.
    pub(crate) fn add_room(&self, tenant: TenantId, room: Arc<Room>) {
        let mut rooms = self.0.rooms.write().unwrap_or_else(PoisonError::into_inner);
        rooms.insert((tenant, room.stored().room), room);
    }

    /// Takes a room from the live ones.
    pub(crate) fn forget_room(&self, tenant: &TenantId, room: RoomId) {
        self.0.rooms.write().unwrap_or_else(PoisonError::into_inner).remove(&(tenant.clone(), room));
    }

    /// A live room, if the tenant has it.
    pub(crate) fn live_room(&self, tenant: &TenantId, room: RoomId) -> Option<Arc<Room>> {
        self.0.rooms.read().unwrap_or_else(PoisonError::into_inner).get(&(tenant.clone(), room)).cloned()
    }

    /// A room that requests can be made in: 404 where the tenant has none, 410 where its operator is gone.
    pub(crate) async fn room(&self, tenant: &TenantId, room: RoomId) -> Result<Arc<Room>, ApiError> {
        if let Some(live) = self.live_room(tenant, room) {
            return Ok(live);
        }
        match self.store().room(tenant, room).await? {
            Some(stored) if self.registry().operator(&stored.operator).is_none() => {
                Err(ApiError::Retired { what: "room", id: room.to_string(), operator: stored.operator })
            }
            // In the store but not live: it is being deleted or was just made, and nobody was told its name yet.
            _ => Err(ApiError::Unknown(Resource::Room)),
        }
    }

    /// Decoded keys of a tenant, from memory or else from the store.
    pub(crate) async fn evaluation_keys(
        &self,
        tenant: &TenantId,
        digest: BodyDigest,
        place: &Place,
    ) -> Result<Arc<EvaluationKeys>, ApiError> {
        if let Some(keys) = self.decoded().lookup(tenant, digest) {
            return Ok(keys);
        }
        let bytes = self.store().key_bytes(tenant, digest).await?.ok_or(KeysError::Missing { digest })?;
        // What is stored was decoded before: a refusal now is a fault of the service.
        let refused = |error| ApiError::internal(format!("stored keys {digest} cannot be decoded: {error}"));
        let keys = self.decode_keys(bytes, place).await.map_err(refused)?;
        self.decoded().insert(tenant, digest, Arc::clone(&keys));
        Ok(keys)
    }

    /// Whether these keys of a tenant, or none, serve an operator of these parameters.
    pub(crate) async fn check_keys(
        &self,
        tenant: &TenantId,
        card: &OperatorCard,
        parameters: ParameterDigest,
        digest: Option<BodyDigest>,
    ) -> Result<(), ApiError> {
        match digest {
            Some(digest) => {
                let place = self.compute().enter()?;
                let decoded = self.evaluation_keys(tenant, digest, &place).await?;
                Ok(keys::check(card, parameters, &decoded)?)
            }
            None if keys::required(card) => Err(KeysError::Required { operator: card.id.clone() }.into()),
            None => Ok(()),
        }
    }

    /// Decodes keys of any known parameter set.
    pub(crate) async fn decode_keys(&self, bytes: Arc<[u8]>, place: &Place) -> Result<Arc<EvaluationKeys>, ApiError> {
        let found = blindrelay_engine::wire::Header::parse(&bytes)?.parameters;
        let parameters = self.registry().by_digest(found).ok_or(KeysError::UnknownParameters { found })?.clone();
        Ok(Arc::new(place.run(move || EvaluationKeys::from_bytes(&bytes, &parameters)).await??))
    }
}
