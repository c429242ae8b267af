//! A store from a copy.

use std::path::Path;

use super::folder::Folder;
use super::{BackupError, Copied, rows};
use crate::blobs::Blobs;
use crate::database::Database;
use crate::migrations;
use crate::settings::Settings;

/// Makes a store at these places from a copy in a folder. The database has to be empty; it is filled in one transaction, after the blobs, so that it is empty still if this fails. Every
/// digest is checked. Tables of an older form are brought to the newest when the store is opened.
pub async fn restore(settings: &Settings, path: &Path, watch: impl Fn(Copied) + Send) -> Result<Copied, BackupError> {
    let (folder, manifest) = Folder::open(path)?;
    let known = migrations::newest();
    if manifest.form > known {
        return Err(BackupError::Newer { found: manifest.form, known });
    }
    let sha256 = rows::sha256(&folder)?;
    if sha256 != manifest.rows_sha256 {
        let fault = format!("its SHA-256 is {sha256}, {} was written", manifest.rows_sha256.escape_default());
        return Err(BackupError::NotWhole { path: folder.rows_path(), fault });
    }
    let database = Database::connect(settings).await?;
    let restored = fill(&database, settings, &folder, manifest.form, &watch).await;
    database.close().await;
    restored
}

async fn fill(
    database: &Database,
    settings: &Settings,
    folder: &Folder,
    form: i64,
    watch: &(impl Fn(Copied) + Send),
) -> Result<Copied, BackupError> {
    if !database.is_empty().await? {
        return Err(BackupError::NotEmpty);
    }
    let blobs = Blobs::open(settings)?;
    let mut copied = Copied::default();
    for (tenant, name) in rows::blobs(folder)? {
        let bytes = folder.read_blob(&tenant, &name).await?;
        copied.blobs += 1;
        copied.bytes += bytes.len() as u64;
        blobs.write_named(&tenant, &name, bytes).await?;
        watch(copied);
    }
    let mut transaction = database.begin().await?;
    migrations::run(database.dialect(), &mut transaction, Some(form)).await?;
    copied.rows = rows::put_back(&mut transaction, folder, watch).await?;
    transaction.commit().await?;
    Ok(copied)
}
