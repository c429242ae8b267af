//! Random polynomials for the tests.

use blindrelay_reference::Polynomial;
use num_bigint::BigInt;

/// `SplitMix64`, so that a failure comes again.
pub(crate) struct Generator(u64);

impl Generator {
    /// From a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// `n` integers of 192 random bits modulo `bound`.
    pub(crate) fn below(&mut self, n: usize, bound: &BigInt) -> Polynomial {
        let word = |state: &mut Self| (0..3).fold(BigInt::from(0), |value, _| (value << 64) + state.next());
        (0..n).map(|_| word(self) % bound).collect()
    }

    /// `n` integers in `[-bound, bound]`.
    pub(crate) fn small(&mut self, n: usize, bound: u32) -> Polynomial {
        self.below(n, &(2 * bound + 1).into()).into_iter().map(|x| x - bound).collect()
    }
}
