//! Forward negacyclic NTT in eight lanes: Cooley-Tukey butterflies, two or three layers a pass, the last three in registers.

use core::arch::x86_64::{__m512i, _mm512_setzero_si512};

use super::lanes::{
    load, load_four, load_two, order_to_stride4, store, stride1_to_order, stride2_to_stride1, stride4_to_stride2,
};
use super::ntt::{CACHED, Lanes, NttTables, Pass, Tail, Twiddle, broadcast, split};

entries! {
    ntt_forward(tables: &NttTables, a: &mut [u64]);
}

/// Coefficients to values, both canonical.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn ntt_forward(tables: &NttTables, a: &mut [u64]) {
    let lanes = Lanes::new(tables.constants);
    let (a, _) = a.as_chunks_mut::<8>();
    if tables.constants.lazy {
        descend::<true>(&lanes, &tables.forward, &tables.tail, a, 0, true);
    } else {
        descend::<false>(&lanes, &tables.forward, &tables.tail, a, 0, true);
    }
}

/// Transforms block `index` of its layer by the remaining `passes` and the last layers, depth first while it is too long for L1.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn descend<const LAZY: bool>(
    lanes: &Lanes,
    passes: &[Pass<Twiddle>],
    tail: &[Tail],
    block: &mut [[u64; 8]],
    index: usize,
    first: bool,
) {
    if let [pass, inner @ ..] = passes
        && 8 * block.len() > CACHED
    {
        dispatch::<LAZY>(lanes, pass, block, 1, index, first);
        let length = block.len() / pass.radix;
        for (i, (block, tail)) in block.chunks_exact_mut(length).zip(tail.chunks_exact(length / 2)).enumerate() {
            descend::<LAZY>(lanes, inner, tail, block, index * pass.radix + i, false);
        }
        return;
    }
    let mut blocks = 1;
    for (i, pass) in passes.iter().enumerate() {
        dispatch::<LAZY>(lanes, pass, block, blocks, index * blocks, first && i == 0);
        blocks *= pass.radix;
    }
    last_three_layers::<LAZY>(lanes, tail, block);
}

/// One pass over `blocks` neighbouring blocks, of which the first is block `index` of its layer.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn dispatch<const LAZY: bool>(
    lanes: &Lanes,
    pass: &Pass<Twiddle>,
    a: &mut [[u64; 8]],
    blocks: usize,
    index: usize,
    first: bool,
) {
    let twiddles = &pass.twiddles[index * pass.radix..][..blocks * pass.radix];
    match (pass.radix, first && LAZY) {
        (2, false) => layers::<LAZY, 2, false>(lanes, twiddles, a),
        (4, false) => layers::<LAZY, 4, false>(lanes, twiddles, a),
        (_, false) => layers::<LAZY, 8, false>(lanes, twiddles, a),
        (2, true) => layers::<LAZY, 2, true>(lanes, twiddles, a),
        (4, true) => layers::<LAZY, 4, true>(lanes, twiddles, a),
        (_, true) => layers::<LAZY, 8, true>(lanes, twiddles, a),
    }
}

/// `log2(R)` layers on `R` vectors at a time; `LIFT` for the first layers of a lazy transform.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn layers<const LAZY: bool, const R: usize, const LIFT: bool>(lanes: &Lanes, twiddles: &[Twiddle], a: &mut [[u64; 8]]) {
    let (twiddles, _) = twiddles.as_chunks::<R>();
    for (block, twiddles) in a.chunks_exact_mut(a.len() / twiddles.len()).zip(twiddles) {
        let (w, quotients) = broadcast::<R>(twiddles);
        let parts = split::<R>(block);
        for j in 0..parts[0].len() {
            let mut x = [_mm512_setzero_si512(); R];
            for k in 0..R {
                x[k] = load(&parts[k][j]);
                if LIFT && k < R / 2 {
                    x[k] = lanes.lift(x[k]);
                }
            }
            butterflies::<LAZY, R>(lanes, &mut x, &w, &quotients);
            for k in 0..R {
                store(&mut parts[k][j], x[k]);
            }
        }
    }
}

/// The butterflies of `log2(R)` layers among `R` vectors.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn butterflies<const LAZY: bool, const R: usize>(
    lanes: &Lanes,
    x: &mut [__m512i; R],
    w: &[__m512i; R],
    quotients: &[__m512i; R],
) {
    let mut half = R / 2;
    while half > 0 {
        let groups = R / 2 / half;
        for group in 0..groups {
            for k in 2 * group * half..(2 * group + 1) * half {
                (x[k], x[k + half]) =
                    lanes.butterfly::<LAZY>(x[k], x[k + half], w[groups + group], quotients[groups + group]);
            }
        }
        half /= 2;
    }
}

/// The layers of strides 4, 2 and 1, and the return to canonical residues.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn last_three_layers<const LAZY: bool>(lanes: &Lanes, tail: &[Tail], block: &mut [[u64; 8]]) {
    let (pairs, _) = block.as_chunks_mut::<2>();
    for ([left, right], t) in pairs.iter_mut().zip(tail) {
        let (x, y) = order_to_stride4((load(left), load(right)));
        let operands = lanes.butterfly::<LAZY>(x, y, load_two(&t.w4), load_two(&t.quotient4));
        let (x, y) = stride4_to_stride2(operands);
        let operands = lanes.butterfly::<LAZY>(x, y, load_four(&t.w2), load_four(&t.quotient2));
        let (x, y) = stride2_to_stride1(operands);
        let (x, y) = lanes.butterfly::<LAZY>(x, y, load(&t.w1), load(&t.quotient1));
        let (x, y) = stride1_to_order((lanes.canonical(x), lanes.canonical(y)));
        store(left, x);
        store(right, y);
    }
}
