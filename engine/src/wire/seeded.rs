//! What all seeded ciphertexts have in common: the seed of the uniform half, then the other half.

use std::sync::Arc;

use super::budget::Shape;
use super::error::WireError;
use super::header::{Kind, Payload, prefix};
use super::poly::{read_poly, read_seed, write_poly};
use crate::params::Parameters;
use crate::ring::{Basis, SEED_BYTES};
use crate::rlwe::SeededCiphertext;

/// The encoding of a seeded ciphertext after its typed header was encoded.
pub(super) fn write_seeded(kind: Kind, parameters: &Parameters, typed: &[u8], object: &SeededCiphertext) -> Vec<u8> {
    let level = object.body().basis().len().saturating_sub(1);
    let payload_len = SEED_BYTES + Shape::of(parameters).poly(level);
    let mut bytes = prefix(kind, parameters.digest(), typed, payload_len);
    bytes.extend_from_slice(object.seed().as_bytes());
    write_poly(object.body(), &mut bytes);
    bytes
}

/// Seed and body over the primes of a level.
pub(super) fn read_seeded(payload: &mut Payload<'_>, basis: &Arc<Basis>) -> Result<SeededCiphertext, WireError> {
    let seed = read_seed(payload)?;
    Ok(SeededCiphertext::new(read_poly(payload, basis)?, seed))
}
