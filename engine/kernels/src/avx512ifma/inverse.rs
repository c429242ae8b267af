//! Inverse negacyclic NTT in eight lanes, by the cyclic transform and final factors described at the scalar inverse.
//!
//! Gentleman-Sande butterflies would merge the factors into the layers, but need six instructions instead of five, double the
//! bound of sums in every layer and so ask for corrections. Here the first layer has no multiplications, the factors also bring
//! the result to canonical range, and the twiddles of the first layers are the same for every block.

use core::arch::x86_64::{__m512i, _mm512_add_epi64, _mm512_setzero_si512, _mm512_sub_epi64};

use super::butterfly::{Lanes, broadcast, split};
use super::lanes::{load, store, stride1_to_order, stride2_to_stride1, stride2_to_stride4, stride4_to_order};
use super::ntt::{CACHED, LastPass, NttTables, Pass, TwiddleVector};

entries! {
    ntt_inverse(tables: &NttTables, a: &mut [u64]);
}

/// Values to coefficients, both canonical.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn ntt_inverse(tables: &NttTables, a: &mut [u64]) {
    let lanes = Lanes::new(tables.constants);
    let (a, _) = a.as_chunks_mut::<8>();
    match tables.constants.every {
        0 => transform::<0>(&lanes, tables, a),
        3 => transform::<3>(&lanes, tables, a),
        _ => transform::<1>(&lanes, tables, a),
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn transform<const EVERY: usize>(lanes: &Lanes, tables: &NttTables, a: &mut [[u64; 8]]) {
    let last = &tables.last;
    let parts = if 8 * a.len() > CACHED { last.radix } else { 1 };
    for block in a.chunks_exact_mut(a.len() / parts) {
        ascend::<EVERY>(lanes, &tables.head, &tables.inverse, block);
    }
    match last.radix {
        2 => last_layers::<EVERY, 2>(lanes, last, a),
        4 => last_layers::<EVERY, 4>(lanes, last, a),
        _ => last_layers::<EVERY, 8>(lanes, last, a),
    }
}

/// Transforms a block by the first layers and `passes`, its parts first while it is too long for L1.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn ascend<const EVERY: usize>(
    lanes: &Lanes,
    head: &[TwiddleVector; 2],
    passes: &[Pass<TwiddleVector>],
    block: &mut [[u64; 8]],
) {
    if let [inner @ .., pass] = passes
        && 8 * block.len() > CACHED
    {
        for part in block.chunks_exact_mut(block.len() / pass.radix) {
            ascend::<EVERY>(lanes, head, inner, part);
        }
        dispatch::<EVERY>(lanes, pass, block, 1);
        return;
    }
    match block.len() {
        2 => first_three_layers::<EVERY, 2>(lanes, head, block),
        4 => first_three_layers::<EVERY, 4>(lanes, head, block),
        _ => first_three_layers::<EVERY, 8>(lanes, head, block),
    }
    let mut blocks = block.len();
    for pass in passes {
        blocks /= pass.radix;
        dispatch::<EVERY>(lanes, pass, block, blocks);
    }
}

/// Joins blocks of length 1, 2 and 4, in `R` vectors at a time. The first layer multiplies by nothing.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn first_three_layers<const EVERY: usize, const R: usize>(
    lanes: &Lanes,
    head: &[TwiddleVector; 2],
    block: &mut [[u64; 8]],
) {
    let [(w2, quotients2), (w4, quotients4)] =
        [([load(&head[0].w); R], [load(&head[0].quotient); R]), ([load(&head[1].w); R], [load(&head[1].quotient); R])];
    let (blocks, _) = block.as_chunks_mut::<R>();
    for block in blocks {
        let mut x = [_mm512_setzero_si512(); R];
        for k in 0..R {
            x[k] = load(&block[k]);
        }
        for i in (0..R).step_by(2) {
            let (left, right) = stride1_to_order((x[i], x[i + 1]));
            let left = lanes.lift(left);
            (x[i], x[i + 1]) = stride2_to_stride1((_mm512_add_epi64(left, right), _mm512_sub_epi64(left, right)));
        }
        lanes.layer(&mut x, 1, &w2, &quotients2, EVERY == 1);
        for i in (0..R).step_by(2) {
            (x[i], x[i + 1]) = stride2_to_stride4((x[i], x[i + 1]));
        }
        lanes.layer(&mut x, 1, &w4, &quotients4, EVERY == 1);
        for i in (0..R).step_by(2) {
            (x[i], x[i + 1]) = stride4_to_order((x[i], x[i + 1]));
        }
        for k in 0..R {
            store(&mut block[k], x[k]);
        }
    }
}

/// One pass over a slice of `blocks` blocks.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn dispatch<const EVERY: usize>(lanes: &Lanes, pass: &Pass<TwiddleVector>, a: &mut [[u64; 8]], blocks: usize) {
    match pass.radix {
        4 => layers::<EVERY, 4>(lanes, &pass.twiddles, a, blocks),
        _ => layers::<EVERY, 8>(lanes, &pass.twiddles, a, blocks),
    }
}

/// `log2(R)` layers on `R` vectors at a time.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn layers<const EVERY: usize, const R: usize>(
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
            butterflies::<EVERY, R>(lanes, &mut x, twiddles);
            for k in 0..R {
                store(&mut parts[k][j], x[k]);
            }
        }
    }
}

/// The butterflies of `log2(R)` layers among `R` vectors.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn butterflies<const EVERY: usize, const R: usize>(lanes: &Lanes, x: &mut [__m512i; R], twiddles: &[TwiddleVector; R]) {
    let mut half = 1;
    while half < R {
        let (mut w, mut quotients) = (*x, *x);
        for k in 0..R {
            let twiddle = &twiddles[half + k % half];
            (w[k], quotients[k]) = (load(&twiddle.w), load(&twiddle.quotient));
        }
        lanes.layer(x, half, &w, &quotients, EVERY == 1 || EVERY == 3 && half == 1);
        half *= 2;
    }
}

/// The last `log2(R)` layers with the factors before and after them, see [`LastPass`].
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn last_layers<const EVERY: usize, const R: usize>(lanes: &Lanes, pass: &LastPass, a: &mut [[u64; 8]]) {
    let (inner, _) = pass.inner.as_chunks::<R>();
    let (layers, outer) = (broadcast::<R>(&pass.layers), broadcast::<R>(&pass.outer));
    let lifts = lanes.lifts::<EVERY, R>();
    let parts = split::<R>(a);
    for (j, inner) in (0..parts[0].len()).zip(inner) {
        let mut x = [_mm512_setzero_si512(); R];
        for k in 0..R {
            let factor = &inner[k];
            x[k] = lanes.mul_add(lifts[k], load(&parts[k][j]), load(&factor.w), load(&factor.quotient), EVERY == 0);
        }
        small_transform::<EVERY, R>(lanes, &mut x, &layers);
        for k in 0..R {
            store(&mut parts[k][j], lanes.mul_canonical(x[k], outer.0[k], outer.1[k]));
        }
    }
}

/// The cyclic transform of size `R` of the products that [`last_layers`] makes.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn small_transform<const EVERY: usize, const R: usize>(
    lanes: &Lanes,
    x: &mut [__m512i; R],
    twiddles: &([__m512i; R], [__m512i; R]),
) {
    for k in (0..R).step_by(2) {
        // Refreshed transforms start from products in [0, 2p) and reach [0, 4p) here; the others start from lifted ones.
        let left = if EVERY == 0 { x[k] } else { lanes.lift_twice_p(x[k]) };
        (x[k], x[k + 1]) = (_mm512_add_epi64(x[k], x[k + 1]), _mm512_sub_epi64(left, x[k + 1]));
    }
    if R >= 4 {
        small_layer::<EVERY, R, 2>(lanes, x, twiddles, EVERY != 0);
    }
    if R >= 8 {
        small_layer::<EVERY, R, 4>(lanes, x, twiddles, EVERY == 1);
    }
}

/// The layer of [`small_transform`] that joins transforms of size `HALF`. Without refreshing, trivial twiddles save their
/// multiplication.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn small_layer<const EVERY: usize, const R: usize, const HALF: usize>(
    lanes: &Lanes,
    x: &mut [__m512i; R],
    twiddles: &([__m512i; R], [__m512i; R]),
    refresh: bool,
) {
    let before = *x;
    let (mut w, mut quotients) = *twiddles;
    for k in 0..R {
        (w[k], quotients[k]) = (twiddles.0[HALF + k % HALF], twiddles.1[HALF + k % HALF]);
    }
    lanes.layer(x, HALF, &w, &quotients, refresh);
    if EVERY == 0 {
        for k in (0..R).step_by(2 * HALF) {
            x[k] = _mm512_add_epi64(before[k], before[k + HALF]);
            x[k + HALF] = _mm512_sub_epi64(before[k], before[k + HALF]);
        }
    }
}
