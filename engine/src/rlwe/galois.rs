//! Automorphisms of ciphertexts.

use super::ciphertext::Ciphertext;
use super::keys::GaloisKey;
use super::keyswitch::key_switch;
use crate::params::{Level, Parameters, RingLevel};
use crate::ring::{Ntt, Poly};

/// The image of a two-component ciphertext under `X -> X^k`, switched back to `s`.
pub fn automorphism(
    parameters: &Parameters,
    ring: &RingLevel,
    c0: &Poly<Ntt>,
    c1: &Poly<Ntt>,
    key: &GaloisKey,
    level: Level,
) -> Ciphertext {
    let mut image = c0.automorphism(key.permutation());
    let uniform_image = c1.automorphism(key.permutation());
    let digits = uniform_image.clone().into_coeff();
    let [body, uniform] = key_switch(parameters, ring, &digits, Some(&uniform_image), key.key());
    image.add_assign(&body);
    Ciphertext::new(vec![image, uniform], level)
}
