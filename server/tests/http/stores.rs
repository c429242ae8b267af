//! A store that fails when a test wants it to.

mod jobs;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use async_trait::async_trait;
use blindrelay_engine::operator::Handle;
use blindrelay_server::family::Family;
use blindrelay_server::id::{ApiKeyId, BodyDigest, LedgerId, RoomId, TenantId};
use blindrelay_server::store::memory::MemoryStore;
use blindrelay_server::store::{
    AccessStore, ApiKey, Content, Idempotency, KeyHolder, KeySet, KeyStore, LedgerChange, LedgerName, LedgerState,
    LedgerStore, LedgerUsage, NewReceipt, NewRecord, Quota, ReceiptSource, ReceiptStore, RoomChanges, RoomState,
    RoomStore, RoomUsage, SourceChange, Store, StoreError, StoredLedger, StoredReceipt, StoredRoom, StoredTenant,
    TenantLimits, Turn, Written,
};
use blindrelay_server::time::{Day, UnixMillis};
use blindrelay_trust::{Receipt, ReceiptId};
use tokio::sync::Semaphore;

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Fault {
    None = 0,
    /// Changes fail and do not happen.
    Before = 1,
    /// Changes happen, but are reported as failed.
    After = 2,
    /// Everything fails.
    Down = 3,
}

pub(crate) struct FaultyStore {
    inner: MemoryStore,
    fault: AtomicU8,
    /// Every new record and every change of sums takes one permit before it is written.
    pub(crate) turnstile: Semaphore,
    /// How many changes of sums find that somebody else was faster, before one is made.
    pub(crate) outdated: AtomicUsize,
    /// How many receipts find that what they were computed from is gone, before one is kept.
    pub(crate) gone: AtomicUsize,
}

impl FaultyStore {
    pub(crate) fn new() -> Arc<Self> {
        let turnstile = Semaphore::new(Semaphore::MAX_PERMITS);
        let (outdated, gone) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { inner: MemoryStore::new(), fault: AtomicU8::new(0), turnstile, outdated, gone })
    }

    pub(crate) fn set(&self, fault: Fault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }

    fn check(&self, faults: &[Fault]) -> Result<(), StoreError> {
        let now = self.fault.load(Ordering::SeqCst);
        let failing = faults.iter().any(|&fault| fault as u8 == now);
        if failing { Err(StoreError::Unavailable("the disk is on fire".into())) } else { Ok(()) }
    }

    fn readable(&self) -> Result<(), StoreError> {
        self.check(&[Fault::Down])
    }

    fn writable(&self) -> Result<(), StoreError> {
        self.check(&[Fault::Before, Fault::Down])
    }

    fn written(&self) -> Result<(), StoreError> {
        self.check(&[Fault::After])
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn ready(&self) -> Result<(), StoreError> {
        self.readable()
    }

    async fn shared_secret(&self, name: &str, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        self.writable()?;
        self.inner.shared_secret(name, fresh).await
    }
}

#[async_trait]
impl AccessStore for FaultyStore {
    async fn create_tenant(&self, tenant: StoredTenant) -> Result<Written, StoreError> {
        self.writable()?;
        let written = self.inner.create_tenant(tenant).await?;
        self.written().map(|()| written)
    }

    async fn tenant(&self, tenant: &TenantId) -> Result<Option<StoredTenant>, StoreError> {
        self.readable()?;
        self.inner.tenant(tenant).await
    }

    async fn tenants(&self, after: Option<&TenantId>, limit: usize) -> Result<Vec<StoredTenant>, StoreError> {
        self.readable()?;
        self.inner.tenants(after, limit).await
    }

    async fn stored_bytes(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        self.readable()?;
        self.inner.stored_bytes(tenant).await
    }

    async fn change_tenant(
        &self,
        tenant: &TenantId,
        limits: TenantLimits,
        suspended: Option<UnixMillis>,
    ) -> Result<(), StoreError> {
        self.writable()?;
        self.inner.change_tenant(tenant, limits, suspended).await?;
        self.written()
    }

    async fn add_api_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.writable()?;
        self.inner.add_api_key(key).await?;
        self.written()
    }

    async fn key_holder(&self, digest: BodyDigest) -> Result<Option<KeyHolder>, StoreError> {
        self.readable()?;
        self.inner.key_holder(digest).await
    }

    async fn has_api_key(&self) -> Result<bool, StoreError> {
        self.readable()?;
        self.inner.has_api_key().await
    }

    async fn api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.readable()?;
        self.inner.api_key(id).await
    }

    async fn api_keys(
        &self,
        tenant: Option<&TenantId>,
        after: Option<ApiKeyId>,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StoreError> {
        self.readable()?;
        self.inner.api_keys(tenant, after, limit).await
    }

    async fn revoke_api_key(&self, id: ApiKeyId, at: UnixMillis) -> Result<(), StoreError> {
        self.writable()?;
        self.inner.revoke_api_key(id, at).await?;
        self.written()
    }
}

#[async_trait]
impl KeyStore for FaultyStore {
    async fn put_keys(
        &self,
        tenant: &TenantId,
        digest: BodyDigest,
        keys: KeySet,
        bytes: Arc<[u8]>,
        quota: Quota,
    ) -> Result<Written, StoreError> {
        self.writable()?;
        let written = self.inner.put_keys(tenant, digest, keys, bytes, quota).await?;
        self.written().map(|()| written)
    }

    async fn keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<Option<KeySet>, StoreError> {
        self.readable()?;
        self.inner.keys(tenant, digest).await
    }

    async fn key_bytes(&self, tenant: &TenantId, digest: BodyDigest) -> Result<Option<Arc<[u8]>>, StoreError> {
        self.readable()?;
        self.inner.key_bytes(tenant, digest).await
    }

    async fn revoke_keys(&self, tenant: &TenantId, digest: BodyDigest, at: UnixMillis) -> Result<KeySet, StoreError> {
        self.writable()?;
        let revoked = self.inner.revoke_keys(tenant, digest, at).await?;
        self.written().map(|()| revoked)
    }

    async fn remove_keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<(), StoreError> {
        self.writable()?;
        self.inner.remove_keys(tenant, digest).await?;
        self.written()
    }
}

#[async_trait]
impl RoomStore for FaultyStore {
    async fn create_room(&self, tenant: &TenantId, room: StoredRoom, quota: Quota) -> Result<(), StoreError> {
        self.writable()?;
        self.inner.create_room(tenant, room, quota).await?;
        self.written()
    }

    async fn room(&self, tenant: &TenantId, room: RoomId) -> Result<Option<RoomState>, StoreError> {
        self.readable()?;
        self.inner.room(tenant, room).await
    }

    async fn rooms(
        &self,
        tenant: &TenantId,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<Vec<RoomState>, StoreError> {
        self.readable()?;
        self.inner.rooms(tenant, after, limit).await
    }

    async fn usage(&self, tenant: &TenantId, room: RoomId) -> Result<RoomUsage, StoreError> {
        self.readable()?;
        self.inner.usage(tenant, room).await
    }

    async fn remove_room(&self, tenant: &TenantId, room: RoomId) -> Result<(), StoreError> {
        self.writable()?;
        self.inner.remove_room(tenant, room).await?;
        self.written()
    }

    async fn replay(
        &self,
        tenant: &TenantId,
        room: RoomId,
        request: &Idempotency,
        count: usize,
    ) -> Result<Option<Vec<Handle>>, StoreError> {
        self.readable()?;
        self.inner.replay(tenant, room, request, count).await
    }

    async fn add_record(
        &self,
        tenant: &TenantId,
        room: RoomId,
        record: NewRecord,
        quota: Quota,
    ) -> Result<u64, StoreError> {
        self.turnstile.acquire().await.unwrap().forget();
        self.writable()?;
        let version = self.inner.add_record(tenant, room, record, quota).await?;
        self.written().map(|()| version)
    }

    async fn remove_handle(&self, tenant: &TenantId, room: RoomId, handle: Handle) -> Result<u64, StoreError> {
        self.writable()?;
        let version = self.inner.remove_handle(tenant, room, handle).await?;
        self.written().map(|()| version)
    }

    async fn handles(
        &self,
        tenant: &TenantId,
        room: RoomId,
        after: Option<Handle>,
        limit: usize,
    ) -> Result<Vec<Handle>, StoreError> {
        self.readable()?;
        self.inner.handles(tenant, room, after, limit).await
    }

    async fn changes(
        &self,
        tenant: &TenantId,
        room: RoomId,
        after: u64,
        limit: usize,
    ) -> Result<RoomChanges, StoreError> {
        self.readable()?;
        self.inner.changes(tenant, room, after, limit).await
    }
}

#[async_trait]
impl LedgerStore for FaultyStore {
    async fn create_ledger(
        &self,
        tenant: &TenantId,
        ledger: StoredLedger,
        sums: Arc<[u8]>,
        quota: Quota,
    ) -> Result<(), StoreError> {
        self.writable()?;
        self.inner.create_ledger(tenant, ledger, sums, quota).await?;
        self.written()
    }

    async fn ledger(
        &self,
        tenant: &TenantId,
        name: LedgerName,
    ) -> Result<Option<(StoredLedger, LedgerUsage)>, StoreError> {
        self.readable()?;
        self.inner.ledger(tenant, name).await
    }

    async fn ledgers(
        &self,
        tenant: &TenantId,
        family: Family,
        after: Option<LedgerId>,
        limit: usize,
    ) -> Result<Vec<(StoredLedger, LedgerUsage)>, StoreError> {
        self.readable()?;
        self.inner.ledgers(tenant, family, after, limit).await
    }

    async fn remove_ledger(&self, tenant: &TenantId, name: LedgerName) -> Result<(), StoreError> {
        self.writable()?;
        self.inner.remove_ledger(tenant, name).await?;
        self.written()
    }

    async fn sums(&self, tenant: &TenantId, name: LedgerName) -> Result<LedgerState, StoreError> {
        self.readable()?;
        self.inner.sums(tenant, name).await
    }

    async fn turn(&self, tenant: &TenantId, name: LedgerName, request: &Idempotency) -> Result<Turn, StoreError> {
        self.readable()?;
        self.inner.turn(tenant, name, request).await
    }

    async fn change_ledger(
        &self,
        tenant: &TenantId,
        name: LedgerName,
        change: LedgerChange,
        quota: Quota,
    ) -> Result<(), StoreError> {
        self.turnstile.acquire().await.unwrap().forget();
        let faster = |left: usize| left.checked_sub(1);
        if self.outdated.fetch_update(Ordering::SeqCst, Ordering::SeqCst, faster).is_ok() {
            return Err(StoreError::Outdated { expected: change.version, found: change.version + 1 });
        }
        self.writable()?;
        self.inner.change_ledger(tenant, name, change, quota).await?;
        self.written()
    }
}

#[async_trait]
impl ReceiptStore for FaultyStore {
    async fn keep_receipt(&self, tenant: &TenantId, receipt: NewReceipt, quota: Quota) -> Result<(), StoreError> {
        let version = receipt.signed.receipt().collection.version;
        let faster = |left: usize| left.checked_sub(1);
        if self.gone.fetch_update(Ordering::SeqCst, Ordering::SeqCst, faster).is_ok() {
            return Err(StoreError::Outdated { expected: version, found: version });
        }
        self.writable()?;
        self.inner.keep_receipt(tenant, receipt, quota).await?;
        self.written()
    }

    async fn receipt(
        &self,
        tenant: &TenantId,
        receipt: ReceiptId,
        now: UnixMillis,
    ) -> Result<Option<StoredReceipt>, StoreError> {
        self.readable()?;
        self.inner.receipt(tenant, receipt, now).await
    }

    async fn receipts(
        &self,
        tenant: &TenantId,
        day: Day,
        after: Option<ReceiptId>,
        limit: usize,
        now: UnixMillis,
    ) -> Result<Vec<StoredReceipt>, StoreError> {
        self.readable()?;
        self.inner.receipts(tenant, day, after, limit, now).await
    }

    async fn receipt_request(&self, tenant: &TenantId, receipt: ReceiptId) -> Result<Option<Content>, StoreError> {
        self.readable()?;
        self.inner.receipt_request(tenant, receipt).await
    }

    async fn receipt_source(&self, tenant: &TenantId, receipt: &Receipt) -> Result<Option<ReceiptSource>, StoreError> {
        self.readable()?;
        self.inner.receipt_source(tenant, receipt).await
    }

    async fn receipt_changes(
        &self,
        tenant: &TenantId,
        receipt: &Receipt,
        after: u64,
        limit: usize,
    ) -> Result<Vec<SourceChange>, StoreError> {
        self.readable()?;
        self.inner.receipt_changes(tenant, receipt, after, limit).await
    }

    async fn receipt_record(
        &self,
        tenant: &TenantId,
        receipt: &Receipt,
        version: u64,
    ) -> Result<Option<Content>, StoreError> {
        self.readable()?;
        self.inner.receipt_record(tenant, receipt, version).await
    }

    async fn receipt_sums(&self, tenant: &TenantId, receipt: &Receipt) -> Result<Option<Content>, StoreError> {
        self.readable()?;
        self.inner.receipt_sums(tenant, receipt).await
    }

    async fn receipt_keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<Option<Content>, StoreError> {
        self.readable()?;
        self.inner.receipt_keys(tenant, digest).await
    }

    async fn drop_receipts(&self, now: UnixMillis) -> Result<u64, StoreError> {
        self.writable()?;
        let dropped = self.inner.drop_receipts(now).await?;
        self.written().map(|()| dropped)
    }
}
