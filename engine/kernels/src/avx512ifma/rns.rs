//! RNS conversion, up to 32 coefficients at a time.

use core::arch::x86_64::{
    __m512i, _mm512_and_si512, _mm512_cmpge_epu64_mask, _mm512_madd52hi_epu64, _mm512_setzero_si512, _mm512_sllv_epi64,
    _mm512_srli_epi64,
};

use super::lanes::{load, store};
use super::residues::{Factors, NarrowResidues, Residues, WideResidues, WideSum, broadcast};
use crate::rns::{Carry, MAX_RNS_LIMBS, RnsScaler, Rounding};
use crate::scalar;

/// Vectors of a full block.
const BLOCK: usize = 4;

/// The `y_i` of one block: a row of vectors for each source prime.
type Rows = [[__m512i; BLOCK]; MAX_RNS_LIMBS];

entries! {
    convert(scaler: &RnsScaler, from: &[&[u64]], carry: Carry<'_>, out: &mut [&mut [u64]]);
}

/// Converts all coefficients. Numbers of limbs and lengths have been checked.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn convert(scaler: &RnsScaler, from: &[&[u64]], carry: Carry<'_>, out: &mut [&mut [u64]]) {
    if scaler.is_narrow {
        convert_blocks::<true>(scaler, from, carry, out);
    } else {
        convert_blocks::<false>(scaler, from, carry, out);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn convert_blocks<const NARROW: bool>(scaler: &RnsScaler, from: &[&[u64]], carry: Carry<'_>, out: &mut [&mut [u64]]) {
    let n = from.first().map_or(0, |limb| limb.len());
    let mut rows = [[_mm512_setzero_si512(); BLOCK]; MAX_RNS_LIMBS];
    let mut position = 0;
    while position + 8 * BLOCK <= n {
        convert_block::<BLOCK, NARROW>(scaler, from, carry, out, position, &mut rows);
        position += 8 * BLOCK;
    }
    while position + 8 <= n {
        convert_block::<1, NARROW>(scaler, from, carry, out, position, &mut rows);
        position += 8;
    }
    scalar::rns::convert(scaler, from, carry, out, position);
}

/// Converts `8 V` coefficients from `start` on.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn convert_block<const V: usize, const NARROW: bool>(
    scaler: &RnsScaler,
    from: &[&[u64]],
    carry: Carry<'_>,
    out: &mut [&mut [u64]],
    start: usize,
    rows: &mut Rows,
) {
    let rows = &mut rows[..from.len()];
    let range = start..start + 8 * V;
    let mut fractions = [broadcast(Rounding::HALF); V];
    for ((row, source), limb) in rows.iter_mut().zip(&scaler.sources).zip(from) {
        let (residues, factors) = (Residues::load(&source.lanes), Factors::new(source.factor));
        let (x, _) = limb[range.clone()].as_chunks();
        for ((y, x), sum) in row[..V].iter_mut().zip(x).zip(&mut fractions) {
            *y = factors.mul(&residues, load(x));
            *sum = _mm512_madd52hi_epu64(*sum, _mm512_sllv_epi64(*y, residues.normalisation), residues.barrett);
        }
    }
    let rounds = round(scaler, &fractions, rows);
    for (j, (target, out)) in scaler.targets.iter().zip(out.iter_mut()).enumerate() {
        let residues = Residues::load(&target.lanes);
        let (wide, narrow) =
            (WideResidues::new(&residues, target.wide), NarrowResidues::new(&residues, &target.narrow));
        let out = &mut out[range.clone()];
        let mut sums = if target.rounds == 1 {
            rounds.map(|rounds| WideSum::from_lanes(rounds))
        } else {
            let factor = broadcast(target.rounds);
            rounds.map(|rounds| WideSum::from_product(rounds, factor))
        };
        if target.carry != 0 {
            let factor = broadcast(target.carry);
            let carried = match carry {
                Carry::Absent => &[],
                Carry::Limbs(limbs) => &limbs[j][range.clone()],
                Carry::InPlace => &*out,
            };
            for (sum, x) in sums.iter_mut().zip(carried.as_chunks().0) {
                sum.add_product(load(x), factor);
            }
        }
        let mut room = scaler.max_terms;
        for (row, &factor) in rows.iter().zip(&target.coefficients) {
            if !NARROW && room == 0 {
                sums = sums.map(|sum| WideSum::from_lanes(wide.reduce(sum)));
                room = scaler.max_terms;
            }
            room = room.wrapping_sub(1);
            let factor = broadcast(factor);
            for (sum, &y) in sums.iter_mut().zip(row) {
                sum.add_product(y, factor);
            }
        }
        for (out, sum) in out.as_chunks_mut().0.iter_mut().zip(sums) {
            store(out, if NARROW { narrow.reduce(sum) } else { wide.reduce(sum) });
        }
    }
}

/// `round(sum y_i / q_i)` of every lane, from the fixed-point sums; doubtful lanes are settled one by one.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn round<const V: usize>(scaler: &RnsScaler, fractions: &[__m512i; V], rows: &[[__m512i; BLOCK]]) -> [__m512i; V] {
    let fraction_bits = broadcast((2 * Rounding::HALF) - 1);
    let doubtful_from = broadcast(scaler.rounding.doubtful_from());
    let mut doubtful = 0;
    for &sum in fractions {
        doubtful |= _mm512_cmpge_epu64_mask(_mm512_and_si512(sum, fraction_bits), doubtful_from);
    }
    if doubtful == 0 { fractions.map(|sum| _mm512_srli_epi64::<51>(sum)) } else { round_lanes(scaler, fractions, rows) }
}

#[cold]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn round_lanes<const V: usize>(
    scaler: &RnsScaler,
    fractions: &[__m512i; V],
    rows: &[[__m512i; BLOCK]],
) -> [__m512i; V] {
    let mut rounds = *fractions;
    for (v, rounds) in rounds.iter_mut().enumerate() {
        let mut lanes = [0; 8];
        store(&mut lanes, *rounds);
        for (lane, value) in lanes.iter_mut().enumerate() {
            *value = scaler.rounding.round(*value, |i| {
                let mut y = [0; 8];
                store(&mut y, rows[i][v]);
                y[lane]
            });
        }
        *rounds = load(&lanes);
    }
    rounds
}
