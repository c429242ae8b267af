//! Products, lazy sums of products and products with a fixed factor: the constants of their reductions, and the scalar twins.

use crate::modulus::Modulus;

/// Low 52 bits.
const LOW_52: u64 = (1 << 52) - 1;

/// What vector code broadcasts for arithmetic modulo one prime, ready to load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LaneConstants {
    /// The modulus `p < 2^50`, of `bits` bits.
    pub(crate) p: u64,
    /// `2^52 - p`: adding its product subtracts that of `p` modulo 2^52.
    pub(crate) negated_p: u64,
    /// `floor(2^(51 + bits) / p)`.
    pub(crate) barrett: u64,
    /// `52 - bits`.
    pub(crate) normalisation: u64,
}

impl LaneConstants {
    pub(crate) fn new(modulus: Modulus) -> Self {
        Self {
            p: modulus.value(),
            negated_p: (1 << 52) - modulus.value(),
            barrett: modulus.barrett(),
            normalisation: u64::from(52 - modulus.bits()),
        }
    }
}

/// Reduction of sums of products below `2^(49 + bits)` to `[0, 2p)` with one product: with `h = floor(sum / 2^(bits - 2))`,
/// below 2^51, the quotient `floor(h * factor / 2^52)` loses less than 1/2 in the floor of `h`, less than 1/2 in that of the
/// factor (times `h / 2^52`) and less than 1 in its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NarrowReduction {
    /// `floor(2^(50 + bits) / p)`, below 2^51.
    pub(crate) factor: u64,
    /// `bits - 2`, by which the low word is shifted right.
    pub(crate) right: u64,
    /// `54 - bits`, by which the high word is shifted left.
    pub(crate) left: u64,
}

impl NarrowReduction {
    pub(crate) fn new(modulus: Modulus) -> Self {
        let bits = u64::from(modulus.bits());
        Self { factor: modulus.barrett() >> 1, right: bits - 2, left: 54 - bits }
    }

    /// Whether a sum of products of residues modulo `p` with other factors is in range, given the sum of those factors.
    pub(crate) fn admits(sum_of_factors: u64) -> bool {
        sum_of_factors <= 1 << 49
    }
}

/// Reduction of sums of products below 2^104, held as 52-bit words: `sum = high * 2^52 + low`.
///
/// `sum = high * (2^52 mod p) + low (mod p)`, and both words are reduced by one common quotient estimate in the manner of
/// Shoup (Harvey, *Faster arithmetic for number-theoretic transforms*, 2014): the two floors lose less than one each
/// and the two rounded constants less than one each, so that the remainder lies in `[0, 4p)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WideReduction {
    /// The modulus `p < 2^50`.
    pub(crate) modulus: Modulus,
    /// `2^52 mod p`.
    pub(crate) radix: u64,
    /// `floor(radix * 2^52 / p)`.
    pub(crate) radix_quotient: u64,
    /// `floor(2^52 / p)`.
    pub(crate) unit_quotient: u64,
}

impl WideReduction {
    pub(crate) fn new(modulus: Modulus) -> Self {
        let radix = modulus.reduce(1 << 52);
        Self { modulus, radix, radix_quotient: modulus.shoup52(radix), unit_quotient: modulus.shoup52(1) }
    }

    /// How many products of two canonical residues, beside one residue below `4p`, may be summed before a reduction:
    /// at most 2048, so that the low words of 64-bit lanes do not overflow, and so few that the sum stays below 2^104.
    pub(crate) fn max_terms(self) -> usize {
        1 << (104 - 2 * self.modulus.bits()).min(11)
    }

    /// `sum mod p` for `sum < 2^104`.
    #[inline]
    pub(crate) fn reduce(self, sum: u128) -> u64 {
        debug_assert!(sum >> 104 == 0);
        let p = self.modulus.value();
        let high = (sum >> 52) as u64;
        let low = sum as u64 & LOW_52;
        let quotient = high_52(high, self.radix_quotient) + high_52(low, self.unit_quotient);
        let remainder = high.wrapping_mul(self.radix).wrapping_add(low).wrapping_sub(quotient.wrapping_mul(p));
        debug_assert!(remainder < 4 * p);
        let remainder = remainder.min(remainder.wrapping_sub(2 * p));
        remainder.min(remainder.wrapping_sub(p))
    }
}

/// A canonical residue that multiplies many others, with its Shoup quotient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FixedFactor {
    /// The residue `w`.
    pub(crate) value: u64,
    /// `floor(w * 2^52 / p)`.
    pub(crate) quotient: u64,
}

impl FixedFactor {
    /// # Panics
    /// If `value` is not canonical.
    pub(crate) fn new(modulus: Modulus, value: u64) -> Self {
        assert!(value < modulus.value(), "factor {value} is not below the modulus {}", modulus.value());
        Self { value, quotient: modulus.shoup52(value) }
    }

    /// `x * w mod p` in `[0, 2p)`, for any `x < 2^52`.
    #[inline]
    pub(crate) fn mul_lazy(self, modulus: Modulus, x: u64) -> u64 {
        debug_assert!(x >> 52 == 0);
        let quotient = high_52(x, self.quotient);
        x.wrapping_mul(self.value).wrapping_sub(quotient.wrapping_mul(modulus.value()))
    }

    /// `x * w mod p`, canonical, for any `x < 2^52`.
    #[inline]
    pub(crate) fn mul(self, modulus: Modulus, x: u64) -> u64 {
        let lazy = self.mul_lazy(modulus, x);
        lazy.min(lazy.wrapping_sub(modulus.value()))
    }
}

/// `floor(x * y / 2^52)`.
#[inline]
pub(crate) fn high_52(x: u64, y: u64) -> u64 {
    ((u128::from(x) * u128::from(y)) >> 52) as u64
}
