//! A copy as files: `manifest.json`, `rows.jsonl`, and `blobs/TENANT/NAME`.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blindrelay_server::id::{BodyDigest, TenantId};

use super::{BackupError, FORMAT, Manifest};
use crate::blobs::BlobName;
use crate::error::Failure;
use crate::folder;

const MANIFEST: &str = "manifest.json";
const ROWS: &str = "rows.jsonl";
const BLOBS: &str = "blobs";

pub(super) struct Folder(PathBuf);

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = path.to_owned();
    |source| BackupError::File { path, source }
}

/// Runs work with files on a thread that may wait for them.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| BackupError::from(Failure::other(error)))?
}

/// Writes a file that is there as a whole or not at all, for its owner alone.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let partial = path.with_extension("partial");
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().map_err(failed(path))
}

impl Folder {
    /// A folder to copy into. What it had is no whole copy from now on.
    pub(super) fn create(path: &Path) -> Result<Self, BackupError> {
        folder::create(path)?;
        folder::create(&path.join(BLOBS))?;
        let manifest = path.join(MANIFEST);
        match fs::remove_file(&manifest) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&manifest)(error)),
            _ => Ok(Self(path.to_owned())),
        }
    }

    /// A folder with a whole copy, and what it says of itself.
    pub(super) fn open(path: &Path) -> Result<(Self, Manifest), BackupError> {
        let file = path.join(MANIFEST);
        let text = fs::read(&file).map_err(failed(&file))?;
        let not_whole = |fault: String| BackupError::NotWhole { path: file.clone(), fault };
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| not_whole(error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(not_whole(format!("its format is {}, not {FORMAT}", manifest.format.escape_default())));
        }
        Ok((Self(path.to_owned()), manifest))
    }

    pub(super) fn rows_path(&self) -> PathBuf {
        self.0.join(ROWS)
    }

    /// The file of rows, to be written.
    pub(super) fn write_rows(&self) -> Result<BufWriter<File>, BackupError> {
        let path = self.rows_path();
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        file.map(BufWriter::new).map_err(failed(&path))
    }

    pub(super) fn read_rows(&self) -> Result<BufReader<File>, BackupError> {
        let path = self.rows_path();
        File::open(&path).map(BufReader::new).map_err(failed(&path))
    }

    fn blob_path(&self, tenant: &TenantId, name: &BlobName) -> PathBuf {
        self.0.join(BLOBS).join(tenant.as_str()).join(name.as_str())
    }

    /// Length of a blob that is there already.
    pub(super) async fn blob_len(&self, tenant: &TenantId, name: &BlobName) -> Result<Option<u64>, BackupError> {
        let path = self.blob_path(tenant, name);
        blocking(move || match fs::metadata(&path) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&path)(error)),
        })
        .await
    }

    pub(super) async fn write_blob(
        &self,
        tenant: &TenantId,
        name: &BlobName,
        bytes: Arc<[u8]>,
    ) -> Result<(), BackupError> {
        let path = self.blob_path(tenant, name);
        blocking(move || {
            if let Some(parent) = path.parent() {
                folder::create(parent)?;
            }
            write_whole(&path, &bytes)
        })
        .await
    }

    /// The bytes of a blob, which have the digest in its name.
    pub(super) async fn read_blob(&self, tenant: &TenantId, name: &BlobName) -> Result<Arc<[u8]>, BackupError> {
        let (path, expected) = (self.blob_path(tenant, name), name.digest());
        blocking(move || {
            let bytes = fs::read(&path).map_err(failed(&path))?;
            if expected == Some(BodyDigest::of(&bytes)) {
                Ok(bytes.into())
            } else {
                Err(BackupError::NotWhole { path, fault: "its bytes have another digest than its name".to_owned() })
            }
        })
        .await
    }

    /// From now on it is a whole copy.
    pub(super) async fn finish(&self, manifest: &Manifest) -> Result<(), BackupError> {
        let text = serde_json::to_vec_pretty(manifest).map_err(Failure::other)?;
        let path = self.0.join(MANIFEST);
        blocking(move || write_whole(&path, &text)).await
    }
}
