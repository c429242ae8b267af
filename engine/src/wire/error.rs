//! Why bytes are refused. No message carries a residue, a seed or a plaintext.

use super::header::Kind;
use crate::error::ScaleFault;
use crate::params::{Level, ParameterDigest};

/// The errors of encoding and decoding.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes end too early.
    #[error("{needed} bytes are needed, but there are only {found}")]
    Truncated {
        /// How many bytes the part that could be read asks for.
        needed: usize,
        /// How many there are.
        found: usize,
    },
    /// There are bytes after the object.
    #[error("the object ends after {expected} bytes, but {found} were given")]
    TrailingBytes {
        /// Length of the object.
        expected: usize,
        /// Length of what was given.
        found: usize,
    },
    /// The first four bytes are not `BRLY`.
    #[error("these bytes are no blindrelay object: they do not begin with BRLY")]
    Magic,
    /// Another version of the format.
    #[error("format version {found} is not supported, only version {supported}")]
    Version {
        /// The version of the bytes.
        found: u8,
        /// The version that this software reads.
        supported: u8,
    },
    /// An object of another kind.
    #[error("expected {expected}, but these bytes are {found}")]
    Kind {
        /// The kind that was asked for.
        expected: Kind,
        /// The kind in the header.
        found: Kind,
    },
    /// A kind that this version does not know.
    #[error("kind {found} is not known to format version 1")]
    UnknownKind {
        /// The byte in the header.
        found: u8,
    },
    /// An object of other parameters.
    #[error("the object belongs to parameters {found}, but {expected} were expected")]
    Parameters {
        /// Digest of the parameters that the reader uses.
        expected: ParameterDigest,
        /// Digest in the header.
        found: ParameterDigest,
    },
    /// An object of one scheme under parameters of another.
    #[error("{kind} belongs to parameters of {wanted}, but these are of another scheme")]
    Scheme {
        /// The kind in the header.
        kind: Kind,
        /// The scheme that has objects of this kind.
        wanted: &'static str,
    },
    /// The typed header cannot be read or says something that the parameters do not allow.
    #[error("the typed header is refused: {reason}")]
    TypedHeader {
        /// What is wrong with it.
        reason: HeaderFault,
    },
    /// The same object has another, shorter or cleaner encoding, and only that one is accepted.
    #[error("not the canonical encoding: {what}")]
    NotCanonical {
        /// Which part deviates.
        what: &'static str,
    },
    /// A residue is not below its prime.
    #[error("residue {index} of limb {limb} is not below the limb's prime")]
    Residue {
        /// Position of the prime in the basis.
        limb: usize,
        /// Position of the residue among those of that prime.
        index: usize,
    },
    /// A ciphertext of fewer than two or more than three components, or an answer with none or more than two besides its body.
    #[error("{found} components, but the kind has {least} to {most}")]
    Components {
        /// How many the typed header says.
        found: usize,
        /// The fewest allowed.
        least: usize,
        /// The most allowed.
        most: usize,
    },
    /// A level that the parameters do not have.
    #[error("level {found} is above the top level {top}")]
    Level {
        /// The level in the typed header.
        found: Level,
        /// The highest level of the parameters.
        top: Level,
    },
    /// Everybody could read the message.
    #[error("the ciphertext is transparent: everything but its first component is zero")]
    Transparent,
    /// The noise bound is above what decrypts reliably.
    #[error(
        "a noise of up to 2^{bound_log2:.3} is above the limit of 2^{limit_log2:.3}: the ciphertext could fail to decrypt"
    )]
    NoiseExhausted {
        /// Base-2 logarithm of the bound in the typed header.
        bound_log2: f64,
        /// Base-2 logarithm of the largest noise allowed at that level.
        limit_log2: f64,
    },
    /// The scale of an approximate ciphertext is none of the parameters.
    #[error("scale {scale} is refused: {reason}")]
    Scale {
        /// The scale in the typed header.
        scale: String,
        /// What is wrong with it.
        reason: ScaleFault,
    },
    /// The bounds of an approximate ciphertext do not fit its level.
    #[error("a message and error of up to 2^{bound_log2:.3} do not fit a level that holds less than 2^{limit_log2:.3}")]
    Magnitude {
        /// Base-2 logarithm of the bound on message and error together.
        bound_log2: f64,
        /// Base-2 logarithm of half the level's modulus.
        limit_log2: f64,
    },
    /// An automorphism that the set of keys cannot list here.
    #[error("Galois element {element} {reason}")]
    GaloisElement {
        /// The element `k` of `X -> X^k`.
        element: u32,
        /// What is wrong with it.
        reason: GaloisFault,
    },
}

/// What is wrong with a typed header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderFault {
    /// It is longer than any of its kind.
    #[error("it has {found} bytes, more than the {limit} that its kind can need")]
    TooLong {
        /// Its length.
        found: usize,
        /// The longest of the kind under these parameters.
        limit: usize,
    },
    /// It ends before its last field, or a list in it claims more entries than there are bytes.
    #[error("it ends before its last field")]
    Ends,
    /// A field has a value that its type does not have.
    #[error("a field has an impossible value")]
    Malformed,
    /// A count is above its limit.
    #[error("{found} {what}, at most {limit} are allowed")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// Positions of an answer do not ascend within the ring degree.
    #[error("position number {index} is not above the one before it and below {degree}")]
    Position {
        /// Its place in the list.
        index: usize,
        /// The ring degree.
        degree: usize,
    },
    /// A scale names a ciphertext prime that the parameters do not have.
    #[error("the scale has an exponent for ciphertext prime {position}, counted from 0, but there are {primes}")]
    ScalePosition {
        /// The position in the list of ciphertext primes.
        position: u32,
        /// How many there are.
        primes: usize,
    },
    /// The parameters have no answer prime.
    #[error("the parameters have no answer prime, so there are no answers")]
    NoAnswerPrime,
}

/// What is wrong with a Galois element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GaloisFault {
    /// An even power is no automorphism.
    Even,
    /// It is not below twice the ring degree.
    TooLarge,
    /// It is listed twice.
    Duplicate,
    /// It comes after a larger one.
    NotAscending,
}

impl std::fmt::Display for GaloisFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Even => "is even",
            Self::TooLarge => "is not below twice the ring degree",
            Self::Duplicate => "is listed twice",
            Self::NotAscending => "comes after a larger one",
        })
    }
}
