//! Copies of a whole store in a folder, made while services work, and stores made from them.
//!
//! A copy is of one moment: rows are read in one snapshot of the database, and as long as the copy is being made nobody deletes a blob, so that every blob that a row names is there. A copy says
//! nothing of databases: one of SQLite and a directory becomes one of PostgreSQL and S3 as well.

mod folder;
mod lease;
mod restore;
mod rows;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use blindrelay_server::store::StoreError;
use serde::{Deserialize, Serialize};

use self::folder::Folder;
use self::lease::Lease;
use crate::error::{Damage, Failure, OpenError};
use crate::store::DurableStore;

pub use self::restore::restore;

/// What `manifest.json` calls itself.
const FORMAT: &str = "blindrelay-backup/1";

/// How much was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// Rows.
    pub rows: u64,
    /// Blobs, those included that the folder had from a former copy.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What the folder has: written last, so that a folder with it is whole.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: String,
    /// Form of the tables.
    form: i64,
    /// SHA-256 of the file of rows, hexadecimal.
    rows_sha256: String,
    copied: Copied,
}

/// Why a copy is not made, or no store from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// A file or folder of the copy.
    #[error("{path} cannot be used: {source}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder has no whole copy.
    #[error("{path} is no part of a whole copy: {fault}", path = path.display())]
    NotWhole {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: String,
    },
    /// The store to be made is not empty.
    #[error("the database has tables already: a copy is put into an empty one")]
    NotEmpty,
    /// The copy is of a newer program.
    #[error("the copy has tables of form {found}, this program knows forms up to {known}: use a newer program")]
    Newer {
        /// The copy's form.
        found: i64,
        /// The newest form that this program knows.
        known: i64,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<Failure> for BackupError {
    fn from(failure: Failure) -> Self {
        Self::Store(failure.into())
    }
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Failure::from(error).into()
    }
}

impl DurableStore {
    /// Copies everything into a folder, which is made if it is not there; blobs that it has from a former copy stay. `watch` is told now and then how much was copied.
    pub async fn back_up(&self, path: &Path, watch: impl Fn(Copied) + Send) -> Result<Copied, BackupError> {
        let folder = Folder::create(path)?;
        let lease = Lease::take(Arc::clone(&self.parts)).await?;
        let made = self.copy(&folder, watch).await;
        lease.end().await;
        made
    }

    async fn copy(&self, folder: &Folder, watch: impl Fn(Copied) + Send) -> Result<Copied, BackupError> {
        let read = rows::copy(&self.parts.database, folder, &watch).await?;
        let mut copied = Copied { rows: read.rows, ..Copied::default() };
        for (tenant, name) in &read.blobs {
            let bytes = if let Some(bytes) = folder.blob_len(tenant, name).await? {
                bytes
            } else {
                let found = self.parts.blobs.read(tenant, name).await?;
                let missing = || Failure::from(Damage::Missing { blob: name.path(tenant).to_string() });
                let bytes = found.ok_or_else(missing)?;
                let length = bytes.len() as u64;
                folder.write_blob(tenant, name, bytes).await?;
                length
            };
            copied.blobs += 1;
            copied.bytes += bytes;
            watch(copied);
        }
        let manifest = Manifest { format: FORMAT.to_owned(), form: read.form, rows_sha256: read.sha256, copied };
        folder.finish(&manifest).await?;
        Ok(copied)
    }
}
