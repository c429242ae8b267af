//! The file that a new key is written to.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A new file that its owner alone reads, empty until there is a key.
pub(super) struct KeyFile {
    path: PathBuf,
    file: File,
}

impl KeyFile {
    /// Makes the file with mode 0600; one that is there is not touched.
    pub(super) fn claim(path: &Path) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let path = path.to_owned();
        match options.open(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(Failure::Content {
                path,
                fault: "the file exists already; nothing is overwritten (--key-file)".to_owned(),
                advice: "name another file",
            }),
            Err(source) => Err(Failure::Write { path, source }),
        }
    }

    /// Writes the key, of which `id` is the name, on one line.
    pub(super) fn fill(mut self, key: &str, id: &str) -> Result<(), Failure> {
        let parts = [key.as_bytes(), b"\n"];
        let written = parts.iter().try_for_each(|part| self.file.write_all(part)).and_then(|()| self.file.sync_all());
        written.map_err(|source| {
            let path = self.path.clone();
            self.give_up();
            Failure::KeyNotKept { path, id: id.to_owned(), source }
        })
    }

    /// Takes the file away again: there is no key for it.
    pub(super) fn give_up(self) {
        // An empty file that stays is harmless, and what failed before matters more.
        let _ = fs::remove_file(&self.path);
    }
}
