//! Why receipts, keys and histories are refused.

use std::path::PathBuf;

use crate::history::{MAX_HISTORY_BYTES, MAX_KEYS, MAX_REASON_BYTES};
use crate::id::{ContentDigest, KeyId};
use crate::receipt::{MAX_BATCH, MAX_NAME_BYTES};
use crate::time::UnixMillis;

/// Why bytes or fields are no receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The first eight bytes are others.
    #[error("these bytes are no receipt: they begin otherwise")]
    Magic,
    /// A version that this software does not know.
    #[error("the receipt is of version {found}; this software reads version 1")]
    Version {
        /// The version.
        found: u8,
    },
    /// A kind of collection that does not exist.
    #[error("the receipt names a collection of kind {found}; there are kinds 0 to 2")]
    Kind {
        /// The kind.
        found: u8,
    },
    /// Flags that do not exist.
    #[error("the receipt has flags {found:#04x}; there are bits 0 and 1")]
    Flags {
        /// The flags.
        found: u8,
    },
    /// A name is empty or too long.
    #[error("the receipt's {field} has {found} bytes; it has 1 to {MAX_NAME_BYTES}")]
    TextLength {
        /// The field.
        field: &'static str,
        /// Its length in bytes.
        found: usize,
    },
    /// A name has a character other than the visible ones of ASCII.
    #[error("the receipt's {field} has a character at byte {at} that is not visible ASCII")]
    Character {
        /// The field.
        field: &'static str,
        /// Where the character is.
        at: usize,
    },
    /// A number is infinite or none.
    #[error("the receipt's {field} is not a finite number")]
    NotFinite {
        /// The field.
        field: &'static str,
    },
    /// A time after the year 9999.
    #[error("the receipt's time is {found} ms after 1970, which is after the year 9999")]
    Time {
        /// Milliseconds since 1970.
        found: u64,
    },
    /// Neither alone nor in a batch.
    #[error("the receipt is signed in form {found}; there are forms 0 and 1")]
    Form {
        /// The form.
        found: u8,
    },
    /// A place that no batch has.
    #[error("the receipt is number {index} of a batch of {size}; batches have 2 to {MAX_BATCH}, counted from 0")]
    Place {
        /// The place.
        index: u32,
        /// The size of the batch.
        size: u32,
    },
    /// The bytes end too early.
    #[error("the receipt ends after {found} bytes; it has at least {needed}")]
    Truncated {
        /// How many bytes are needed up to the end of the field that was read.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// Bytes follow the last field.
    #[error("{extra} bytes follow the end of the receipt")]
    Trailing {
        /// How many.
        extra: usize,
    },
}

/// Why a receipt is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The bytes are no receipt.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The history does not have the key.
    #[error("the receipt names key {key}, which the history does not have")]
    UnknownKey {
        /// The key.
        key: KeyId,
    },
    /// The receipt is older than its key.
    #[error("the receipt is of {time}, but key {key} is valid from {valid_from} on")]
    NotYetValid {
        /// The key.
        key: KeyId,
        /// The receipt's time.
        time: UnixMillis,
        /// When the key was made.
        valid_from: UnixMillis,
    },
    /// The receipt is younger than the end of its key.
    #[error("the receipt is of {time}, but key {key} was retired at {retired_at}")]
    Retired {
        /// The key.
        key: KeyId,
        /// The receipt's time.
        time: UnixMillis,
        /// From when on the key is not used.
        retired_at: UnixMillis,
    },
    /// The key is not trusted any more.
    #[error("the receipt is of {time}, but key {key} was revoked at {revoked_at}: {reason}")]
    Revoked {
        /// The key.
        key: KeyId,
        /// The receipt's time.
        time: UnixMillis,
        /// When it was revoked.
        revoked_at: UnixMillis,
        /// Why.
        reason: String,
    },
    /// The signature does not belong to this receipt and this key.
    #[error("the signature is not of key {key} over this receipt")]
    Signature {
        /// The key.
        key: KeyId,
    },
    /// Another request.
    #[error("the receipt is for the request {receipt}, this request is {found}")]
    Request {
        /// Digest in the receipt.
        receipt: ContentDigest,
        /// Digest of what was given.
        found: ContentDigest,
    },
    /// Another answer.
    #[error("the receipt is for the answer {receipt}, this answer is {found}")]
    Answer {
        /// Digest in the receipt.
        receipt: ContentDigest,
        /// Digest of what was given.
        found: ContentDigest,
    },
}

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
