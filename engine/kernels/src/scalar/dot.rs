//! Sums of products, and the movement of values by automorphisms.

use crate::automorphism::NttAutomorphism;
use crate::limb::DotTerm;
use crate::modulus::Modulus;
use crate::reduction::WideReduction;

/// How many sums of products are kept at a time: a cache line of each operand.
const DOT_BLOCK: usize = 8;

/// `out[j] = sum of x[start + j] * y[start + j]` over the terms.
pub(crate) fn dot(wide: WideReduction, out: &mut [u64], terms: &[(&[u64], &[u64])], start: usize) {
    let max_terms = wide.max_terms();
    for (block, out) in out.chunks_mut(DOT_BLOCK).enumerate() {
        let position = start + DOT_BLOCK * block;
        let range = position..position + out.len();
        let mut sums = [0_u128; DOT_BLOCK];
        for terms in terms.chunks(max_terms) {
            for (x, y) in terms {
                for ((sum, &x), &y) in sums.iter_mut().zip(&x[range.clone()]).zip(&y[range.clone()]) {
                    *sum += u128::from(x) * u128::from(y);
                }
            }
            sums = sums.map(|sum| u128::from(wide.reduce(sum)));
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = sum as u64;
        }
    }
}

/// Both sums of products of the terms, from position `start` on, which is a multiple of 8 where a term has an automorphism.
pub(crate) fn dot_pair(wide: WideReduction, out: [&mut [u64]; 2], terms: &[DotTerm<'_>], start: usize) {
    let max_terms = wide.max_terms();
    let [out0, out1] = out;
    for (block, (out0, out1)) in out0.chunks_mut(DOT_BLOCK).zip(out1.chunks_mut(DOT_BLOCK)).enumerate() {
        let position = start + DOT_BLOCK * block;
        let mut sums = [[0_u128; DOT_BLOCK]; 2];
        for terms in terms.chunks(max_terms) {
            for term in terms {
                let moved = term.automorphism.map(|automorphism| automorphism.positions(position / DOT_BLOCK));
                for (sums, y) in sums.iter_mut().zip(term.y) {
                    for (lane, (sum, &y)) in sums.iter_mut().zip(&y[position..position + out0.len()]).enumerate() {
                        let x = term.x[moved.map_or(position + lane, |moved| moved[lane])];
                        *sum += u128::from(x) * u128::from(y);
                    }
                }
            }
            sums = sums.map(|sums| sums.map(|sum| u128::from(wide.reduce(sum))));
        }
        for (out, sums) in [out0, out1].into_iter().zip(sums) {
            out.iter_mut().zip(sums).for_each(|(out, sum)| *out = sum as u64);
        }
    }
}

pub(crate) fn automorphism(out: &mut [u64], src: &[u64], action: &NttAutomorphism) {
    for (group, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        *out = action.positions(group).map(|position| src[position]);
    }
}

pub(crate) fn automorphism_add_assign(modulus: Modulus, acc: &mut [u64], src: &[u64], action: &NttAutomorphism) {
    for (group, acc) in acc.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        for (acc, position) in acc.iter_mut().zip(action.positions(group)) {
            *acc = modulus.add(*acc, src[position]);
        }
    }
}
