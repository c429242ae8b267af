//! The frame of every message: magic, version, kind, length.

use std::fmt;

use super::error::WireError;

/// The first four bytes of every message.
const MAGIC: [u8; 4] = *b"BRTF";
/// The version that is written and read.
const VERSION: u8 = 1;
/// Magic, version, kind, two zero bytes, length of the content as a little-endian 64-bit integer.
const HEADER_BYTES: usize = 16;

/// A server key of the parameters has 30.2 MB (918 GGSW ciphertexts of four polynomials of which the uniform half is a seed, and a seeded
/// key-switching key); the rest is room for what later versions of the encoding add.
pub const KEY_BYTES_LIMIT: usize = 32 << 20;
/// A public key has two polynomials of 2048 words, 32,768 bytes; the rest is its description.
pub const PUBLIC_KEY_BYTES_LIMIT: usize = 64 << 10;
/// 48 blocks of 2049 words are 786,816 bytes; the rest is their descriptions.
pub const TOTAL_BYTES_LIMIT: usize = 1 << 20;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Kind {
    /// The key that a service computes with, compressed.
    ServerKey = 1,
    /// The key that usage is encrypted under.
    PublicKey = 2,
    /// An encrypted usage.
    Usage = 3,
    /// An encrypted total.
    Total = 4,
    /// A table whose boundaries and prices are encrypted.
    Table = 5,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ServerKey => "server key",
            Self::PublicKey => "public key",
            Self::Usage => "usage",
            Self::Total => "total",
            Self::Table => "encrypted table",
        })
    }
}

/// Puts the frame around a content.
pub(super) fn write(kind: Kind, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + content.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&[VERSION, kind as u8, 0, 0]);
    bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
    bytes.extend_from_slice(content);
    bytes
}

/// The content of a message of this kind and of at most `limit` bytes with its frame.
pub(super) fn read(kind: Kind, bytes: &[u8], limit: usize) -> Result<&[u8], WireError> {
    let found = bytes.len();
    if found > limit {
        return Err(WireError::Oversized { kind, limit, found });
    }
    let (header, content) =
        bytes.split_first_chunk::<HEADER_BYTES>().ok_or(WireError::Truncated { needed: HEADER_BYTES, found })?;
    let [m0, m1, m2, m3, version, number, reserved @ .., l0, l1, l2, l3, l4, l5, l6, l7] = *header;
    if [m0, m1, m2, m3] != MAGIC {
        return Err(WireError::Magic);
    }
    if version != VERSION || reserved != [0, 0] {
        return Err(WireError::Version { found: version, supported: VERSION });
    }
    if number != kind as u8 {
        return Err(WireError::Kind { expected: kind, found: number });
    }
    let length = u64::from_le_bytes([l0, l1, l2, l3, l4, l5, l6, l7]);
    // Compared as 64-bit integers: an announced length allocates nothing and cannot wrap.
    let announced = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(HEADER_BYTES);
    match announced {
        needed if needed > found => Err(WireError::Truncated { needed, found }),
        expected if expected < found => Err(WireError::TrailingBytes { expected, found }),
        _ => Ok(content),
    }
}
