//! Exact arithmetic on ciphertexts: encrypted minutes times encrypted rates, summed over slots. `cargo run --release --example encrypted_charge`
//!
//! This is the engine alone. Rate cards, meters, checks and invoices are in the crate `billing`.

use std::error::Error;

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::{Context, Evaluator};
use blindrelay_engine::params::{BILL_8192, Parameters, preset};
use blindrelay_engine::ring::GaloisElement;
use blindrelay_keyholder::{KeyRequirements, SecretKey};

fn main() -> Result<(), Box<dyn Error>> {
    let parameters = Parameters::new(preset(BILL_8192)?, Backend::detect())?;
    let degree = parameters.degree();
    let context = Context::new(&parameters)?;
    let key = SecretKey::generate(&context)?;
    let evaluator = Evaluator::new(&context);

    // A sum over the slots of a row rotates by powers of two; the rows are exchanged once.
    let steps: Vec<i64> = (0..(degree / 2).ilog2()).map(|bit| 1 << bit).collect();
    let mut galois: std::collections::BTreeSet<_> =
        steps.iter().map(|&step| GaloisElement::row_rotation(step, degree)).collect();
    galois.insert(GaloisElement::row_exchange(degree));
    let keys = key.evaluation_keys(&KeyRequirements { relinearization: true, galois });

    let minutes: Vec<i64> = (0..degree as i64).map(|line| line % 90).collect();
    let rates: Vec<i64> = (0..degree as i64).map(|line| 15 + line % 7).collect();
    let encrypt = |values: &[i64]| key.encrypt(&context.encode_slots(values)?)?.expand(&context);
    let mut charge = evaluator.multiply_relinearize(&encrypt(&minutes)?, &encrypt(&rates)?, &keys)?;
    for step in steps {
        charge = evaluator.add(&charge, &evaluator.rotate_rows(&charge, step, &keys)?)?;
    }
    charge = evaluator.add(&charge, &evaluator.rotate_columns(&charge, &keys)?)?;
    let noise = charge.noise().sup_log2();
    println!("noise at most 2^{noise:.1} of 2^{:.1} allowed", context.noise_limit_log2(charge.level()));

    // Every slot holds the total now. What an honest result cannot be is refused before anything is shown.
    let most: i64 = degree as i64 * 89 * 21;
    let total = key.open_slots(&charge, &vec![(0, most); degree])?.first().copied();
    let expected: i64 = minutes.iter().zip(&rates).map(|(minutes, rate)| minutes * rate).sum();
    println!("{degree} lines, total {total:?} minor units");
    if total == Some(expected) { Ok(()) } else { Err(format!("the total should be {expected}").into()) }
}
