//! Element-wise operations on one limb. The slices of a call have equal lengths; residues are canonical.

use crate::modulus::Modulus;
use crate::reduction::{FixedFactor, WideReduction, high_52};

pub(crate) fn add_assign(modulus: Modulus, a: &mut [u64], b: &[u64]) {
    for (a, &b) in a.iter_mut().zip(b) {
        *a = modulus.add(*a, b);
    }
}

pub(crate) fn sub_assign(modulus: Modulus, a: &mut [u64], b: &[u64]) {
    for (a, &b) in a.iter_mut().zip(b) {
        *a = modulus.sub(*a, b);
    }
}

pub(crate) fn neg_assign(modulus: Modulus, a: &mut [u64]) {
    for a in a {
        *a = modulus.neg(*a);
    }
}

pub(crate) fn mul(modulus: Modulus, out: &mut [u64], a: &[u64], b: &[u64]) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = modulus.mul(a, b);
    }
}

pub(crate) fn mul_assign(modulus: Modulus, a: &mut [u64], b: &[u64]) {
    for (a, &b) in a.iter_mut().zip(b) {
        *a = modulus.mul(*a, b);
    }
}

pub(crate) fn mul_add_assign(modulus: Modulus, acc: &mut [u64], a: &[u64], b: &[u64]) {
    for ((acc, &a), &b) in acc.iter_mut().zip(a).zip(b) {
        *acc = modulus.add(*acc, modulus.mul(a, b));
    }
}

pub(crate) fn mul_scalar_assign(modulus: Modulus, a: &mut [u64], w: FixedFactor) {
    for a in a {
        *a = w.mul(modulus, *a);
    }
}

pub(crate) fn mul_scalar_add_assign(modulus: Modulus, acc: &mut [u64], a: &[u64], w: FixedFactor) {
    for (acc, &a) in acc.iter_mut().zip(a) {
        *acc = modulus.add(*acc, w.mul(modulus, a));
    }
}

pub(crate) fn sub_mul_scalar_assign(modulus: Modulus, a: &mut [u64], b: &[u64], w: FixedFactor) {
    for (a, &b) in a.iter_mut().zip(b) {
        *a = w.mul(modulus, *a + modulus.value() - b);
    }
}

pub(crate) fn sub_mul_scalar(modulus: Modulus, out: &mut [u64], a: &[u64], b: &[u64], w: FixedFactor) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = w.mul(modulus, a + modulus.value() - b);
    }
}

pub(crate) fn quotients(modulus: Modulus, out: &mut [u64], w: &[u64]) {
    for (out, &w) in out.iter_mut().zip(w) {
        // With h = floor(w * 2^51 / p) - e, e <= 2, the quotient is 2h plus what the remainder below 4p still holds.
        let estimate = 2 * high_52(w << (52 - modulus.bits()), modulus.barrett());
        let p = modulus.value();
        let remainder = estimate.wrapping_mul(p).wrapping_neg() & ((1 << 52) - 1);
        *out = estimate + u64::from(remainder >= p) + u64::from(remainder >= 2 * p) + u64::from(remainder >= 3 * p);
    }
}

pub(crate) fn mul_prepared(modulus: Modulus, out: &mut [u64], a: &[u64], w: &[u64], quotients: &[u64]) {
    for (((out, &a), &value), &quotient) in out.iter_mut().zip(a).zip(w).zip(quotients) {
        *out = FixedFactor { value, quotient }.mul(modulus, a);
    }
}

pub(crate) fn tensor(wide: WideReduction, out: [&mut [u64]; 3], c: [&[u64]; 2], d: [&[u64]; 2]) {
    let modulus = wide.modulus;
    let [out0, out1, out2] = out;
    let outputs = out0.iter_mut().zip(out1).zip(out2);
    let operands = c[0].iter().zip(c[1]).zip(d[0].iter().zip(d[1]));
    for (((out0, out1), out2), ((&c0, &c1), (&d0, &d1))) in outputs.zip(operands) {
        *out0 = modulus.mul(c0, d0);
        *out1 = wide.reduce(u128::from(c0) * u128::from(d1) + u128::from(c1) * u128::from(d0));
        *out2 = modulus.mul(c1, d1);
    }
}

pub(crate) fn reduce(modulus: Modulus, out: &mut [u64], src: &[u64]) {
    let one = FixedFactor::new(modulus, 1);
    for (out, &src) in out.iter_mut().zip(src) {
        *out = one.mul(modulus, src);
    }
}

pub(crate) fn lift_centred(modulus: Modulus, out: &mut [u64], src: &[u64], source: Modulus) {
    let one = FixedFactor::new(modulus, 1);
    let shift = modulus.reduce(source.value());
    let half = source.value() / 2;
    for (out, &src) in out.iter_mut().zip(src) {
        let above = u64::from(src > half).wrapping_neg();
        *out = modulus.sub(one.mul(modulus, src), shift & above);
    }
}

pub(crate) fn lift_small(modulus: Modulus, out: &mut [u64], values: &[i8]) {
    let one = FixedFactor::new(modulus, 1);
    // A multiple of p that makes every i8 non-negative; below 2^50 + 2^8.
    let offset = modulus.value() * 128_u64.div_ceil(modulus.value());
    for (out, &value) in out.iter_mut().zip(values) {
        *out = one.mul(modulus, offset.wrapping_add_signed(i64::from(value)));
    }
}

pub(crate) fn lift_centred_mul_add_assign(
    modulus: Modulus,
    acc: &mut [u64],
    src: &[u64],
    source: Modulus,
    w: FixedFactor,
) {
    let one = FixedFactor::new(modulus, 1);
    let shift = modulus.reduce(source.value());
    let half = source.value() / 2;
    for (acc, &src) in acc.iter_mut().zip(src) {
        let above = u64::from(src > half).wrapping_neg();
        let lifted = modulus.sub(one.mul(modulus, src), shift & above);
        *acc = modulus.add(*acc, w.mul(modulus, lifted));
    }
}

pub(crate) fn add_small_assign(modulus: Modulus, acc: &mut [u64], values: &[i8]) {
    let one = FixedFactor::new(modulus, 1);
    let offset = modulus.value() * 128_u64.div_ceil(modulus.value());
    for (acc, &value) in acc.iter_mut().zip(values) {
        *acc = one.mul(modulus, (*acc + offset).wrapping_add_signed(i64::from(value)));
    }
}

pub(crate) fn centre(modulus: Modulus, out: &mut [i64], src: &[u64]) {
    for (out, &src) in out.iter_mut().zip(src) {
        *out = modulus.centre(src);
    }
}
