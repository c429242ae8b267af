//! Inverse negacyclic NTT in eight lanes, by the cyclic transform and final factors described at the scalar inverse.
//!
//! Gentleman-Sande butterflies would merge the factors into the layers, but need six instructions instead of five, double the
//! bound of sums in every layer and so ask for corrections. Here the first layer has no multiplications, the factors also bring
//! the result to canonical range, and the twiddles of the first layers are the same for every block.

use core::arch::x86_64::{__m512i, _mm512_add_epi64, _mm512_setzero_si512, _mm512_sub_epi64};

use super::lanes::{load, store, stride1_to_order, stride2_to_stride1, stride2_to_stride4, stride4_to_order};
use super::ntt::{CACHED, Lanes, LastPass, NttTables, Pass, TwiddleVector, broadcast, split};

entries! {
    ntt_inverse(tables: &NttTables, a: &mut [u64]);
}

/// Values to coefficients, both canonical.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn ntt_inverse(tables: &NttTables, a: &mut [u64]) {
    let lanes = Lanes::new(tables.constants);
    let (a, _) = a.as_chunks_mut::<8>();
    if tables.constants.lazy { transform::<true>(&lanes, tables, a) } else { transform::<false>(&lanes, tables, a) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn transform<const LAZY: bool>(lanes: &Lanes, tables: &NttTables, a: &mut [[u64; 8]]) {
    let last = &tables.last;
    let parts = if 8 * a.len() > CACHED { last.radix } else { 1 };
    for block in a.chunks_exact_mut(a.len() / parts) {
        ascend::<LAZY>(lanes, &tables.head, &tables.inverse, block);
    }
    match last.radix {
        2 => last_layers::<LAZY, 2>(lanes, last, a),
        4 => last_layers::<LAZY, 4>(lanes, last, a),
        _ => last_layers::<LAZY, 8>(lanes, last, a),
    }
}

/// Transforms a block by the first layers and `passes`, its parts first while it is too long for L1.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn ascend<const LAZY: bool>(
    lanes: &Lanes,
    head: &[TwiddleVector; 2],
    passes: &[Pass<TwiddleVector>],
    block: &mut [[u64; 8]],
) {
    if let [inner @ .., pass] = passes
        && 8 * block.len() > CACHED
    {
        for part in block.chunks_exact_mut(block.len() / pass.radix) {
            ascend::<LAZY>(lanes, head, inner, part);
        }
        dispatch::<LAZY>(lanes, pass, block, 1);
        return;
    }
    first_three_layers::<LAZY>(lanes, head, block);
    let mut blocks = block.len();
    for pass in passes {
        blocks /= pass.radix;
        dispatch::<LAZY>(lanes, pass, block, blocks);
    }
}

/// Joins blocks of length 1, 2 and 4. The first layer multiplies by nothing.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn first_three_layers<const LAZY: bool>(lanes: &Lanes, head: &[TwiddleVector; 2], block: &mut [[u64; 8]]) {
    let [(w2, quotient2), (w4, quotient4)] =
        [(load(&head[0].w), load(&head[0].quotient)), (load(&head[1].w), load(&head[1].quotient))];
    let (pairs, _) = block.as_chunks_mut::<2>();
    for [left, right] in pairs {
        let (x, y) = stride1_to_order((load(left), load(right)));
        let x = lanes.lift(x);
        let (x, y) = stride2_to_stride1((_mm512_add_epi64(x, y), _mm512_sub_epi64(x, y)));
        let (x, y) = stride2_to_stride4(lanes.butterfly::<LAZY>(x, y, w2, quotient2));
        let (x, y) = stride4_to_order(lanes.butterfly::<LAZY>(x, y, w4, quotient4));
        store(left, x);
        store(right, y);
    }
}

/// One pass over a slice of `blocks` blocks.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn dispatch<const LAZY: bool>(lanes: &Lanes, pass: &Pass<TwiddleVector>, a: &mut [[u64; 8]], blocks: usize) {
    match pass.radix {
        4 => layers::<LAZY, 4>(lanes, &pass.twiddles, a, blocks),
        _ => layers::<LAZY, 8>(lanes, &pass.twiddles, a, blocks),
    }
}

/// `log2(R)` layers on `R` vectors at a time.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn layers<const LAZY: bool, const R: usize>(
    lanes: &Lanes,
    twiddles: &[TwiddleVector],
    a: &mut [[u64; 8]],
    blocks: usize,
) {
    let (twiddles, _) = twiddles.as_chunks::<R>();
    for block in a.chunks_exact_mut(a.len() / blocks) {
        let parts = split::<R>(block);
        for (j, twiddles) in (0..parts[0].len()).zip(twiddles) {
            let mut x = [_mm512_setzero_si512(); R];
            for k in 0..R {
                x[k] = load(&parts[k][j]);
            }
            butterflies::<LAZY, R>(lanes, &mut x, twiddles);
            for k in 0..R {
                store(&mut parts[k][j], x[k]);
            }
        }
    }
}

/// The butterflies of `log2(R)` layers among `R` vectors.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn butterflies<const LAZY: bool, const R: usize>(lanes: &Lanes, x: &mut [__m512i; R], twiddles: &[TwiddleVector; R]) {
    let mut half = 1;
    while half < R {
        for k in (0..R).filter(|k| k & half == 0) {
            let twiddle = &twiddles[half + k % half];
            (x[k], x[k + half]) = lanes.butterfly::<LAZY>(x[k], x[k + half], load(&twiddle.w), load(&twiddle.quotient));
        }
        half *= 2;
    }
}

/// The last `log2(R)` layers with the factors before and after them, see [`LastPass`].
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn last_layers<const LAZY: bool, const R: usize>(lanes: &Lanes, pass: &LastPass, a: &mut [[u64; 8]]) {
    let (inner, _) = pass.inner.as_chunks::<R>();
    let (layers, outer) = (broadcast::<R>(&pass.layers), broadcast::<R>(&pass.outer));
    let lifts = lanes.lifts::<LAZY, R>();
    let parts = split::<R>(a);
    for (j, inner) in (0..parts[0].len()).zip(inner) {
        let mut x = [_mm512_setzero_si512(); R];
        for k in 0..R {
            let factor = &inner[k];
            x[k] = lanes.mul_add(lifts[k], load(&parts[k][j]), load(&factor.w), load(&factor.quotient));
        }
        small_transform::<LAZY, R>(lanes, &mut x, &layers);
        for k in 0..R {
            store(&mut parts[k][j], lanes.mul_canonical(x[k], outer.0[k], outer.1[k]));
        }
    }
}

/// The cyclic transform of size `R` of products in `[0, 2p)`, lifted by [`Lanes::lifts`].
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn small_transform<const LAZY: bool, const R: usize>(
    lanes: &Lanes,
    x: &mut [__m512i; R],
    twiddles: &([__m512i; R], [__m512i; R]),
) {
    let mut half = 1;
    while half < R {
        for k in (0..R).filter(|k| k & half == 0) {
            let (left, right) = (x[k], x[k + half]);
            (x[k], x[k + half]) = if k % half == 0 && (LAZY || half == 1) {
                let left_lifted = if LAZY { left } else { lanes.lift_once(left) };
                (_mm512_add_epi64(left, right), _mm512_sub_epi64(left_lifted, right))
            } else {
                lanes.butterfly::<LAZY>(left, right, twiddles.0[half + k % half], twiddles.1[half + k % half])
            };
        }
        half *= 2;
    }
}
