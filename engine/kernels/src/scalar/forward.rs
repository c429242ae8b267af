//! Forward negacyclic NTT on 64-bit integers: Cooley-Tukey butterflies, two layers a pass, values signed and uncorrected.

use super::ntt::NttTables;

/// Coefficients to values, both canonical.
///
/// In between, values are signed numbers of magnitude below `10p` kept in the same words (see `Montgomery`).
pub(crate) fn transform(tables: &NttTables, a: &mut [u64]) {
    let n = a.len();
    let mut blocks = 1;
    if n.trailing_zeros() % 2 == 1 {
        one_layer(tables, a);
        blocks = 2;
    }
    while 4 * blocks < n {
        two_layers(tables, a, blocks);
        blocks *= 4;
    }
    last_two_layers(tables, a);
}

/// The first layer, where a single block of stride `n / 2` has one twiddle.
fn one_layer(tables: &NttTables, a: &mut [u64]) {
    let (m, w) = (tables.montgomery, tables.forward[1]);
    let (low, high) = a.split_at_mut(a.len() / 2);
    for (x, y) in low.iter_mut().zip(high) {
        let (sum, difference) = m.butterfly(*x as i64, *y as i64, w);
        (*x, *y) = (sum as u64, difference as u64);
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
        let (a0, a2) = m.butterfly(x0, x2, w);
        let (a1, a3) = m.butterfly(x1, x3, w);
        let (b0, b1) = m.butterfly(a0, a1, w0);
        let (b2, b3) = m.butterfly(a2, a3, w1);
        *quad = [b0, b1, b2, b3].map(|x| m.canonical(x));
    }
}
