//! Automorphisms of ciphertexts, one by one and several of one ciphertext at once.
//!
//! Centred digits of an image are the images of the digits. So the digits of `c1` serve every automorphism: they are transformed once and
//! moved as the products with a key read them.

use super::ciphertext::Ciphertext;
use super::keys::GaloisKey;
use super::keyswitch::{Switch, Use, key_switch};
use crate::params::{Level, RingLevel};
use crate::ring::{Ntt, Poly};

/// The image of a two-component ciphertext under `X -> X^k`, switched back to `s`.
pub fn automorphism(ring: &RingLevel, c0: &Poly<Ntt>, c1: &Poly<Ntt>, key: &GaloisKey, level: Level) -> Ciphertext {
    automorphism_sum(ring, c0, c1, &[key], level)
}

/// The images of one ciphertext under several automorphisms, in the order of the keys: the same residues as [`automorphism`] for each, but
/// `c1` is decomposed and its digits are transformed once for all.
pub fn automorphisms(
    ring: &RingLevel,
    c0: &Poly<Ntt>,
    c1: &Poly<Ntt>,
    keys: &[&GaloisKey],
    level: Level,
) -> Vec<Ciphertext> {
    let sums: Vec<&[&GaloisKey]> = keys.chunks(1).collect();
    sums_of_images(ring, [c0, c1], &sums, level)
}

/// The sum of the images of one ciphertext under several automorphisms, zero for none. `c1` is decomposed once, and the sum of all products
/// with keys is divided by the special primes once: less time than [`automorphisms`], and one rounding instead of one an image. The noise
/// it adds is bounded by [`key_switch_sum_noise`](super::key_switch_sum_noise).
pub fn automorphism_sum(
    ring: &RingLevel,
    c0: &Poly<Ntt>,
    c1: &Poly<Ntt>,
    keys: &[&GaloisKey],
    level: Level,
) -> Ciphertext {
    let zero = || Ciphertext::new(vec![Poly::zero(ring.basis()), Poly::zero(ring.basis())], level);
    sums_of_images(ring, [c0, c1], &[keys], level).pop().unwrap_or_else(zero)
}

fn sums_of_images<'a>(
    ring: &RingLevel,
    [c0, c1]: [&Poly<Ntt>; 2],
    sums: &[&[&'a GaloisKey]],
    level: Level,
) -> Vec<Ciphertext> {
    let switched = if ring.decomposition().is_centred() {
        let used = |key: &'a GaloisKey| Use { key: key.key(), permutation: Some(key.permutation()) };
        let uses: Vec<Vec<_>> = sums.iter().map(|keys| keys.iter().copied().map(used).collect()).collect();
        Switch::new(ring, &c1.to_coeff(), Some(c1)).apply(&uses)
    } else {
        sums.iter().map(|keys| digits_of_images(ring, c1, keys)).collect()
    };
    let components = switched.into_iter().zip(sums).map(|([mut body, uniform], keys)| {
        for key in *keys {
            body.automorphism_add_assign(c0, key.permutation());
        }
        vec![body, uniform]
    });
    components.map(|components| Ciphertext::new(components, level)).collect()
}

/// The sum of the key switches of all images of `c1`, each decomposed by itself.
fn digits_of_images(ring: &RingLevel, c1: &Poly<Ntt>, keys: &[&GaloisKey]) -> [Poly<Ntt>; 2] {
    let mut sums = [Poly::zero(ring.basis()), Poly::zero(ring.basis())];
    for key in keys {
        let image = c1.automorphism(key.permutation());
        let switched = key_switch(ring, &image.to_coeff(), Some(&image), key.key());
        sums.iter_mut().zip(&switched).for_each(|(sum, part)| sum.add_assign(part));
    }
    sums
}
