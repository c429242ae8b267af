//! Key switching: the inner product of a polynomial's digits with a key's rows.
//!
//! Everything is done prime by prime, the special primes first: what belongs to one prime (digits, products, division by the special
//! primes) stays in the cache, and the digits are transformed once for all keys that they meet (hoisting; Halevi and Shoup, *Faster homomorphic linear
//! transformations in `HElib`*, CRYPTO 2018).

use blindrelay_kernels::{Buffer, DotTerm, Prefetch};

use super::ciphertext::Ciphertext;
use super::keys::{KeySwitchingKey, RelinearizationKey};
use super::modswitch::drop_prime;
use crate::noise::{CANONICAL_TAIL, NoiseBound, PRODUCT_TAIL, canonical_rounding, log2_sum};
use crate::params::{Level, Parameters, RingLevel};
use crate::ring::{
    Coeff, Digits, ERROR_STANDARD_DEVIATION, Limb, Ntt, NttDivision, NttPermutation, Poly, Remainder,
    SuccessiveRemainder,
};

/// So many residues of keys are brought closer before they are used: a quarter of what the second-level caches of current servers hold.
const AHEAD: usize = 1 << 16;

/// A key, and the automorphism under which it meets the digits.
#[derive(Clone, Copy)]
pub(super) struct Use<'a> {
    pub(super) key: &'a KeySwitchingKey,
    pub(super) permutation: Option<&'a NttPermutation>,
}

/// The inner products of one polynomial's digits with keys.
pub(super) struct Switch<'a> {
    ring: &'a RingLevel,
    digits: Digits<'a>,
}

impl<'a> Switch<'a> {
    /// Of the digits of `x`; `transformed` is `x` in evaluation form, where the caller has it.
    pub(super) fn new(ring: &'a RingLevel, x: &'a Poly<Coeff>, transformed: Option<&'a Poly<Ntt>>) -> Self {
        Self { ring, digits: ring.decomposition().decompose(x, transformed) }
    }

    /// For each sum of uses, `(sum_d digit_d b_d, sum_d digit_d a_d)` over all of them, divided by the special primes where there are any.
    pub(super) fn apply(&self, sums: &[Vec<Use<'a>>]) -> Vec<[Poly<Ntt>; 2]> {
        let basis = self.ring.basis();
        let mut digits = Buffer::stale(self.digits.scratch_len());
        let mut scratch = Buffer::stale(basis.degree());
        let remainders =
            self.ring.drop_special().map(|division| (division, self.remainders(division, sums, &mut digits)));
        let mut outputs: Vec<_> = sums.iter().map(|_| [Poly::stale(basis), Poly::stale(basis)]).collect();
        let mut ahead = self.rows(0, sums.first());
        for (index, limb) in basis.limbs().iter().enumerate() {
            let digits = self.digits.modulo(index, &mut digits, &mut ahead);
            for (place, (output, sum)) in outputs.iter_mut().zip(sums).enumerate() {
                let [body, uniform] = output.each_mut().map(|poly| poly.limb_mut(index));
                self.dot(index, limb, &digits, sum, [&mut *body, &mut *uniform]);
                let next = sums.get(place + 1);
                ahead = if next.is_some() { self.rows(index, next) } else { self.rows(index + 1, sums.first()) };
                let remainders = remainders.as_ref().and_then(|(division, all)| Some((division, all.get(place)?)));
                if let Some((division, [of_body, of_uniform])) = remainders {
                    division.divide_limb(index, body, of_body, &mut scratch, &mut ahead);
                    division.divide_limb(index, uniform, of_uniform, &mut scratch, &mut ahead);
                }
            }
        }
        outputs
    }

    /// The remainders of all sums modulo the special primes.
    fn remainders(&self, division: &NttDivision, sums: &[Vec<Use<'a>>], digits: &mut [u64]) -> Vec<[Remainder; 2]> {
        let special = division.dropped();
        let mut products: Vec<_> = sums.iter().map(|_| [Poly::stale(special), Poly::stale(special)]).collect();
        for (place, limb) in special.limbs().iter().enumerate() {
            let index = self.ring.basis().len() + place;
            let digits = self.digits.modulo(index, digits, &mut self.rows(index, sums.first()));
            for (product, sum) in products.iter_mut().zip(sums) {
                self.dot(index, limb, &digits, sum, product.each_mut().map(|poly| poly.limb_mut(place)));
            }
        }
        products.into_iter().map(|product| product.map(|poly| division.remainder(poly))).collect()
    }

    /// Which prime of a key is prime number `index` of the target basis: the key has the ciphertext primes of its level before the special ones; a lower
    /// level uses only the first of them.
    fn of_key(&self, key: &KeySwitchingKey, index: usize) -> usize {
        let own = self.ring.basis().len();
        if index < own { index } else { index + (key.level().0 + 1).saturating_sub(own) }
    }

    /// What [`Switch::dot`] will read of keys first modulo prime number `index`.
    fn rows(&self, index: usize, sum: Option<&Vec<Use<'a>>>) -> Prefetch<'a> {
        let degree = self.ring.basis().degree();
        let halves = sum.into_iter().flatten().flat_map(|used| {
            let of_key = self.of_key(used.key, index);
            let rows = used.key.rows().iter().take(self.digits.len());
            rows.flat_map(|row| [&row.body, &row.uniform]).map(move |half| half.limb(of_key))
        });
        Prefetch::new(halves.take(AHEAD / degree).collect())
    }

    /// Both sums of products modulo prime number `index` of the target basis.
    fn dot(&self, index: usize, limb: &Limb, digits: &[&[u64]], uses: &[Use<'a>], out: [&mut [u64]; 2]) {
        let terms = uses.iter().flat_map(|used| {
            let of_key = self.of_key(used.key, index);
            let automorphism = used.permutation.map(NttPermutation::action);
            digits.iter().zip(used.key.rows()).map(move |(&x, row)| DotTerm {
                x,
                automorphism,
                y: [row.body.limb(of_key), row.uniform.limb(of_key)],
            })
        });
        limb.arithmetic().dot_pair(out, &terms.collect::<Vec<_>>());
    }

    /// `c + ` [`Switch::apply`] for one key, divided by the last prime of the level as well. `None` without special primes or at level 0.
    fn apply_and_drop(&self, c: [&Poly<Ntt>; 2], key: &'a KeySwitchingKey) -> Option<[Poly<Ntt>; 2]> {
        let (special, prime) = (self.ring.drop_special()?, self.ring.drop_prime()?);
        let mut digits = Buffer::stale(self.digits.scratch_len());
        let mut scratch = Buffer::stale(self.ring.basis().degree());
        let used = [vec![Use { key, permutation: None }]];
        let [uses] = &used;
        let [remainders] = self.remainders(special, &used, &mut digits).try_into().ok()?;
        // The products and P c modulo one prime: P c leaves no remainder modulo P.
        let mut sums = |index: usize, limb: &Limb, out: [&mut [u64]; 2]| {
            let [body, uniform] = out;
            let digits = self.digits.modulo(index, &mut digits, &mut self.rows(index, Some(uses)));
            self.dot(index, limb, &digits, uses, [&mut *body, &mut *uniform]);
            for (sum, c) in [body, uniform].into_iter().zip(c) {
                limb.arithmetic().mul_scalar_add_assign(sum, c.limb(index), special.divisor(index));
            }
        };
        let mut dropped = [Poly::stale(prime.dropped()), Poly::stale(prime.dropped())];
        for limb in prime.dropped().limbs() {
            sums(prime.kept().len(), limb, dropped.each_mut().map(|poly| poly.limb_mut(0)));
        }
        let [of_body, of_uniform] = &remainders;
        let [body, uniform] = dropped;
        let successive = [(of_body, body), (of_uniform, uniform)]
            .map(|(remainder, dropped)| SuccessiveRemainder::new(special, prime, remainder, dropped, &mut scratch));
        let mut outputs = [Poly::stale(prime.kept()), Poly::stale(prime.kept())];
        for (index, limb) in prime.kept().limbs().iter().enumerate() {
            sums(index, limb, outputs.each_mut().map(|poly| poly.limb_mut(index)));
            for (output, successive) in outputs.iter_mut().zip(&successive) {
                successive.divide_limb(index, output.limb_mut(index), &mut scratch);
            }
        }
        Some(outputs)
    }
}

/// `(sum_d digit_d b_d, sum_d digit_d a_d)` for the digits of `x`, divided by the special primes where there are any: an encryption under
/// `s` of `x s'`. `transformed` is `x` in evaluation form, where the caller has it.
pub fn key_switch(
    ring: &RingLevel,
    x: &Poly<Coeff>,
    transformed: Option<&Poly<Ntt>>,
    key: &KeySwitchingKey,
) -> [Poly<Ntt>; 2] {
    let switched = Switch::new(ring, x, transformed).apply(&[vec![Use { key, permutation: None }]]);
    let zero = || Poly::zero(ring.basis());
    switched.into_iter().next().unwrap_or_else(|| [zero(), zero()])
}

/// What [`key_switch`] adds to the noise: each digit times a fresh error (by Cauchy-Schwarz), divided by the special primes, and then the rounding of
/// that division.
pub fn key_switch_noise(parameters: &Parameters, ring: &RingLevel) -> NoiseBound {
    key_switch_sum_noise(parameters, ring, 1)
}

/// What a sum of `count` key switches adds to the noise that is divided by the special primes once: the products of all, one rounding. The
/// bound also holds for the sum of as many single ones, up to `count - 1` more roundings.
pub fn key_switch_sum_noise(parameters: &Parameters, ring: &RingLevel, count: usize) -> NoiseBound {
    let degree = parameters.degree();
    let fresh = NoiseBound::fresh_secret(degree);
    let products = ring
        .decomposition()
        .digit_log2()
        .map(|digit| NoiseBound::from_sup(libm::exp2(digit.min(1000.0)), degree).times(fresh, degree))
        .fold(NoiseBound::NONE, NoiseBound::plus)
        .scaled(libm::log2(count as f64));
    let bound = match ring.drop_special() {
        Some(division) => products.scaled(-division.divisor_log2()).plus(NoiseBound::rounding(2, degree)),
        None => products,
    };
    bound.at_most_canonical(key_switch_canonical(ring, count, degree))
}

/// The same as values at the primitive roots: digits times fresh errors, divided by the special primes where there are any, then the rounding of that
/// division. Base-2 logarithm.
///
/// Centred digits are uniform up to `2^d` in magnitude. Digits of `d` bits are uniform from 0 on: half as wide around a mean of `2^(d-1)`, and the polynomial of equal
/// coefficients has values up to `1 / sin(pi / 2n) <= n` at the roots near 1.
pub fn key_switch_canonical(ring: &RingLevel, count: usize, degree: usize) -> f64 {
    let n = degree as f64;
    let random = libm::log2(PRODUCT_TAIL * n * ERROR_STANDARD_DEVIATION / libm::sqrt(3.0));
    let mean = libm::log2(n * CANONICAL_TAIL * ERROR_STANDARD_DEVIATION * libm::sqrt(n));
    let decomposition = ring.decomposition();
    let product = |digit: f64| {
        if decomposition.is_centred() { digit + random } else { digit - 1.0 + log2_sum(random, mean) }
    };
    let products = decomposition.digit_log2().map(product).fold(f64::NEG_INFINITY, log2_sum) + libm::log2(count as f64);
    let divided = |special: &NttDivision| log2_sum(products - special.divisor_log2(), canonical_rounding(2, degree));
    ring.drop_special().map_or(products, divided)
}

/// Two components from three; `transformed` is `c2` in evaluation form, where the caller has it.
pub fn relinearize(
    ring: &RingLevel,
    [mut c0, mut c1]: [Poly<Ntt>; 2],
    c2: &Poly<Coeff>,
    transformed: Option<&Poly<Ntt>>,
    key: &RelinearizationKey,
    level: Level,
) -> Ciphertext {
    let [body, uniform] = key_switch(ring, c2, transformed, &key.0);
    c0.add_assign(&body);
    c1.add_assign(&uniform);
    Ciphertext::new(vec![c0, c1], level)
}

/// [`relinearize`] followed by [`drop_prime`](super::drop_prime), the same residues in less time where there are special primes: both
/// divisions share their transforms. `None` at level 0.
pub fn relinearize_and_drop_prime(
    parameters: &Parameters,
    ring: &RingLevel,
    [c0, c1]: [Poly<Ntt>; 2],
    c2: &Poly<Coeff>,
    transformed: Option<&Poly<Ntt>>,
    key: &RelinearizationKey,
    level: Level,
) -> Option<Ciphertext> {
    let lower = Level(level.0.checked_sub(1)?);
    if let Some(components) = Switch::new(ring, c2, transformed).apply_and_drop([&c0, &c1], &key.0) {
        return Some(Ciphertext::new(components.into(), lower));
    }
    drop_prime(parameters, &relinearize(ring, [c0, c1], c2, transformed, key, level))
}
