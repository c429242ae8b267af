//! The digest that names a parameter set on the wire and in receipts.

use std::fmt;

use sha3::{Digest, Sha3_256};

use super::spec::{ParameterSpec, Scheme};

/// Bytes of a parameter digest.
pub const DIGEST_BYTES: usize = 32;

/// SHA3-256 over every value that decides what a ciphertext's bytes mean.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParameterDigest([u8; DIGEST_BYTES]);

impl ParameterDigest {
    /// The digest of a specification. The security policy is not part of it: it decides who accepts a set, not what the set is.
    pub(crate) fn of(spec: &ParameterSpec) -> Self {
        let mut hash = Sha3_256::new();
        let mut field = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        let integers = |values: &[u64]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        field(b"blindrelay/1 parameters; ternary secrets; centred binomial 21 errors");
        field(spec.name.as_bytes());
        match &spec.scheme {
            Scheme::Bfv { plaintext_modulus } => {
                field(b"bfv");
                field(&integers(&[*plaintext_modulus]));
            }
            Scheme::Ckks { scale_bits } => {
                field(b"ckks");
                field(&integers(&[u64::from(*scale_bits)]));
            }
        }
        field(&integers(&[spec.ring_degree as u64]));
        field(&integers(&spec.ciphertext_primes));
        field(&integers(&spec.special_primes));
        field(&integers(&[u64::from(spec.digit_bits)]));
        field(&integers(spec.answer_prime.as_slice()));
        Self(hash.finalize().into())
    }

    /// A digest read from the wire.
    pub const fn from_bytes(bytes: [u8; DIGEST_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; DIGEST_BYTES] {
        &self.0
    }
}

impl fmt::Display for ParameterDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ParameterDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParameterDigest({self})")
    }
}
