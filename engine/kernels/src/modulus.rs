//! One prime modulus and its scalar arithmetic.

use crate::error::KernelError;
use crate::prime::is_prime;

/// Every modulus is below two to this power, so that 52-bit multipliers and `f64` serve the same parameter sets.
pub const MAX_MODULUS_BITS: u32 = 50;

/// An odd prime `p`, `3 <= p < 2^50`, with the constants of its Barrett and Montgomery reductions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Modulus {
    value: u64,
    bits: u32,
    /// `floor(2^(51 + bits) / p)`.
    barrett: u64,
    /// `-p^-1 mod 2^64`.
    negated_inverse: u64,
}

impl Modulus {
    /// Accepts odd primes below 2^50.
    pub fn new(value: u64) -> Result<Self, KernelError> {
        if value < 3 || value >> MAX_MODULUS_BITS != 0 || !is_prime(value) {
            return Err(KernelError::Modulus { value });
        }
        let bits = u64::BITS - value.leading_zeros();
        let barrett = ((1_u128 << (51 + bits)) / u128::from(value)) as u64;
        // Newton iteration for the inverse of an odd number modulo 2^64: each step doubles the correct bits.
        let mut inverse = value;
        for _ in 0..6 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(value.wrapping_mul(inverse)));
        }
        Ok(Self { value, bits, barrett, negated_inverse: inverse.wrapping_neg() })
    }

    /// The prime itself.
    #[inline]
    pub const fn value(self) -> u64 {
        self.value
    }

    /// Bit length of the prime.
    #[inline]
    pub const fn bits(self) -> u32 {
        self.bits
    }

    /// `floor(2^(51 + bits) / p)`: since `2^(bits - 1) < p < 2^bits`, it lies in `(2^51, 2^52)`.
    #[inline]
    pub(crate) const fn barrett(self) -> u64 {
        self.barrett
    }

    /// `-p^-1 mod 2^64`, the Montgomery constant.
    #[inline]
    pub(crate) const fn negated_inverse(self) -> u64 {
        self.negated_inverse
    }

    /// `a + b mod p` for canonical operands.
    #[inline]
    pub fn add(self, a: u64, b: u64) -> u64 {
        let sum = a + b;
        sum.min(sum.wrapping_sub(self.value))
    }

    /// `a - b mod p` for canonical operands.
    #[inline]
    pub fn sub(self, a: u64, b: u64) -> u64 {
        let difference = a.wrapping_sub(b);
        difference.min(difference.wrapping_add(self.value))
    }

    /// `-a mod p` for a canonical operand.
    #[inline]
    pub fn neg(self, a: u64) -> u64 {
        self.sub(0, a)
    }

    /// `a * b mod p` for canonical operands (Barrett, without division).
    #[inline]
    pub fn mul(self, a: u64, b: u64) -> u64 {
        self.reduce_product(u128::from(a) * u128::from(b))
    }

    /// `x mod p` for `x < 2^(2 bits)`, in particular for products of canonical residues.
    ///
    /// With `h = floor(x / 2^(bits - 1)) < 2^(bits + 1)` and `q = floor(h * barrett / 2^52)`, the true quotient is at most
    /// two above `q`: each of the two floors and the rounding of `barrett` (times `h / 2^52 < 1/2`) loses less than one.
    #[inline]
    pub(crate) fn reduce_product(self, x: u128) -> u64 {
        debug_assert!(x >> (2 * self.bits) == 0);
        let high = (x >> (self.bits - 1)) as u64;
        let quotient = ((u128::from(high) * u128::from(self.barrett)) >> 52) as u64;
        let remainder = (x as u64).wrapping_sub(quotient.wrapping_mul(self.value));
        debug_assert!(remainder < 3 * self.value);
        let remainder = remainder.min(remainder.wrapping_sub(2 * self.value));
        remainder.min(remainder.wrapping_sub(self.value))
    }

    /// `x mod p` for any `u64`. Uses a division: for tables and single values, not for inner loops.
    #[inline]
    pub fn reduce(self, x: u64) -> u64 {
        x % self.value
    }

    /// `x mod p` for any `u128`. Uses a division: for tables and single values, not for inner loops.
    #[inline]
    pub fn reduce_wide(self, x: u128) -> u64 {
        (x % u128::from(self.value)) as u64
    }

    /// The canonical residue of a signed integer. Uses a division.
    #[inline]
    pub fn from_signed(self, x: i64) -> u64 {
        x.rem_euclid(self.value as i64) as u64
    }

    /// The representative of a canonical residue in `[-(p - 1) / 2, (p - 1) / 2]`.
    #[inline]
    pub fn centre(self, x: u64) -> i64 {
        let above = i64::from(x > self.value / 2);
        x as i64 - above * self.value as i64
    }

    /// `base^exponent mod p`. Time depends on the exponent, which is public everywhere in this project.
    pub fn pow(self, base: u64, mut exponent: u64) -> u64 {
        let mut base = base;
        let mut result = 1;
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = self.mul(result, base);
            }
            base = self.mul(base, base);
            exponent >>= 1;
        }
        result
    }

    /// `a^-1 mod p` by Fermat; `None` for zero.
    pub fn inverse(self, a: u64) -> Option<u64> {
        (a != 0).then(|| self.pow(a, self.value - 2))
    }

    /// `floor(w * 2^52 / p)`, the quotient that Shoup multiplication by the canonical `w` needs in 52-bit lanes.
    #[inline]
    pub fn shoup52(self, w: u64) -> u64 {
        ((u128::from(w) << 52) / u128::from(self.value)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PRIMES: [u64; 9] = [
        3,
        257,
        65_537,
        1_073_479_681,
        68_719_403_009,
        2_199_023_190_017,
        35_184_371_138_561,
        1_125_899_906_826_241,
        1_125_899_906_842_597,
    ];

    fn modulus() -> impl Strategy<Value = Modulus> {
        proptest::sample::select(PRIMES.into_iter().filter(|&p| is_prime(p)).collect::<Vec<_>>())
            .prop_map(|p| Modulus::new(p).unwrap())
    }

    #[test]
    fn refuses_what_is_not_an_odd_prime_below_2_50() {
        for value in [0, 1, 2, 4, 9, 1 << 49, (1 << 50) - 1, (1 << 50) + 55, u64::MAX] {
            assert_eq!(Modulus::new(value), Err(KernelError::Modulus { value }));
        }
    }

    proptest! {
        #[test]
        fn agrees_with_wide_division(p in modulus(), a: u64, b: u64, s: i64) {
            let wide = u128::from(p.value());
            let (a, b) = (p.reduce(a), p.reduce(b));
            prop_assert_eq!(u128::from(p.mul(a, b)), u128::from(a) * u128::from(b) % wide);
            prop_assert_eq!(u128::from(p.add(a, b)), (u128::from(a) + u128::from(b)) % wide);
            prop_assert_eq!(p.add(p.sub(a, b), b), a);
            prop_assert_eq!(p.add(p.neg(a), a), 0);
            prop_assert_eq!(p.from_signed(p.centre(a)), a);
            prop_assert!(p.centre(a).unsigned_abs() <= p.value() / 2);
            prop_assert_eq!(i128::from(p.from_signed(s)), i128::from(s).rem_euclid(i128::from(p.value())));
            prop_assert_eq!(p.negated_inverse().wrapping_mul(p.value()), u64::MAX);
            if a != 0 {
                prop_assert_eq!(p.mul(a, p.inverse(a).unwrap()), 1);
            }
        }

        #[test]
        fn extreme_products_are_canonical(p in modulus()) {
            let top = p.value() - 1;
            prop_assert_eq!(p.mul(top, top), 1);
            prop_assert_eq!(p.mul(top, 1), top);
            prop_assert_eq!(p.mul(top, 0), 0);
        }
    }
}
