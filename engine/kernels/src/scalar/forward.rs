//! Forward negacyclic NTT on 64-bit integers: Cooley-Tukey butterflies, two layers a pass, values signed and uncorrected.
//!
//! An odd number of layers starts with three at once: a loop over a single layer is one that LLVM turns into SSE2 code with
//! 64-bit products put together from 32-bit ones, at twice the time.

use super::ntt::NttTables;

/// Coefficients to values, both canonical.
///
/// In between, values are signed numbers of magnitude below `10p` kept in the same words (see `Montgomery`).
pub(crate) fn transform(tables: &NttTables, a: &mut [u64]) {
    let n = a.len();
    let mut blocks = 1;
    if n.trailing_zeros() % 2 == 1 {
        first_three_layers(tables, a);
        blocks = 8;
    }
    while 4 * blocks < n {
        two_layers(tables, a, blocks);
        blocks *= 4;
    }
    last_two_layers(tables, a);
}

/// The first three layers, of strides `n / 2` to `n / 8`.
fn first_three_layers(tables: &NttTables, a: &mut [u64]) {
    let m = tables.montgomery;
    let eighth = a.len() / 8;
    let (low, high) = a.split_at_mut(4 * eighth);
    let ((x01, x23), (x45, x67)) = (low.split_at_mut(2 * eighth), high.split_at_mut(2 * eighth));
    let ((x0, x1), (x2, x3)) = (x01.split_at_mut(eighth), x23.split_at_mut(eighth));
    let ((x4, x5), (x6, x7)) = (x45.split_at_mut(eighth), x67.split_at_mut(eighth));
    let low = x0.iter_mut().zip(x1).zip(x2.iter_mut().zip(x3));
    let high = x4.iter_mut().zip(x5).zip(x6.iter_mut().zip(x7));
    for (((x0, x1), (x2, x3)), ((x4, x5), (x6, x7))) in low.zip(high) {
        let mut x = [*x0, *x1, *x2, *x3, *x4, *x5, *x6, *x7].map(|x| x as i64);
        let mut half = 4;
        while half > 0 {
            for k in 0..8 {
                if k & half == 0 {
                    (x[k], x[k + half]) = m.butterfly(x[k], x[k + half], tables.forward[4 / half + k / (2 * half)]);
                }
            }
            half /= 2;
        }
        [*x0, *x1, *x2, *x3, *x4, *x5, *x6, *x7] = x.map(|x| x as u64);
    }
}

/// The layers of `blocks` and `2 blocks` blocks.
fn two_layers(tables: &NttTables, a: &mut [u64], blocks: usize) {
    let m = tables.montgomery;
    let outer = &tables.forward[blocks..2 * blocks];
    let (inner, _) = tables.forward[2 * blocks..4 * blocks].as_chunks::<2>();
    for ((block, &w), &[w0, w1]) in a.chunks_exact_mut(a.len() / blocks).zip(outer).zip(inner) {
        let (low, high) = block.split_at_mut(block.len() / 2);
        let (x0, x1) = low.split_at_mut(low.len() / 2);
        let (x2, x3) = high.split_at_mut(high.len() / 2);
        for (((x0, x1), x2), x3) in x0.iter_mut().zip(x1).zip(x2).zip(x3) {
            let (a0, a2) = m.butterfly(*x0 as i64, *x2 as i64, w);
            let (a1, a3) = m.butterfly(*x1 as i64, *x3 as i64, w);
            let (b0, b1) = m.butterfly(a0, a1, w0);
            let (b2, b3) = m.butterfly(a2, a3, w1);
            (*x0, *x1, *x2, *x3) = (b0 as u64, b1 as u64, b2 as u64, b3 as u64);
        }
    }
}

/// The layers of strides 2 and 1, and the return to canonical residues.
fn last_two_layers(tables: &NttTables, a: &mut [u64]) {
    let m = tables.montgomery;
    let n = a.len();
    let outer = &tables.forward[n / 4..n / 2];
    let (inner, _) = tables.forward[n / 2..].as_chunks::<2>();
    let (quads, _) = a.as_chunks_mut::<4>();
    for ((quad, &w), &[w0, w1]) in quads.iter_mut().zip(outer).zip(inner) {
        let [x0, x1, x2, x3] = quad.map(|x| x as i64);
        // All four results are x0 give or take two products: only x0 needs a quotient.
        let (a0, a2) = m.butterfly(m.centre(x0), x2, w);
        let (a1, a3) = m.butterfly(x1, x3, w);
        let (b0, b1) = m.butterfly(a0, a1, w0);
        let (b2, b3) = m.butterfly(a2, a3, w1);
        *quad = [b0, b1, b2, b3].map(|x| m.canonical_from_double(x));
    }
}
