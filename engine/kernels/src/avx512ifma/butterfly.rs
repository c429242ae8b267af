//! The butterflies of both directions in eight lanes, and how their values stay below 2^52.

use core::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_min_epu64,
    _mm512_mullo_epi64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_sub_epi64,
};

use super::ntt::Twiddle;
use crate::modulus::Modulus;

/// Scalars of the lane arithmetic.
#[derive(Clone, Copy)]
pub(super) struct Constants {
    pub(super) modulus: Modulus,
    /// `EVERY` of [`Lanes`].
    pub(super) every: usize,
    /// What the first layer adds to keep differences from becoming negative, in units of `p`.
    lift: u64,
}

impl Constants {
    pub(super) fn new(modulus: Modulus, n: usize) -> Self {
        let (p, layers) = (modulus.value(), u64::from(n.trailing_zeros()));
        if (2 * layers + 1).max(32) * p < 1 << 52 {
            Self { modulus, every: 0, lift: layers }
        } else if modulus.bits() < 50 {
            Self { modulus, every: 3, lift: 3 }
        } else {
            Self { modulus, every: 1, lift: 1 }
        }
    }

    /// Every coefficient given to a forward transform must be below this: see [`Lanes`].
    pub(super) fn input_limit(&self) -> u64 {
        let p = self.modulus.value();
        match self.every {
            0 => (1 << 52) - 2 * self.lift * p,
            3 => 8 * p,
            _ => 4 * p,
        }
    }
}

/// `R` slices of equal length, one after the other in `block`.
///
/// A loop, since `array::from_fn` with all of this in its closure is not inlined into the callers.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the slices must live in registers of the caller")]
pub(super) fn split<const R: usize>(mut block: &mut [[u64; 8]]) -> [&mut [[u64; 8]]; R] {
    let length = block.len() / R;
    let mut parts: [&mut [[u64; 8]]; R] = core::array::from_fn(|_| <&mut [[u64; 8]]>::default());
    for part in &mut parts {
        (*part, block) = block.split_at_mut(length);
    }
    parts
}

/// Each twiddle and its quotient in every lane; entry 0 included.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn broadcast<const R: usize>(twiddles: &[Twiddle]) -> ([__m512i; R], [__m512i; R]) {
    let mut w = [_mm512_setzero_si512(); R];
    let mut quotients = w;
    for (k, &[twiddle, quotient]) in twiddles.iter().take(R).enumerate() {
        w[k] = _mm512_set1_epi64(twiddle as i64);
        quotients[k] = _mm512_set1_epi64(quotient as i64);
    }
    (w, quotients)
}

/// [`Constants`] in every lane, and the arithmetic on them.
///
/// A lane stands for its value modulo 2^52: what carries leave in the upper 12 bits does not matter, since the 52-bit
/// multipliers do not read it. With the twiddle's quotient `s = floor(w * 2^52 / p)` any `0 <= y < 2^52` has
/// `T = y w - floor(y s / 2^52) p` in `[0, p + p y / 2^52)` (Harvey, *Faster arithmetic for number-theoretic transforms*, 2014).
/// A butterfly takes `x` to `x + T - p` and `x - T + p`, so it moves each bound by at most `p`, with five instructions.
/// How often `x` must be refreshed, that is brought back next to zero by two more instructions, is `EVERY`:
///
/// * 0, never, if `(2 L + 1) p < 2^52` for `L = log2(n)` layers (and `32 p < 2^52`, see [`Lanes::lifts`]): the first layer
///   adds `L p` to the `x` of canonical input, and all values stay in `[0, (2 L + 1) p)`. Primes up to 2^46, and mostly 2^47.
///   The input may be as large as `2^52 - 2 L p`.
/// * 3 layers, if `p < 2^49`: Barrett's quotient less three takes `x < 8p` to `[3p, 5p)`, so three layers stay in `[0, 8p)`.
/// * 1 layer, for any `p < 2^50`: the quotient less one takes `x < 4p` to `[p, 3p)`, so one layer stays in `[0, 4p)`.
#[derive(Clone, Copy)]
pub(super) struct Lanes {
    p: __m512i,
    negated_p: __m512i,
    lift: __m512i,
    negated_lift: __m512i,
    one: __m512i,
    low_52: __m512i,
    barrett: __m512i,
}

impl Lanes {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn new(constants: Constants) -> Self {
        let p = constants.modulus.value() as i64;
        let lift = constants.lift as i64;
        Self {
            p: _mm512_set1_epi64(p),
            negated_p: _mm512_set1_epi64((1 << 52) - p),
            lift: _mm512_set1_epi64(lift * p),
            negated_lift: _mm512_set1_epi64(-lift),
            one: _mm512_set1_epi64(1),
            low_52: _mm512_set1_epi64((1 << 52) - 1),
            barrett: _mm512_set1_epi64((1 << 52) / p),
        }
    }

    /// `x` plus what keeps later differences from becoming negative.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn lift(&self, x: __m512i) -> __m512i {
        _mm512_add_epi64(x, self.lift)
    }

    /// `x + 2p`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn lift_twice_p(&self, x: __m512i) -> __m512i {
        _mm512_add_epi64(x, _mm512_add_epi64(self.p, self.p))
    }

    /// What is added to `R` products in `[-p, p)` so that nothing in an unrefreshed transform of size `R` becomes negative.
    ///
    /// Of size 8, in units of `p`: the lifts 14, 0, 2, 0, 6, 0, 2, 0 put the pairs around 14, 2, 6, 2 (each give or take 2)
    /// after the first layer, the rows of the second around 16 and 12, 14, 8 and 4, 6 (give or take 4), and the third ends in
    /// `[0, 32)`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn lifts<const EVERY: usize, const R: usize>(&self) -> [__m512i; R] {
        let mut lifts = [_mm512_setzero_si512(); R];
        if EVERY == 0 {
            for (k, lift) in lifts.iter_mut().enumerate() {
                let units = match (k, R) {
                    (0, 8) => 14,
                    (0, 4) | (4, 8) => 6,
                    (k, _) => i64::from(k % 2 == 0) * 2,
                };
                *lift = _mm512_mullo_epi64(self.p, _mm512_set1_epi64(units));
            }
        }
        lifts
    }

    /// One layer among `R` vectors: every `(x[k], x[k + half])` with `k & half == 0` becomes `(x + T - p, x - T + p)` with
    /// `T = y w[k] mod p` and `x` refreshed before if asked, see [`Lanes`].
    ///
    /// Step by step for all butterflies at once: the CPU's scheduler does not look far enough ahead to find
    /// independent instructions behind a whole butterfly.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn layer<const R: usize>(
        &self,
        x: &mut [__m512i; R],
        half: usize,
        w: &[__m512i; R],
        quotients: &[__m512i; R],
        refresh: bool,
    ) {
        let mut q = [_mm512_setzero_si512(); R];
        if refresh {
            for k in 0..R {
                if k & half == 0 {
                    q[k] = _mm512_madd52hi_epu64(self.negated_lift, x[k], self.barrett);
                }
            }
            for k in 0..R {
                if k & half == 0 {
                    x[k] = _mm512_madd52lo_epu64(x[k], q[k], self.negated_p);
                }
            }
        }
        for k in 0..R {
            if k & half == 0 {
                q[k] = _mm512_madd52hi_epu64(self.one, x[k + half], quotients[k]);
            }
        }
        let mut twice = q;
        for k in 0..R {
            if k & half == 0 {
                twice[k] = _mm512_add_epi64(x[k], x[k]);
                x[k] = _mm512_madd52lo_epu64(x[k], x[k + half], w[k]);
            }
        }
        for k in 0..R {
            if k & half == 0 {
                x[k] = _mm512_madd52lo_epu64(x[k], q[k], self.negated_p);
                x[k + half] = _mm512_sub_epi64(twice[k], x[k]);
            }
        }
    }

    /// `x + T`, or `x + T - p` if `centred`, with `T = y w mod p` in `[0, 2p)`, see [`Lanes`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul_add(&self, x: __m512i, y: __m512i, w: __m512i, quotient: __m512i, centred: bool) -> __m512i {
        let start = if centred { self.one } else { _mm512_setzero_si512() };
        let q = _mm512_madd52hi_epu64(start, y, quotient);
        _mm512_madd52lo_epu64(_mm512_madd52lo_epu64(x, y, w), q, self.negated_p)
    }

    /// `y w mod p`, canonical, for any `y < 2^52`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn mul_canonical(&self, y: __m512i, w: __m512i, quotient: __m512i) -> __m512i {
        self.canonical_from_twice(self.mul_add(_mm512_setzero_si512(), y, w, quotient, false))
    }

    /// The canonical residue of any `x < 2^52`. Barrett: `floor(x * floor(2^52 / p) / 2^52)` is at most one too small.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(super) fn canonical(&self, x: __m512i) -> __m512i {
        let q = _mm512_madd52hi_epu64(_mm512_setzero_si512(), x, self.barrett);
        self.canonical_from_twice(_mm512_madd52lo_epu64(x, q, self.negated_p))
    }

    /// The canonical residue of a value in `[0, 2p)` with any upper bits.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn canonical_from_twice(&self, x: __m512i) -> __m512i {
        let x = _mm512_and_si512(x, self.low_52);
        _mm512_min_epu64(x, _mm512_sub_epi64(x, self.p))
    }
}
