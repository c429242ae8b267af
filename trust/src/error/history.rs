//! Why a list of keys is no history, and why a history is not trusted.

use crate::error::SignError;
use crate::history::{MAX_HISTORY_BYTES, MAX_KEYS, MAX_REASON_BYTES};
use crate::id::KeyId;
use crate::time::UnixMillis;

/// Which signature of a history is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistorySignature {
    /// Of the key that the entry introduces.
    Own,
    /// Of the key before it.
    Former,
    /// Of the key that revoked it.
    Revocation,
}

impl std::fmt::Display for HistorySignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Own => "of the key itself",
            Self::Former => "of the key before it",
            Self::Revocation => "of its revocation",
        })
    }
}

/// Why the times of a key do not fit those of its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValidityFault {
    /// It is not younger than the key before it.
    #[error("it is valid from {valid_from} on, not after the {former} of the key before it")]
    Order {
        /// When it becomes valid.
        valid_from: UnixMillis,
        /// When the key before it became valid.
        former: UnixMillis,
    },
    /// A time without a valid key.
    #[error("it is valid from {valid_from} on, but the key before it was retired at {retired_at}: a gap")]
    Gap {
        /// When it becomes valid.
        valid_from: UnixMillis,
        /// When the key before it was retired.
        retired_at: UnixMillis,
    },
    /// A time with two valid keys.
    #[error("it is valid from {valid_from} on, but the key before it {}: they overlap", retired(*retired_at))]
    Overlap {
        /// When it becomes valid.
        valid_from: UnixMillis,
        /// When the key before it is retired; `None` where it never is.
        retired_at: Option<UnixMillis>,
    },
    /// The newest key is retired, and none follows.
    #[error("it was retired at {retired_at}, and none follows it")]
    RetiredLast {
        /// When.
        retired_at: UnixMillis,
    },
}

fn retired(at: Option<UnixMillis>) -> String {
    at.map_or_else(|| "was never retired".to_owned(), |at| format!("was retired at {at}"))
}

/// What is wrong with a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationFault {
    /// The reason is empty, too long, or has control characters.
    #[error("its reason has {found} bytes or a control character; it has 1 to {MAX_REASON_BYTES} bytes of text")]
    Reason {
        /// The length in bytes.
        found: usize,
    },
    /// The key that signed it is not a later one of the history.
    #[error("it is signed by {by}, which is no later key of the history")]
    Signer {
        /// The key.
        by: KeyId,
    },
    /// It is older than the key.
    #[error("it is of {revoked_at}, before the key was valid")]
    BeforeKey {
        /// Its time.
        revoked_at: UnixMillis,
    },
    /// The key was revoked already.
    #[error("the key was revoked already, at {revoked_at}")]
    Repeated {
        /// When.
        revoked_at: UnixMillis,
    },
}

/// Why a list of keys is no history. Entries are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// Not the JSON of a history.
    #[error("the history of keys cannot be read: {reason}")]
    Format {
        /// What the reader of the format says.
        reason: String,
    },
    /// The same content spelled otherwise.
    #[error(
        "the history of keys is not in its canonical form (other spaces, order of fields, or the identity of a key)"
    )]
    NotCanonical,
    /// Too many bytes.
    #[error("the history of keys has {found} bytes; it has at most {MAX_HISTORY_BYTES}")]
    TooLong {
        /// How many.
        found: usize,
    },
    /// No key, or too many.
    #[error("the history has {found} keys; it has 1 to {MAX_KEYS}")]
    KeyCount {
        /// How many.
        found: usize,
    },
    /// An entry does not follow the one before it.
    #[error("entry {index} of the history follows {}, but {} stands before it", key_or_none(*found), key_or_none(*expected))]
    Link {
        /// The entry.
        index: usize,
        /// The key before it.
        expected: Option<KeyId>,
        /// The key that it names.
        found: Option<KeyId>,
    },
    /// A key twice.
    #[error("key {key} stands twice in the history")]
    Repeated {
        /// The key.
        key: KeyId,
    },
    /// The times of two keys do not meet.
    #[error("entry {index} of the history: {fault}")]
    Validity {
        /// The entry.
        index: usize,
        /// What is wrong.
        fault: ValidityFault,
    },
    /// A signature is missing, wrong, or one too many.
    #[error("entry {index} of the history: the signature {which} is missing, wrong or one too many")]
    Signature {
        /// The entry.
        index: usize,
        /// The signature.
        which: HistorySignature,
    },
    /// A revocation that cannot be.
    #[error("the revocation of key {key}: {fault}")]
    Revocation {
        /// The key.
        key: KeyId,
        /// What is wrong.
        fault: RevocationFault,
    },
    /// A key that the history does not have.
    #[error("the history does not have key {key}")]
    UnknownKey {
        /// The key.
        key: KeyId,
    },
    /// An entry could not be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

fn key_or_none(key: Option<KeyId>) -> String {
    key.map_or_else(|| "no key".to_owned(), |key| format!("key {key}"))
}

/// Why a history is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The trusted key is not in it.
    #[error("the history does not have the trusted key {trusted}; its newest is {newest}")]
    UnknownKey {
        /// The key that is trusted.
        trusted: KeyId,
        /// The newest key of the history.
        newest: KeyId,
    },
    /// A key between the trusted and the newest one was revoked: whoever stole it can have signed what follows.
    #[error(
        "key {key} was revoked at {revoked_at}, so nothing shows which key follows it: ask the service's operator for the newest key's identity and trust that"
    )]
    RevokedOnPath {
        /// The key.
        key: KeyId,
        /// When it was revoked.
        revoked_at: UnixMillis,
    },
}

/// Why a history does not continue the one that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtensionError {
    /// It has fewer keys.
    #[error("the history has {found} keys, the one that was kept has {kept}")]
    Shorter {
        /// Keys of the history that was kept.
        kept: usize,
        /// Keys of this one.
        found: usize,
    },
    /// Two keys in one place.
    #[error("the histories fork at entry {index}: {kept} was kept, {found} is there now")]
    Fork {
        /// The entry.
        index: usize,
        /// The key in the history that was kept.
        kept: KeyId,
        /// The key in this one.
        found: KeyId,
    },
    /// The same key with another time.
    #[error("key {key} was valid from {kept} on, and is valid from {found} on now: the past was changed")]
    Changed {
        /// The key.
        key: KeyId,
        /// When it became valid, as it was kept.
        kept: UnixMillis,
        /// When it became valid, as it is said now.
        found: UnixMillis,
    },
    /// A revocation is gone or says something else.
    #[error("the revocation of key {key} was taken back or changed")]
    Revocation {
        /// The key.
        key: KeyId,
    },
}
