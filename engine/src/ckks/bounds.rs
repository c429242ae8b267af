//! Public bounds on what the slots of a ciphertext hold and on how far they are off.
//!
//! Both are bounds on the canonical embedding, that is on the magnitude of a polynomial's value at every primitive root (scale times slot): it is multiplicative, sums
//! linearly, is kept by automorphisms, and bounds every coefficient. They follow from the operations and from public declarations, never from a
//! key or a message. A bound on an error holds for all slots at once except with probability 2^-128, and without assuming that the errors of two operands
//! are independent.
//!
//! * What one random polynomial and a product of two can be at a root: [`CANONICAL_TAIL`] and [`PRODUCT_TAIL`].
//! * Rounding errors, the uniform halves of ciphertexts and digits are taken as independent and uniform: they are pseudorandom.

use crate::noise::{CANONICAL_TAIL, PRODUCT_TAIL, canonical_rounding};
use crate::params::RingLevel;
use crate::ring::ERROR_STANDARD_DEVIATION;
use crate::rlwe;

pub(super) use crate::noise::log2_sum;

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
    libm::log2(CANONICAL_TAIL * ERROR_STANDARD_DEVIATION * libm::sqrt(degree as f64))
}

/// Public-key encryption: `e u + e0 + e1 s`, ternary `u` and `s`.
pub(super) fn fresh_public(degree: usize) -> f64 {
    let n = degree as f64;
    let products = 2.0 * PRODUCT_TAIL * ERROR_STANDARD_DEVIATION * n * libm::sqrt(2.0 / 3.0);
    log2_sum(libm::log2(products), fresh_secret(degree))
}

/// Rounding every coefficient of a polynomial to an integer.
pub(super) fn encoding(degree: usize) -> f64 {
    libm::log2(CANONICAL_TAIL * libm::sqrt(degree as f64 / 12.0))
}

/// Rounding each of `components` parts of a ciphertext: `r_0 + r_1 s + r_2 s^2`.
pub(super) fn rounding(components: usize, degree: usize) -> f64 {
    canonical_rounding(components, degree)
}

/// A sum of `count` key switches at a level.
pub(super) fn key_switch(ring: &RingLevel, count: usize, degree: usize) -> f64 {
    rlwe::key_switch_canonical(ring, count, degree)
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
