//! Element-wise operations on one limb, eight residues at a time; the last `len % 8` take the scalar code.

use core::arch::x86_64::{
    __m512i, _mm_cvtsi64_si128, _mm512_add_epi64, _mm512_cmpge_epu64_mask, _mm512_cmpgt_epu64_mask,
    _mm512_cvtepi8_epi64, _mm512_madd52hi_epu64, _mm512_mask_add_epi64, _mm512_mask_sub_epi64, _mm512_maskz_mov_epi64,
    _mm512_setzero_si512, _mm512_sllv_epi64, _mm512_storeu_si512, _mm512_sub_epi64,
};

use super::lanes::{load, store};
use super::residues::{Factors, Residues, broadcast};
use crate::modulus::Modulus;
use crate::reduction::{FixedFactor, WideReduction};
use crate::scalar;

entries! {
    add_assign(modulus: Modulus, a: &mut [u64], b: &[u64]);
    sub_assign(modulus: Modulus, a: &mut [u64], b: &[u64]);
    neg_assign(modulus: Modulus, a: &mut [u64]);
    mul(modulus: Modulus, out: &mut [u64], a: &[u64], b: &[u64]);
    mul_assign(modulus: Modulus, a: &mut [u64], b: &[u64]);
    mul_add_assign(modulus: Modulus, acc: &mut [u64], a: &[u64], b: &[u64]);
    mul_scalar_assign(modulus: Modulus, a: &mut [u64], w: FixedFactor);
    mul_scalar_add_assign(modulus: Modulus, acc: &mut [u64], a: &[u64], w: FixedFactor);
    sub_mul_scalar_assign(modulus: Modulus, a: &mut [u64], b: &[u64], w: FixedFactor);
    sub_mul_scalar(modulus: Modulus, out: &mut [u64], a: &[u64], b: &[u64], w: FixedFactor);
    quotients(modulus: Modulus, out: &mut [u64], w: &[u64]);
    mul_prepared(modulus: Modulus, out: &mut [u64], a: &[u64], w: &[u64], quotients: &[u64]);
    tensor(wide: WideReduction, out: [&mut [u64]; 3], c: [&[u64]; 2], d: [&[u64]; 2]);
    reduce(modulus: Modulus, out: &mut [u64], src: &[u64]);
    lift_centred(modulus: Modulus, out: &mut [u64], src: &[u64], source: Modulus);
    lift_centred_mul_add_assign(
        modulus: Modulus,
        acc: &mut [u64],
        src: &[u64],
        source: Modulus,
        w: FixedFactor
    );
    lift_small(modulus: Modulus, out: &mut [u64], values: &[i8]);
    add_small_assign(modulus: Modulus, acc: &mut [u64], values: &[i8]);
    centre(modulus: Modulus, out: &mut [i64], src: &[u64]);
}

/// `a[i] = f(a[i])`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn update(a: &mut [[u64; 8]], f: impl Fn(__m512i) -> __m512i) {
    for a in a {
        let result = f(load(a));
        store(a, result);
    }
}

/// `a[i] = f(a[i], b[i])`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn update_with(a: &mut [[u64; 8]], b: &[[u64; 8]], f: impl Fn(__m512i, __m512i) -> __m512i) {
    for (a, b) in a.iter_mut().zip(b) {
        let result = f(load(a), load(b));
        store(a, result);
    }
}

/// `out[i] = f(a[i])`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn map(out: &mut [[u64; 8]], a: &[[u64; 8]], f: impl Fn(__m512i) -> __m512i) {
    for (out, a) in out.iter_mut().zip(a) {
        store(out, f(load(a)));
    }
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn add_assign(modulus: Modulus, a: &mut [u64], b: &[u64]) {
    let residues = Residues::new(modulus);
    let ((a, a_tail), (b, b_tail)) = (a.as_chunks_mut(), b.as_chunks());
    update_with(a, b, |a, b| residues.add(a, b));
    scalar::vector::add_assign(modulus, a_tail, b_tail);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sub_assign(modulus: Modulus, a: &mut [u64], b: &[u64]) {
    let residues = Residues::new(modulus);
    let ((a, a_tail), (b, b_tail)) = (a.as_chunks_mut(), b.as_chunks());
    update_with(a, b, |a, b| residues.sub(a, b));
    scalar::vector::sub_assign(modulus, a_tail, b_tail);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn neg_assign(modulus: Modulus, a: &mut [u64]) {
    let residues = Residues::new(modulus);
    let (a, tail) = a.as_chunks_mut();
    update(a, |a| residues.sub(_mm512_setzero_si512(), a));
    scalar::vector::neg_assign(modulus, tail);
}

/// `out[i] = f(a[i], b[i])`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn map_two(out: &mut [[u64; 8]], a: &[[u64; 8]], b: &[[u64; 8]], f: impl Fn(__m512i, __m512i) -> __m512i) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        store(out, f(load(a), load(b)));
    }
}

/// Whether the shorter product of [`Residues::mul`] serves the modulus.
fn is_narrow(modulus: Modulus) -> bool {
    modulus.bits() < 50
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn mul(modulus: Modulus, out: &mut [u64], a: &[u64], b: &[u64]) {
    let residues = Residues::new(modulus);
    let ((out, out_tail), (a, a_tail), (b, b_tail)) = (out.as_chunks_mut(), a.as_chunks(), b.as_chunks());
    if is_narrow(modulus) {
        map_two(out, a, b, |a, b| residues.mul::<true>(a, b));
    } else {
        map_two(out, a, b, |a, b| residues.mul::<false>(a, b));
    }
    scalar::vector::mul(modulus, out_tail, a_tail, b_tail);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn mul_assign(modulus: Modulus, a: &mut [u64], b: &[u64]) {
    let residues = Residues::new(modulus);
    let ((a, a_tail), (b, b_tail)) = (a.as_chunks_mut(), b.as_chunks());
    if is_narrow(modulus) {
        update_with(a, b, |a, b| residues.mul::<true>(a, b));
    } else {
        update_with(a, b, |a, b| residues.mul::<false>(a, b));
    }
    scalar::vector::mul_assign(modulus, a_tail, b_tail);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn mul_add_assign(modulus: Modulus, acc: &mut [u64], a: &[u64], b: &[u64]) {
    let residues = Residues::new(modulus);
    let ((acc, acc_tail), (a, a_tail), (b, b_tail)) = (acc.as_chunks_mut(), a.as_chunks(), b.as_chunks());
    for ((acc, a), b) in acc.iter_mut().zip(a).zip(b) {
        // [0, 3p) + [0, p)
        let sum = _mm512_add_epi64(residues.mul_lazy(load(a), load(b)), load(acc));
        store(acc, residues.reduce_twice(sum));
    }
    scalar::vector::mul_add_assign(modulus, acc_tail, a_tail, b_tail);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn mul_scalar_assign(modulus: Modulus, a: &mut [u64], w: FixedFactor) {
    let (residues, factors) = (Residues::new(modulus), Factors::new(w));
    let (a, tail) = a.as_chunks_mut();
    update(a, |a| factors.mul(&residues, a));
    scalar::vector::mul_scalar_assign(modulus, tail, w);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn mul_scalar_add_assign(modulus: Modulus, acc: &mut [u64], a: &[u64], w: FixedFactor) {
    let (residues, factors) = (Residues::new(modulus), Factors::new(w));
    let ((acc, acc_tail), (a, a_tail)) = (acc.as_chunks_mut(), a.as_chunks());
    // [0, p) + [0, 2p)
    update_with(acc, a, |acc, a| residues.reduce_twice(_mm512_add_epi64(acc, factors.mul_lazy(&residues, a))));
    scalar::vector::mul_scalar_add_assign(modulus, acc_tail, a_tail, w);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sub_mul_scalar_assign(modulus: Modulus, a: &mut [u64], b: &[u64], w: FixedFactor) {
    let (residues, factors) = (Residues::new(modulus), Factors::new(w));
    let ((a, a_tail), (b, b_tail)) = (a.as_chunks_mut(), b.as_chunks());
    update_with(a, b, |a, b| factors.mul(&residues, _mm512_add_epi64(_mm512_sub_epi64(a, b), residues.p)));
    scalar::vector::sub_mul_scalar_assign(modulus, a_tail, b_tail, w);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn sub_mul_scalar(modulus: Modulus, out: &mut [u64], a: &[u64], b: &[u64], w: FixedFactor) {
    let (residues, factors) = (Residues::new(modulus), Factors::new(w));
    let ((out, out_tail), (a, a_tail), (b, b_tail)) = (out.as_chunks_mut(), a.as_chunks(), b.as_chunks());
    map_two(out, a, b, |a, b| factors.mul(&residues, _mm512_add_epi64(_mm512_sub_epi64(a, b), residues.p)));
    scalar::vector::sub_mul_scalar(modulus, out_tail, a_tail, b_tail, w);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn quotients(modulus: Modulus, out: &mut [u64], w: &[u64]) {
    let residues = Residues::new(modulus);
    let ((out, out_tail), (w, w_tail)) = (out.as_chunks_mut(), w.as_chunks());
    let (one, two) = (broadcast(1), broadcast(2));
    map(out, w, |w| {
        let zero = _mm512_setzero_si512();
        // The estimate and its bound are those of the scalar twin: the remainder is below 4p.
        let half = _mm512_madd52hi_epu64(zero, _mm512_sllv_epi64(w, residues.normalisation), residues.barrett);
        let estimate = _mm512_add_epi64(half, half);
        let remainder = residues.remainder(zero, estimate);
        let by_two = _mm512_cmpge_epu64_mask(remainder, residues.twice_p);
        let remainder = _mm512_mask_sub_epi64(remainder, by_two, remainder, residues.twice_p);
        let by_one = _mm512_cmpge_epu64_mask(remainder, residues.p);
        let quotient = _mm512_mask_add_epi64(estimate, by_two, estimate, two);
        _mm512_mask_add_epi64(quotient, by_one, quotient, one)
    });
    scalar::vector::quotients(modulus, out_tail, w_tail);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn mul_prepared(modulus: Modulus, out: &mut [u64], a: &[u64], w: &[u64], quotients: &[u64]) {
    let residues = Residues::new(modulus);
    let ((out, out_tail), (a, a_tail)) = (out.as_chunks_mut(), a.as_chunks());
    let ((w, w_tail), (quotients, quotients_tail)) = (w.as_chunks(), quotients.as_chunks());
    for (((out, a), w), quotient) in out.iter_mut().zip(a).zip(w).zip(quotients) {
        let factors = Factors { value: load(w), quotient: load(quotient) };
        store(out, factors.mul(&residues, load(a)));
    }
    scalar::vector::mul_prepared(modulus, out_tail, a_tail, w_tail, quotients_tail);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn tensor(wide: WideReduction, out: [&mut [u64]; 3], c: [&[u64]; 2], d: [&[u64]; 2]) {
    let residues = Residues::new(wide.modulus);
    let [(out0, tail0), (out1, tail1), (out2, tail2)] = out.map(|out| out.as_chunks_mut());
    let [(c0, c0_tail), (c1, c1_tail)] = c.map(|c| c.as_chunks());
    let [(d0, d0_tail), (d1, d1_tail)] = d.map(|d| d.as_chunks());
    if is_narrow(wide.modulus) {
        tensor_vectors::<true>(&residues, [out0, out1, out2], [c0, c1], [d0, d1]);
    } else {
        tensor_vectors::<false>(&residues, [out0, out1, out2], [c0, c1], [d0, d1]);
    }
    scalar::vector::tensor(wide, [tail0, tail1, tail2], [c0_tail, c1_tail], [d0_tail, d1_tail]);
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn tensor_vectors<const NARROW: bool>(
    residues: &Residues,
    out: [&mut [[u64; 8]]; 3],
    c: [&[[u64; 8]]; 2],
    d: [&[[u64; 8]]; 2],
) {
    let [out0, out1, out2] = out;
    let operands = c[0].iter().zip(c[1]).zip(d[0].iter().zip(d[1]));
    for (((out0, out1), out2), ((c0, c1), (d0, d1))) in out0.iter_mut().zip(out1).zip(out2).zip(operands) {
        let (c0, c1, d0, d1) = (load(c0), load(c1), load(d0), load(d1));
        store(out0, residues.mul::<NARROW>(c0, d0));
        store(out1, residues.mul_add_mul(c0, d1, c1, d0));
        store(out2, residues.mul::<NARROW>(c1, d1));
    }
}

/// `x mod p` for `x < 2^52`, canonical, given `floor(2^52 / p)` in every lane.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn reduce_lanes(residues: &Residues, unit_quotient: __m512i, x: __m512i) -> __m512i {
    let quotient = _mm512_madd52hi_epu64(_mm512_setzero_si512(), x, unit_quotient);
    residues.reduce_once(residues.remainder(x, quotient))
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn reduce(modulus: Modulus, out: &mut [u64], src: &[u64]) {
    let (residues, unit_quotient) = (Residues::new(modulus), broadcast(modulus.shoup52(1)));
    let ((out, out_tail), (src, src_tail)) = (out.as_chunks_mut(), src.as_chunks());
    map(out, src, |x| reduce_lanes(&residues, unit_quotient, x));
    scalar::vector::reduce(modulus, out_tail, src_tail);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn lift_centred(modulus: Modulus, out: &mut [u64], src: &[u64], source: Modulus) {
    let (residues, unit_quotient) = (Residues::new(modulus), broadcast(modulus.shoup52(1)));
    let (half, shift) = (broadcast(source.value() / 2), broadcast(modulus.reduce(source.value())));
    let ((out, out_tail), (src, src_tail)) = (out.as_chunks_mut(), src.as_chunks());
    map(out, src, |x| {
        let shift = _mm512_maskz_mov_epi64(_mm512_cmpgt_epu64_mask(x, half), shift);
        residues.sub(reduce_lanes(&residues, unit_quotient, x), shift)
    });
    scalar::vector::lift_centred(modulus, out_tail, src_tail, source);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn lift_centred_mul_add_assign(modulus: Modulus, acc: &mut [u64], src: &[u64], source: Modulus, w: FixedFactor) {
    let (residues, factors) = (Residues::new(modulus), Factors::new(w));
    // A lifted value need not be reduced before the product: x - q is x + (-q mod p), below 2^52.
    let (half, shift) = (broadcast(source.value() / 2), broadcast(modulus.neg(modulus.reduce(source.value()))));
    let ((acc, acc_tail), (src, src_tail)) = (acc.as_chunks_mut(), src.as_chunks());
    update_with(acc, src, |acc, x| {
        let lifted = _mm512_mask_add_epi64(x, _mm512_cmpgt_epu64_mask(x, half), x, shift);
        residues.reduce_twice(_mm512_add_epi64(acc, factors.mul_lazy(&residues, lifted)))
    });
    scalar::vector::lift_centred_mul_add_assign(modulus, acc_tail, src_tail, source, w);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn lift_small(modulus: Modulus, out: &mut [u64], values: &[i8]) {
    let (residues, unit_quotient) = (Residues::new(modulus), broadcast(modulus.shoup52(1)));
    let offset = broadcast(modulus.value() * 128_u64.div_ceil(modulus.value()));
    let ((out, out_tail), (values, values_tail)) = (out.as_chunks_mut(), values.as_chunks::<8>());
    for (out, values) in out.iter_mut().zip(values) {
        store(out, reduce_lanes(&residues, unit_quotient, _mm512_add_epi64(widen(*values), offset)));
    }
    scalar::vector::lift_small(modulus, out_tail, values_tail);
}

/// Eight signed bytes, one a lane.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn widen(values: [i8; 8]) -> __m512i {
    _mm512_cvtepi8_epi64(_mm_cvtsi64_si128(i64::from_le_bytes(values.map(i8::cast_unsigned))))
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn add_small_assign(modulus: Modulus, acc: &mut [u64], values: &[i8]) {
    let (residues, unit_quotient) = (Residues::new(modulus), broadcast(modulus.shoup52(1)));
    let offset = broadcast(modulus.value() * 128_u64.div_ceil(modulus.value()));
    let ((acc, acc_tail), (values, values_tail)) = (acc.as_chunks_mut(), values.as_chunks::<8>());
    for (acc, values) in acc.iter_mut().zip(values) {
        let sum = _mm512_add_epi64(_mm512_add_epi64(load(acc), offset), widen(*values));
        store(acc, reduce_lanes(&residues, unit_quotient, sum));
    }
    scalar::vector::add_small_assign(modulus, acc_tail, values_tail);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[expect(unsafe_code, reason = "vector stores take pointers")]
fn centre(modulus: Modulus, out: &mut [i64], src: &[u64]) {
    let (p, half) = (broadcast(modulus.value()), broadcast(modulus.value() / 2));
    let ((out, out_tail), (src, src_tail)) = (out.as_chunks_mut::<8>(), src.as_chunks());
    for (out, src) in out.iter_mut().zip(src) {
        let x = load(src);
        let centred = _mm512_mask_sub_epi64(x, _mm512_cmpgt_epu64_mask(x, half), x, p);
        // SAFETY: the reference is valid for writing 64 bytes, and this store needs no alignment.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), centred) };
    }
    scalar::vector::centre(modulus, out_tail, src_tail);
}
