//! Sums of a ciphertext's images with one division by the special primes: the message and the noise bound.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

use std::sync::Arc;

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::{Ciphertext, Context, Evaluator};
use blindrelay_engine::params::{BILL_8192, ParameterSpec, Parameters, Scheme, preset};
use blindrelay_engine::ring::{GaloisElement, Seed};
use blindrelay_engine::rlwe::{GaloisKey, automorphism_sum, key_switch_sum_noise};
use blindrelay_keyholder::{KeyRequirements, SecretKey, hazmat};

/// Three ciphertext primes and one special, or four ciphertext primes.
fn context(special: usize) -> Arc<Context> {
    let bill = preset(BILL_8192).unwrap();
    let primes = bill.ciphertext_primes.clone();
    let spec = ParameterSpec {
        name: "sums".into(),
        ciphertext_primes: primes[special..].to_vec(),
        special_primes: primes[..special].to_vec(),
        scheme: Scheme::Bfv { plaintext_modulus: 65_537 },
        ..bill
    };
    Context::new(&Parameters::new(spec, Backend::detect()).unwrap()).unwrap()
}

#[test]
fn slots_are_summed_within_the_bound() {
    for special in [1, 0] {
        let context = context(special);
        let evaluator = Evaluator::new(&context);
        let parameters = context.parameters();
        let degree = parameters.degree();
        let steps = [1, 2, 3, 4, 5, 6, 7];
        for salt in 0..3 {
            let key = SecretKey::from_seed(&context, Seed::from_bytes([salt; 32]));
            let galois = steps.iter().map(|&step| GaloisElement::row_rotation(step, degree)).collect();
            let keys = key.evaluation_keys(&KeyRequirements { relinearization: false, galois });
            let values: Vec<i64> = (0..degree as i64).map(|i| (i * 31 + i64::from(salt)) % 1000).collect();
            let fresh = key.encrypt(&context.encode_slots(&values).unwrap()).unwrap().expand(&context).unwrap();
            for ciphertext in [fresh.clone(), evaluator.switch_down(&fresh).unwrap()] {
                for count in [1, 3, 7] {
                    let ring = parameters.at(ciphertext.level()).unwrap();
                    let used: Vec<&GaloisKey> = steps[..count]
                        .iter()
                        .map(|&step| keys.galois(GaloisElement::row_rotation(step, degree)).unwrap())
                        .collect();
                    let [c0, c1] = ciphertext.rlwe().components() else { panic!("two components") };
                    let sum = automorphism_sum(ring, c0, c1, &used, ciphertext.level());
                    let images = ciphertext.noise().scaled((count as f64).log2());
                    let noise = images.plus(key_switch_sum_noise(parameters, ring, count));
                    let sum = Ciphertext::new(&context, sum, noise).unwrap();
                    let measured = hazmat::measure_noise(&key, &sum).unwrap();
                    assert!(measured <= noise.sup_log2(), "{measured} above {}", noise.sup_log2());
                    let found = context.decode_slots(&hazmat::decrypt(&key, &sum).unwrap()).unwrap();
                    let row = degree / 2;
                    for (slot, &value) in found.iter().enumerate() {
                        let at = |step: i64| values[slot / row * row + (slot % row + step as usize) % row];
                        assert_eq!(value, steps[..count].iter().map(|&step| at(step)).sum::<i64>(), "slot {slot}");
                    }
                }
            }
        }
    }
}
