//! ML-DSA-65 (FIPS 204) over a domain and bytes.
//!
//! The context string of FIPS 204 stays empty: the library takes none. In its place every signed message begins with the domain
//! and a zero byte. No domain holds a zero byte, so messages of two purposes never meet.

use std::fmt;

use aws_lc_rs::signature::{ML_DSA_65, UnparsedPublicKey};
use blindrelay_engine::wire::content_digest;

use crate::hex::read_hex;
use crate::id::KeyId;

/// Bytes of a public key.
pub const PUBLIC_KEY_BYTES: usize = 1952;

/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 3309;

/// What a signature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A receipt.
    Receipt,
    /// The root over many receipts.
    Batch,
    /// An entry of a history, by the key that it introduces.
    Key,
    /// An entry of a history, by the key before it.
    Succession,
    /// The end of trust in a key, by a later one.
    Revocation,
}

impl Purpose {
    const fn domain(self) -> &'static str {
        match self {
            Self::Receipt => "blindrelay receipt v1",
            Self::Batch => "blindrelay receipt batch v1",
            Self::Key => "blindrelay key v1",
            Self::Succession => "blindrelay key succession v1",
            Self::Revocation => "blindrelay key revocation v1",
        }
    }

    /// What is signed: domain, zero byte, bytes.
    pub(crate) fn message(self, bytes: &[u8]) -> Vec<u8> {
        [self.domain().as_bytes(), &[0], bytes].concat()
    }
}

/// The signature does not belong to these bytes and this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongSignature;

/// A public key of ML-DSA-65, as FIPS 204 encodes it.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(Box<[u8; PUBLIC_KEY_BYTES]>);

impl PublicKey {
    /// From its bytes. Every string of this length is a public key.
    pub fn from_bytes(bytes: [u8; PUBLIC_KEY_BYTES]) -> Self {
        Self(Box::new(bytes))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.0
    }

    /// Its identity.
    pub fn id(&self) -> KeyId {
        KeyId::from_bytes(content_digest(self.0.as_slice()))
    }

    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = Box::new([0; PUBLIC_KEY_BYTES]);
        read_hex(text, bytes.as_mut_slice())?;
        Some(Self(bytes))
    }

    pub(crate) fn verify(&self, purpose: Purpose, bytes: &[u8], signature: &Signature) -> Result<(), WrongSignature> {
        UnparsedPublicKey::new(&ML_DSA_65, self.0.as_slice())
            .verify(&purpose.message(bytes), signature.as_bytes())
            .map_err(|_| WrongSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

/// A signature of ML-DSA-65.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature(Box<[u8; SIGNATURE_BYTES]>);

impl Signature {
    /// From its bytes.
    pub fn from_bytes(bytes: [u8; SIGNATURE_BYTES]) -> Self {
        Self(Box::new(bytes))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; SIGNATURE_BYTES] {
        &self.0
    }

    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = Box::new([0; SIGNATURE_BYTES]);
        read_hex(text, bytes.as_mut_slice())?;
        Some(Self(bytes))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(..)")
    }
}
