//! Automorphisms of ciphertexts.

use super::ciphertext::Ciphertext;
use super::keys::GaloisKey;
use super::keyswitch::key_switch;
use crate::params::{Parameters, RingLevel};
use crate::ring::Poly;

/// The image of a two-component ciphertext under `X -> X^k`, switched back to `s`.
pub fn automorphism(
    parameters: &Parameters,
    ring: &RingLevel,
    c0: &Poly<crate::ring::Ntt>,
    c1: &Poly<crate::ring::Ntt>,
    key: &GaloisKey,
    level: crate::params::Level,
) -> Ciphertext {
    let mut image = c0.automorphism(key.permutation());
    let uniform_image = c1.automorphism(key.permutation()).into_coeff();
    let [body, uniform] = key_switch(parameters, ring, &uniform_image, key.key());
    image.add_assign(&body);
    Ciphertext::new(vec![image, uniform], level)
}
