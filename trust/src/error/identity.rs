//! Why a folder holds no identity.

use std::path::PathBuf;

use crate::error::{HistoryError, KeyFileError, SignError};
use crate::id::KeyId;
use crate::time::UnixMillis;

/// Why a service has no identity to sign with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file or the folder cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A key file is refused.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The history is refused.
    #[error("{path}: {source}")]
    History {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: HistoryError,
    },
    /// A key could not be made.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A key file holds another key than its name says.
    #[error("{path} holds key {found}")]
    OtherKey {
        /// The file.
        path: PathBuf,
        /// The key in it.
        found: KeyId,
    },
    /// The folder has keys that follow others, but no history. A new history would be a fork.
    #[error("{folder} has signing keys but no history.json: restore it, for clients refuse a service that begins anew")]
    HistoryMissing {
        /// The folder.
        folder: PathBuf,
    },
    /// The next key would not be younger than the present one.
    #[error("it is {now}, but the newest key is valid from {valid_from} on: is the clock right?")]
    Clock {
        /// The time that was given.
        now: UnixMillis,
        /// When the newest key became valid.
        valid_from: UnixMillis,
    },
}
