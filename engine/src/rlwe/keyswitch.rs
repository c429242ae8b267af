//! Key switching: the inner product of a polynomial's digits with a key's rows.

use std::sync::Arc;

use super::ciphertext::Ciphertext;
use super::keys::{KeySwitchingKey, RelinearizationKey};
use crate::noise::NoiseBound;
use crate::params::{Parameters, RingLevel};
use crate::ring::{Coeff, Ntt, Poly};

/// `(sum_d digit_d b_d, sum_d digit_d a_d)` for the digits of `x`, divided by the special primes where there are any: an encryption under
/// `s` of `x s'`.
pub fn key_switch(parameters: &Parameters, ring: &RingLevel, x: &Poly<Coeff>, key: &KeySwitchingKey) -> [Poly<Ntt>; 2] {
    let decomposition = ring.decomposition();
    let digits = decomposition.decompose(x);
    let target = decomposition.target();
    // The key has all ciphertext primes before the special ones; a lower level uses only the first of them.
    let unused = parameters.top().basis().len() - ring.basis().len();
    let degree = x.degree();
    let limb_of_key = |index: usize| if index < ring.basis().len() { index } else { index + unused };
    let mut body = Poly::zero(target);
    let mut uniform = Poly::zero(target);
    for (index, ((limb, body), (_, uniform))) in body.limbs_mut().zip(uniform.limbs_mut()).enumerate() {
        let mut body_terms = Vec::with_capacity(digits.len());
        let mut uniform_terms = Vec::with_capacity(digits.len());
        for (digit, row) in digits.iter().zip(key.rows()) {
            let digit = nth_limb(digit, index, degree);
            body_terms.push((digit, nth_limb(&row.body, limb_of_key(index), degree)));
            uniform_terms.push((digit, nth_limb(&row.uniform, limb_of_key(index), degree)));
        }
        limb.arithmetic().dot(body, &body_terms);
        limb.arithmetic().dot(uniform, &uniform_terms);
    }
    match ring.drop_special() {
        Some(division) => [division.apply(&body), division.apply(&uniform)],
        None => [body, uniform],
    }
}

fn nth_limb(poly: &Poly<Ntt>, index: usize, degree: usize) -> &[u64] {
    poly.residues().chunks_exact(degree).nth(index).unwrap_or_default()
}

/// What [`key_switch`] adds to the noise: each digit times a fresh error (by Cauchy-Schwarz), divided by the special primes, and then the rounding of
/// that division.
pub fn key_switch_noise(parameters: &Parameters, ring: &RingLevel) -> NoiseBound {
    let degree = parameters.degree();
    let fresh = NoiseBound::fresh_secret(degree);
    let products = ring
        .decomposition()
        .digit_log2()
        .map(|digit| NoiseBound::from_sup(libm::exp2(digit.min(1000.0)), degree).times(fresh, degree))
        .fold(NoiseBound::NONE, NoiseBound::plus);
    match ring.drop_special() {
        Some(division) => products.scaled(-division.divisor_log2()).plus(NoiseBound::rounding(2, degree)),
        None => products,
    }
}

/// Two components from three.
pub fn relinearize(
    parameters: &Parameters,
    ring: &RingLevel,
    [mut c0, mut c1]: [Poly<Ntt>; 2],
    c2: &Poly<Coeff>,
    key: &RelinearizationKey,
    level: crate::params::Level,
) -> Ciphertext {
    let [body, uniform] = key_switch(parameters, ring, c2, &key.0);
    c0.add_assign(&body);
    c1.add_assign(&uniform);
    debug_assert!(Arc::ptr_eq(c0.basis(), c1.basis()) || c0.basis() == c1.basis());
    Ciphertext::new(vec![c0, c1], level)
}
