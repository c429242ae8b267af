//! Key switching: the inner product of a polynomial's digits with a key's rows.

use blindrelay_kernels::Buffer;

use super::ciphertext::Ciphertext;
use super::keys::{KeyRow, KeySwitchingKey, RelinearizationKey};
use crate::noise::NoiseBound;
use crate::params::{Level, Parameters, RingLevel};
use crate::ring::{Coeff, Ntt, Poly};

/// `(sum_d digit_d b_d, sum_d digit_d a_d)` for the digits of `x`, divided by the special primes where there are any: an encryption under
/// `s` of `x s'`. `transformed` is `x` in evaluation form, where the caller has it.
pub fn key_switch(
    parameters: &Parameters,
    ring: &RingLevel,
    x: &Poly<Coeff>,
    transformed: Option<&Poly<Ntt>>,
    key: &KeySwitchingKey,
) -> [Poly<Ntt>; 2] {
    let decomposition = ring.decomposition();
    let digits = decomposition.decompose(x, transformed);
    let target = decomposition.target();
    // The key has all ciphertext primes before the special ones; a lower level uses only the first of them.
    let unused = parameters.top().basis().len() - ring.basis().len();
    let degree = x.degree();
    let mut scratch = Buffer::stale(digits.scratch_len());
    let mut body = Poly::stale(target);
    let mut uniform = Poly::stale(target);
    for (index, ((limb, body), (_, uniform))) in body.limbs_mut().zip(uniform.limbs_mut()).enumerate() {
        let limb_of_key = if index < ring.basis().len() { index } else { index + unused };
        let of_key = |poly: &'_ Poly<Ntt>| (limb_of_key * degree)..(limb_of_key * degree + poly.degree());
        let digits = digits.modulo(index, limb, &mut scratch);
        let terms = |half: fn(&KeyRow) -> &Poly<Ntt>| {
            let halves = key.rows().iter().map(half);
            let limbs = halves.map(|poly| poly.residues().get(of_key(poly)).unwrap_or_default());
            digits.iter().copied().zip(limbs).collect::<Vec<_>>()
        };
        limb.arithmetic().dot(body, &terms(|row| &row.body));
        limb.arithmetic().dot(uniform, &terms(|row| &row.uniform));
    }
    match ring.drop_special() {
        Some(division) => [division.apply(&body), division.apply(&uniform)],
        None => [body, uniform],
    }
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

/// Two components from three; `transformed` is `c2` in evaluation form, where the caller has it.
pub fn relinearize(
    parameters: &Parameters,
    ring: &RingLevel,
    [mut c0, mut c1]: [Poly<Ntt>; 2],
    c2: &Poly<Coeff>,
    transformed: Option<&Poly<Ntt>>,
    key: &RelinearizationKey,
    level: Level,
) -> Ciphertext {
    let [body, uniform] = key_switch(parameters, ring, c2, transformed, &key.0);
    c0.add_assign(&body);
    c1.add_assign(&uniform);
    Ciphertext::new(vec![c0, c1], level)
}
