//! The first 40 bytes of every object, and the frame that they span.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use super::codec;
use super::error::{HeaderFault, WireError};
use crate::params::{DIGEST_BYTES, ParameterDigest};

/// The first four bytes of every object.
pub const MAGIC: [u8; 4] = *b"BRLY";
/// The version of the format that is written and read.
pub const VERSION: u8 = 1;
/// Bytes of the fixed header: magic, version, kind, length of the typed header, digest of the parameters.
pub const HEADER_BYTES: usize = 40;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Kind {
    /// A fresh secret-key encryption of BFV whose uniform half is a seed.
    SeededCiphertext = 1,
    /// A BFV ciphertext of two or three components with its noise bound.
    Ciphertext = 2,
    /// A BFV ciphertext that will only be opened, modulo the answer prime.
    Answer = 3,
    /// A public encryption key.
    PublicKey = 4,
    /// Keys for relinearization and automorphisms.
    EvaluationKeys = 5,
    /// A request to an operator or its reply: a list of byte strings.
    Message = 6,
    /// A CKKS ciphertext of two or three components with its scale and bounds.
    ApproximateCiphertext = 7,
    /// A fresh secret-key encryption of CKKS whose uniform half is a seed.
    SeededApproximateCiphertext = 8,
    /// A fresh secret-key encryption of BFV at a chosen level whose uniform half is a seed.
    LevelledSeededCiphertext = 9,
}

impl Kind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::SeededCiphertext,
        Self::Ciphertext,
        Self::Answer,
        Self::PublicKey,
        Self::EvaluationKeys,
        Self::Message,
        Self::ApproximateCiphertext,
        Self::SeededApproximateCiphertext,
        Self::LevelledSeededCiphertext,
    ];
}

impl TryFrom<u8> for Kind {
    type Error = WireError;

    fn try_from(found: u8) -> Result<Self, WireError> {
        Self::ALL.into_iter().find(|&kind| kind as u8 == found).ok_or(WireError::UnknownKind { found })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::SeededCiphertext => "a seeded ciphertext",
            Self::Ciphertext => "a ciphertext",
            Self::Answer => "an answer",
            Self::PublicKey => "a public key",
            Self::EvaluationKeys => "a set of evaluation keys",
            Self::Message => "a message",
            Self::ApproximateCiphertext => "an approximate ciphertext",
            Self::SeededApproximateCiphertext => "a seeded approximate ciphertext",
            Self::LevelledSeededCiphertext => "a seeded ciphertext of a chosen level",
        })
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::SeededCiphertext => "seeded-ciphertext",
            Self::Ciphertext => "ciphertext",
            Self::Answer => "answer",
            Self::PublicKey => "public-key",
            Self::EvaluationKeys => "evaluation-keys",
            Self::Message => "message",
            Self::ApproximateCiphertext => "approximate-ciphertext",
            Self::SeededApproximateCiphertext => "seeded-approximate-ciphertext",
            Self::LevelledSeededCiphertext => "levelled-seeded-ciphertext",
        })
    }
}

/// The fixed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the object is.
    pub kind: Kind,
    /// Version of the format.
    pub version: u8,
    /// The parameters it belongs to.
    pub parameters: ParameterDigest,
    /// Bytes of the typed header that follows.
    pub typed_len: usize,
}

impl Header {
    /// Reads the first [`HEADER_BYTES`] bytes and looks at nothing behind them. Refused where there are fewer, the magic or
    /// version is another, or the kind is not known.
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let fixed = bytes
            .first_chunk::<HEADER_BYTES>()
            .ok_or(WireError::Truncated { needed: HEADER_BYTES, found: bytes.len() })?;
        let &[m0, m1, m2, m3, version, kind, len0, len1, ref digest @ ..] = fixed;
        let digest: &[u8; DIGEST_BYTES] = digest;
        if [m0, m1, m2, m3] != MAGIC {
            return Err(WireError::Magic);
        }
        if version != VERSION {
            return Err(WireError::Version { found: version, supported: VERSION });
        }
        Ok(Self {
            kind: Kind::try_from(kind)?,
            version,
            parameters: ParameterDigest::from_bytes(*digest),
            typed_len: usize::from(u16::from_le_bytes([len0, len1])),
        })
    }

    /// Bytes of fixed and typed header: how much of a stream [`super::exact_len`] needs.
    pub fn prefix_len(&self) -> usize {
        HEADER_BYTES + self.typed_len
    }
}

/// Fixed and typed header of an object whose payload has `payload_len` bytes, with room for the payload.
pub(super) fn prefix(kind: Kind, parameters: ParameterDigest, typed: &[u8], payload_len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + typed.len() + payload_len);
    append_prefix(kind, parameters, typed, &mut bytes);
    bytes
}

/// Appends both headers of an object to what was written before.
///
/// # Panics
/// If the typed header is longer than 65,535 bytes, which the types of this module do not allow.
#[expect(
    clippy::expect_used,
    reason = "a typed header that overflows its length field is a broken invariant of the encoder"
)]
pub(super) fn append_prefix(kind: Kind, parameters: ParameterDigest, typed: &[u8], bytes: &mut Vec<u8>) {
    let typed_len = u16::try_from(typed.len()).expect("a typed header fits its 16-bit length");
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&[VERSION, kind as u8]);
    bytes.extend_from_slice(&typed_len.to_le_bytes());
    bytes.extend_from_slice(parameters.as_bytes());
    bytes.extend_from_slice(typed);
}

/// Foreign bytes whose fixed header was read.
pub(super) struct Frame<'a> {
    bytes: &'a [u8],
    header: Header,
}

impl<'a> Frame<'a> {
    /// Reads the fixed header.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, WireError> {
        Ok(Self { bytes, header: Header::parse(bytes)? })
    }

    /// Reads the fixed header and refuses another kind or other parameters.
    pub(super) fn open_as(bytes: &'a [u8], expected: Kind, parameters: ParameterDigest) -> Result<Self, WireError> {
        let frame = Self::open(bytes)?;
        if frame.header.kind != expected {
            return Err(WireError::Kind { expected, found: frame.header.kind });
        }
        frame.belongs_to(parameters)?;
        Ok(frame)
    }

    /// Refuses other parameters.
    pub(super) fn belongs_to(&self, expected: ParameterDigest) -> Result<(), WireError> {
        let found = self.header.parameters;
        if found == expected { Ok(()) } else { Err(WireError::Parameters { expected, found }) }
    }

    /// The fixed header.
    pub(super) fn header(&self) -> Header {
        self.header
    }

    /// All bytes that were given.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The typed header, of at most `limit` bytes.
    pub(super) fn typed<T: Serialize + DeserializeOwned>(&self, limit: usize) -> Result<T, WireError> {
        let found = self.header.typed_len;
        if found > limit {
            return Err(WireError::TypedHeader { reason: HeaderFault::TooLong { found, limit } });
        }
        let typed = self.bytes.get(HEADER_BYTES..self.header.prefix_len());
        codec::decode(typed.ok_or(WireError::Truncated { needed: self.header.prefix_len(), found: self.bytes.len() })?)
    }

    /// The payload, of exactly `len` bytes.
    pub(super) fn payload(&self, len: usize) -> Result<Payload<'a>, WireError> {
        let (expected, found) = (self.header.prefix_len().saturating_add(len), self.bytes.len());
        match self.bytes.get(self.header.prefix_len()..) {
            Some(payload) if found == expected => Ok(Payload(payload)),
            _ if found > expected => Err(WireError::TrailingBytes { expected, found }),
            _ => Err(WireError::Truncated { needed: expected, found }),
        }
    }
}

/// The part of a payload that is still to be read.
pub(super) struct Payload<'a>(&'a [u8]);

impl<'a> Payload<'a> {
    /// The next `len` bytes.
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) =
            self.0.split_at_checked(len).ok_or(WireError::Truncated { needed: len, found: self.0.len() })?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (taken, rest) =
            self.0.split_first_chunk::<N>().ok_or(WireError::Truncated { needed: N, found: self.0.len() })?;
        self.0 = rest;
        Ok(*taken)
    }
}
