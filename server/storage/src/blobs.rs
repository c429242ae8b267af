//! Blobs: written once under a new name, checked against the digest in their name whenever they are read.
//!
//! The name of a blob is `TENANT/DIGEST-RANDOM`: SHA-256 of its bytes and 8 random bytes, both as hexadecimal digits. Two writes never have one name, so that none replaces
//! another's bytes, nobody counts references, and who deletes a blob that no row names deletes nobody else's.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use blindrelay_server::id::{BodyDigest, TenantId};
use blindrelay_server::telemetry::TRACES;
use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};

use crate::error::{Damage, Failure, OpenError};
use crate::folder;
use crate::settings::{BlobSettings, Settings};

/// From this length on bytes are copied and hashed outside the threads that serve requests.
const LARGE: usize = 256 << 10;

/// Name of a blob under its tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct BlobName(String);

impl BlobName {
    fn new(digest: BodyDigest) -> Result<Self, Failure> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(Failure::other)?;
        Ok(Self(format!("{digest}-{:016x}", u64::from_le_bytes(random))))
    }

    /// From a row or a listing; `None` where the text is no such name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (digest, random) = text.split_once('-')?;
        let hex = random.len() == 16 && random.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (hex && digest.parse::<BodyDigest>().is_ok()).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn digest(&self) -> Option<BodyDigest> {
        self.0.split_once('-')?.0.parse().ok()
    }

    pub(crate) fn path(&self, tenant: &TenantId) -> Path {
        Path::from(format!("{tenant}/{}", self.0))
    }
}

/// A blob that is durable, and that no row names yet.
#[derive(Clone)]
pub(crate) struct Staged {
    pub(crate) tenant: TenantId,
    pub(crate) name: BlobName,
    pub(crate) begun: Instant,
}

/// All blobs of a store.
pub(crate) struct Blobs {
    store: Arc<dyn ObjectStore>,
    local: Option<PathBuf>,
}

impl Blobs {
    pub(crate) fn open(settings: &Settings) -> Result<Self, OpenError> {
        match &settings.blobs {
            BlobSettings::Directory(directory) => {
                folder::create(directory)?;
                let store = LocalFileSystem::new_with_prefix(directory).map_err(OpenError::Blobs)?.with_fsync(true);
                Ok(Self { store: Arc::new(store), local: Some(directory.clone()) })
            }
            BlobSettings::S3(s3) => {
                let store = s3.connect(settings.wait()).map_err(OpenError::Blobs)?;
                Ok(Self { store, local: None })
            }
        }
    }

    /// The directory, where there is one.
    pub(crate) fn local(&self) -> Option<&PathBuf> {
        self.local.as_ref()
    }

    pub(crate) fn store(&self) -> &dyn ObjectStore {
        &*self.store
    }

    /// Whether blobs can be read and written, as far as that can be told without writing one.
    pub(crate) async fn ready(&self) -> Result<(), Failure> {
        if let Some(directory) = &self.local {
            return tokio::fs::read_dir(directory).await.map(drop).map_err(Failure::other);
        }
        match self.store.head(&Path::from("ready")).await {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Failure::other(error)),
        }
    }

    /// Writes a blob. When this returns, it is durable.
    #[tracing::instrument(target = TRACES, name = "write a blob", skip_all)]
    pub(crate) async fn write(
        &self,
        tenant: &TenantId,
        digest: BodyDigest,
        bytes: Arc<[u8]>,
    ) -> Result<Staged, Failure> {
        let begun = Instant::now();
        let name = BlobName::new(digest)?;
        let payload = PutPayload::from(Bytes::from_owner(bytes));
        self.store.put(&name.path(tenant), payload).await.map_err(Failure::other)?;
        Ok(Staged { tenant: tenant.clone(), name, begun })
    }

    /// Writes a blob under a name that it had before.
    pub(crate) async fn write_named(
        &self,
        tenant: &TenantId,
        name: &BlobName,
        bytes: Arc<[u8]>,
    ) -> Result<(), Failure> {
        let payload = PutPayload::from(Bytes::from_owner(bytes));
        self.store.put(&name.path(tenant), payload).await.map(drop).map_err(Failure::other)
    }

    /// Writes a blob under the digest of its bytes.
    pub(crate) async fn write_new(&self, tenant: &TenantId, bytes: Arc<[u8]>) -> Result<Staged, Failure> {
        let digest = if bytes.len() < LARGE {
            BodyDigest::of(&bytes)
        } else {
            let bytes = Arc::clone(&bytes);
            tokio::task::spawn_blocking(move || BodyDigest::of(&bytes)).await.map_err(Failure::other)?
        };
        self.write(tenant, digest, bytes).await
    }

    /// The bytes of a blob; `None` where it is not there.
    #[tracing::instrument(target = TRACES, name = "read a blob", skip_all)]
    pub(crate) async fn read(&self, tenant: &TenantId, name: &BlobName) -> Result<Option<Arc<[u8]>>, Failure> {
        let found = match self.store.get(&name.path(tenant)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(Failure::other(error)),
        };
        let bytes = match found.bytes().await {
            Ok(bytes) => bytes,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(Failure::other(error)),
        };
        let (expected, small) = (name.digest(), bytes.len() < LARGE);
        let check = move || {
            let intact = expected == Some(BodyDigest::of(&bytes));
            intact.then(|| Arc::from(&*bytes)).ok_or(bytes.len())
        };
        let checked: Result<Arc<[u8]>, usize> =
            if small { check() } else { tokio::task::spawn_blocking(check).await.map_err(Failure::other)? };
        checked.map(Some).map_err(|bytes| Damage::Digest { blob: name.path(tenant).to_string(), bytes }.into())
    }

    /// Deletes blobs that no row names any more. What cannot be deleted is left to a sweep.
    pub(crate) async fn remove(&self, tenant: &TenantId, names: &[BlobName]) {
        for name in names {
            match self.store.delete(&name.path(tenant)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => tracing::warn!(%tenant, blob = name.as_str(), %error, "a blob is left to the next sweep"),
            }
        }
    }
}
