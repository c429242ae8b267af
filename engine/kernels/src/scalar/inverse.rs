//! Inverse negacyclic NTT on 64-bit integers.
//!
//! With `omega = psi^2` the coefficients are `a_j = psi^-j / n * sum over k of A(psi^(2k+1)) omega^(-jk)`: a cyclic transform of
//! bit-reversed input by Cooley-Tukey butterflies, whose first layers have trivial twiddles, and one factor a coefficient
//! that also divides by `n` and brings the result back to canonical range. Against Gentleman-Sande butterflies, where
//! sums double in every layer, nothing has to be corrected on the way.

use super::ntt::NttTables;

/// Values to coefficients, both canonical.
pub(crate) fn transform(tables: &NttTables, a: &mut [u64]) {
    let n = a.len();
    first_two_layers(tables, a);
    let mut stride = 4;
    if n.trailing_zeros() % 2 == 1 {
        one_layer(tables, a, stride);
        stride = 8;
    }
    while 4 * stride < n {
        two_layers(tables, a, stride);
        stride *= 4;
    }
    last_two_layers(tables, a);
}

/// Joins blocks of length 1 and 2: one multiplication, by the inverse fourth root of unity, in four values.
fn first_two_layers(tables: &NttTables, a: &mut [u64]) {
    let (m, w) = (tables.montgomery, tables.inverse[3]);
    let (quads, _) = a.as_chunks_mut::<4>();
    for quad in quads {
        let [x0, x1, x2, x3] = quad.map(|x| x as i64);
        let (a0, a1) = (x0 + x1, x0 - x1);
        let (a2, a3) = (x2 + x3, x2 - x3);
        let (b1, b3) = m.butterfly(a1, a3, w);
        *quad = [a0 + a2, b1, a0 - a2, b3].map(|x| x as u64);
    }
}

/// Joins blocks of length `stride`.
fn one_layer(tables: &NttTables, a: &mut [u64], stride: usize) {
    let m = tables.montgomery;
    let twiddles = &tables.inverse[stride..2 * stride];
    for block in a.chunks_exact_mut(2 * stride) {
        let (low, high) = block.split_at_mut(stride);
        for ((x, y), &w) in low.iter_mut().zip(high).zip(twiddles) {
            let (sum, difference) = m.butterfly(*x as i64, *y as i64, w);
            (*x, *y) = (sum as u64, difference as u64);
        }
    }
}

/// Joins blocks of length `stride` and then `2 stride`.
fn two_layers(tables: &NttTables, a: &mut [u64], stride: usize) {
    let m = tables.montgomery;
    let inner = &tables.inverse[stride..2 * stride];
    let (outer0, outer1) = tables.inverse[2 * stride..4 * stride].split_at(stride);
    for block in a.chunks_exact_mut(4 * stride) {
        let (low, high) = block.split_at_mut(2 * stride);
        let (x0, x1) = low.split_at_mut(stride);
        let (x2, x3) = high.split_at_mut(stride);
        let values = x0.iter_mut().zip(x1).zip(x2).zip(x3);
        for ((((x0, x1), x2), x3), ((&w, &w0), &w1)) in values.zip(inner.iter().zip(outer0).zip(outer1)) {
            let (a0, a1) = m.butterfly(*x0 as i64, *x1 as i64, w);
            let (a2, a3) = m.butterfly(*x2 as i64, *x3 as i64, w);
            let (b0, b2) = m.butterfly(a0, a2, w0);
            let (b1, b3) = m.butterfly(a1, a3, w1);
            (*x0, *x1, *x2, *x3) = (b0 as u64, b1 as u64, b2 as u64, b3 as u64);
        }
    }
}

/// Joins blocks of length `n / 4` and `n / 2` and multiplies coefficient `j` by `psi^-j / n`.
fn last_two_layers(tables: &NttTables, a: &mut [u64]) {
    let m = tables.montgomery;
    let stride = a.len() / 4;
    two_layers(tables, a, stride);
    for (x, &w) in a.iter_mut().zip(&tables.untwist) {
        *x = m.canonical_from_signed(m.mul(*x as i64, w));
    }
}
