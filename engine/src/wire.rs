//! The wire format, version 1: how ciphertexts, answers, keys and messages become bytes and come back.
//!
//! Every object is a header of 40 bytes (magic, version, kind, length of the typed header, digest of the parameters), a small
//! typed header, and a payload whose exact length follows from the parameters and the typed header. Residues are packed
//! without gaps. `docs/wire-format.md` describes every byte for decoders in other languages.
//!
//! Foreign bytes are decoded against parameters: lengths are checked before anything is allocated, ranges while reading, and every
//! object has one encoding only.

mod answer;
mod approximate;
mod budget;
mod ciphertext;
mod codec;
mod content;
mod describe;
mod error;
mod header;
mod keys;
mod levelled;
mod message;
mod poly;
mod seeded;

pub use budget::{exact_len, max_len};
pub use content::content_digest;
pub use describe::{BoundsDescription, Description, ItemRun, NoiseDescription, PrimePower, ScaleDescription, describe};
pub use error::{GaloisFault, HeaderFault, WireError};
pub use header::{HEADER_BYTES, Header, Kind, MAGIC, VERSION};
pub use keys::{MAX_GALOIS_KEYS, evaluation_keys_len, public_key_from_bytes, public_key_to_bytes};
pub use message::{MAX_ITEMS, MAX_OPERATOR_BYTES, Message};

/// An object that travels between key holder and service.
pub trait Wire: Sized {
    /// What foreign bytes are decoded against: a scheme's tables, or the bare parameters.
    type Context;

    /// The kind that its header carries.
    const KIND: Kind;

    /// Its only encoding.
    fn to_bytes(&self) -> Vec<u8>;

    /// The object that these bytes encode, all of them. Refused where they are of another kind or other parameters, are not
    /// exactly as long as their header says, hold a residue that is not below its prime, or are not the encoding that
    /// [`Wire::to_bytes`] would write.
    fn from_bytes(bytes: &[u8], context: &Self::Context) -> Result<Self, WireError>;
}
