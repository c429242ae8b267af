//! What all requests share.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use blindrelay_engine::Backend;
use blindrelay_engine::operator::OperatorCard;
use blindrelay_engine::params::{ParameterDigest, Parameters};
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::Wire;
use blindrelay_trust::{Identity, SignError};
use tokio_rustls::TlsAcceptor;

use crate::access::{Caller, Door};
use crate::accounts::{Accounts, Allowance, Entry};
use crate::cache::Cache;
use crate::compute::{ComputePool, Place};
use crate::config::{Config, ConfigError, Limits};
use crate::error::{ApiError, KeysError, Resource};
use crate::id::{BodyDigest, RoomId, TenantId};
use crate::jobs::{JobQueue, LocalQueue, Pace};
use crate::keys::{self, KeyCache};
use crate::ledger::ChangeLocks;
use crate::receipts::ReceiptSettings;
use crate::registry::Registry;
use crate::room::Room;
use crate::store::{Quota, RoomState, Store, StoreError};
use crate::telemetry::{Telemetry, operator};
use crate::time::{Clock, UnixMillis};
use crate::tls::{self, TlsError};
use crate::uploads::Uploads;

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The key that signs receipts.
    #[error(transparent)]
    Signing(#[from] SignError),
    /// The compute threads.
    #[error("the compute threads cannot be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a service has around it.
pub struct Environment {
    /// Who tells what time it is.
    pub clock: Clock,
    /// Who signs receipts; where there is nobody, an identity that ends with the process.
    pub identity: Option<Arc<Identity>>,
    /// Who has which job; where there is nobody, a queue that ends with the process.
    pub jobs: Option<Arc<dyn JobQueue>>,
}

impl Default for Environment {
    fn default() -> Self {
        Self { clock: Clock::system(), identity: None, jobs: None }
    }
}

/// A moment as receipts write it.
fn moment(now: UnixMillis) -> blindrelay_trust::UnixMillis {
    blindrelay_trust::UnixMillis::new(now.0).unwrap_or(blindrelay_trust::UnixMillis::MAX)
}

struct Inner {
    limits: Limits,
    door: Door,
    tls: Option<TlsAcceptor>,
    plain_http: bool,
    uploads: Uploads,
    accounts: Accounts,
    registry: Registry,
    sunsets: HashMap<ParameterDigest, UnixMillis>,
    store: Arc<dyn Store>,
    compute: ComputePool,
    telemetry: Telemetry,
    decoded: KeyCache,
    rooms: Cache<(TenantId, RoomId), Arc<Room>>,
    ledger_changes: ChangeLocks,
    clock: Clock,
    identity: Arc<Identity>,
    jobs: Arc<dyn JobQueue>,
    pace: Pace,
    receipts: ReceiptSettings,
    stopping: AtomicBool,
}

/// The state of a service; clones share it.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

impl AppState {
    /// Checks the configuration and starts the compute threads. Rooms are made from the store when they are used.
    pub async fn open(config: &Config, registry: Registry, store: Arc<dyn Store>) -> Result<Self, StartError> {
        Self::within(config, registry, store, Environment::default()).await
    }

    /// The same in another environment.
    pub async fn within(
        config: &Config,
        registry: Registry,
        store: Arc<dyn Store>,
        environment: Environment,
    ) -> Result<Self, StartError> {
        config.check()?;
        let Environment { clock, identity, jobs } = environment;
        let identity = match identity {
            Some(identity) => identity,
            None => Arc::new(Identity::of_process(moment(clock.now()))?),
        };
        // Nothing is signed at a time before its key's: a clock that was put back while no service ran stands until it has caught up.
        let made_at = UnixMillis(identity.public().made_at().get());
        if clock.now() < made_at {
            tracing::warn!(now = %clock.now(), %made_at, "the clock is behind the signing key: the service takes the key's time");
        }
        clock.reach(made_at);
        let door = Door::new(config.keys()?, store.as_ref()).await?;
        if !config.listen.ip().is_loopback() && door.is_open(store.as_ref()).await? {
            return Err(ConfigError::OpenToTheNetwork { listen: config.listen }.into());
        }
        let mut sunsets = HashMap::new();
        for (name, at) in config.sunsets()? {
            let known = registry.parameter_sets().into_iter().find(|set| set.name() == name);
            let known = known.ok_or_else(|| ConfigError::SunsetName { name: name.to_owned() })?;
            sunsets.insert(known.digest(), at);
        }
        let limits = config.limits.clone();
        let compute = ComputePool::new(limits.compute_threads, limits.queue_length, limits.queue_timeout())?;
        let backend = registry.parameter_sets().first().map_or_else(Backend::detect, |set| set.backend());
        Ok(Self(Arc::new(Inner {
            telemetry: Telemetry::new(config, backend, compute.meter()),
            decoded: KeyCache::new(limits.key_cache_bytes),
            rooms: Cache::new(limits.room_cache_bytes),
            door,
            tls: config.tls.as_ref().map(tls::acceptor).transpose()?,
            plain_http: config.allow_plain_http,
            uploads: Uploads::new(limits.upload_bytes),
            accounts: Accounts::default(),
            registry,
            sunsets,
            store,
            compute,
            ledger_changes: ChangeLocks::default(),
            clock,
            identity,
            jobs: jobs.unwrap_or_else(|| Arc::new(LocalQueue::default())),
            pace: Pace::default(),
            receipts: config.receipts,
            stopping: AtomicBool::new(false),
            limits,
        })))
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Who is let in.
    pub(crate) fn door(&self) -> &Door {
        &self.0.door
    }

    /// Whether everybody is let in, because there is no key at all.
    pub async fn asks_no_key(&self) -> Result<bool, StoreError> {
        self.door().is_open(self.store().as_ref()).await
    }

    /// What accepts TLS connections, where they are TLS connections.
    pub(crate) fn tls(&self) -> Option<&TlsAcceptor> {
        self.0.tls.as_ref()
    }

    /// Whether plain HTTP is allowed on any address.
    pub(crate) fn allows_plain_http(&self) -> bool {
        self.0.plain_http
    }

    /// The memory for bodies that are being received.
    pub(crate) fn uploads(&self) -> &Uploads {
        &self.0.uploads
    }

    /// The operators.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// From when on nothing new is made with these parameters.
    pub(crate) fn sunset(&self, parameters: ParameterDigest) -> Option<UnixMillis> {
        self.0.sunsets.get(&parameters).copied()
    }

    /// Refused from the sunset of these parameters on.
    pub(crate) fn check_sunset(&self, parameters: &Parameters) -> Result<(), ApiError> {
        match self.sunset(parameters.digest()) {
            Some(at) if at <= self.clock().now() => {
                Err(ApiError::Sunset { parameters: parameters.name().to_owned(), at: moment(at) })
            }
            _ => Ok(()),
        }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// The compute threads.
    pub fn compute(&self) -> &ComputePool {
        &self.0.compute
    }

    /// What operators see.
    pub(crate) fn telemetry(&self) -> &Telemetry {
        &self.0.telemetry
    }

    /// Bytes and number of the rooms in memory.
    pub(crate) fn rooms_at_hand(&self) -> (usize, usize) {
        (self.0.rooms.byte_len(), self.0.rooms.len())
    }

    /// Decoded keys.
    pub fn decoded(&self) -> &KeyCache {
        &self.0.decoded
    }

    /// What a caller's tenant may keep.
    pub fn quota(&self, caller: &Caller) -> Quota {
        let (limits, own) = (self.limits(), &caller.limits);
        Quota {
            rooms: own.rooms.unwrap_or(limits.rooms_per_tenant),
            ledgers: own.ledgers.unwrap_or(limits.ledgers_per_tenant),
            changes: own.changes.unwrap_or(limits.changes_per_ledger),
            keys: own.keys.unwrap_or(limits.keys_per_tenant),
            jobs: own.jobs.unwrap_or(limits.jobs_per_tenant),
            bytes: own.bytes.unwrap_or(limits.bytes_per_tenant),
        }
    }

    /// A place in the queue of computations, on the account of the caller's tenant.
    pub(crate) fn enter(&self, caller: &Caller) -> Result<Place, ApiError> {
        let entry = self.account(caller)?;
        Ok(self.compute().enter()?.charged_to(entry))
    }

    /// The same for a request whose long body is in memory: see [`ComputePool::enter_in_turn`].
    pub(crate) async fn enter_in_turn(&self, caller: &Caller) -> Result<Place, ApiError> {
        let entry = self.account(caller)?;
        Ok(self.compute().enter_in_turn().await?.charged_to(entry))
    }

    fn account(&self, caller: &Caller) -> Result<Entry, ApiError> {
        let (limits, own) = (self.limits(), &caller.limits);
        let millis = own.compute_millis_per_minute.or(limits.compute_millis_per_minute);
        let allowance = Allowance {
            compute_per_minute: millis.map(Duration::from_millis),
            concurrent: own.concurrent_requests.or(limits.concurrent_requests_per_tenant),
        };
        self.0.accounts.enter(caller, allowance)
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

    /// Who signs receipts.
    pub fn identity(&self) -> &Arc<Identity> {
        &self.0.identity
    }

    /// Who has which job.
    pub fn jobs(&self) -> &Arc<dyn JobQueue> {
        &self.0.jobs
    }

    /// How long parts of jobs take here.
    pub(crate) fn pace(&self) -> &Pace {
        &self.0.pace
    }

    /// Until when a receipt of that moment is kept; `None` where none is.
    pub(crate) fn kept_until(&self, made: UnixMillis) -> Option<UnixMillis> {
        self.0.receipts.until(made)
    }

    /// What time it is.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Forgets what is in memory of a room.
    pub(crate) fn forget_room(&self, tenant: &TenantId, room: RoomId) {
        self.0.rooms.remove(&(tenant.clone(), room));
    }

    /// Says how much memory a room takes now.
    pub(crate) fn weigh_room(&self, tenant: &TenantId, room: &Room) {
        self.0.rooms.resize(&(tenant.clone(), room.stored().room), room.byte_len());
    }

    /// A room that requests can be made in, and its version: 404 where the tenant has none, 410 where its operator is gone.
    pub(crate) async fn room(&self, tenant: &TenantId, room: RoomId) -> Result<(Arc<Room>, u64), ApiError> {
        let found = self.store().room(tenant, room).await?.ok_or(ApiError::Unknown(Resource::Room));
        let RoomState { room: stored, version } = found.inspect_err(|_| self.forget_room(tenant, room))?;
        let name = (tenant.clone(), room);
        if let Some(live) = self.0.rooms.lookup(&name) {
            operator::note(&stored.operator);
            return Ok((live, version));
        }
        let Some(operator) = self.registry().operator(&stored.operator) else {
            return Err(ApiError::Retired { what: "room", id: room.to_string(), operator: stored.operator });
        };
        operator::note(&stored.operator);
        let made = Arc::new(Room::new(tenant.clone(), stored, Arc::clone(operator)));
        let bytes = made.byte_len();
        Ok((self.0.rooms.lookup_or_insert(&name, bytes, made), version))
    }

    /// Decoded keys of a tenant, from memory or else from the store. Whether they may still be used is asked of the store every time, so that a revocation counts at once in every service.
    pub(crate) async fn evaluation_keys(
        &self,
        tenant: &TenantId,
        digest: BodyDigest,
        place: &Place,
    ) -> Result<Arc<EvaluationKeys>, ApiError> {
        let known = self.store().keys(tenant, digest).await?.ok_or(KeysError::Missing { digest })?;
        keys::check_terms(digest, known.terms, self.clock().now())?;
        let name = (tenant.clone(), digest);
        if let Some(keys) = self.decoded().lookup(&name) {
            return Ok(keys);
        }
        let bytes = self.store().key_bytes(tenant, digest).await?.ok_or(KeysError::Missing { digest })?;
        // What is stored was decoded before: a refusal now is a fault of the service.
        let refused = |error| ApiError::internal(format!("stored keys {digest} cannot be decoded: {error}"));
        let keys = self.decode_keys(bytes, place).await.map_err(refused)?;
        self.decoded().insert(&name, keys::decoded_bytes(&keys), Arc::clone(&keys));
        Ok(keys)
    }

    /// Whether these keys of a tenant, or none, serve an operator of these parameters.
    pub(crate) async fn check_keys(
        &self,
        caller: &Caller,
        card: &OperatorCard,
        parameters: ParameterDigest,
        digest: Option<BodyDigest>,
    ) -> Result<(), ApiError> {
        match digest {
            Some(digest) => {
                let place = self.enter(caller)?;
                let decoded = self.evaluation_keys(&caller.tenant, digest, &place).await?;
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
