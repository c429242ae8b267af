//! Measured errors of approximate results against their public bounds, at the named parameter sets.

use std::collections::BTreeSet;
use std::sync::Arc;

use blindrelay_engine::Backend;
use blindrelay_engine::ckks::{
    Arithmetic, Ciphertext, Complex, Context, Evaluator, Precision, Scale, evaluate_polynomial,
};
use blindrelay_engine::params::{Parameters, STATS_8192, STATS_16384, preset};
use blindrelay_engine::ring::{GaloisElement, Seed};
use blindrelay_engine::rlwe::{EvaluationKeys, PublicKey};
use blindrelay_keyholder::{KeyRequirements, SecretKey, hazmat};

use crate::generator::Generator;

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A public-key encryption.
    Encryption,
    /// A product, relinearized and rescaled.
    Product,
    /// A rotation.
    Rotation,
    /// A sum over all slots.
    Sum,
    /// A polynomial of degree 7 at `stats-16384`.
    Polynomial,
}

/// All subjects.
pub const SUBJECTS: [Subject; 5] =
    [Subject::Encryption, Subject::Product, Subject::Rotation, Subject::Sum, Subject::Polynomial];

impl Subject {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Encryption => "public-key encryption, stats-8192",
            Self::Product => "product, relinearized and rescaled, stats-8192",
            Self::Rotation => "rotation, stats-8192",
            Self::Sum => "sum of 4096 slots, stats-8192",
            Self::Polynomial => "polynomial of degree 7, stats-16384",
        }
    }
}

/// The largest error of a run and its bound.
#[derive(Clone, Copy, Debug)]
pub struct Margin {
    /// Largest measured error.
    pub largest: f64,
    /// The public bound.
    pub bound: f64,
}

/// A subject with its keys.
pub struct Bench {
    subject: Subject,
    context: Arc<Context>,
    evaluator: Evaluator,
    key: SecretKey<Context>,
    public: PublicKey,
    keys: EvaluationKeys,
}

const COEFFICIENTS: [f64; 8] = [0.5, 0.25, -0.125, 0.3, 0.0, -0.7, 0.01, 0.2];

impl Bench {
    /// Makes keys and tables.
    pub fn new(subject: Subject) -> Self {
        let name = if subject == Subject::Polynomial { STATS_16384 } else { STATS_8192 };
        let parameters = Parameters::new(preset(name).expect("named set"), Backend::detect()).expect("valid set");
        let context = Context::new(&parameters).expect("CKKS tables");
        let key = SecretKey::from_seed(&context, Seed::from_bytes([5; 32]));
        let galois: BTreeSet<GaloisElement> = match subject {
            Subject::Sum => context.sum_slots_elements(context.slot_count()).into_iter().collect(),
            _ => BTreeSet::from([GaloisElement::row_rotation(1, parameters.degree())]),
        };
        let keys = key.evaluation_keys(&KeyRequirements { relinearization: true, galois });
        let public = key.public_key();
        Self { subject, evaluator: Evaluator::new(&context), context, key, public, keys }
    }

    /// Run number `number`: computes, opens, compares with clear values. Panics where an error is above its bound.
    pub fn run(&self, number: u64) -> Margin {
        let mut generator = Generator::new(self.subject.name(), number);
        let (x, a) = self.random(&mut generator);
        let slots = x.len();
        let keyed = self.evaluator.with_keys(&self.keys);
        let (expected, result) = match self.subject {
            Subject::Encryption => (x, a),
            Subject::Product => {
                let (y, b) = self.random(&mut generator);
                let product = keyed.multiply(&a, &b).and_then(|product| keyed.rescale(&product));
                (x.iter().zip(y).map(|(x, y)| x * y).collect(), product.expect("admitted"))
            }
            Subject::Rotation => {
                ((0..slots).map(|j| x[(j + 1) % slots]).collect(), keyed.rotate(&a, 1).expect("admitted"))
            }
            Subject::Sum => (vec![x.iter().sum(); slots], keyed.sum_slots(&a, slots).expect("admitted")),
            Subject::Polynomial => {
                let value = |x: &f64| COEFFICIENTS.iter().rev().fold(0.0, |value, c| value * x + c);
                let result = evaluate_polynomial(&keyed, &a, &COEFFICIENTS, &Scale::power_of_two(40));
                (x.iter().map(value).collect::<Vec<f64>>(), result.expect("admitted"))
            }
        };
        let expected: Vec<Complex> = expected.into_iter().map(|value| Complex::new(value, 0.0)).collect();
        let found = hazmat::decrypt_approximate(&self.key, &result).expect("own key");
        let largest = Precision::of_complex(&expected, &found).expect("finite").maximum;
        let bound = result.error_bound();
        assert!(largest <= bound, "{} run {number}: error {largest:e} above its bound {bound:e}", self.subject.name());
        Margin { largest, bound }
    }

    fn random(&self, generator: &mut Generator) -> (Vec<f64>, Ciphertext) {
        let unit = |word: u64| (word >> 11) as f64 / (1_u64 << 52) as f64 - 1.0;
        let values: Vec<f64> = (0..self.context.slot_count()).map(|_| unit(generator.word())).collect();
        let plaintext = self.context.encode_real(&values, &self.context.encoding()).expect("in range");
        let ciphertext = self.context.encrypt_with_seed(&plaintext, &self.public, &generator.seed());
        (values, ciphertext.expect("admitted"))
    }
}
