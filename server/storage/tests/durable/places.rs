//! Places for stores, gone after the test.

use std::path::PathBuf;
use std::time::Duration;

use blindrelay_storage::{BlobSettings, DatabaseAddress, DurableStore, Settings};
use tempfile::TempDir;

use crate::postgres::Server;
use crate::s3;

pub(crate) struct Places {
    database: DatabaseAddress,
    blobs: BlobSettings,
    /// Where the blobs are as files, whoever serves them.
    pub(crate) files: PathBuf,
    _folder: TempDir,
}

impl Places {
    pub(crate) fn file_and_directory() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Characters that mean something in an address.
        let database = DatabaseAddress::Sqlite(folder.path().join("data ?#%41ä").join("rows.sqlite"));
        Self::with_directory(database, folder)
    }

    pub(crate) async fn file_and_s3() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseAddress::Sqlite(folder.path().join("rows.sqlite"));
        Self::with_s3(database, folder).await
    }

    pub(crate) fn server_and_directory(server: &Server) -> Self {
        Self::with_directory(server.new_database(), tempfile::tempdir().unwrap())
    }

    pub(crate) async fn server_and_s3(server: &Server) -> Self {
        Self::with_s3(server.new_database(), tempfile::tempdir().unwrap()).await
    }

    fn with_directory(database: DatabaseAddress, folder: TempDir) -> Self {
        let files = folder.path().join("blobs");
        Self { database, blobs: BlobSettings::Directory(files.clone()), files, _folder: folder }
    }

    async fn with_s3(database: DatabaseAddress, folder: TempDir) -> Self {
        let settings = s3::serve(folder.path()).await;
        let files = folder.path().join(&settings.bucket).join(&settings.prefix);
        Self { database, blobs: BlobSettings::S3(settings), files, _folder: folder }
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::new(self.database.clone(), self.blobs.clone())
    }

    pub(crate) async fn open(&self) -> DurableStore {
        DurableStore::open(&self.settings()).await.unwrap()
    }

    /// Everything that was replaced or removed is deleted, and everything that is named is there.
    pub(crate) async fn no_orphans(&self) {
        let swept = self.open().await.sweep(Duration::ZERO).await.unwrap();
        assert_eq!(swept.deleted, 0);
        assert_eq!(swept.named, self.blobs().len() as u64);
    }

    /// The files of all blobs.
    pub(crate) fn blobs(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for tenant in std::fs::read_dir(&self.files).into_iter().flatten().map(Result::unwrap) {
            if tenant.path().is_dir() {
                found.extend(std::fs::read_dir(tenant.path()).unwrap().map(|file| file.unwrap().path()));
            }
        }
        found
    }
}
