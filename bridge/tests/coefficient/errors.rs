//! Errors of every step, measured with the key, beside what the failure probability assumes.

use blindrelay_bridge::coefficient::{Deviations, extract};
use blindrelay_engine::bfv::Evaluator;
use blindrelay_engine::noise::{NoiseBound, SecretNorms};
use blindrelay_keyholder::coefficient::hazmat;
use rayon::prelude::*;
use tfhe::core_crypto::algorithms::modulus_switch::{
    ModulusSwitchedLweCiphertext, lwe_ciphertext_centered_binary_modulus_switch,
};
use tfhe::core_crypto::prelude::{CiphertextModulus, LweCiphertext, LweDimension, keyswitch_lwe_ciphertext};
use tfhe::shortint::atomic_pattern::AtomicPatternServerKey;

use crate::room::{HALVED_SIGNS, on_torus, scoring, somebody};

const SAMPLES: u32 = 600;

/// Holds a measurement against the stated deviation: not above it by more than seven standard errors, and not so far below that it says nothing.
fn hold(step: &str, errors: &[f64], stated: f64) {
    let count = errors.len() as f64;
    let mean = errors.iter().sum::<f64>() / count;
    let measured = (errors.iter().map(|error| error * error).sum::<f64>() / count).sqrt();
    println!("{step}: measured {measured:e}, stated {stated:e}, mean {mean:e}");
    assert!(measured <= stated * (1.0 + 7.0 / (2.0 * count).sqrt()), "{step}: {measured:e} above {stated:e}");
    assert!(measured >= 0.4 * stated, "{step}: {measured:e} far below {stated:e}");
    assert!(mean.abs() <= 7.0 * stated / count.sqrt(), "{step}: mean {mean:e}");
}

#[test]
fn errors_of_every_step_are_as_stated() {
    let room = &*HALVED_SIGNS;
    let source = room.bridge.source();
    let stated = Deviations::of(source, room.bridge.set());
    let parameters = room.context.parameters();

    let values: Vec<i64> = (0..parameters.degree() as i64).map(|i| i * 37 % 257 - 128).collect();
    let plain = room.context.encode_coefficients(&values).unwrap();
    let ciphertext = room.key.encrypt(&plain).unwrap().expand(&room.context).unwrap();
    let bound = room.context.answer_noise(ciphertext.noise(), parameters.top_level(), 2).unwrap();
    let positions: Vec<u32> = (0..parameters.degree() as u32).collect();
    let answer = Evaluator::new(&room.context).answer(ciphertext, &positions).unwrap();

    // Extraction: within the bound of the answer and the rounding to the torus.
    let t = i128::from(room.context.plaintext_modulus().value());
    let weight = SecretNorms::at(parameters.degree()).weight;
    let limit = bound.sup_log2().exp2() / source.answer_modulus() as f64 + f64::midpoint(1.0, weight) / 2_f64.powi(64);
    let mut largest = 0.0_f64;
    for (&position, &value) in positions.iter().zip(&values) {
        let extracted = extract(&answer, position).unwrap();
        let phase = hazmat::coefficient_phase(&room.key, &extracted).unwrap();
        let message = ((i128::from(value) << 64) / t) as u64;
        largest = largest.max(on_torus(phase.wrapping_sub(message)).abs());
    }
    println!("extraction: largest error {largest:e}, bound {limit:e}");
    assert!(largest <= limit && largest >= limit / 1000.0);

    // Key switchings and the modulus switch.
    let AtomicPatternServerKey::Standard(keys) = &room.bridge.server_key().atomic_pattern else {
        panic!("the set has a standard key");
    };
    let steps = 2 * keys.bootstrapping_key.polynomial_size().0 as u64;
    let errors: Vec<[f64; 3]> = (0..SAMPLES)
        .into_par_iter()
        .map(|position| {
            let extracted = hazmat::coefficient_phase(&room.key, &extract(&answer, position).unwrap()).unwrap();
            let lifted = room.bridge.lift(&answer, position).unwrap();
            let large = hazmat::large_phase(&room.decisions, lifted.as_ref()).unwrap();
            let size = LweDimension(room.bridge.set().small_dimension()).to_lwe_size();
            let mut switched = LweCiphertext::new(0, size, CiphertextModulus::new_native());
            keyswitch_lwe_ciphertext(&keys.key_switching_key, &lifted, &mut switched);
            let small = hazmat::small_phase(&room.decisions, switched.as_ref()).unwrap();
            let log = keys.bootstrapping_key.polynomial_size().to_blind_rotation_input_modulus_log();
            let rotated = lwe_ciphertext_centered_binary_modulus_switch::<u64, u64, _>(switched.as_view(), log);
            let phase = rotated
                .mask()
                .zip(hazmat::small_bits(&room.decisions))
                .fold(rotated.body(), |sum, (a, s)| sum.wrapping_sub(a * s))
                % steps;
            // The switch takes half a step away, so that a table's first entry stands for the phases of its step.
            let units = phase.wrapping_mul(u64::MAX / steps + 1).wrapping_add(u64::MAX / steps / 2);
            [large.wrapping_sub(extracted), small.wrapping_sub(large), units.wrapping_sub(small)].map(on_torus)
        })
        .collect();
    let column = |index: usize| errors.iter().map(|row| row[index]).collect::<Vec<_>>();
    hold("switching to the large key", &column(0), stated.lift);
    hold("switching to the small key", &column(1), stated.key_switch);
    hold("centred modulus switch", &column(2), stated.modulus_switch);

    // Bootstrapping: what decisions carry.
    let probe = somebody();
    let tokens = vec![scoring(&probe, 10); 100];
    let scored = room.ask(&probe, &tokens, true);
    hold("bootstrapping", &room.compare(&scored, |_| vec![8, 12]), stated.bootstrap);
}

#[test]
fn the_public_bound_on_answers_holds_for_halved_probes() {
    let room = &*HALVED_SIGNS;
    let probe = somebody();
    let tokens: Vec<_> = (-128..=126).step_by(2).map(|score| scoring(&probe, score)).collect();
    let bound: NoiseBound = crate::room::noise(room.kind, &room.context);
    let limit = bound.sup_log2().exp2() / room.bridge.source().answer_modulus() as f64;
    let t = i128::from(room.context.plaintext_modulus().value());
    let mut largest = 0.0_f64;
    for case in room.ask(&probe, &tokens, true) {
        let phase = hazmat::coefficient_phase(&room.key, &extract(&case.answer, case.position).unwrap()).unwrap();
        let message = ((i128::from(case.score / 2) << 64) / t) as u64;
        largest = largest.max(on_torus(phase.wrapping_sub(message)).abs());
    }
    println!("answers: largest error {largest:e}, bound {limit:e}");
    assert!(largest <= limit && largest >= limit / 1000.0);
}
