//! Receipts that a service signs for its results, and the keys that it signs with.
//!
//! A [`Receipt`] says what was asked, what came out, and with which operator, parameters, keys and records. A service signs it with the newest key of its
//! [`Identity`]; a client checks it against the service's [`KeyHistory`], which it follows from a key that it trusts. A receipt shows who claimed a result,
//! not that it is right; re-execution shows that. `docs/receipts.md` describes bytes, keys and rotation.
//!
//! ```
//! use blindrelay_engine::params::ParameterDigest;
//! use blindrelay_trust::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let parent = tempfile::tempdir()?;
//! # let folder = parent.path().join("identity");
//! let now = UnixMillis::new(1_795_253_400_125).ok_or("a time after the year 9999")?;
//! // The service.
//! let identity = Identity::open_or_create(&folder, now)?;
//! let signed = identity.sign(&Receipt {
//!     operator: OperatorId::new("match-signs/1")?,
//!     software: SoftwareVersion::new("0.1.0")?,
//!     parameters: ParameterDigest::from_bytes([1; 32]),
//!     evaluation_keys: None,
//!     collection: CollectionState {
//!         kind: CollectionKind::Room,
//!         id: CollectionId::from_bytes([2; 16]),
//!         version: 7,
//!         content: None,
//!     },
//!     request: ContentDigest::of(b"the request's bytes"),
//!     answer: ContentDigest::of(b"the answer's bytes"),
//!     noise: NoiseClaim::new(31.5, 40.0)?,
//!     time: now,
//!     key: identity.public().id(),
//! })?;
//! // The client, who knows the first key.
//! let trusted = identity.public().id();
//! let history = KeyHistory::from_json(&identity.history().to_json()?)?;
//! history.verify_chain(&trusted)?;
//! let received = SignedReceipt::from_bytes(&signed.to_bytes())?;
//! let verified = received.verify(&history)?;
//! verified.receipt().matches_request(b"the request's bytes")?;
//! verified.receipt().matches_answer(b"the answer's bytes")?;
//! # Ok(())
//! # }
//! ```
//!
//! The crate reads no clock and uses no network. `receipt` has receipts and their bytes, `key` signing keys and their files, `history` the chain of keys, `identity` the folder
//! of a service.

mod durable;
mod error;
mod hex;
mod history;
mod id;
mod identity;
mod key;
mod receipt;
mod signature;
mod time;

pub use error::{
    ExtensionError, FormatError, HistoryError, HistorySignature, IdentityError, KeyFileError, ReceiptError,
    RevocationFault, SignError, TrustError, ValidityFault,
};
pub use history::{KeyEntry, KeyHistory, MAX_HISTORY_BYTES, MAX_KEYS, MAX_REASON_BYTES, Revocation};
pub use id::{CollectionId, ContentDigest, IdParseError, KeyId, ReceiptId};
pub use identity::Identity;
pub use key::{PublicIdentity, SigningKey};
pub use receipt::{
    CollectionKind, CollectionState, Inclusion, MAX_BATCH, MAX_NAME_BYTES, MAX_RECEIPT_BYTES, MIN_RECEIPT_BYTES,
    NoiseClaim, OperatorId, Receipt, SignedReceipt, SoftwareVersion, Verified,
};
pub use signature::{PUBLIC_KEY_BYTES, PublicKey, SIGNATURE_BYTES, Signature};
pub use time::{TimeParseError, UnixMillis};
