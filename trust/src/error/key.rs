//! Why nothing is signed, and why a key file is refused.

use std::path::PathBuf;

use crate::id::KeyId;
use crate::receipt::MAX_BATCH;
use crate::time::UnixMillis;

/// Why nothing was signed, or no key made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The receipt names another key.
    #[error("the receipt names key {receipt}, the signing key is {signer}")]
    OtherKey {
        /// Key in the receipt.
        receipt: KeyId,
        /// Key that was to sign.
        signer: KeyId,
    },
    /// The receipt is older than the key: the clock went back.
    #[error("the receipt is of {time}, but the signing key was made at {made_at}: is the clock right?")]
    BeforeKey {
        /// The receipt's time.
        time: UnixMillis,
        /// When the key was made.
        made_at: UnixMillis,
    },
    /// More receipts than one signature covers.
    #[error("{found} receipts in a batch; it has at most {MAX_BATCH}")]
    TooMany {
        /// How many.
        found: usize,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness")]
    Randomness,
    /// The library of signatures failed.
    #[error("the library of signatures failed")]
    Library,
}

/// What can go wrong with a key file. The content is never told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("signing key {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of this name exists.
    #[error("{path} exists and is not overwritten")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is no key file.
    #[error("{path} is not the file of a signing key ({found} bytes, or another beginning)")]
    Format {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: u64,
    },
    /// A version that this software does not know.
    #[error("{path} is a key file of version {found}; this software reads version 1")]
    Version {
        /// The file.
        path: PathBuf,
        /// The version.
        found: u8,
    },
    /// The file is damaged.
    #[error("{path} is damaged: its checksum is wrong")]
    Checksum {
        /// The file.
        path: PathBuf,
    },
    /// Others may read the file.
    #[error("signing key {path} can be read by others (mode {mode:o}): run `chmod 600 {path}`")]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// No key comes from the seed.
    #[error("signing key {path}: {source}")]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SignError,
    },
}
