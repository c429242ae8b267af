//! Twiddles of the scalar transform and the signed Montgomery product it is made of.

use crate::modulus::Modulus;
use crate::table::RootPowers;

/// Twiddle factors in signed 64-bit Montgomery form, `w * 2^64 mod p` centred, in the order of use.
#[derive(Clone)]
pub(crate) struct NttTables {
    pub(super) montgomery: Montgomery,
    /// Entry `m + i` belongs to block `i` of the forward layer with `m` blocks; entry 0 is unused.
    pub(super) forward: Vec<i64>,
    /// Entry `t + j` belongs to position `j` of the inverse layer that joins blocks of length `t`; entry 0 is unused.
    pub(super) inverse: Vec<i64>,
    /// `psi^-j / n` for coefficient `j`.
    pub(super) untwist: Vec<i64>,
}

impl NttTables {
    pub(crate) fn new(powers: &RootPowers) -> Self {
        let n = powers.n();
        let montgomery = Montgomery::new(powers.modulus());
        let layered = |twiddle: &dyn Fn(usize, usize) -> u64| {
            (0..n).map(|k| montgomery.twiddle(k.checked_ilog2().map_or(1, |l| twiddle(1 << l, k - (1 << l))))).collect()
        };
        Self {
            montgomery,
            forward: layered(&|blocks, block| powers.forward_twiddle(blocks, block)),
            inverse: layered(&|stride, position| powers.inverse_twiddle(stride, position)),
            untwist: (0..n).map(|j| montgomery.twiddle(powers.untwist(j))).collect(),
        }
    }
}

/// Signed Montgomery arithmetic with radix `2^64` (Seiler, *Faster AVX2 optimized NTT multiplication*, 2018, in 64-bit words).
///
/// The twiddle is centred, `|w| <= p/2`, so for `|y| < 2^60` the product `y * w / 2^64 mod p` comes out below
/// `p/2 + |y| p / 2^65 < p (1/2 + 1/32)` in magnitude. A butterfly `x +- y w` therefore lets magnitudes grow by less
/// than `0.54 p`: from canonical inputs and `L <= 16` layers all values stay below `p (1 + 0.54 L) < 10 p < 2^54`, so no layer
/// corrects anything.
#[derive(Clone, Copy)]
pub(super) struct Montgomery {
    modulus: Modulus,
    p: i64,
    /// `p^-1 mod 2^64`.
    p_inverse: u64,
    /// `floor(2^64 / p)`.
    barrett: u64,
}

impl Montgomery {
    fn new(modulus: Modulus) -> Self {
        let p = modulus.value();
        Self {
            modulus,
            p: p as i64,
            p_inverse: modulus.negated_inverse().wrapping_neg(),
            // p is odd, so it does not divide 2^64 and the floors of 2^64 / p and (2^64 - 1) / p agree.
            barrett: u64::MAX / p,
        }
    }

    /// `w * 2^64 mod p`, centred.
    fn twiddle(self, w: u64) -> i64 {
        self.modulus.centre(self.modulus.reduce_wide(u128::from(w) << 64))
    }

    /// `y * w / 2^64 mod p` in `(-0.54 p, 0.54 p)`.
    #[inline]
    pub(super) fn mul(self, y: i64, w: i64) -> i64 {
        let product = i128::from(y) * i128::from(w);
        let quotient = (product as u64).wrapping_mul(self.p_inverse) as i64;
        // The low words of both products agree, so the difference of the high words is exact.
        (product >> 64) as i64 - ((i128::from(quotient) * i128::from(self.p)) >> 64) as i64
    }

    /// The butterfly `(x + y w, x - y w)`.
    #[inline]
    pub(super) fn butterfly(self, x: i64, y: i64, w: i64) -> (i64, i64) {
        let product = self.mul(y, w);
        debug_assert!(x.abs() < 10 * self.p && y.abs() < 10 * self.p && product.abs() < self.p);
        (x + product, x - product)
    }

    /// The canonical residue of a value in `(-p, p)`.
    #[inline]
    pub(super) fn canonical_from_signed(self, x: i64) -> u64 {
        // A negative value is huge as unsigned, and adding p makes it the smaller one.
        (x as u64).min(x.wrapping_add(self.p) as u64)
    }

    /// The canonical residue of a value in `(-2p, 2p)`.
    #[inline]
    pub(super) fn canonical_from_double(self, x: i64) -> u64 {
        let p = self.p as u64;
        let x = (x + 2 * self.p) as u64;
        let x = x.min(x.wrapping_sub(2 * p));
        x.min(x.wrapping_sub(p))
    }

    /// What is congruent to a value in `(-10p, 10p)` and lies in `(-0.51 p, 0.51 p)`.
    ///
    /// With `y = x + 10p + (p - 1) / 2 < 2^55` the quotient `floor(y * barrett / 2^64)` misses `y / p` by less than `2^-9` before it is
    /// rounded down.
    #[inline]
    pub(super) fn centre(self, x: i64) -> i64 {
        debug_assert!(x.abs() < 10 * self.p);
        let half = self.p / 2;
        let y = (x + 10 * self.p + half) as u64;
        let quotient = ((u128::from(y) * u128::from(self.barrett)) >> 64) as u64;
        (y - quotient * self.p as u64) as i64 - half
    }
}
