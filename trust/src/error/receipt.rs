//! Why bytes are no receipt, and why a receipt is not believed.

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
