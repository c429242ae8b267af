//! Twiddle tables of the transform, in the layout in which eight lanes consume them.

use super::butterfly::Constants;
use crate::table::{RootPowers, bit_reverse};

/// Up to this many residues are transformed layer by layer; longer blocks are cut first, so that the rest stays in L1.
pub(super) const CACHED: usize = 4096;

/// A twiddle `w` and its quotient `floor(w * 2^52 / p)`.
pub(super) type Twiddle = [u64; 2];

/// Eight twiddles and their quotients.
#[derive(Clone, Copy, Default)]
#[repr(C, align(64))]
pub(super) struct TwiddleVector {
    pub(super) w: [u64; 8],
    pub(super) quotient: [u64; 8],
}

/// Twiddles of the forward layers of strides 4, 2 and 1 for 16 consecutive residues, in the lane order of `lanes`.
#[derive(Clone, Copy, Default)]
#[repr(C, align(64))]
pub(super) struct Tail {
    pub(super) w1: [u64; 8],
    pub(super) quotient1: [u64; 8],
    pub(super) w2: [u64; 4],
    pub(super) quotient2: [u64; 4],
    pub(super) w4: [u64; 2],
    pub(super) quotient4: [u64; 2],
}

/// Two or three neighbouring layers that are worked on together, on `radix` vectors at a time.
#[derive(Clone)]
pub(super) struct Pass<T> {
    pub(super) radix: usize,
    /// `radix` entries for each use: entry `2^s + i` is twiddle `i` of the pass's layer `s`; entry 0 is unused.
    pub(super) twiddles: Vec<T>,
}

/// The last `log2(R)` layers of the inverse, which join `R` blocks of length `B = n / R`, as a transform of size `R` between
/// factors (Bailey, *FFTs in external or hierarchical memory*, 1990). With `X_k[j]` in the block of input class `k`,
///
/// `a_(j + s B) = psi^(-s B) * sum over k of omega^(-s k B) * (psi^(-j (1 + 2 k)) / n * X_k[j])`.
///
/// Only the inner factors depend on `j`; the layer-by-layer form would read twice as many factors from L2.
#[derive(Clone)]
pub(super) struct LastPass {
    pub(super) radix: usize,
    /// `radix` entries for each vector: `psi^(-j (1 + 2 k)) / n` for `k` in bit-reversed order.
    pub(super) inner: Vec<TwiddleVector>,
    /// Entry `h + i` is the twiddle of the layer that joins transforms of size `h` at position `i`; entry 0 is unused.
    pub(super) layers: Vec<Twiddle>,
    /// `psi^(-s B)`.
    pub(super) outer: Vec<Twiddle>,
}

/// Tables of both directions.
#[derive(Clone)]
pub(crate) struct NttTables {
    pub(super) constants: Constants,
    /// Passes of the forward layers of strides `n / 2` to 8; used once a block.
    pub(super) forward: Vec<Pass<Twiddle>>,
    pub(super) tail: Vec<Tail>,
    /// Twiddles of the inverse layers that join blocks of length 2 and 4.
    pub(super) head: [TwiddleVector; 2],
    /// Passes of the inverse layers that join blocks of length 8 and more, but for the last; used once a vector of the block.
    pub(super) inverse: Vec<Pass<TwiddleVector>>,
    pub(super) last: LastPass,
}

impl NttTables {
    pub(crate) fn new(powers: &RootPowers) -> Self {
        let radices = radices(powers.n());
        let mut blocks = 1;
        let forward = radices.iter().map(|&radix| {
            let pass = Pass::forward(powers, blocks, radix);
            blocks *= radix;
            pass
        });
        let forward = forward.collect();
        let mut stride = 8;
        let inverse = radices.iter().skip(1).rev().map(|&radix| {
            let pass = Pass::inverse(powers, stride, radix);
            stride *= radix;
            pass
        });
        Self {
            constants: Constants::new(powers.modulus(), powers.n()),
            forward,
            tail: (0..powers.n() / 16).map(|pair| Tail::new(powers, pair)).collect(),
            head: [
                TwiddleVector::new(powers, |lane| powers.inverse_twiddle(2, lane / 4)),
                TwiddleVector::new(powers, |lane| powers.inverse_twiddle(4, lane / 2)),
            ],
            inverse: inverse.collect(),
            last: LastPass::new(powers, radices[0]),
        }
    }
}

fn with_quotient(powers: &RootPowers, w: u64) -> Twiddle {
    [w, powers.modulus().shoup52(w)]
}

impl TwiddleVector {
    fn new(powers: &RootPowers, of: impl Fn(usize) -> u64) -> Self {
        let w = core::array::from_fn(of);
        Self { w, quotient: w.map(|w| powers.modulus().shoup52(w)) }
    }
}

impl Pass<Twiddle> {
    /// The pass that starts at the layer of `blocks` blocks.
    fn forward(powers: &RootPowers, blocks: usize, radix: usize) -> Self {
        let twiddle = |block: usize, entry: usize| {
            let Some(s) = entry.checked_ilog2() else { return Twiddle::default() };
            let i = entry - (1 << s);
            with_quotient(powers, powers.forward_twiddle(blocks << s, (block << s) + i))
        };
        Self { radix, twiddles: pairs(blocks, radix).map(|(block, entry)| twiddle(block, entry)).collect() }
    }
}

impl Pass<TwiddleVector> {
    /// The pass that starts by joining blocks of length `stride`.
    fn inverse(powers: &RootPowers, stride: usize, radix: usize) -> Self {
        let twiddle = |index: usize, entry: usize| {
            let Some(s) = entry.checked_ilog2() else { return TwiddleVector::default() };
            let position = 8 * index + (entry - (1 << s)) * stride;
            TwiddleVector::new(powers, |lane| powers.inverse_twiddle(stride << s, position + lane))
        };
        Self { radix, twiddles: pairs(stride / 8, radix).map(|(index, entry)| twiddle(index, entry)).collect() }
    }
}

impl LastPass {
    fn new(powers: &RootPowers, radix: usize) -> Self {
        let stride = powers.n() / radix;
        let inner = |index: usize, block: usize| {
            let class = bit_reverse(block, radix.trailing_zeros());
            TwiddleVector::new(powers, |lane| powers.untwist((8 * index + lane) * (1 + 2 * class)))
        };
        let layer = |entry: usize| {
            let h = 1 << entry.checked_ilog2().unwrap_or(0);
            with_quotient(powers, powers.inverse_twiddle(h, entry % h))
        };
        Self {
            radix,
            inner: pairs(stride / 8, radix).map(|(index, block)| inner(index, block)).collect(),
            layers: (0..radix).map(layer).collect(),
            outer: (0..radix).map(|s| with_quotient(powers, powers.inverse_power(s * stride))).collect(),
        }
    }
}

fn pairs(count: usize, radix: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |index| (0..radix).map(move |entry| (index, entry)))
}

/// How the `log2(n) - 3` layers of stride 8 and more are grouped, outermost first: threes, after one or two twos.
fn radices(n: usize) -> Vec<usize> {
    let layers = n.trailing_zeros() as usize - 3;
    let twos = match layers {
        1 => return vec![2],
        _ => (3 - layers % 3) % 3,
    };
    let mut radices = vec![4; twos];
    radices.resize(twos + (layers - 2 * twos) / 3, 8);
    radices
}

impl Tail {
    fn new(powers: &RootPowers, pair: usize) -> Self {
        let n = powers.n();
        let quotients = |w: u64| powers.modulus().shoup52(w);
        // The lanes of the three layers hold these blocks of the 16 residues, see `lanes`.
        let w4 = [0, 1].map(|block| powers.forward_twiddle(n / 8, 2 * pair + block));
        let w2 = [0, 2, 1, 3].map(|block| powers.forward_twiddle(n / 4, 4 * pair + block));
        let w1 = [0, 4, 2, 6, 1, 5, 3, 7].map(|block| powers.forward_twiddle(n / 2, 8 * pair + block));
        Self { w1, quotient1: w1.map(quotients), w2, quotient2: w2.map(quotients), w4, quotient4: w4.map(quotients) }
    }
}
