//! Exact scales.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::ScaleFault;

/// A positive rational number `2^a q_1^b_1 q_2^b_2 ...` with the primes of a parameter set: what every product and rescaling of scales is.
/// By unique factorisation two scales are equal exactly if their exponents are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scale {
    two: i32,
    primes: BTreeMap<u64, i32>,
}

impl Scale {
    /// Base-2 logarithm of the largest scale of a ciphertext; the least is 1.
    pub const MAX_LOG2: f64 = 2000.0;
    /// Largest magnitude of an exponent in the scale of a ciphertext.
    pub const MAX_EXPONENT: i32 = 100_000;

    /// Refuses what is no scale of a ciphertext over these primes: another prime, an exponent beyond [`Scale::MAX_EXPONENT`], a scale that is not from 1 to
    /// 2^[`Scale::MAX_LOG2`]. The scales that it admits are those that the wire format can carry.
    pub fn check(&self, ciphertext_primes: &[u64]) -> Result<(), ScaleFault> {
        if let Some((prime, _)) = self.primes().find(|(prime, _)| !ciphertext_primes.contains(prime)) {
            return Err(ScaleFault::Prime { prime });
        }
        let limit = Self::MAX_EXPONENT;
        let beyond = |&(_, exponent): &(u64, i32)| exponent.unsigned_abs() > limit.unsigned_abs();
        if let Some((base, exponent)) = std::iter::once((2, self.two)).chain(self.primes()).find(beyond) {
            return Err(ScaleFault::Exponent { base, exponent, limit });
        }
        let (log2, least, most) = (self.log2(), 0.0, Self::MAX_LOG2);
        if (least..=most).contains(&log2) { Ok(()) } else { Err(ScaleFault::Range { log2, least, most }) }
    }

    /// `2^exponent`.
    pub const fn power_of_two(exponent: i32) -> Self {
        Self { two: exponent, primes: BTreeMap::new() }
    }

    /// From the exponent of 2 and those of odd primes.
    pub fn from_exponents(two: i32, primes: impl IntoIterator<Item = (u64, i32)>) -> Self {
        primes.into_iter().fold(Self::power_of_two(two), |scale, (prime, exponent)| scale.times_power(prime, exponent))
    }

    /// The exponent of 2.
    pub const fn two(&self) -> i32 {
        self.two
    }

    /// Odd primes with their exponents, ascending; none is zero.
    pub fn primes(&self) -> impl ExactSizeIterator<Item = (u64, i32)> {
        self.primes.iter().map(|(&prime, &exponent)| (prime, exponent))
    }

    /// The product.
    #[must_use]
    pub fn times(&self, other: &Self) -> Self {
        let start = Self { two: self.two.saturating_add(other.two), primes: self.primes.clone() };
        other.primes.iter().fold(start, |scale, (&prime, &exponent)| scale.times_power(prime, exponent))
    }

    /// The quotient.
    #[must_use]
    pub fn over(&self, other: &Self) -> Self {
        let start = Self { two: self.two.saturating_sub(other.two), primes: self.primes.clone() };
        other.primes.iter().fold(start, |scale, (&prime, &exponent)| scale.times_power(prime, -exponent))
    }

    /// The scale times a prime.
    #[must_use]
    pub fn times_prime(&self, prime: u64) -> Self {
        self.clone().times_power(prime, 1)
    }

    /// The scale divided by a prime: what rescaling does.
    #[must_use]
    pub fn over_prime(&self, prime: u64) -> Self {
        self.clone().times_power(prime, -1)
    }

    fn times_power(mut self, prime: u64, exponent: i32) -> Self {
        let entry = self.primes.entry(prime).or_insert(0);
        *entry = entry.saturating_add(exponent);
        if *entry == 0 {
            self.primes.remove(&prime);
        }
        self
    }

    /// Integer and fractional part of the base-2 logarithm. The fractional part keeps its accuracy however large the exponents are, because
    /// primes lie near powers of two.
    fn log2_parts(&self) -> (i64, f64) {
        self.primes.iter().fold((i64::from(self.two), 0.0), |(whole, fraction), (&prime, &exponent)| {
            let nearest = libm::round(libm::log2(prime as f64));
            let power = libm::exp2(nearest);
            let rest = libm::log1p((prime as f64 - power) / power) * std::f64::consts::LOG2_E;
            (whole + nearest as i64 * i64::from(exponent), fraction + rest * f64::from(exponent))
        })
    }

    /// Base-2 logarithm.
    pub fn log2(&self) -> f64 {
        let (whole, fraction) = self.log2_parts();
        whole as f64 + fraction
    }

    /// The nearest double, up to a relative error of 2^-50; infinite or zero outside the range of doubles.
    pub fn value(&self) -> f64 {
        let (whole, fraction) = self.log2_parts();
        let exponent = i32::try_from(whole.clamp(-5000, 5000)).unwrap_or(0);
        libm::ldexp(libm::exp2(fraction), exponent)
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "2^{}", self.two)?;
        self.primes().try_for_each(|(prime, exponent)| write!(f, " {prime}^{exponent}"))?;
        if self.primes.is_empty() { Ok(()) } else { write!(f, " (about 2^{:.6})", self.log2()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIME: u64 = 1_099_511_480_321;

    #[test]
    fn rescaling_a_square_is_exact_and_not_the_scale_itself() {
        let fresh = Scale::power_of_two(40);
        let rescaled = fresh.times(&fresh).over_prime(PRIME);
        assert_ne!(rescaled, fresh);
        assert_eq!(rescaled.times_prime(PRIME), Scale::power_of_two(80));
        assert_eq!(rescaled.over(&rescaled), Scale::power_of_two(0));
        assert!((rescaled.value() / 2_f64.powi(80) * PRIME as f64 - 1.0).abs() < 1e-15);
    }

    #[test]
    fn scales_of_ciphertexts_are_at_least_one_and_made_of_the_sets_primes() {
        let other = 1_099_511_922_689;
        let check =
            |two, exponents: &[(u64, i32)]| Scale::from_exponents(two, exponents.iter().copied()).check(&[PRIME, 97]);
        for admitted in [check(0, &[]), check(2000, &[]), check(40, &[(PRIME, -1)]), check(-100_000, &[(PRIME, 2501)])]
        {
            assert_eq!(admitted, Ok(()));
        }
        assert_eq!(check(40, &[(other, -1)]), Err(ScaleFault::Prime { prime: other }));
        let beyond = |base, exponent| Err(ScaleFault::Exponent { base, exponent, limit: 100_000 });
        assert_eq!(check(100_001, &[(PRIME, -2500)]), beyond(2, 100_001));
        assert_eq!(check(i32::MIN, &[]), beyond(2, i32::MIN));
        assert_eq!(check(40, &[(PRIME, -100_001)]), beyond(PRIME, -100_001));
        for (two, exponents) in [(-1, &[][..]), (2001, &[]), (39, &[(PRIME, -1)]), (0, &[(PRIME, 51)])] {
            assert!(matches!(check(two, exponents), Err(ScaleFault::Range { least: 0.0, most: 2000.0, .. })));
        }
    }

    #[test]
    fn values_stay_accurate_with_large_exponents() {
        let scale = Scale::from_exponents(5120, [(PRIME, -127)]);
        let exact = 40.0 - 127.0 * ((PRIME as f64 - 2_f64.powi(40)) / 2_f64.powi(40)).ln_1p() / std::f64::consts::LN_2;
        assert!((scale.log2() - exact).abs() < 1e-13, "{} {exact}", scale.log2());
        assert!((scale.value().log2() - exact).abs() < 1e-12);
    }
}
