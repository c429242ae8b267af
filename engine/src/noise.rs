//! The public bound on the noise that travels with every ciphertext.
//!
//! The noise of a BFV ciphertext is its phase minus the rational `Q m / t`, so that sums, wraps modulo `t` and modulus switches
//! treat it exactly; a fresh one has the rounding of `Q m / t`, at most one half, in it.
//!
//! The bound is static: it follows from the operations done and from public parameters, never from a key or a message. It holds for
//! all coefficients at once except with probability 2^-128, and it is built without assuming that the noises of two
//! operands are independent, so it also holds for sums and products of correlated ciphertexts:
//!
//! * fresh errors are centred binomial (eta = 21), independent: at most 21 in magnitude, and their Euclidean norm exceeds
//!   `sigma sqrt(n) (1 + 2 sqrt(x/n) + 2 x/n)^(1/2)` with probability below `e^-x` (Laurent and Massart 2000, lemma 1, for sub-Gaussian
//!   coordinates; `x` = 100, so 2^-144);
//! * a coefficient of a product of polynomials is an inner product, so at most the product of the Euclidean norms (Cauchy-Schwarz);
//! * rounding errors and the uniform halves of ciphertexts are taken as independent and uniform (they are pseudorandom), which makes their
//!   inner product with a fixed vector `v` sub-Gaussian: at most `14.2 |v| / sqrt(12)` except with probability 2^-128 over all coefficients;
//! * secrets obey [`SecretNorms`], which key generation enforces.

/// Standard deviations between the centre and a bound: `2 exp(-14.2^2 / 2) < 2^-144`, so below 2^-128 over 65536 coefficients at once.
pub const TAIL: f64 = 14.2;

/// Bounds on the secret that every key of the project satisfies: key generation draws again otherwise (never seen at real degrees: the
/// bounds are 8 standard deviations above the mean at `n = 2048`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SecretNorms {
    /// Largest number of non-zero coefficients, which is both the 1-norm and the squared 2-norm of a ternary secret.
    pub weight: f64,
    /// Largest squared Euclidean norm of the square of the secret.
    pub square_energy: f64,
}

impl SecretNorms {
    /// The bounds at ring degree `degree`.
    pub fn at(degree: usize) -> Self {
        let n = degree as f64;
        Self { weight: n.min(0.75 * n + 8.0), square_energy: 1.5 * n * n + 64.0 * n }
    }
}

/// Base-2 logarithms of two norms of a noise polynomial. Minus infinity stands for no noise.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct NoiseBound {
    sup: f64,
    euclidean: f64,
}

/// `log2(2^a + 2^b)`.
fn log2_sum(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if high == f64::NEG_INFINITY { high } else { high + libm::log2(1.0 + libm::exp2(low - high)) }
}

impl NoiseBound {
    /// No noise at all.
    pub const NONE: Self = Self { sup: f64::NEG_INFINITY, euclidean: f64::NEG_INFINITY };

    /// From a bound on the magnitude of each coefficient.
    pub fn from_sup(sup: f64, degree: usize) -> Self {
        Self { sup: libm::log2(sup), euclidean: libm::log2(sup) + 0.5 * libm::log2(degree as f64) }
    }

    /// From the logarithms themselves, as read from the wire.
    pub const fn from_log2(sup: f64, euclidean: f64) -> Self {
        Self { sup, euclidean }
    }

    /// A fresh ciphertext made with the secret key: one error polynomial.
    pub fn fresh_secret(degree: usize) -> Self {
        let n = degree as f64;
        let (sigma, x) = (crate::ring::ERROR_STANDARD_DEVIATION, 100.0);
        let inflation = libm::sqrt(1.0 + 2.0 * libm::sqrt(x / n) + 2.0 * x / n);
        let euclidean = libm::sqrt(n) * (sigma * inflation).min(21.0);
        Self { sup: libm::log2(21.0), euclidean: libm::log2(euclidean) }.plus(Self::from_sup(0.5, degree))
    }

    /// A fresh ciphertext made with a public key: `e u + e0 + e1 s` with ternary `u`.
    pub fn fresh_public(degree: usize) -> Self {
        let energy = degree as f64 + SecretNorms::at(degree).weight + 1.0;
        Self::from_sup(TAIL * crate::ring::ERROR_STANDARD_DEVIATION * libm::sqrt(energy) + 0.5, degree)
    }

    /// Rounding each component of a ciphertext of `components` parts to an integer.
    pub fn rounding(components: usize, degree: usize) -> Self {
        let norms = SecretNorms::at(degree);
        let energy = 1.0 + norms.weight + if components > 2 { norms.square_energy } else { 0.0 };
        Self::from_sup(TAIL * libm::sqrt(energy / 12.0), degree)
    }

    /// The multiples of `Q` in the phase of a ciphertext with centred components: `(c0 + c1 s - [c0 + c1 s]) / Q`, with the
    /// message and noise parts added.
    pub fn wraps(degree: usize) -> Self {
        let energy = 1.0 + SecretNorms::at(degree).weight;
        Self::from_sup(TAIL * libm::sqrt(energy / 12.0) + 1.0, degree)
    }

    /// Bound on the magnitude of every coefficient, base-2 logarithm.
    pub const fn sup_log2(self) -> f64 {
        self.sup
    }

    /// Bound on the Euclidean norm, base-2 logarithm.
    pub const fn euclidean_log2(self) -> f64 {
        self.euclidean
    }

    /// The larger of two bounds, norm by norm.
    #[must_use]
    pub fn at_least(self, floor: Self) -> Self {
        Self { sup: self.sup.max(floor.sup), euclidean: self.euclidean.max(floor.euclidean) }
    }

    /// Noise of a sum or difference; holds for correlated operands.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { sup: log2_sum(self.sup, other.sup), euclidean: log2_sum(self.euclidean, other.euclidean) }
    }

    /// Noise times an integer, or divided by one: `factor_log2` is the logarithm of the magnitude.
    #[must_use]
    pub fn scaled(self, factor_log2: f64) -> Self {
        Self { sup: self.sup + factor_log2, euclidean: self.euclidean + factor_log2 }
    }

    /// Product of two polynomials of these norms.
    #[must_use]
    pub fn times(self, other: Self, degree: usize) -> Self {
        let sup = self.euclidean + other.euclidean;
        Self { sup, euclidean: sup + 0.5 * libm::log2(degree as f64) }
    }

    /// Product with a polynomial whose coefficients' magnitudes sum to at most `2^one_norm_log2`.
    #[must_use]
    pub fn times_one_norm(self, one_norm_log2: f64) -> Self {
        self.scaled(one_norm_log2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_linear_and_none_is_neutral() {
        let fresh = NoiseBound::fresh_secret(2048);
        assert!((fresh.plus(fresh).sup_log2() - fresh.sup_log2() - 1.0).abs() < 1e-12);
        assert_eq!(fresh.plus(NoiseBound::NONE), fresh);
        assert_eq!(NoiseBound::NONE.plus(NoiseBound::NONE), NoiseBound::NONE);
    }

    #[test]
    fn euclidean_norm_of_fresh_noise_is_above_its_mean_and_below_the_trivial_bound() {
        for degree in [2048, 4096, 8192, 16384, 32768, 65536] {
            let fresh = NoiseBound::fresh_secret(degree);
            let mean = crate::ring::ERROR_STANDARD_DEVIATION * (degree as f64).sqrt();
            let bound = fresh.euclidean_log2().exp2();
            assert!(bound > mean && bound < 1.45 * mean, "{degree}: {bound} {mean}");
        }
    }

    #[test]
    fn products_follow_cauchy_schwarz() {
        let (a, b) = (NoiseBound::from_log2(1.0, 3.0), NoiseBound::from_log2(2.0, 5.0));
        assert_eq!(a.times(b, 16), NoiseBound::from_log2(8.0, 10.0));
    }
}
