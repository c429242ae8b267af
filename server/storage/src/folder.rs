//! Folders and files that only their owner can open.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::OpenError;

/// Makes a folder, and those above it, where it is not there; its entry survives a loss of power.
pub(crate) fn create(folder: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::Path { path: folder.to_owned(), source };
    if folder.is_dir() {
        return Ok(());
    }
    let parent = parent(folder);
    if !parent.is_dir() {
        create(&parent)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    sync(&parent).map_err(failed)
}

/// Makes an empty file where there is none; its entry survives a loss of power. The whole path of it, without links.
pub(crate) fn create_file(path: &Path) -> Result<PathBuf, OpenError> {
    let failed = |source| OpenError::Path { path: path.to_owned(), source };
    let parent = parent(path);
    create(&parent)?;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file.sync_all().and_then(|()| sync(&parent)).map_err(failed)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    path.canonicalize().map_err(failed)
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}
