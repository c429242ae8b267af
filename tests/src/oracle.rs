//! The engine's objects as the reference's: residues composed to integers, key rows to big polynomials, digits from their definition.

use blindrelay_engine::params::{Level, Parameters};
use blindrelay_engine::ring::{Coeff, Ntt, Poly};
use blindrelay_engine::rlwe::{self, KeySwitchingKey};
use blindrelay_reference::{Ciphertext, KeySwitchingKey as ReferenceKey, Polynomial, centred};
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::One;

/// The product of primes.
pub fn product(primes: &[u64]) -> BigInt {
    primes.iter().map(|&p| BigInt::from(p)).fold(BigInt::one(), |a, b| a * b)
}

/// Chinese remainders: for each prime the integer that is 1 modulo it and 0 modulo the others.
pub struct Composer {
    primes: Vec<u64>,
    modulus: BigInt,
    units: Vec<BigInt>,
}

impl Composer {
    /// For a basis of these primes.
    pub fn new(primes: &[u64]) -> Self {
        let modulus = product(primes);
        let units = primes
            .iter()
            .map(|&p| {
                let p = BigInt::from(p);
                let others = &modulus / &p;
                let inverse = others.modpow(&(&p - 2), &p);
                others * inverse
            })
            .collect();
        Self { primes: primes.to_vec(), modulus, units }
    }

    /// The modulus.
    pub fn modulus(&self) -> &BigInt {
        &self.modulus
    }

    /// Centred integers with these residues, the limbs of the basis one after the other.
    pub fn compose(&self, limbs: &[&[u64]]) -> Polynomial {
        assert_eq!(limbs.len(), self.primes.len());
        (0..limbs[0].len())
            .map(|i| {
                let sum: BigInt = limbs.iter().zip(&self.units).map(|(limb, unit)| unit * limb[i]).sum();
                centred(&sum, &self.modulus)
            })
            .collect()
    }
}

/// The reference's view of one level of a parameter set.
pub struct LevelOracle<S> {
    /// The scheme in big integers.
    pub scheme: S,
    composer: Composer,
    key_composer: Composer,
    special: BigInt,
    level: Level,
    parameters: Parameters,
}

fn limbs(poly: &Poly<Coeff>) -> Vec<&[u64]> {
    poly.limbs().map(|(_, values)| values).collect()
}

impl<S> LevelOracle<S> {
    /// For a level whose scheme `scheme` makes from degree and modulus.
    pub fn new(parameters: &Parameters, level: Level, scheme: impl FnOnce(usize, BigInt) -> S) -> Self {
        let spec = parameters.spec();
        let primes = &spec.ciphertext_primes[..=level.0];
        let key_primes: Vec<u64> = primes.iter().chain(&spec.special_primes).copied().collect();
        Self {
            scheme: scheme(spec.ring_degree, product(primes)),
            composer: Composer::new(primes),
            key_composer: Composer::new(&key_primes),
            special: product(&spec.special_primes),
            level,
            parameters: parameters.clone(),
        }
    }

    /// A polynomial over the level's primes.
    pub fn poly(&self, poly: &Poly<Ntt>) -> Polynomial {
        self.composer.compose(&limbs(&poly.clone().into_coeff()))
    }

    /// A ciphertext of the level.
    pub fn ciphertext(&self, ciphertext: &rlwe::Ciphertext) -> Ciphertext {
        Ciphertext { components: ciphertext.components().iter().map(|c| self.poly(c)).collect() }
    }

    /// A key cut to the level: its ciphertext primes and the special ones, and the rows of the level's digits.
    pub fn key(&self, key: &KeySwitchingKey) -> ReferenceKey {
        let top = self.parameters.top_level().0 + 1;
        let cut = |poly: &Poly<Ntt>| {
            let poly = poly.clone().into_coeff();
            let all = limbs(&poly);
            let kept: Vec<&[u64]> = all[..=self.level.0].iter().chain(&all[top..]).copied().collect();
            self.key_composer.compose(&kept)
        };
        let count = self.digit_plan().len();
        let rows = key.rows()[..count].iter().map(|row| (cut(&row.body), cut(&row.uniform))).collect();
        ReferenceKey { special: self.special.clone(), rows }
    }

    /// The digits of the level by their definition: the modulus of each, the shift, and the width where it is a part of a prime.
    fn digit_plan(&self) -> Vec<(BigInt, u32, Option<u32>)> {
        let spec = self.parameters.spec();
        let primes = &spec.ciphertext_primes[..=self.level.0];
        if !spec.special_primes.is_empty() {
            return primes.chunks(spec.special_primes.len()).map(|group| (product(group), 0, None)).collect();
        }
        let mut plan = Vec::new();
        for &prime in primes {
            let bits = u64::BITS - prime.leading_zeros();
            let parts = bits.div_ceil(spec.digit_bits);
            let width = bits.div_ceil(parts);
            for part in 0..parts {
                let cut = (parts > 1).then_some(width);
                plan.push((BigInt::from(prime), part * width, cut));
            }
        }
        plan
    }

    /// The digits of a polynomial over the level.
    pub fn digits(&self, x: &[BigInt]) -> Vec<Polynomial> {
        self.digit_plan()
            .into_iter()
            .map(|(modulus, shift, width)| {
                x.iter()
                    .map(|coefficient| match width {
                        None => centred(coefficient, &modulus),
                        Some(width) => (coefficient.mod_floor(&modulus) >> shift).mod_floor(&(BigInt::one() << width)),
                    })
                    .collect()
            })
            .collect()
    }

    /// The level's modulus.
    pub fn modulus(&self) -> &BigInt {
        self.composer.modulus()
    }
}
