//! Residues as bits: `bits` for each, the least significant first, one after the other without gaps.
//!
//! Eight residues fill `bits` whole bytes. Vector backends work on groups of eight for as long as a whole vector of bytes is left, and say
//! how many residues that was; the caller, whose code defines the format, does the others.

use crate::backend::Backend;
use crate::modulus::MAX_MODULUS_BITS;

/// Packs the leading residues, all below `2^bits`, into the leading bytes, and returns how many: a multiple of 8, so that the next one begins
/// a byte. Bytes after those of the packed residues are left in any state.
///
/// # Panics
/// If `bits` is zero or more than [`MAX_MODULUS_BITS`].
pub fn pack_leading(backend: Backend, residues: &[u64], bits: u32, bytes: &mut [u8]) -> usize {
    check(bits);
    match backend {
        Backend::Scalar => 0,
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512Ifma(token) => token.pack_leading(residues, bits, bytes),
    }
}

/// Unpacks the leading residues and returns how many, a multiple of 8, and whether none of them is above `limit`.
///
/// # Panics
/// If `bits` is zero or more than [`MAX_MODULUS_BITS`].
pub fn unpack_leading(backend: Backend, bytes: &[u8], bits: u32, limit: u64, residues: &mut [u64]) -> (usize, bool) {
    check(bits);
    match backend {
        Backend::Scalar => (0, true),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512Ifma(token) => token.unpack_leading(bytes, bits, limit, residues),
    }
}

fn check(bits: u32) {
    assert!((1..=MAX_MODULUS_BITS).contains(&bits), "residues of {bits} bits");
}
