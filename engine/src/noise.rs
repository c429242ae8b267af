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
//! * secrets obey [`SecretNorms`], which key generation enforces;
//! * the value of a random polynomial at a root is complex and sub-Gaussian: see [`CANONICAL_TAIL`] and [`PRODUCT_TAIL`]. The largest value at any primitive root, the
//!   *canonical norm*, is multiplicative, which is what products of products need.

/// Standard deviations between the centre and a bound: `2 exp(-14.2^2 / 2) < 2^-144`, so below 2^-128 over 65536 coefficients at once.
pub const TAIL: f64 = 14.2;

/// Standard deviations between zero and a bound on the value of one random polynomial at a root. With independent coefficients of variance proxy `v`, its value seen in any
/// direction of the plane is sub-Gaussian with proxy `n v / 2`, because the squared cosines of the angles sum to `n / 2`. With 16 directions
/// `P(|e(zeta)| > x sqrt(n v)) <= 16 exp(-(x cos(pi/16))^2)`, which for `x` = 10.3 is below 2^-143: below 2^-128 for 32768 roots.
pub const CANONICAL_TAIL: f64 = 10.3;
/// The same for a product of two independent random polynomials (`e s`, `r s`). With `A = |e(zeta)|^2 / n v_e` and `B` alike, `sqrt(A B) > w` needs `A + B > 2 w`, and
/// `P(A + B > y) <= 256 (1 + c y) exp(-c y)` with `c = cos(pi/16)^2`; for `w` = 58 that is below 2^-143 again.
pub const PRODUCT_TAIL: f64 = 58.0;

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

/// Base-2 logarithms of three norms of a noise polynomial. Minus infinity stands for no noise.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct NoiseBound {
    sup: f64,
    euclidean: f64,
    canonical: f64,
}

/// `log2(2^a + 2^b)`.
pub(crate) fn log2_sum(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if high == f64::NEG_INFINITY { high } else { high + libm::log2(1.0 + libm::exp2(low - high)) }
}

/// `log2(sqrt(n))`.
fn half_log2(degree: usize) -> f64 {
    0.5 * libm::log2(degree as f64)
}

impl NoiseBound {
    /// No noise at all.
    pub const NONE: Self = Self { sup: f64::NEG_INFINITY, euclidean: f64::NEG_INFINITY, canonical: f64::NEG_INFINITY };

    /// Three bounds on one polynomial, each as small as the others imply: `|e|_sup <= |e|_2 <= |e|_can <= sqrt(n) |e|_2` (the squared values at the `n` roots have
    /// mean `|e|_2^2`).
    fn reconciled(sup: f64, euclidean: f64, canonical: f64, degree: usize) -> Self {
        let euclidean = euclidean.min(canonical).min(sup + half_log2(degree));
        Self { sup: sup.min(euclidean), euclidean, canonical: canonical.min(euclidean + half_log2(degree)) }
    }

    /// From a bound on the magnitude of each coefficient.
    pub fn from_sup(sup: f64, degree: usize) -> Self {
        let sup = libm::log2(sup);
        Self::reconciled(sup, f64::INFINITY, f64::INFINITY, degree)
    }

    /// From the logarithms of the first two norms, as read from the wire; the third follows.
    pub fn from_log2(sup: f64, euclidean: f64, degree: usize) -> Self {
        Self { sup, euclidean, canonical: euclidean + half_log2(degree) }
    }

    /// From a bound on the values at the primitive roots, base-2 logarithm.
    pub fn from_canonical_log2(canonical: f64, degree: usize) -> Self {
        Self::reconciled(f64::INFINITY, f64::INFINITY, canonical, degree)
    }

    /// A fresh ciphertext made with the secret key: one error polynomial.
    pub fn fresh_secret(degree: usize) -> Self {
        let n = degree as f64;
        let (sigma, x) = (crate::ring::ERROR_STANDARD_DEVIATION, 100.0);
        let inflation = libm::sqrt(1.0 + 2.0 * libm::sqrt(x / n) + 2.0 * x / n);
        let euclidean = libm::sqrt(n) * (sigma * inflation).min(21.0);
        let canonical = CANONICAL_TAIL * sigma * libm::sqrt(n);
        Self::reconciled(libm::log2(21.0), libm::log2(euclidean), libm::log2(canonical), degree)
            .plus(Self::from_sup(0.5, degree))
    }

    /// A fresh ciphertext made with a public key: `e u + e0 + e1 s` with ternary `u`.
    pub fn fresh_public(degree: usize) -> Self {
        let n = degree as f64;
        let energy = n + SecretNorms::at(degree).weight + 1.0;
        let sigma = crate::ring::ERROR_STANDARD_DEVIATION;
        let canonical = sigma * (2.0 * PRODUCT_TAIL * n * libm::sqrt(2.0 / 3.0) + CANONICAL_TAIL * libm::sqrt(n));
        let sup = libm::log2(TAIL * sigma * libm::sqrt(energy));
        Self::reconciled(sup, f64::INFINITY, libm::log2(canonical), degree).plus(Self::from_sup(0.5, degree))
    }

    /// Rounding each component of a ciphertext of `components` parts to an integer: `r_0 + r_1 s + r_2 s^2`.
    pub fn rounding(components: usize, degree: usize) -> Self {
        let norms = SecretNorms::at(degree);
        let energy = 1.0 + norms.weight + if components > 2 { norms.square_energy } else { 0.0 };
        let sup = libm::log2(TAIL * libm::sqrt(energy / 12.0));
        Self::reconciled(sup, f64::INFINITY, canonical_rounding(components, degree), degree)
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

    /// Bound on the values at all primitive roots, base-2 logarithm.
    pub const fn canonical_log2(self) -> f64 {
        self.canonical
    }

    /// The larger of two bounds, norm by norm.
    #[must_use]
    pub fn at_least(self, floor: Self) -> Self {
        Self {
            sup: self.sup.max(floor.sup),
            euclidean: self.euclidean.max(floor.euclidean),
            canonical: self.canonical.max(floor.canonical),
        }
    }

    /// The same polynomial, of which a bound on its values at the roots is known from elsewhere.
    #[must_use]
    pub fn at_most_canonical(self, canonical: f64) -> Self {
        let canonical = self.canonical.min(canonical);
        let euclidean = self.euclidean.min(canonical);
        Self { sup: self.sup.min(euclidean), euclidean, canonical }
    }

    /// Noise of a sum or difference; holds for correlated operands.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            sup: log2_sum(self.sup, other.sup),
            euclidean: log2_sum(self.euclidean, other.euclidean),
            canonical: log2_sum(self.canonical, other.canonical),
        }
    }

    /// Noise times an integer, or divided by one: `factor_log2` is the logarithm of the magnitude.
    #[must_use]
    pub fn scaled(self, factor_log2: f64) -> Self {
        Self {
            sup: self.sup + factor_log2,
            euclidean: self.euclidean + factor_log2,
            canonical: self.canonical + factor_log2,
        }
    }

    /// Product of two polynomials of these norms: coefficients by Cauchy-Schwarz, values at roots one by one.
    #[must_use]
    pub fn times(self, other: Self, degree: usize) -> Self {
        let euclidean = (self.euclidean + other.canonical).min(self.canonical + other.euclidean);
        Self::reconciled(self.euclidean + other.euclidean, euclidean, self.canonical + other.canonical, degree)
    }

    /// Product with a polynomial whose coefficients' magnitudes sum to at most `2^one_norm_log2`.
    #[must_use]
    pub fn times_one_norm(self, one_norm_log2: f64) -> Self {
        self.scaled(one_norm_log2)
    }
}

/// Bound on the values at roots of `r_0 + r_1 s`, or `r_0 + r_1 s + r_2 s^2`, for roundings `r_i` to integers. Base-2 logarithm.
pub(crate) fn canonical_rounding(components: usize, degree: usize) -> f64 {
    let n = degree as f64;
    let of_pair = PRODUCT_TAIL * n * libm::sqrt(2.0 / 36.0);
    // |s(zeta)| is at most CANONICAL_TAIL sqrt(2 n / 3) where the third component is multiplied by it once more.
    let third = if components > 2 { of_pair * CANONICAL_TAIL * libm::sqrt(2.0 * n / 3.0) } else { 0.0 };
    libm::log2(CANONICAL_TAIL * libm::sqrt(n / 12.0) + of_pair + third)
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
        let (a, b) = (NoiseBound::from_log2(1.0, 3.0, 16), NoiseBound::from_log2(2.0, 5.0, 16));
        assert_eq!(a.times(b, 16), NoiseBound::from_log2(8.0, 10.0, 16));
    }
}
