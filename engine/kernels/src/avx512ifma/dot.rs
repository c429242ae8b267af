//! Sums of products that stay in registers over all terms, and the movement of values by automorphisms.

use core::arch::x86_64::{__m512i, _mm512_permutexvar_epi64, _mm512_setzero_si512};

use super::lanes::{load, store};
use super::residues::{NarrowResidues, Residues, WideResidues, WideSum};
use crate::automorphism::NttAutomorphism;
use crate::limb::DotTerm;
use crate::modulus::Modulus;
use crate::reduction::{NarrowReduction, WideReduction};
use crate::scalar;

entries! {
    dot(wide: WideReduction, out: &mut [u64], terms: &[(&[u64], &[u64])], start: usize);
    dot_pair(wide: WideReduction, out: [&mut [u64]; 2], terms: &[DotTerm<'_>]);
    automorphism(out: &mut [u64], src: &[u64], action: &NttAutomorphism);
    automorphism_add_assign(modulus: Modulus, acc: &mut [u64], src: &[u64], action: &NttAutomorphism);
}

/// `V` vectors of sums of products, kept in registers over all terms, from position `start` on.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn dot_block<const V: usize>(
    wide: &WideResidues,
    max_terms: usize,
    out: &mut [[u64; 8]; V],
    terms: &[(&[u64], &[u64])],
    start: usize,
) {
    let mut sums = [WideSum::from_lanes(_mm512_setzero_si512()); V];
    for chunk in terms.chunks(max_terms) {
        for (x, y) in chunk {
            let (x, _) = x[start..start + 8 * V].as_chunks();
            let (y, _) = y[start..start + 8 * V].as_chunks();
            for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
                sum.add_product(load(x), load(y));
            }
        }
        for sum in &mut sums {
            *sum = WideSum::from_lanes(wide.reduce(*sum));
        }
    }
    for (out, sum) in out.iter_mut().zip(sums) {
        store(out, sum.low);
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn dot(wide: WideReduction, out: &mut [u64], terms: &[(&[u64], &[u64])], start: usize) {
    let (constants, max_terms) = (WideResidues::new(&Residues::new(wide.modulus), wide), wide.max_terms());
    let mut position = start;
    let (vectors, tail) = out.as_chunks_mut::<8>();
    let (blocks, vectors) = vectors.as_chunks_mut::<8>();
    for block in blocks {
        dot_block(&constants, max_terms, block, terms, position);
        position += 64;
    }
    for vector in vectors {
        dot_block(&constants, max_terms, core::array::from_mut(vector), terms, position);
        position += 8;
    }
    scalar::dot::dot(wide, tail, terms, position);
}

/// Vector `group` of the image of `src`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn moved(src: &[[u64; 8]], automorphism: &NttAutomorphism, source: u32) -> __m512i {
    let (group, order) = automorphism.unpack(source);
    _mm512_permutexvar_epi64(load(&order.0), load(&src[group]))
}

/// Vectors of one visit of [`dot_pair`]: the two words of both sums take 16 registers.
const PAIR_BLOCK: usize = 4;

/// The reductions of [`dot_pair`].
struct PairReduction {
    wide: WideResidues,
    narrow: NarrowResidues,
    max_terms: usize,
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn dot_pair(wide: WideReduction, out: [&mut [u64]; 2], terms: &[DotTerm<'_>]) {
    let residues = Residues::new(wide.modulus);
    let reduction = PairReduction {
        wide: WideResidues::new(&residues, wide),
        narrow: NarrowResidues::new(&residues, &NarrowReduction::new(wide.modulus)),
        max_terms: wide.max_terms(),
    };
    let factors = (terms.len() as u64).saturating_mul(wide.modulus.value());
    if terms.len() <= reduction.max_terms && NarrowReduction::admits(factors) {
        dot_pair_blocks::<true>(wide, &reduction, out, terms);
    } else {
        dot_pair_blocks::<false>(wide, &reduction, out, terms);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn dot_pair_blocks<const NARROW: bool>(
    wide: WideReduction,
    reduction: &PairReduction,
    out: [&mut [u64]; 2],
    terms: &[DotTerm<'_>],
) {
    let [(out0, tail0), (out1, tail1)] = out.map(|out| out.as_chunks_mut::<8>());
    let mut position = 0;
    let ((blocks0, rest0), (blocks1, rest1)) = (out0.as_chunks_mut(), out1.as_chunks_mut());
    for (out0, out1) in blocks0.iter_mut().zip(blocks1) {
        dot_pair_block::<PAIR_BLOCK, NARROW>(reduction, [out0, out1], terms, position);
        position += 8 * PAIR_BLOCK;
    }
    for (out0, out1) in rest0.iter_mut().zip(rest1) {
        let out = [core::array::from_mut(out0), core::array::from_mut(out1)];
        dot_pair_block::<1, NARROW>(reduction, out, terms, position);
        position += 8;
    }
    scalar::dot::dot_pair(wide, [tail0, tail1], terms, position);
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn dot_pair_block<const V: usize, const NARROW: bool>(
    reduction: &PairReduction,
    out: [&mut [[u64; 8]; V]; 2],
    terms: &[DotTerm<'_>],
    start: usize,
) {
    let mut sums = [[WideSum::from_lanes(_mm512_setzero_si512()); V]; 2];
    for chunk in terms.chunks(reduction.max_terms) {
        for term in chunk {
            let mut x = [_mm512_setzero_si512(); V];
            if let Some(automorphism) = term.automorphism {
                let (src, _) = term.x.as_chunks();
                for (x, &source) in x.iter_mut().zip(&automorphism.sources()[start / 8..start / 8 + V]) {
                    *x = moved(src, automorphism, source);
                }
            } else {
                let (src, _) = term.x[start..start + 8 * V].as_chunks();
                for (x, src) in x.iter_mut().zip(src) {
                    *x = load(src);
                }
            }
            for (sums, y) in sums.iter_mut().zip(term.y) {
                let (y, _) = y[start..start + 8 * V].as_chunks();
                for ((sum, &x), y) in sums.iter_mut().zip(&x).zip(y) {
                    sum.add_product(x, load(y));
                }
            }
        }
        if !NARROW {
            for sum in sums.as_flattened_mut() {
                *sum = WideSum::from_lanes(reduction.wide.reduce(*sum));
            }
        }
    }
    for (out, sums) in out.into_iter().zip(sums) {
        for (out, sum) in out.iter_mut().zip(sums) {
            store(out, if NARROW { reduction.narrow.reduce(sum) } else { sum.low });
        }
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn automorphism(out: &mut [u64], src: &[u64], action: &NttAutomorphism) {
    let (src, _) = src.as_chunks();
    for (out, &source) in out.as_chunks_mut().0.iter_mut().zip(action.sources()) {
        store(out, moved(src, action, source));
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn automorphism_add_assign(modulus: Modulus, acc: &mut [u64], src: &[u64], action: &NttAutomorphism) {
    let residues = Residues::new(modulus);
    let (src, _) = src.as_chunks();
    for (acc, &source) in acc.as_chunks_mut().0.iter_mut().zip(action.sources()) {
        let sum = residues.add(load(acc), moved(src, action, source));
        store(acc, sum);
    }
}
