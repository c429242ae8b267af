//! Measured noise against the public bound, at the named parameter sets and for every operator.

use std::collections::BTreeSet;
use std::sync::Arc;

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::{Ciphertext, Context, Evaluator, PreparedMultiplicand};
use blindrelay_engine::params::{BILL_8192, Parameters, preset};
use blindrelay_engine::ring::{GaloisElement, Seed};
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_keyholder::{Expectation, KeyRequirements, SecretKey, hazmat};
use blindrelay_routing::{Layout, MatchKind, TOKEN_ENTRIES, Token, reference};

use crate::generator::Generator;

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The product of a matching operator with a full group, opened with and without relinearization.
    Match(MatchKind),
    /// A general product with relinearization at `bill-8192`.
    Product,
    /// A row rotation at `bill-8192`.
    Rotation,
}

/// All subjects.
pub const SUBJECTS: [Subject; 4] =
    [Subject::Match(MatchKind::Signs), Subject::Match(MatchKind::Embeddings), Subject::Product, Subject::Rotation];

impl Subject {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Match(kind) => kind.id(),
            Self::Product => "product with relinearization, bill-8192",
            Self::Rotation => "rotation, bill-8192",
        }
    }
}

/// The largest noise of some runs and the bound, base-2 logarithms.
#[derive(Clone, Copy, Debug)]
pub struct Margin {
    /// Largest measured noise.
    pub largest: f64,
    /// The public bound.
    pub bound: f64,
    /// What the parameters allow.
    pub limit: f64,
}

/// A subject with its keys.
pub struct Bench {
    subject: Subject,
    context: Arc<Context>,
    evaluator: Evaluator,
    key: SecretKey,
    keys: EvaluationKeys,
}

impl Bench {
    /// Makes keys and tables.
    pub fn new(subject: Subject) -> Self {
        let name = match subject {
            Subject::Match(kind) => kind.parameters(),
            Subject::Product | Subject::Rotation => BILL_8192,
        };
        let parameters = Parameters::new(preset(name).expect("named set"), Backend::detect()).expect("valid set");
        let context = Context::new(&parameters).expect("BFV tables");
        let key = SecretKey::from_seed(&context, Seed::from_bytes([5; 32]));
        let galois = BTreeSet::from([GaloisElement::row_rotation(1, parameters.degree())]);
        let keys = key.evaluation_keys(&KeyRequirements { relinearization: true, galois });
        Self { subject, evaluator: Evaluator::new(&context), context, key, keys }
    }

    /// Run number `number`: computes, opens, compares with clear values, and measures. Panics where a result is wrong or the noise is above its bound.
    pub fn run(&self, number: u64) -> Margin {
        let mut generator = Generator::new(self.subject.name(), number);
        let result = match self.subject {
            Subject::Match(kind) => self.matching(kind, &mut generator),
            Subject::Product => {
                let (a, b) = (self.random(&mut generator), self.random(&mut generator));
                self.evaluator.multiply_relinearize(&a, &b, &self.keys).expect("admitted")
            }
            Subject::Rotation => {
                let a = self.random(&mut generator);
                self.evaluator.rotate_rows(&a, 1, &self.keys).expect("admitted")
            }
        };
        let largest = hazmat::measure_noise(&self.key, &result).expect("own key");
        let (bound, limit) = (result.noise().sup_log2(), self.context.noise_limit_log2(result.level()));
        assert!(largest <= bound, "{} run {number}: noise 2^{largest} above its bound 2^{bound}", self.subject.name());
        Margin { largest, bound, limit }
    }

    fn random(&self, generator: &mut Generator) -> Ciphertext {
        let limit = self.context.plaintext_limit();
        let values: Vec<i64> = (0..self.context.parameters().degree()).map(|_| generator.value(limit)).collect();
        let plaintext = self.context.encode_coefficients(&values).expect("in range");
        self.encrypt(&plaintext, generator)
    }

    fn encrypt(&self, plaintext: &blindrelay_engine::bfv::Plaintext, generator: &mut Generator) -> Ciphertext {
        let (uniform, error) = (generator.seed(), generator.seed());
        let fresh = hazmat::encrypt_deterministically(&self.key, plaintext, uniform, &error);
        fresh.and_then(|fresh| fresh.expand(&self.context)).expect("fresh ciphertexts are admitted")
    }

    /// The tables.
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// The product of a random probe with a full group of random tokens, before relinearization.
    pub fn full_group_product(&self, kind: MatchKind, number: u64) -> Ciphertext {
        self.group_product(kind, &mut Generator::new(self.subject.name(), number)).0
    }

    /// The product, the probe and the tokens.
    fn group_product(&self, kind: MatchKind, generator: &mut Generator) -> (Ciphertext, Token, Vec<Token>) {
        let layout = Layout::new(self.context.parameters().degree());
        let limit = i64::from(kind.entry_limit());
        let mut token = || {
            let entries: Vec<i8> = (0..TOKEN_ENTRIES)
                .map(|_| match kind {
                    MatchKind::Signs => 1 - 2 * (generator.word() & 1) as i8,
                    MatchKind::Embeddings => generator.value(limit as u64) as i8,
                })
                .collect();
            Token::from_entries(&entries).expect("128 entries")
        };
        let tokens: Vec<Token> = (0..layout.capacity()).map(|_| token()).collect();
        let probe = token();
        let mut sum: Option<PreparedMultiplicand> = None;
        for (place, token) in tokens.iter().enumerate() {
            let plaintext = kind.pack_tokens(&self.context, std::slice::from_ref(token)).expect("valid token");
            let record = self.encrypt(&plaintext, generator);
            let moved = self.evaluator.mul_monomial(&record, layout.shift(place)).expect("free of noise");
            let prepared = self.evaluator.prepare(&moved).expect("Q = 1 mod t");
            match &mut sum {
                Some(sum) => self.evaluator.add_assign_prepared(sum, &prepared).expect("admitted"),
                None => sum = Some(prepared),
            }
        }
        let sum = sum.expect("at least one token");
        let probe_plaintext = kind.pack_probe(&self.context, &probe).expect("valid token");
        let product =
            self.evaluator.multiply_prepared(&self.encrypt(&probe_plaintext, generator), &sum).expect("admitted");
        (product, probe, tokens)
    }

    fn matching(&self, kind: MatchKind, generator: &mut Generator) -> Ciphertext {
        let (product, probe, tokens) = self.group_product(kind, generator);
        let layout = Layout::new(self.context.parameters().degree());
        let expected: Vec<i64> =
            tokens.iter().map(|token| reference::score(probe.entries(), token.entries())).collect();
        let positions: Vec<u32> = (0..layout.capacity()).map(|place| layout.score(place)).collect();
        let range = kind.score_range();
        let expectation = Expectation { positions: positions.clone(), range };
        let relinearized = self.evaluator.relinearize(&product, &self.keys).expect("admitted");
        for ciphertext in [&product, &relinearized] {
            let answer = self.evaluator.answer(ciphertext.clone(), &positions).expect("admitted");
            let opened = self.key.open_answer(&answer, &expectation).expect("own answer");
            assert_eq!(*opened, expected);
        }
        relinearized
    }
}
