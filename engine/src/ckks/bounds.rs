//! Public bounds on what the slots of a ciphertext hold and on how far they are off.
//!
//! Both are bounds on the canonical embedding, that is on the magnitude of a polynomial's value at every primitive root (scale times slot): it is multiplicative, sums
//! linearly, is kept by automorphisms, and bounds every coefficient. They follow from the operations and from public declarations, never from a
//! key or a message. A bound on an error holds for all slots at once except with probability 2^-128, and without assuming that the errors of two operands
//! are independent.
//!
//! * *One random polynomial.* Let `e` have independent coefficients, sub-Gaussian with variance proxy `v`. Its value at a root, seen in any direction of the plane, is
//!   sub-Gaussian with proxy `n v / 2`, because the squared cosines of the angles sum to `n / 2`. With 16 directions
//!   `P(|e(zeta)| > x sqrt(n v)) <= 16 exp(-(x cos(pi/16))^2)`, which for [`TAIL`] = 10.3 is below 2^-143: below 2^-128 for 32768 slots. The proxies of
//!   centred binomial, uniform and ternary coefficients are their variances.
//! * *A product of two independent ones* (`e s`, `r s`). With `A = |e(zeta)|^2 / n v_e` and `B` alike, `sqrt(A B) > w` needs `A + B > 2 w`, and
//!   `P(A + B > y) <= 256 (1 + c y) exp(-c y)` with `c = cos(pi/16)^2`; for [`PRODUCT_TAIL`] = 58 that is below 2^-143 again.
//! * Rounding errors, the uniform halves of ciphertexts and digits are taken as independent and uniform: they are pseudorandom.

use crate::params::RingLevel;
use crate::ring::{ERROR_STANDARD_DEVIATION, NttDivision};

/// Standard deviations between zero and a bound on the value of one random polynomial at a root.
const TAIL: f64 = 10.3;
/// The same for a product of two independent random polynomials.
const PRODUCT_TAIL: f64 = 58.0;

/// `log2(2^a + 2^b)`.
pub(super) fn log2_sum(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if high == f64::NEG_INFINITY { high } else { high + libm::log2(1.0 + libm::exp2(low - high)) }
}

/// Base-2 logarithms of the bounds, at the ciphertext's scale. Minus infinity stands for zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Bound on scale times the magnitude of every slot.
    pub message: f64,
    /// Bound on scale times the distance of every slot from what it should hold.
    pub error: f64,
}

impl Bounds {
    /// Sum or difference.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { message: log2_sum(self.message, other.message), error: log2_sum(self.error, other.error) }
    }

    /// Product: `m_1 e_2 + m_2 e_1 + e_1 e_2`.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let crossed = log2_sum(self.message + other.error, other.message + self.error);
        Self { message: self.message + other.message, error: log2_sum(crossed, self.error + other.error) }
    }

    /// Division by `2^log2`.
    #[must_use]
    pub fn over(self, log2: f64) -> Self {
        Self { message: self.message - log2, error: self.error - log2 }
    }

    /// With another error on top.
    #[must_use]
    pub fn with_error(self, error: f64) -> Self {
        Self { error: log2_sum(self.error, error), ..self }
    }

    /// Message and error together.
    pub fn phase(self) -> f64 {
        log2_sum(self.message, self.error)
    }
}

/// Secret-key encryption: one error polynomial.
pub(super) fn fresh_secret(degree: usize) -> f64 {
    libm::log2(TAIL * ERROR_STANDARD_DEVIATION * libm::sqrt(degree as f64))
}

/// Public-key encryption: `e u + e0 + e1 s`, ternary `u` and `s`.
pub(super) fn fresh_public(degree: usize) -> f64 {
    let n = degree as f64;
    let products = 2.0 * PRODUCT_TAIL * ERROR_STANDARD_DEVIATION * n * libm::sqrt(2.0 / 3.0);
    log2_sum(libm::log2(products), fresh_secret(degree))
}

/// Rounding every coefficient of a polynomial to an integer.
pub(super) fn encoding(degree: usize) -> f64 {
    libm::log2(TAIL * libm::sqrt(degree as f64 / 12.0))
}

/// Rounding each of `components` parts of a ciphertext: `r_0 + r_1 s + r_2 s^2`.
pub(super) fn rounding(components: usize, degree: usize) -> f64 {
    let n = degree as f64;
    let first = log2_sum(encoding(degree), libm::log2(PRODUCT_TAIL * n * libm::sqrt(2.0 / 36.0)));
    // |s(zeta)|^2 is at most TAIL^2 (2 n / 3) where the third component is multiplied by it.
    let third = libm::log2(PRODUCT_TAIL * n * libm::sqrt(2.0 / 36.0) * TAIL * libm::sqrt(2.0 * n / 3.0));
    if components > 2 { log2_sum(first, third) } else { first }
}

/// A sum of `count` key switches at a level: digits times fresh errors, divided by the special primes where there are any, then the rounding of that
/// division.
///
/// Centred digits are uniform up to `2^d` in magnitude. Digits of `d` bits are uniform from 0 on: half as wide around a mean of `2^(d-1)`, and the polynomial of equal
/// coefficients has values up to `1 / sin(pi / 2n) <= n` at the roots near 1.
pub(super) fn key_switch(ring: &RingLevel, count: usize, degree: usize) -> f64 {
    let n = degree as f64;
    let random = libm::log2(PRODUCT_TAIL * n * ERROR_STANDARD_DEVIATION / libm::sqrt(3.0));
    let mean = libm::log2(n) + fresh_secret(degree);
    let decomposition = ring.decomposition();
    let product = |digit: f64| {
        if decomposition.is_centred() { digit + random } else { digit - 1.0 + log2_sum(random, mean) }
    };
    let products = decomposition.digit_log2().map(product).fold(f64::NEG_INFINITY, log2_sum) + libm::log2(count as f64);
    let divided = |special: &NttDivision| log2_sum(products - special.divisor_log2(), rounding(2, degree));
    ring.drop_special().map_or(products, divided)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_sums_follow_the_rules() {
        let (a, b) = (Bounds { message: 40.0, error: 10.0 }, Bounds { message: 41.0, error: 12.0 });
        let product = a.times(b);
        assert!((product.message - 81.0).abs() < 1e-12);
        let exact = libm::log2(libm::exp2(52.0) + libm::exp2(51.0) + libm::exp2(22.0));
        assert!((product.error - exact).abs() < 1e-12);
        assert_eq!(a.plus(a), Bounds { message: 41.0, error: 11.0 });
        let none = Bounds { message: f64::NEG_INFINITY, error: f64::NEG_INFINITY };
        assert_eq!(a.plus(none), a);
        assert!(a.times(none).error.is_infinite());
    }
}
