//! Eight residues modulo one prime, one a lane: the modular steps of the element-wise and RNS kernels.

use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_min_epu64,
    _mm512_set1_epi64, _mm512_setzero_si512, _mm512_slli_epi64, _mm512_sllv_epi64, _mm512_srli_epi64,
    _mm512_srlv_epi64, _mm512_sub_epi64,
};

use crate::modulus::Modulus;
use crate::reduction::{FixedFactor, LaneConstants, NarrowReduction, WideReduction};

/// The modulus in every lane, and the constants of its Barrett reduction in 52-bit lanes.
#[derive(Clone, Copy)]
pub(super) struct Residues {
    pub(super) p: __m512i,
    pub(super) twice_p: __m512i,
    /// `2^52 - p`: adding its product subtracts that of `p` modulo 2^52.
    pub(super) negated_p: __m512i,
    /// `2^52 - 1`.
    pub(super) low_52: __m512i,
    pub(super) barrett: __m512i,
    /// `52 - bits`.
    pub(super) normalisation: __m512i,
}

impl Residues {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn new(modulus: Modulus) -> Self {
        Self::load(&LaneConstants::new(modulus))
    }

    /// Broadcasts from memory, which keeps the arithmetic ports free.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn load(constants: &LaneConstants) -> Self {
        let p = broadcast(constants.p);
        Self {
            p,
            twice_p: _mm512_add_epi64(p, p),
            negated_p: broadcast(constants.negated_p),
            low_52: broadcast((1 << 52) - 1),
            barrett: broadcast(constants.barrett),
            normalisation: broadcast(constants.normalisation),
        }
    }

    /// `[0, 2p)` to `[0, p)`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn reduce_once(&self, x: __m512i) -> __m512i {
        _mm512_min_epu64(x, _mm512_sub_epi64(x, self.p))
    }

    /// `[0, 4p)` to `[0, p)`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn reduce_twice(&self, x: __m512i) -> __m512i {
        self.reduce_once(_mm512_min_epu64(x, _mm512_sub_epi64(x, self.twice_p)))
    }

    /// `a + b`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn add(&self, a: __m512i, b: __m512i) -> __m512i {
        self.reduce_once(_mm512_add_epi64(a, b))
    }

    /// `a - b`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn sub(&self, a: __m512i, b: __m512i) -> __m512i {
        let difference = _mm512_sub_epi64(a, b);
        _mm512_min_epu64(difference, _mm512_add_epi64(difference, self.p))
    }

    /// `product - quotient * p`, whose true value is below 2^52.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn remainder(&self, product: __m512i, quotient: __m512i) -> __m512i {
        _mm512_and_si512(_mm512_madd52lo_epu64(product, quotient, self.negated_p), self.low_52)
    }

    /// `a * b` in `[0, 3p)`, for canonical operands: the vector form of `Modulus::reduce_product`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul_lazy(&self, a: __m512i, b: __m512i) -> __m512i {
        let zero = _mm512_setzero_si512();
        // floor(a * b / 2^(bits - 1)): the shifts move that boundary to bit 52.
        let high = _mm512_madd52hi_epu64(zero, _mm512_sllv_epi64(a, self.normalisation), _mm512_add_epi64(b, b));
        let low = _mm512_madd52lo_epu64(zero, a, b);
        self.remainder(low, _mm512_madd52hi_epu64(zero, high, self.barrett))
    }

    /// `a * b`. `NARROW` saves a step for moduli below 2^49, whose products fit [`NarrowReduction`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul<const NARROW: bool>(&self, a: __m512i, b: __m512i) -> __m512i {
        if !NARROW {
            return self.reduce_twice(self.mul_lazy(a, b));
        }
        let zero = _mm512_setzero_si512();
        // floor(a * b / 2^(bits - 2))
        let high = _mm512_madd52hi_epu64(zero, _mm512_sllv_epi64(a, self.normalisation), _mm512_slli_epi64::<2>(b));
        let low = _mm512_madd52lo_epu64(zero, a, b);
        let quotient = _mm512_madd52hi_epu64(zero, high, _mm512_srli_epi64::<1>(self.barrett));
        self.reduce_once(self.remainder(low, quotient))
    }

    /// `a * b + c * d`, for canonical operands.
    ///
    /// As in [`Self::mul_lazy`], with one more floor in the high part, which may cost one more multiple of `p`: the
    /// remainder lies in `[0, 4p)`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul_add_mul(&self, a: __m512i, b: __m512i, c: __m512i, d: __m512i) -> __m512i {
        let zero = _mm512_setzero_si512();
        let high = _mm512_madd52hi_epu64(zero, _mm512_sllv_epi64(a, self.normalisation), _mm512_add_epi64(b, b));
        let high = _mm512_madd52hi_epu64(high, _mm512_sllv_epi64(c, self.normalisation), _mm512_add_epi64(d, d));
        let low = _mm512_madd52lo_epu64(_mm512_madd52lo_epu64(zero, a, b), c, d);
        self.reduce_twice(self.remainder(low, _mm512_madd52hi_epu64(zero, high, self.barrett)))
    }
}

/// A fixed factor and its Shoup quotient in every lane.
#[derive(Clone, Copy)]
pub(super) struct Factors {
    pub(super) value: __m512i,
    pub(super) quotient: __m512i,
}

impl Factors {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn new(factor: FixedFactor) -> Self {
        Self { value: broadcast(factor.value), quotient: broadcast(factor.quotient) }
    }

    /// `x * w` in `[0, 2p)`, for any `x < 2^52`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul_lazy(&self, residues: &Residues, x: __m512i) -> __m512i {
        let zero = _mm512_setzero_si512();
        let quotient = _mm512_madd52hi_epu64(zero, x, self.quotient);
        residues.remainder(_mm512_madd52lo_epu64(zero, x, self.value), quotient)
    }

    /// `x * w`, canonical, for any `x < 2^52`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul(&self, residues: &Residues, x: __m512i) -> __m512i {
        residues.reduce_once(self.mul_lazy(residues, x))
    }
}

/// Eight lazy sums of products: `high * 2^52 + low`, with both words in 64-bit lanes.
#[derive(Clone, Copy)]
pub(super) struct WideSum {
    pub(super) low: __m512i,
    pub(super) high: __m512i,
}

impl WideSum {
    /// Sums that start from 64-bit values.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn from_lanes(low: __m512i) -> Self {
        Self { low, high: _mm512_setzero_si512() }
    }

    /// `x * y`, both below 2^52.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn from_product(x: __m512i, y: __m512i) -> Self {
        let mut sum = Self::from_lanes(_mm512_setzero_si512());
        sum.add_product(x, y);
        sum
    }

    /// Adds `x * y`, both below 2^52.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn add_product(&mut self, x: __m512i, y: __m512i) {
        self.low = _mm512_madd52lo_epu64(self.low, x, y);
        self.high = _mm512_madd52hi_epu64(self.high, x, y);
    }
}

/// The constants of `WideReduction` in every lane.
#[derive(Clone, Copy)]
pub(super) struct WideResidues {
    residues: Residues,
    radix: __m512i,
    radix_quotient: __m512i,
    unit_quotient: __m512i,
}

impl WideResidues {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn new(residues: &Residues, wide: WideReduction) -> Self {
        Self {
            residues: *residues,
            radix: broadcast(wide.radix),
            radix_quotient: broadcast(wide.radix_quotient),
            unit_quotient: broadcast(wide.unit_quotient),
        }
    }

    /// The sums modulo `p`, canonical, for sums below 2^104 (the multipliers read 52 bits of each word).
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn reduce(&self, sum: WideSum) -> __m512i {
        let high = _mm512_add_epi64(sum.high, _mm512_srli_epi64::<52>(sum.low));
        let quotient = _mm512_madd52hi_epu64(_mm512_setzero_si512(), high, self.radix_quotient);
        let quotient = _mm512_madd52hi_epu64(quotient, sum.low, self.unit_quotient);
        let product = _mm512_madd52lo_epu64(sum.low, high, self.radix);
        self.residues.reduce_twice(self.residues.remainder(product, quotient))
    }
}

/// The constants of `NarrowReduction` in every lane.
#[derive(Clone, Copy)]
pub(super) struct NarrowResidues {
    residues: Residues,
    factor: __m512i,
    right: __m512i,
    left: __m512i,
}

impl NarrowResidues {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn new(residues: &Residues, narrow: &NarrowReduction) -> Self {
        Self {
            residues: *residues,
            factor: broadcast(narrow.factor),
            right: broadcast(narrow.right),
            left: broadcast(narrow.left),
        }
    }

    /// The sums modulo `p`, canonical, for sums below `2^(49 + bits)`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn reduce(&self, sum: WideSum) -> __m512i {
        let shifted = _mm512_add_epi64(_mm512_sllv_epi64(sum.high, self.left), _mm512_srlv_epi64(sum.low, self.right));
        let quotient = _mm512_madd52hi_epu64(_mm512_setzero_si512(), shifted, self.factor);
        self.residues.reduce_once(self.residues.remainder(sum.low, quotient))
    }
}

/// `value` in every lane.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn broadcast(value: u64) -> __m512i {
    _mm512_set1_epi64(value as i64)
}
