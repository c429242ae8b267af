//! The folder of an identity, locked while it is read or changed.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::durable;
use crate::error::{HistoryError, IdentityError, KeyFileError};
use crate::history::{KeyHistory, MAX_HISTORY_BYTES};
use crate::id::KeyId;
use crate::key::SigningKey;

const LOCK: &str = "identity.lock";
const HISTORY: &str = "history.json";
const KEY_PREFIX: &str = "signing-key-";
const KEY_SUFFIX: &str = ".key";

pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// The folder, made where it is not there: for its owner only.
    pub(super) fn create(path: &Path) -> Result<Self, IdentityError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).and_then(|()| durable::sync_folder(path)).map_err(failed(path))?;
        Self::open(path)
    }

    /// The folder. Waits for other processes, and removes what they left when they crashed while writing.
    pub(super) fn open(path: &Path) -> Result<Self, IdentityError> {
        let lock_path = path.join(LOCK);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options.open(&lock_path).map_err(failed(&lock_path))?;
        lock.lock().map_err(failed(&lock_path))?;
        let folder = Self { path: path.to_owned(), _lock: lock };
        let ours = |name: &str| name.starts_with(KEY_PREFIX) || name.starts_with(HISTORY);
        for path in folder.files(|name| ours(name) && name.ends_with(durable::TEMPORARY))? {
            fs::remove_file(&path).map_err(failed(&path))?;
        }
        Ok(folder)
    }

    pub(super) fn key_path(&self, key: &KeyId) -> PathBuf {
        self.path.join(format!("{KEY_PREFIX}{key}{KEY_SUFFIX}"))
    }

    /// The key files, in the order of their names.
    pub(super) fn keys(&self) -> Result<Vec<PathBuf>, IdentityError> {
        self.files(|name| name.starts_with(KEY_PREFIX) && name.ends_with(KEY_SUFFIX))
    }

    pub(super) fn write_key(&self, key: &SigningKey) -> Result<(), KeyFileError> {
        key.write_new(&self.key_path(&key.identity().id()))
    }

    /// The history; `None` where there is none.
    pub(super) fn history(&self) -> Result<Option<KeyHistory>, IdentityError> {
        let path = self.path.join(HISTORY);
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed(&path))?,
        };
        let mut text = String::new();
        file.take(MAX_HISTORY_BYTES as u64 + 1).read_to_string(&mut text).map_err(failed(&path))?;
        KeyHistory::from_json(&text).map(Some).map_err(|source| self.refused(source))
    }

    pub(super) fn write_history(&self, history: &KeyHistory) -> Result<(), IdentityError> {
        let (path, text) = self.text(history)?;
        durable::write_new(&path, text.as_bytes()).map_err(failed(&path))
    }

    pub(super) fn replace_history(&self, history: &KeyHistory) -> Result<(), IdentityError> {
        let (path, text) = self.text(history)?;
        durable::replace(&path, text.as_bytes()).map_err(failed(&path))
    }

    /// Removes the files of all keys that were retired: who restores an old history has no key for it, and cannot fork by mistake.
    pub(super) fn remove_retired(&self, history: &KeyHistory) -> Result<(), IdentityError> {
        for entry in history.entries().iter().filter(|entry| entry.retired_at().is_some()) {
            let path = self.key_path(&entry.id());
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(&path)(error)),
                _ => {}
            }
        }
        let path = self.path.join(HISTORY);
        durable::sync_folder(&path).map_err(failed(&path))
    }

    pub(super) fn refused(&self, source: HistoryError) -> IdentityError {
        IdentityError::History { path: self.path.join(HISTORY), source }
    }

    pub(super) fn without_history(&self) -> IdentityError {
        IdentityError::HistoryMissing { folder: self.path.clone() }
    }

    fn text(&self, history: &KeyHistory) -> Result<(PathBuf, String), IdentityError> {
        let text = history.to_json().map_err(|source| self.refused(source))?;
        Ok((self.path.join(HISTORY), text))
    }

    fn files(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>, IdentityError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed(&self.path))? {
            let entry = entry.map_err(failed(&self.path))?;
            if entry.file_name().to_str().is_some_and(&wanted) {
                found.push(entry.path());
            }
        }
        found.sort();
        Ok(found)
    }
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> IdentityError {
    let path = path.to_owned();
    move |source| IdentityError::Io { path: path.clone(), source }
}
