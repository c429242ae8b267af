//! Residues as bits: `bits(p)` for each residue, the least significant first, one after the other without gaps.
//!
//! Eight residues of `b` bits are `b` bytes, so groups of eight are packed by code that is compiled for each width: all shifts and
//! offsets are constants, and every residue is one unaligned load, one shift and one mask.

use std::sync::Arc;

use blindrelay_kernels::{MAX_MODULUS_BITS, Modulus};

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

/// Appends canonical residues modulo a prime of `bits` bits; the last byte is filled with zero bits.
pub(super) fn pack(residues: &[u64], bits: u32, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + packed_len(residues.len(), bits), 0);
    let bytes = out.get_mut(start..).unwrap_or_default();
    with_width!(bits, pack_groups(residues, bytes));
}

fn pack_groups<const B: usize>(residues: &[u64], bytes: &mut [u8]) {
    let (groups, rest) = residues.as_chunks::<GROUP>();
    let (packed, tail) = bytes.as_chunks_mut::<B>();
    for (group, packed) in groups.iter().zip(packed) {
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
pub(super) fn unpack(bytes: &[u8], modulus: Modulus, limb: usize, out: &mut [u64]) -> Result<(), WireError> {
    let found = bytes.len();
    let needed = packed_len(out.len(), modulus.bits());
    if found != needed {
        return Err(WireError::Truncated { needed, found });
    }
    let limit = modulus.value() - 1;
    let checked = with_width!(modulus.bits(), unpack_groups(bytes, limit, out));
    if !checked.padding_is_zero {
        return Err(WireError::NotCanonical { what: "bits after the last residue are not zero" });
    }
    if checked.all_within {
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
    let (packed, tail) = bytes.as_chunks::<B>();
    let (groups, rest) = out.as_chunks_mut::<GROUP>();
    // Residues and limit are below 2^50: the difference has its top bit set exactly where a residue is above the limit.
    let mut above = 0;
    for (group, packed) in groups.iter_mut().zip(packed) {
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
        pack(residues, limb.modulus().bits(), out);
    }
}

/// Reads a polynomial over a basis.
pub(super) fn read_poly<R: Representation>(
    payload: &mut Payload<'_>,
    basis: &Arc<Basis>,
) -> Result<Poly<R>, WireError> {
    let mut poly = Poly::zero(basis);
    for (index, (limb, residues)) in poly.limbs_mut().enumerate() {
        let bytes = payload.take(packed_len(residues.len(), limb.modulus().bits()))?;
        unpack(bytes, limb.modulus(), index, residues)?;
    }
    Ok(poly)
}

/// Reads the seed of a uniform half.
pub(super) fn read_seed(payload: &mut Payload<'_>) -> Result<Seed, WireError> {
    payload.array::<SEED_BYTES>().map(Seed::from_bytes)
}
