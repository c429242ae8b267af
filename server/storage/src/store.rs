//! The store, opened.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use blindrelay_server::id::{BodyDigest, RoomId, TenantId};
use blindrelay_server::store::{KeyHolder, KeySet, RoomState, Store, StoreError, StoredTenant};
use blindrelay_server::telemetry::TRACES;
use tracing::Instrument as _;

use crate::blobs::{BlobName, Blobs, Staged};
use crate::columns::Columns;
use crate::database::{Change, Database, Work};
use crate::error::{Damage, Failure, OpenError};
use crate::recent::Recent;
use crate::settings::Settings;
use crate::sweep::Opened;

/// How often something is read again whose blob was replaced between the row and the blob.
const REREADS: usize = 16;

/// A store whose rows are in a database and whose blobs are in a directory or behind S3. Clones are the same store. Its methods need a tokio runtime.
#[derive(Clone)]
pub struct DurableStore {
    pub(crate) parts: Arc<Parts>,
}

pub(crate) struct Parts {
    pub(crate) database: Database,
    pub(crate) blobs: Blobs,
    pub(crate) opened: Opened,
    pub(crate) known: Known,
}

/// What every request asks for.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) any_api_key: Recent<(), bool>,
    pub(crate) holders: Recent<BodyDigest, KeyHolder>,
    pub(crate) tenants: Recent<TenantId, StoredTenant>,
    pub(crate) rooms: Recent<(TenantId, RoomId), RoomState>,
    pub(crate) keys: Recent<(TenantId, BodyDigest), KeySet>,
}

impl DurableStore {
    /// Opens the store at these places, and makes what is not there. Tables of an older form are brought to the newest.
    pub async fn open(settings: &Settings) -> Result<Self, OpenError> {
        let blobs = Blobs::open(settings)?;
        let database = Database::open(settings).await?;
        Ok(Self { parts: Arc::new(Parts { database, blobs, opened: Opened::now(), known: Known::default() }) })
    }

    /// Opens the store in a folder, which is made for its owner alone if it is not there: rows in `rows.sqlite`, blobs in `blobs`.
    pub async fn in_folder(folder: &Path) -> Result<Self, OpenError> {
        Self::open(&Settings::in_folder(folder)).await
    }

    /// Waits for what is being read and changed, and closes the database: a SQLite file then holds everything, without a log beside it.
    pub async fn close(&self) {
        self.parts.database.close().await;
    }

    /// Runs work to its end, even if nobody waits for it any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let done =
            tokio::spawn(work.in_current_span()).await.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
        done.map_err(StoreError::from)
    }

    /// Makes a change that names no new blob.
    pub(crate) async fn change<C: Change>(&self, change: C) -> Result<C::Done, StoreError> {
        let parts = Arc::clone(&self.parts);
        self.run(async move { parts.change(&change, None).await }).await
    }
}

impl Parts {
    /// Makes a change, and deletes the blobs that nothing names afterwards: those that it has replaced, or its own if it is refused. Where it is not known whether it happened,
    /// blobs are left to the sweep.
    #[tracing::instrument(target = TRACES, name = "change rows", skip_all)]
    pub(crate) async fn change<C: Change>(&self, change: &C, staged: Option<&Staged>) -> Result<C::Done, Failure> {
        match self.database.change(change, staged).await {
            Ok((done, unnamed)) => {
                if !unnamed.is_empty() && self.is_being_copied().await {
                    return Ok(done);
                }
                for (tenant, name) in unnamed {
                    self.blobs.remove(&tenant, &[name]).await;
                }
                Ok(done)
            }
            Err(Failure::Refused(refused)) => {
                if let Some(Staged { tenant, name, .. }) = staged {
                    self.blobs.remove(tenant, std::slice::from_ref(name)).await;
                }
                Err(Failure::Refused(refused))
            }
            Err(failure) => Err(failure),
        }
    }
}

/// Tells a blob that was replaced since its row was read from one that is missing: a row that names the same missing blob twice is damaged.
#[derive(Default)]
pub(crate) struct Rereads {
    count: usize,
    missing: Option<BlobName>,
}

impl Rereads {
    /// The blob was not there: whether to read its row again.
    pub(crate) fn again(&mut self, tenant: &TenantId, name: BlobName) -> Result<(), Failure> {
        self.count += 1;
        if self.count > REREADS || self.missing.as_ref() == Some(&name) {
            return Err(Damage::Missing { blob: name.path(tenant).to_string() }.into());
        }
        self.missing = Some(name);
        Ok(())
    }
}

impl Columns<'_> {
    pub(crate) fn blob(&self, column: &'static str) -> Result<BlobName, Failure> {
        BlobName::parse(self.text(column)?).ok_or_else(|| Damage::Column { column }.into())
    }
}

struct ShareSecret {
    name: String,
    fresh: [u8; 32],
}

impl Change for ShareSecret {
    type Done = [u8; 32];

    async fn make(&self, work: &mut Work<'_>) -> Result<[u8; 32], Failure> {
        let text = "INSERT INTO secrets (name, secret) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        let query = sqlx::query(text).bind(self.name.as_str()).bind(self.fresh.as_slice());
        query.execute(work.connection()).await?;
        let query = sqlx::query("SELECT secret FROM secrets WHERE name = $1").bind(self.name.as_str());
        Columns(&query.fetch_one(work.connection()).await?).array("secret")
    }
}

#[async_trait]
impl Store for DurableStore {
    async fn ready(&self) -> Result<(), StoreError> {
        let tables = sqlx::query("SELECT 1 FROM holdings LIMIT 1").fetch_optional(self.parts.database.read());
        tables.await.map_err(Failure::from)?;
        Ok(self.parts.blobs.ready().await?)
    }

    async fn shared_secret(&self, name: &str, fresh: [u8; 32]) -> Result<[u8; 32], StoreError> {
        self.change(ShareSecret { name: name.to_owned(), fresh }).await
    }
}
