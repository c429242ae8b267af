//! The fast ways of key switching against the plain ones, residue by residue, under random keys.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

use blindrelay_engine::Backend;
use blindrelay_engine::params::{Level, ParameterSpec, Parameters, Scheme, SecurityPolicy};
use blindrelay_engine::ring::{Basis, Coeff, Expander, GaloisElement, Ntt, Poly, Seed};
use blindrelay_engine::rlwe::{
    Ciphertext, GaloisKey, KeySwitchingKey, RelinearizationKey, automorphism, automorphism_sum, automorphisms,
    drop_prime, key_switch, relinearize, relinearize_and_drop_prime,
};
use blindrelay_kernels::ntt_primes_below;

const DEGREE: usize = 8192;

/// `count` ciphertext primes and `special` special ones, all of `bits` bits.
fn parameters(bits: u32, count: usize, special: usize, digit_bits: u32, backend: Backend) -> Parameters {
    let primes = ntt_primes_below(bits, 2 * DEGREE as u64, count + special).unwrap();
    let spec = ParameterSpec {
        name: "key-switching".into(),
        ring_degree: DEGREE,
        scheme: Scheme::Bfv { plaintext_modulus: 257 },
        ciphertext_primes: primes[special..].to_vec(),
        special_primes: primes[..special].to_vec(),
        digit_bits,
        answer_prime: None,
        policy: SecurityPolicy::Pq128,
    };
    Parameters::new(spec, backend).unwrap()
}

/// Digits of one prime with and without a special prime, of parts of a prime, and of groups of two primes, the last one short.
fn sets(backend: Backend) -> [Parameters; 5] {
    [
        parameters(41, 3, 1, 50, backend),
        parameters(50, 2, 1, 50, backend),
        parameters(23, 5, 2, 50, backend),
        parameters(41, 4, 0, 50, backend),
        parameters(40, 2, 0, 14, backend),
    ]
}

fn uniform(basis: &std::sync::Arc<Basis>, salt: u8) -> Poly<Ntt> {
    Expander::new(&Seed::from_bytes([salt; 32]), "test").uniform(basis)
}

fn key(parameters: &Parameters, salt: u8) -> KeySwitchingKey {
    let rows = parameters.top().decomposition().rows().len() as u8;
    let bodies = (0..rows).map(|row| uniform(parameters.key_basis(), salt + row)).collect();
    KeySwitchingKey::new(parameters, bodies, Seed::from_bytes([salt; 32])).unwrap()
}

fn galois_keys(parameters: &Parameters) -> Vec<GaloisKey> {
    [3, 9, 2 * DEGREE as u32 - 1]
        .into_iter()
        .zip([100, 120, 140])
        .map(|(k, salt)| GaloisKey::new(parameters, GaloisElement::new(k, DEGREE).unwrap(), key(parameters, salt)))
        .collect()
}

/// Every level of every set on every backend.
fn for_all(test: impl Fn(&Parameters, Level)) {
    for backend in Backend::available() {
        for parameters in sets(backend) {
            for level in 0..=parameters.top_level().0 {
                test(&parameters, Level(level));
            }
        }
    }
}

/// The image by the definition: both components are moved in coefficients, the second is decomposed and switched.
fn image(parameters: &Parameters, c0: &Poly<Ntt>, c1: &Poly<Ntt>, key: &GaloisKey, level: Level) -> Ciphertext {
    let moved = |poly: &Poly<Ntt>| -> Poly<Coeff> { poly.to_coeff().automorphism(key.element()) };
    let [mut body, uniform] = key_switch(parameters.at(level).unwrap(), &moved(c1), None, key.key());
    body.add_assign(&moved(c0).into_ntt());
    Ciphertext::new(vec![body, uniform], level)
}

#[test]
fn images_under_automorphisms_are_those_of_the_definition() {
    for_all(|parameters, level| {
        let ring = parameters.at(level).unwrap();
        let (c0, c1) = (uniform(ring.basis(), 1), uniform(ring.basis(), 2));
        let keys = galois_keys(parameters);
        let together = automorphisms(ring, &c0, &c1, &keys.iter().collect::<Vec<_>>(), level);
        assert_eq!(together.len(), keys.len());
        for (key, hoisted) in keys.iter().zip(&together) {
            let expected = image(parameters, &c0, &c1, key, level);
            assert!(automorphism(ring, &c0, &c1, key, level) == expected, "one, {level}");
            assert!(*hoisted == expected, "hoisted, {level}");
        }
        assert!(automorphisms(ring, &c0, &c1, &[], level).is_empty());
    });
}

/// The largest magnitude of a centred coefficient modulo the first prime.
fn largest(poly: &Poly<Ntt>) -> u64 {
    let poly = poly.to_coeff();
    let (limb, values) = poly.limbs().next().unwrap();
    values.iter().map(|&value| limb.modulus().centre(value).unsigned_abs()).max().unwrap()
}

#[test]
fn a_sum_of_images_differs_from_the_images_sum_by_roundings_only() {
    for_all(|parameters, level| {
        let ring = parameters.at(level).unwrap();
        let (c0, c1) = (uniform(ring.basis(), 1), uniform(ring.basis(), 2));
        let keys = galois_keys(parameters);
        let keys: Vec<&GaloisKey> = keys.iter().collect();
        for count in 0..=keys.len() {
            let mut difference = automorphism_sum(ring, &c0, &c1, &keys[..count], level);
            let zero = Poly::zero(ring.basis());
            let mut images = Ciphertext::new(vec![zero.clone(), zero], level);
            for image in automorphisms(ring, &c0, &c1, &keys[..count], level) {
                images.add_assign(&image);
            }
            images.neg_assign();
            difference.add_assign(&images);
            // One rounding by at most 1/2 instead of `count`.
            let limit = if ring.drop_special().is_some() { (count as u64).div_ceil(2) } else { 0 };
            for component in difference.components() {
                assert!(largest(component) <= limit, "{count} images, {level}: {}", largest(component));
                // Small over every prime alike: the difference is an integer polynomial.
                let coefficients = component.to_coeff();
                let mut first = None;
                for (limb, values) in coefficients.limbs() {
                    let centred: Vec<i64> = values.iter().map(|&value| limb.modulus().centre(value)).collect();
                    assert!(first.get_or_insert(centred.clone()) == &centred);
                }
            }
        }
    });
}

#[test]
fn relinearizing_with_a_dropped_prime_is_relinearizing_and_dropping_it() {
    for_all(|parameters, level| {
        let ring = parameters.at(level).unwrap();
        let [c0, c1, c2] = [1, 2, 3].map(|salt| uniform(ring.basis(), salt));
        let key = RelinearizationKey(key(parameters, 50));
        let digits = c2.to_coeff();
        for transformed in [None, Some(&c2)] {
            let two = || [c0.clone(), c1.clone()];
            let expected = relinearize(ring, two(), &digits, transformed, &key, level);
            let found = relinearize_and_drop_prime(parameters, ring, two(), &digits, transformed, &key, level);
            assert!(found == drop_prime(parameters, &expected), "{level}");
            assert_eq!(found.is_none(), level == Level(0));
        }
    });
}
