//! Encryption, every verb of the evaluator and the opening of answers, at the named parameter sets.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "test code: a panic is a failed test"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use blindrelay_engine::bfv::{Ciphertext, Context, Evaluator};
use blindrelay_engine::operator::ValueRange;
use blindrelay_engine::params::{
    BILL_8192, Level, MATCH_2048, MATCH_4096, ParameterSpec, Parameters, SecurityPolicy, preset,
};
use blindrelay_engine::ring::{GaloisElement, Seed};
use blindrelay_engine::{Backend, Error};
use blindrelay_keyholder::{Expectation, KeyRequirements, OpenError, SecretKey, hazmat};

fn context(name: &str) -> Arc<Context> {
    Context::new(&Parameters::new(preset(name).unwrap(), Backend::detect()).unwrap()).unwrap()
}

/// A set with special primes and three levels, below the ceiling.
fn hybrid() -> Arc<Context> {
    let primes = bill_primes();
    let spec = ParameterSpec {
        name: "hybrid-8192".into(),
        ciphertext_primes: primes[..3].to_vec(),
        special_primes: primes[3..4].to_vec(),
        scheme: blindrelay_engine::params::Scheme::Bfv { plaintext_modulus: 65_537 },
        policy: SecurityPolicy::Pq128,
        ..preset(BILL_8192).unwrap()
    };
    Context::new(&Parameters::new(spec, Backend::detect()).unwrap()).unwrap()
}

fn bill_primes() -> Vec<u64> {
    preset(BILL_8192).unwrap().ciphertext_primes
}

fn key(context: &Arc<Context>) -> SecretKey {
    SecretKey::from_seed(context, Seed::from_bytes([3; 32]))
}

/// Values with both signs and both ends of the range.
fn values(context: &Context, count: usize, salt: u64) -> Vec<i64> {
    let limit = context.plaintext_limit() as i64;
    let mut state = salt;
    (0..count)
        .map(|i| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match i {
                0 => limit,
                1 => -limit,
                _ => (state >> 11) as i64 % (limit + 1) * if state & 1024 == 0 { 1 } else { -1 },
            }
        })
        .collect()
}

fn expectation(positions: &[u32], limit: i64) -> Expectation {
    Expectation { positions: positions.to_vec(), range: ValueRange { minimum: -limit, maximum: limit, step: 1 } }
}

fn encrypt(key: &SecretKey, values: &[i64]) -> Ciphertext {
    let plaintext = key.context().encode_coefficients(values).unwrap();
    key.encrypt(&plaintext).unwrap().expand(key.context()).unwrap()
}

fn decrypt(key: &SecretKey, ciphertext: &Ciphertext) -> Vec<i64> {
    let measured = hazmat::measure_noise(key, ciphertext).unwrap();
    assert!(
        measured <= ciphertext.noise().sup_log2(),
        "noise {measured} above its bound {}",
        ciphertext.noise().sup_log2()
    );
    key.context().decode_coefficients(&hazmat::decrypt(key, ciphertext).unwrap())
}

fn centred(x: i128, t: u64) -> i64 {
    let t = i128::from(t);
    let r = x.rem_euclid(t);
    (if r > t / 2 { r - t } else { r }) as i64
}

/// The negacyclic product modulo `t`, by the schoolbook.
fn product(a: &[i64], b: &[i64], t: u64) -> Vec<i64> {
    let n = a.len();
    let mut out = vec![0_i128; n];
    for (i, &x) in a.iter().enumerate().filter(|(_, x)| **x != 0) {
        for (j, &y) in b.iter().enumerate() {
            let term = i128::from(x) * i128::from(y) % i128::from(t);
            if i + j < n { out[i + j] += term } else { out[i + j - n] -= term }
        }
    }
    out.into_iter().map(|x| centred(x, t)).collect()
}

#[test]
fn both_encryptions_open_to_the_message_at_every_set() {
    for context in [context(MATCH_2048), context(MATCH_4096), context(BILL_8192), hybrid()] {
        let key = key(&context);
        let message = values(&context, context.parameters().degree(), 1);
        assert_eq!(decrypt(&key, &encrypt(&key, &message)), message);
        let plaintext = context.encode_coefficients(&message).unwrap();
        assert_eq!(decrypt(&key, &context.encrypt(&plaintext, &key.public_key()).unwrap()), message);
    }
}

#[test]
fn sums_differences_and_plaintexts() {
    for context in [context(MATCH_2048), context(MATCH_4096), context(BILL_8192)] {
        let (key, evaluator, t) = (key(&context), Evaluator::new(&context), context.plaintext_modulus().value());
        let n = context.parameters().degree();
        let (x, y) = (values(&context, n, 2), values(&context, n, 3));
        let (a, b) = (encrypt(&key, &x), encrypt(&key, &y));
        let map = |f: fn(i128, i128) -> i128| -> Vec<i64> {
            x.iter().zip(&y).map(|(&x, &y)| centred(f(x.into(), y.into()), t)).collect()
        };
        assert_eq!(decrypt(&key, &evaluator.add(&a, &b).unwrap()), map(|x, y| x + y));
        assert_eq!(decrypt(&key, &evaluator.sub(&a, &b).unwrap()), map(|x, y| x - y));
        assert_eq!(decrypt(&key, &evaluator.neg(&a).unwrap()), map(|x, _| -x));
        let plaintext = context.encode_coefficients(&y).unwrap();
        assert_eq!(decrypt(&key, &evaluator.add_plain(&a, &plaintext).unwrap()), map(|x, y| x + y));
        assert_eq!(decrypt(&key, &evaluator.sub_plain(&a, &plaintext).unwrap()), map(|x, y| x - y));
        let few = [3, -1, 0, 2];
        let plaintext = context.encode_coefficients_within(&few, 3).unwrap();
        let mut padded = few.to_vec();
        padded.resize(n, 0);
        assert_eq!(decrypt(&key, &evaluator.mul_plain(&a, &plaintext).unwrap()), product(&padded, &x, t));
        let mut monomial = vec![0; n];
        monomial[n - 3] = 1;
        assert_eq!(decrypt(&key, &evaluator.mul_monomial(&a, n - 3).unwrap()), product(&monomial, &x, t));
        monomial[n - 3] = -1;
        assert_eq!(decrypt(&key, &evaluator.mul_monomial(&a, 2 * n - 3).unwrap()), product(&monomial, &x, t));
    }
}

#[test]
fn general_products_relinearized_or_not() {
    for context in [context(MATCH_4096), context(BILL_8192), hybrid()] {
        let (key, evaluator, t) = (key(&context), Evaluator::new(&context), context.plaintext_modulus().value());
        let n = context.parameters().degree();
        let (x, y) = (values(&context, 40, 4), values(&context, n, 5));
        let mut padded = x.clone();
        padded.resize(n, 0);
        let expected = product(&padded, &y, t);
        let (a, b) = (encrypt(&key, &x), encrypt(&key, &y));
        let three = evaluator.multiply(&a, &b).unwrap();
        assert_eq!(decrypt(&key, &three), expected);
        let keys = key.evaluation_keys(&KeyRequirements { relinearization: true, galois: BTreeSet::new() });
        assert_eq!(decrypt(&key, &evaluator.relinearize(&three, &keys).unwrap()), expected);
        assert_eq!(decrypt(&key, &evaluator.multiply_relinearize(&a, &b, &keys).unwrap()), expected);
        let square = evaluator.multiply_relinearize(&a, &a, &keys).unwrap();
        assert_eq!(decrypt(&key, &square), product(&padded, &padded, t));
        let without = key.evaluation_keys(&KeyRequirements::default());
        assert!(matches!(evaluator.multiply_relinearize(&a, &b, &without), Err(Error::MissingKey { .. })));
    }
}

#[test]
fn products_at_lower_levels() {
    for context in [context(BILL_8192), hybrid()] {
        let (key, evaluator, t) = (key(&context), Evaluator::new(&context), context.plaintext_modulus().value());
        let n = context.parameters().degree();
        let (x, y) = (values(&context, 3, 6), values(&context, n, 7));
        let mut padded = x.clone();
        padded.resize(n, 0);
        let (a, b) = (encrypt(&key, &x), encrypt(&key, &y));
        let keys = key.evaluation_keys(&KeyRequirements { relinearization: true, galois: BTreeSet::new() });
        let level = Level(context.parameters().top_level().0 - 1);
        let (low_a, low_b) = (evaluator.switch_down(&a).unwrap(), evaluator.switch_down_to(&b, level).unwrap());
        assert_eq!(decrypt(&key, &low_b), y);
        let result = evaluator.multiply_relinearize(&low_a, &low_b, &keys);
        if t < 1 << 32 {
            assert_eq!(decrypt(&key, &result.unwrap()), product(&padded, &y, t));
        } else {
            assert!(matches!(result, Err(Error::Noise { .. })), "a product of 50-bit plaintexts needs all four primes");
        }
        assert!(matches!(evaluator.add(&a, &low_b), Err(Error::LevelMismatch { .. })));
        let bottom = evaluator.switch_down_to(&b, Level(0));
        if t < 1 << 32 {
            let bottom = bottom.unwrap();
            assert_eq!(decrypt(&key, &bottom), y);
            assert_eq!(evaluator.switch_down(&bottom), Err(Error::LevelExhausted));
        } else {
            assert!(matches!(bottom, Err(Error::Noise { .. })), "a 50-bit plaintext does not fit in one 41-bit prime");
        }
    }
}

#[test]
fn slots_multiply_and_rotate() {
    for context in [context(MATCH_4096), context(BILL_8192), hybrid()] {
        let (key, evaluator, t) = (key(&context), Evaluator::new(&context), context.plaintext_modulus().value());
        let n = context.parameters().degree();
        let (x, y) = (values(&context, n, 8), values(&context, n, 9));
        let encrypt =
            |values: &[i64]| key.encrypt(&context.encode_slots(values).unwrap()).unwrap().expand(&context).unwrap();
        let decrypt = |ciphertext: &Ciphertext| {
            decrypt(&key, ciphertext);
            context.decode_slots(&hazmat::decrypt(&key, ciphertext).unwrap()).unwrap()
        };
        let (a, b) = (encrypt(&x), encrypt(&y));
        let steps = [1, -3, 100];
        let mut galois: BTreeSet<_> = steps.iter().map(|&step| GaloisElement::row_rotation(step, n)).collect();
        galois.insert(GaloisElement::row_exchange(n));
        let keys = key.evaluation_keys(&KeyRequirements { relinearization: true, galois });
        let product: Vec<i64> = x.iter().zip(&y).map(|(&x, &y)| centred(i128::from(x) * i128::from(y), t)).collect();
        assert_eq!(decrypt(&evaluator.multiply_relinearize(&a, &b, &keys).unwrap()), product);
        if t < 1 << 32 {
            let plain = evaluator.mul_plain(&a, &context.encode_slots(&y).unwrap()).unwrap();
            assert_eq!(decrypt(&plain), product);
        }
        for step in steps {
            let half = (n / 2) as i64;
            let expected: Vec<i64> = (0..n)
                .map(|i| {
                    let (row, column) = (i as i64 / half, i as i64 % half);
                    x[(row * half + (column + step).rem_euclid(half)) as usize]
                })
                .collect();
            assert_eq!(decrypt(&evaluator.rotate_rows(&a, step, &keys).unwrap()), expected, "step {step}");
        }
        let exchanged: Vec<i64> = x[n / 2..].iter().chain(&x[..n / 2]).copied().collect();
        assert_eq!(decrypt(&evaluator.rotate_columns(&a, &keys).unwrap()), exchanged);
        assert!(matches!(evaluator.rotate_rows(&a, 2, &keys), Err(Error::MissingKey { .. })));
        let low = evaluator.switch_down(&a).unwrap();
        assert!(decrypt(&evaluator.rotate_rows(&low, 0, &keys).unwrap()) == x);
        if let Ok(rotated) = evaluator.rotate_columns(&low, &keys) {
            assert_eq!(decrypt(&rotated), exchanged);
        }
    }
}

#[test]
fn products_within_the_basis_and_answers() {
    for context in [context(MATCH_2048), context(MATCH_4096)] {
        let (key, evaluator, t) = (key(&context), Evaluator::new(&context), context.plaintext_modulus().value());
        let n = context.parameters().degree();
        let (x, y) = (values(&context, 128, 10), values(&context, n, 11));
        let mut padded = x.clone();
        padded.resize(n, 0);
        let expected = product(&padded, &y, t);
        let prepared = evaluator.prepare(&encrypt(&key, &y)).unwrap();
        let result = evaluator.multiply_prepared(&encrypt(&key, &x), &prepared).unwrap();
        assert_eq!(decrypt(&key, &result), expected);
        let positions: Vec<u32> = (127..n as u32).step_by(128).collect();
        let limit = context.plaintext_limit() as i64;
        let wanted: Vec<i64> = positions.iter().map(|&p| expected[p as usize]).collect();
        let keys = key.evaluation_keys(&KeyRequirements { relinearization: true, galois: BTreeSet::new() });
        for (result, components) in [(result.clone(), 2), (evaluator.relinearize(&result, &keys).unwrap(), 1)] {
            let answer = evaluator.answer(result, &positions).unwrap();
            assert_eq!(answer.rest().len(), components);
            let opened = key.open_answer(&answer, &expectation(&positions, limit)).unwrap();
            assert_eq!(*opened, wanted);
            let narrow = expectation(&positions, 0);
            assert_eq!(key.open_answer(&answer, &narrow), Err(OpenError));
            let other = expectation(&positions[1..], limit);
            assert_eq!(key.open_answer(&answer, &other), Err(OpenError));
        }
    }
}

#[test]
fn noise_is_refused_before_it_breaks_a_result() {
    let context = context(MATCH_2048);
    let (key, evaluator) = (key(&context), Evaluator::new(&context));
    let fresh = context.encrypt(&context.encode_coefficients(&[1]).unwrap(), &key.public_key()).unwrap();
    let prepared = evaluator.prepare(&fresh).unwrap();
    let refused = evaluator.multiply_prepared(&fresh, &prepared);
    assert!(
        matches!(refused, Err(Error::Noise { bound_log2, limit_log2, .. }) if bound_log2 > limit_log2),
        "{refused:?}"
    );
    let mut sum = fresh;
    let mut doublings = 0;
    let stopped = loop {
        match evaluator.add(&sum, &sum) {
            Ok(double) => sum = double,
            Err(error) => break error,
        }
        doublings += 1;
        assert!(doublings < 64);
    };
    assert!(matches!(stopped, Error::Noise { operation: "addition", .. }), "{stopped}");
    assert_eq!(decrypt(&key, &sum)[0], centred(1 << doublings, 257));
}

#[test]
fn the_same_seed_gives_the_same_keys_on_every_backend() {
    for name in [MATCH_2048, MATCH_4096, BILL_8192] {
        let keys: Vec<_> = Backend::available()
            .into_iter()
            .map(|backend| {
                let context = Context::new(&Parameters::new(preset(name).unwrap(), backend).unwrap()).unwrap();
                let key = key(&context);
                let galois = BTreeSet::from([GaloisElement::row_exchange(context.parameters().degree())]);
                let evaluation = key.evaluation_keys(&KeyRequirements { relinearization: true, galois });
                let plaintext = context.encode_coefficients(&values(&context, 100, 12)).unwrap();
                let seeds = [Seed::from_bytes([1; 32]), Seed::from_bytes([2; 32])];
                let [uniform, error] = seeds;
                let fresh = hazmat::encrypt_deterministically(&key, &plaintext, uniform, &error).unwrap();
                (hazmat::secret_coefficients(&key).to_vec(), key.public_key(), evaluation, fresh)
            })
            .collect();
        assert!(keys.iter().all(|other| *other == keys[0]));
    }
}
