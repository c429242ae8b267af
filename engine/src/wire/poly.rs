//! Residues as bits: `bits(p)` for each residue, the least significant first, one after the other without gaps.
//!
//! Eight residues of `b` bits are `b` bytes, so groups of eight are packed by code that is compiled for each width: all shifts and
//! offsets are constants, and every residue is one unaligned load, one shift and one mask.

use std::sync::Arc;

use blindrelay_kernels::packing::{pack_leading, unpack_leading};
use blindrelay_kernels::{Backend, MAX_MODULUS_BITS, Modulus};

use super::error::WireError;
use super::header::Payload;
use crate::ring::{Basis, Poly, Representation, SEED_BYTES, Seed};

/// Residues in a group that fills whole bytes.
const GROUP: usize = 8;

/// Calls `$function::<bits>`. A modulus has 2 to 50 bits.
macro_rules! with_width {
    ($bits:expr, $function:ident $arguments:tt) => {
        with_width!($bits, $function $arguments,
            2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25
            26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50)
    };
    ($bits:expr, $function:ident $arguments:tt, $($width:literal)+) => {
        match $bits {
            $($width => $function::<$width> $arguments,)+
            bits => unreachable!("a modulus of {bits} bits, but none has more than {MAX_MODULUS_BITS}"),
        }
    };
}

/// Bytes of `count` residues of `bits` bits.
pub(super) fn packed_len(count: usize, bits: u32) -> usize {
    (count * bits as usize).div_ceil(8)
}

/// Residues that are packed at a time, before their bytes are appended.
const BLOCK: usize = 512;

/// Appends canonical residues modulo a prime of `bits` bits; the last byte is filled with zero bits.
pub(super) fn pack(backend: Backend, residues: &[u64], bits: u32, out: &mut Vec<u8>) {
    out.reserve(packed_len(residues.len(), bits));
    // Vectors write beyond the last byte.
    let mut block = [0; BLOCK / 8 * MAX_MODULUS_BITS as usize + 64];
    for residues in residues.chunks(BLOCK) {
        let packed = pack_leading(backend, residues, bits, &mut block);
        let (bytes, _) = block.split_at_mut(packed_len(residues.len(), bits));
        let (_, room) = bytes.split_at_mut(packed_len(packed, bits));
        let (_, rest) = residues.split_at(packed);
        with_width!(bits, pack_groups(rest, room));
        out.extend_from_slice(bytes);
    }
}

fn pack_groups<const B: usize>(residues: &[u64], bytes: &mut [u8]) {
    let (groups, rest) = residues.as_chunks::<GROUP>();
    let (packed, tail) = bytes.split_at_mut(B * groups.len());
    for (group, packed) in groups.iter().zip(packed.as_chunks_mut::<B>().0) {
        *packed = pack_group(group);
    }
    if !rest.is_empty() {
        let mut group = [0; GROUP];
        group.iter_mut().zip(rest).for_each(|(to, &from)| *to = from);
        tail.iter_mut().zip(pack_group::<B>(&group)).for_each(|(to, from)| *to = from);
    }
}

#[inline]
fn pack_group<const B: usize>(group: &[u64; GROUP]) -> [u8; B] {
    let mut words = [0_u64; GROUP];
    for (index, &residue) in group.iter().enumerate() {
        let (word, shift) = (index * B / 64, index * B % 64);
        if let Some(low) = words.get_mut(word) {
            *low |= residue << shift;
        }
        if shift + B > 64
            && let Some(high) = words.get_mut(word + 1)
        {
            *high |= residue >> (64 - shift);
        }
    }
    let mut bytes = [0; B];
    let (whole, tail) = bytes.as_chunks_mut::<8>();
    for (to, word) in whole.iter_mut().zip(words) {
        *to = word.to_le_bytes();
    }
    if let Some(word) = words.get(B / 8) {
        tail.iter_mut().zip(word.to_le_bytes()).for_each(|(to, from)| *to = from);
    }
    bytes
}

/// Reads `out.len()` residues modulo the prime at position `limb` of its basis. `bytes` is as long as [`packed_len`] says.
///
/// Refused: a residue that is not below the prime, and bits after the last residue that are not zero.
pub(super) fn unpack(
    backend: Backend,
    bytes: &[u8],
    modulus: Modulus,
    limb: usize,
    out: &mut [u64],
) -> Result<(), WireError> {
    let found = bytes.len();
    let needed = packed_len(out.len(), modulus.bits());
    if found != needed {
        return Err(WireError::Truncated { needed, found });
    }
    let limit = modulus.value() - 1;
    let (unpacked, leading_within) = unpack_leading(backend, bytes, modulus.bits(), limit, out);
    let (_, room) = out.split_at_mut(unpacked);
    let (_, rest) = bytes.split_at(packed_len(unpacked, modulus.bits()));
    let checked = with_width!(modulus.bits(), unpack_groups(rest, limit, room));
    if !checked.padding_is_zero {
        return Err(WireError::NotCanonical { what: "bits after the last residue are not zero" });
    }
    if leading_within && checked.all_within {
        return Ok(());
    }
    let index = out.iter().position(|&residue| residue > limit).unwrap_or_default();
    Err(WireError::Residue { limb, index })
}

/// What was seen while unpacking.
struct Checked {
    all_within: bool,
    padding_is_zero: bool,
}

fn unpack_groups<const B: usize>(bytes: &[u8], limit: u64, out: &mut [u64]) -> Checked {
    let (groups, rest) = out.as_chunks_mut::<GROUP>();
    let (packed, tail) = bytes.split_at(B * groups.len());
    // Residues and limit are below 2^50: the difference has its top bit set exactly where a residue is above the limit.
    let mut above = 0;
    for (group, packed) in groups.iter_mut().zip(packed.as_chunks::<B>().0) {
        *group = unpack_group(packed);
        above |= group.iter().fold(0, |above, &residue| above | limit.wrapping_sub(residue));
    }
    let mut padding = 0;
    if !rest.is_empty() {
        let mut packed = [0; B];
        packed.iter_mut().zip(tail).for_each(|(to, &from)| *to = from);
        let group = unpack_group(&packed);
        let count = rest.len();
        rest.iter_mut().zip(group).for_each(|(to, from)| *to = from);
        above |= rest.iter().fold(0, |above, &residue| above | limit.wrapping_sub(residue));
        padding = group.iter().skip(count).fold(0, |all, &bits| all | bits);
    }
    Checked { all_within: above >> 63 == 0, padding_is_zero: padding == 0 }
}

#[inline]
fn unpack_group<const B: usize>(packed: &[u8; B]) -> [u64; GROUP] {
    std::array::from_fn(|index| {
        // The last loads begin early enough to end with the group.
        let offset = (index * B / 8).min(B.saturating_sub(8));
        let word = if let Some(word) = packed.get(offset..).and_then(<[u8]>::first_chunk) {
            u64::from_le_bytes(*word)
        } else {
            let mut word = [0; 8];
            word.iter_mut().zip(packed).for_each(|(to, &from)| *to = from);
            u64::from_le_bytes(word)
        };
        (word >> (index * B - 8 * offset)) & ((1 << B) - 1)
    })
}

/// Appends the residues of every limb in the order of the basis.
pub(super) fn write_poly<R: Representation>(poly: &Poly<R>, out: &mut Vec<u8>) {
    for (limb, residues) in poly.limbs() {
        pack(limb.arithmetic().backend(), residues, limb.modulus().bits(), out);
    }
}

/// Reads a polynomial over a basis.
pub(super) fn read_poly<R: Representation>(
    payload: &mut Payload<'_>,
    basis: &Arc<Basis>,
) -> Result<Poly<R>, WireError> {
    let mut poly = Poly::stale(basis);
    for (index, (limb, residues)) in poly.limbs_mut().enumerate() {
        let bytes = payload.take(packed_len(residues.len(), limb.modulus().bits()))?;
        unpack(limb.arithmetic().backend(), bytes, limb.modulus(), index, residues)?;
    }
    Ok(poly)
}

/// Reads the seed of a uniform half.
pub(super) fn read_seed(payload: &mut Payload<'_>) -> Result<Seed, WireError> {
    payload.array::<SEED_BYTES>().map(Seed::from_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use blindrelay_kernels::is_prime;
    use proptest::prelude::*;

    /// Largest and smallest prime of a width.
    fn moduli(bits: u32) -> [Modulus; 2] {
        let of_width = 1_u64 << (bits - 1)..1 << bits;
        let smallest = of_width.clone().find(|&p| p > 2 && is_prime(p)).unwrap();
        let largest = of_width.rev().find(|&p| is_prime(p)).unwrap();
        [smallest, largest].map(|p| Modulus::new(p).unwrap())
    }

    /// Bit `i` of the packed bytes, one at a time.
    fn packed_bit_by_bit(residues: &[u64], bits: u32) -> Vec<u8> {
        let all: Vec<u8> = residues.iter().flat_map(|&x| (0..bits).map(move |i| (x >> i & 1) as u8)).collect();
        all.chunks(8).map(|byte| byte.iter().rev().fold(0, |byte, bit| byte << 1 | bit)).collect()
    }

    proptest! {
        #[test]
        fn every_width_is_packed_bit_by_bit(words in proptest::collection::vec(any::<u64>(), 0..40)) {
            for modulus in (2..=MAX_MODULUS_BITS).flat_map(moduli) {
                let bits = modulus.bits();
                let residues: Vec<u64> = words.iter().map(|&word| modulus.reduce(word)).collect();
                for backend in Backend::available() {
                    let mut bytes = vec![0xaa];
                    pack(backend, &residues, bits, &mut bytes);
                    let (_, packed) = bytes.split_first().unwrap();
                    prop_assert_eq!(packed, packed_bit_by_bit(&residues, bits));
                    let mut back = vec![u64::MAX; residues.len()];
                    prop_assert_eq!(unpack(backend, packed, modulus, 0, &mut back), Ok(()));
                    prop_assert_eq!(&back, &residues);
                }
            }
        }

        #[test]
        fn one_residue_too_large_is_found(at in 0..40_usize, above in 0..5_u64) {
            for modulus in (2..=MAX_MODULUS_BITS).flat_map(moduli) {
                let mut residues = [modulus.value() - 1; 40];
                residues[at] = (modulus.value() + above).min((1 << modulus.bits()) - 1);
                let packed = packed_bit_by_bit(&residues, modulus.bits());
                let expected = if residues[at] < modulus.value() { Ok(()) } else { Err(WireError::Residue { limb: 3, index: at }) };
                for backend in Backend::available() {
                    let mut back = [0; 40];
                    prop_assert_eq!(&unpack(backend, &packed, modulus, 3, &mut back), &expected);
                }
            }
        }
    }

    #[test]
    fn a_set_bit_after_the_last_residue_is_found() {
        for modulus in (2..=MAX_MODULUS_BITS).flat_map(moduli) {
            for count in 0..17 {
                let bits = modulus.bits() as usize;
                let mut bytes = vec![0; packed_len(count, modulus.bits())];
                for bit in count * bits..8 * bytes.len() {
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    let mut back = vec![0; count];
                    let refused = unpack(Backend::detect(), &bytes, modulus, 0, &mut back);
                    assert!(matches!(refused, Err(WireError::NotCanonical { .. })), "{count} of {bits} bits: {bit}");
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
            }
        }
    }

    #[test]
    fn other_lengths_are_refused() {
        let [_, modulus] = moduli(41);
        for found in [0, 81, 83] {
            let refused = unpack(Backend::detect(), &vec![0; found], modulus, 0, &mut [0; 16]);
            assert_eq!(refused, Err(WireError::Truncated { needed: 82, found }));
        }
    }
}
