//! Forward negacyclic NTT in eight lanes: Cooley-Tukey butterflies, two or three layers a pass, the last three in registers.
//!
//! The memory is idle while butterflies are computed, so every visit of some vectors also asks for two lines of what is read next.
//!
//! What did not help: doing the last pass and the last three layers in one visit of 64 residues (too few registers for both
//! sets of twiddles), and one butterfly after the other instead of step by step (`Lanes::layer`).

use core::arch::x86_64::{
    __m512i, _MM_HINT_T1, _mm_prefetch, _mm512_cmpgt_epu64_mask, _mm512_mask_add_epi64, _mm512_set1_epi64,
    _mm512_setzero_si512,
};

use super::butterfly::{Lanes, broadcast, split};
use super::lanes::{
    load, load_four, load_two, order_to_stride4, store, stride1_to_order, stride2_to_stride1, stride4_to_stride2,
};
use super::ntt::{CACHED, NttTables, Pass, Tail, Twiddle};
use crate::modulus::Modulus;
use crate::prefetch::Prefetch;

entries! {
    ntt_forward(tables: &NttTables, a: &mut [u64]);
    ntt_forward_from(tables: &NttTables, out: &mut [u64], src: &[u64]);
    ntt_forward_centred(tables: &NttTables, out: &mut [u64], src: &[u64], source: Modulus, ahead: &mut Prefetch<'_>);
}

/// Coefficients to values, both canonical.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn ntt_forward(tables: &NttTables, a: &mut [u64]) {
    let lanes = Lanes::new(tables.constants);
    let (a, _) = a.as_chunks_mut::<8>();
    match tables.constants.every {
        0 => descend::<0>(&lanes, &tables.forward, &tables.tail, a, 0, true, &mut Prefetch::none()),
        3 => descend::<3>(&lanes, &tables.forward, &tables.tail, a, 0, true, &mut Prefetch::none()),
        _ => descend::<1>(&lanes, &tables.forward, &tables.tail, a, 0, true, &mut Prefetch::none()),
    }
}

/// Coefficients to values elsewhere, both canonical.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn ntt_forward_from(tables: &NttTables, out: &mut [u64], src: &[u64]) {
    forward_with(tables, out, src, |x| x, &mut Prefetch::none());
}

/// Residues modulo `source`, taken as centred integers, to canonical values.
///
/// `x` above half becomes `x - source + m p` with the least `m` that keeps it from being negative: below `source / 2 + p`, which the
/// first layer mostly takes as it is. Otherwise it is reduced first.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn ntt_forward_centred(tables: &NttTables, out: &mut [u64], src: &[u64], source: Modulus, ahead: &mut Prefetch<'_>) {
    let modulus = tables.constants.modulus;
    let p = modulus.value();
    let half = source.value() / 2;
    let above = half.div_ceil(p) * p;
    let (halves, shift) =
        (_mm512_set1_epi64(half as i64), _mm512_set1_epi64(above.wrapping_sub(source.value()) as i64));
    let lift = |x| _mm512_mask_add_epi64(x, _mm512_cmpgt_epu64_mask(x, halves), x, shift);
    if half + p <= tables.constants.input_limit() {
        forward_with(tables, out, src, lift, ahead);
    } else {
        let lanes = Lanes::new(tables.constants);
        forward_with(tables, out, src, |x| lanes.canonical(lift(x)), ahead);
    }
}

/// Transforms `lift` of every coefficient, which the first pass reads from `src` and writes to `out`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn forward_with(
    tables: &NttTables,
    out: &mut [u64],
    src: &[u64],
    lift: impl Fn(__m512i) -> __m512i,
    ahead: &mut Prefetch<'_>,
) {
    let lanes = Lanes::new(tables.constants);
    let ((out, _), (src, _)) = (out.as_chunks_mut::<8>(), src.as_chunks::<8>());
    match tables.constants.every {
        0 => descend_from::<0>(&lanes, tables, out, src, lift, ahead),
        3 => descend_from::<3>(&lanes, tables, out, src, lift, ahead),
        _ => descend_from::<1>(&lanes, tables, out, src, lift, ahead),
    }
}

/// The first pass from `src` to `out`, then the others in place, block by block.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn descend_from<const EVERY: usize>(
    lanes: &Lanes,
    tables: &NttTables,
    out: &mut [[u64; 8]],
    src: &[[u64; 8]],
    lift: impl Fn(__m512i) -> __m512i,
    ahead: &mut Prefetch<'_>,
) {
    let [pass, inner @ ..] = &*tables.forward else { return };
    if inner.is_empty() {
        for (out, src) in out.iter_mut().zip(src) {
            store(out, lift(load(src)));
        }
        descend::<EVERY>(lanes, &tables.forward, &tables.tail, out, 0, true, ahead);
        return;
    }
    match (pass.radix, EVERY == 0) {
        (4, false) => first_layers::<EVERY, 4, false>(lanes, &pass.twiddles, out, src, lift, ahead),
        (_, false) => first_layers::<EVERY, 8, false>(lanes, &pass.twiddles, out, src, lift, ahead),
        (4, true) => first_layers::<EVERY, 4, true>(lanes, &pass.twiddles, out, src, lift, ahead),
        (_, true) => first_layers::<EVERY, 8, true>(lanes, &pass.twiddles, out, src, lift, ahead),
    }
    let length = out.len() / pass.radix;
    let tails = tables.tail.chunks_exact(length / 2);
    for (index, (block, tail)) in out.chunks_exact_mut(length).zip(tails).enumerate() {
        descend::<EVERY>(lanes, inner, tail, block, index, false, ahead);
    }
}

/// [`layers`] of the whole transform, out of place.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn first_layers<const EVERY: usize, const R: usize, const LIFT: bool>(
    lanes: &Lanes,
    twiddles: &[Twiddle],
    out: &mut [[u64; 8]],
    src: &[[u64; 8]],
    lift: impl Fn(__m512i) -> __m512i,
    ahead: &mut Prefetch<'_>,
) {
    let twiddles = broadcast::<R>(twiddles);
    let length = src.len() / R;
    let parts = split::<R>(out);
    for j in 0..length {
        let mut x = [_mm512_setzero_si512(); R];
        for k in 0..R {
            x[k] = lift(load(&src[k * length + j]));
        }
        butterflies::<EVERY, R, LIFT>(lanes, &mut x, &twiddles);
        step(ahead);
        for k in 0..R {
            store(&mut parts[k][j], x[k]);
        }
    }
}

/// Asks for the next two lines.
#[inline]
#[expect(unsafe_code, reason = "a hint to the memory takes a pointer")]
fn step(ahead: &mut Prefetch<'_>) {
    if let Some(lines) = ahead.next_lines() {
        let (first, second) = (lines.as_ptr().cast(), lines[8..].as_ptr().cast());
        // SAFETY: the instruction is part of SSE, which every x86-64 CPU has; it is a hint that reads nothing, and both pointers are to
        // residues of one slice.
        unsafe {
            _mm_prefetch::<_MM_HINT_T1>(first);
            _mm_prefetch::<_MM_HINT_T1>(second);
        }
    }
}

/// Transforms block `index` of its layer by the remaining `passes` and the last layers, depth first while it is too long for L1.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn descend<const EVERY: usize>(
    lanes: &Lanes,
    passes: &[Pass<Twiddle>],
    tail: &[Tail],
    block: &mut [[u64; 8]],
    index: usize,
    first: bool,
    ahead: &mut Prefetch<'_>,
) {
    let [pass, inner @ ..] = passes else { return };
    if 8 * block.len() > CACHED {
        dispatch::<EVERY>(lanes, pass, block, 1, index, first, ahead);
        let length = block.len() / pass.radix;
        for (i, (block, tail)) in block.chunks_exact_mut(length).zip(tail.chunks_exact(length / 2)).enumerate() {
            descend::<EVERY>(lanes, inner, tail, block, index * pass.radix + i, false, ahead);
        }
        return;
    }
    let mut blocks = 1;
    let mut first = first;
    let [passes @ .., last] = passes else { return };
    for pass in passes {
        dispatch::<EVERY>(lanes, pass, block, blocks, index * blocks, first, ahead);
        blocks *= pass.radix;
        first = false;
    }
    let twiddles = &last.twiddles[index * blocks * last.radix..][..blocks * last.radix];
    match (last.radix, first && EVERY == 0) {
        (2, false) => last_layers::<EVERY, 2, false>(lanes, twiddles, tail, block, ahead),
        (4, false) => last_layers::<EVERY, 4, false>(lanes, twiddles, tail, block, ahead),
        (_, false) => last_layers::<EVERY, 8, false>(lanes, twiddles, tail, block, ahead),
        (2, true) => last_layers::<EVERY, 2, true>(lanes, twiddles, tail, block, ahead),
        (4, true) => last_layers::<EVERY, 4, true>(lanes, twiddles, tail, block, ahead),
        (_, true) => last_layers::<EVERY, 8, true>(lanes, twiddles, tail, block, ahead),
    }
}

/// One pass over `blocks` neighbouring blocks, of which the first is block `index` of its layer.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn dispatch<const EVERY: usize>(
    lanes: &Lanes,
    pass: &Pass<Twiddle>,
    a: &mut [[u64; 8]],
    blocks: usize,
    index: usize,
    first: bool,
    ahead: &mut Prefetch<'_>,
) {
    let twiddles = &pass.twiddles[index * pass.radix..][..blocks * pass.radix];
    match (pass.radix, first && EVERY == 0) {
        (4, false) => layers::<EVERY, 4, false>(lanes, twiddles, a, ahead),
        (_, false) => layers::<EVERY, 8, false>(lanes, twiddles, a, ahead),
        (4, true) => layers::<EVERY, 4, true>(lanes, twiddles, a, ahead),
        (_, true) => layers::<EVERY, 8, true>(lanes, twiddles, a, ahead),
    }
}

/// `log2(R)` layers on `R` vectors at a time; `LIFT` for the first layers of a transform without refreshing.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn layers<const EVERY: usize, const R: usize, const LIFT: bool>(
    lanes: &Lanes,
    twiddles: &[Twiddle],
    a: &mut [[u64; 8]],
    ahead: &mut Prefetch<'_>,
) {
    let (twiddles, _) = twiddles.as_chunks::<R>();
    for (block, twiddles) in a.chunks_exact_mut(a.len() / twiddles.len()).zip(twiddles) {
        let twiddles = broadcast::<R>(twiddles);
        let parts = split::<R>(block);
        for j in 0..parts[0].len() {
            let mut x = [_mm512_setzero_si512(); R];
            for k in 0..R {
                x[k] = load(&parts[k][j]);
            }
            butterflies::<EVERY, R, LIFT>(lanes, &mut x, &twiddles);
            step(ahead);
            for k in 0..R {
                store(&mut parts[k][j], x[k]);
            }
        }
    }
}

/// The butterflies of `log2(R)` layers among `R` vectors.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn butterflies<const EVERY: usize, const R: usize, const LIFT: bool>(
    lanes: &Lanes,
    x: &mut [__m512i; R],
    twiddles: &([__m512i; R], [__m512i; R]),
) {
    if LIFT {
        for left in x.iter_mut().take(R / 2) {
            *left = lanes.lift(*left);
        }
    }
    let mut half = R / 2;
    while half > 0 {
        let (mut w, mut quotients) = *twiddles;
        for k in 0..R {
            let entry = R / 2 / half + k / (2 * half);
            (w[k], quotients[k]) = (twiddles.0[entry], twiddles.1[entry]);
        }
        lanes.layer(x, half, &w, &quotients, EVERY == 1 || EVERY == 3 && half == R / 2);
        half /= 2;
    }
}

/// The last pass, whose blocks are `R` vectors long, with the layers of strides 4, 2 and 1 and the return to canonical residues.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn last_layers<const EVERY: usize, const R: usize, const LIFT: bool>(
    lanes: &Lanes,
    twiddles: &[Twiddle],
    tail: &[Tail],
    a: &mut [[u64; 8]],
    ahead: &mut Prefetch<'_>,
) {
    let (twiddles, _) = twiddles.as_chunks::<R>();
    let (blocks, _) = a.as_chunks_mut::<R>();
    for (block, twiddles) in blocks.iter_mut().zip(twiddles) {
        let mut x = [_mm512_setzero_si512(); R];
        for k in 0..R {
            x[k] = load(&block[k]);
        }
        butterflies::<EVERY, R, LIFT>(lanes, &mut x, &broadcast::<R>(twiddles));
        step(ahead);
        for k in 0..R {
            store(&mut block[k], x[k]);
        }
    }
    for (block, tail) in blocks.iter_mut().zip(tail.chunks_exact(R / 2)) {
        let mut x = [_mm512_setzero_si512(); R];
        for k in 0..R {
            x[k] = load(&block[k]);
        }
        let (mut w, mut quotients) = (x, x);
        for (i, t) in tail.iter().enumerate().take(R / 2) {
            (x[2 * i], x[2 * i + 1]) = order_to_stride4((x[2 * i], x[2 * i + 1]));
            (w[2 * i], quotients[2 * i]) = (load_two(&t.w4), load_two(&t.quotient4));
        }
        lanes.layer(&mut x, 1, &w, &quotients, EVERY != 0);
        step(ahead);
        for (i, t) in tail.iter().enumerate().take(R / 2) {
            (x[2 * i], x[2 * i + 1]) = stride4_to_stride2((x[2 * i], x[2 * i + 1]));
            (w[2 * i], quotients[2 * i]) = (load_four(&t.w2), load_four(&t.quotient2));
        }
        lanes.layer(&mut x, 1, &w, &quotients, EVERY == 1);
        for (i, t) in tail.iter().enumerate().take(R / 2) {
            (x[2 * i], x[2 * i + 1]) = stride2_to_stride1((x[2 * i], x[2 * i + 1]));
            (w[2 * i], quotients[2 * i]) = (load(&t.w1), load(&t.quotient1));
        }
        lanes.layer(&mut x, 1, &w, &quotients, EVERY == 1);
        for x in &mut x {
            *x = lanes.canonical(*x);
        }
        for i in 0..R / 2 {
            (x[2 * i], x[2 * i + 1]) = stride1_to_order((x[2 * i], x[2 * i + 1]));
        }
        for k in 0..R {
            store(&mut block[k], x[k]);
        }
    }
}
