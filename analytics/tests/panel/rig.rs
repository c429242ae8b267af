//! A host with keys, and what the tests do with its panels.

use std::sync::{Arc, LazyLock};

use blindrelay_analytics::{
    Answer, Contribution, Estimate, Findings, Plan, Report, STATISTICS, Settings, Slots, Statistics, Sums,
};
use blindrelay_engine::Backend;
use blindrelay_engine::ckks::Context;
use blindrelay_engine::operator::{Accumulation, Accumulator, OperatorError};
use blindrelay_engine::params::{Parameters, STATS_8192, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::{EvaluationKeys, PublicKey};
use blindrelay_keyholder::{KeyRequirements, SecretKey};

pub(crate) struct Host {
    pub(crate) context: Arc<Context>,
    pub(crate) key: SecretKey<Context>,
    pub(crate) public: PublicKey,
    pub(crate) keys: EvaluationKeys,
    pub(crate) operator: Statistics,
}

/// The host of most tests, at `stats-8192`.
pub(crate) static HOST: LazyLock<Host> = LazyLock::new(|| Host::new(STATS_8192, 5));

impl Host {
    pub(crate) fn new(set: &str, seed: u8) -> Self {
        let parameters = Parameters::new(preset(set).unwrap(), Backend::detect()).unwrap();
        let context = Context::new(&parameters).unwrap();
        let key = SecretKey::from_seed(&context, Seed::from_bytes([seed; 32]));
        let operator = Statistics::new(&context).unwrap();
        let keys = key.evaluation_keys(&KeyRequirements::of_card(operator.card(), &parameters));
        Self { public: key.public_key(), context, key, keys, operator }
    }

    pub(crate) fn panel(&self, collect: &str, minimum: u64) -> Panel<'_> {
        let settings = format!(r#"{{"collect": {collect}, "minimum_contributions": {minimum}}}"#);
        self.panel_of(&settings)
    }

    pub(crate) fn panel_of(&self, settings: &str) -> Panel<'_> {
        let plan = Plan::new(&Settings::from_json(settings).unwrap(), &self.context).unwrap();
        Panel { host: self, settings: settings.to_owned(), plan, sums: self.operator.sums(settings).unwrap() }
    }
}

pub(crate) struct Panel<'a> {
    pub(crate) host: &'a Host,
    pub(crate) settings: String,
    pub(crate) plan: Plan,
    pub(crate) sums: Sums,
}

impl Panel<'_> {
    pub(crate) fn bytes(&self, contribution: &Contribution) -> Vec<u8> {
        contribution.encrypt(&self.plan, &self.host.public).unwrap()
    }

    pub(crate) fn add(&mut self, contribution: &Contribution) {
        let bytes = self.bytes(contribution);
        self.sums.append(&bytes, None).unwrap();
    }

    pub(crate) fn request(&self) -> Vec<u8> {
        self.plan.request(&[7; 16]).unwrap()
    }

    pub(crate) fn answer(&self, keys: Option<&EvaluationKeys>) -> Result<Vec<u8>, OperatorError> {
        self.sums.report(&self.request(), keys)
    }

    pub(crate) fn open(&self, answer: &Answer) -> Vec<Slots> {
        let open = |(ciphertext, shape)| {
            let opened = self.host.key.open(ciphertext, shape).unwrap();
            Slots { values: opened.values.to_vec(), error_bound: opened.error_bound }
        };
        answer.sums().iter().map(|(ciphertext, shape)| open((ciphertext, shape))).collect()
    }

    pub(crate) fn findings_with(&self, keys: Option<&EvaluationKeys>) -> Findings {
        let answer = Answer::from_bytes(&self.answer(keys).unwrap(), &self.plan).unwrap();
        answer.findings(&self.plan, &self.open(&answer)).unwrap()
    }

    pub(crate) fn findings(&self) -> Findings {
        self.findings_with(Some(&self.host.keys))
    }

    pub(crate) fn report(&self, title: &str, names: &[&str]) -> Report {
        let answer = Answer::from_bytes(&self.answer(Some(&self.host.keys)).unwrap(), &self.plan).unwrap();
        let findings = answer.findings(&self.plan, &self.open(&answer)).unwrap();
        Report::new(title, names.iter().map(|&name| name.to_owned()).collect(), &self.plan, &answer, findings)
    }
}

/// `SplitMix64`, so that a failure comes again.
pub(crate) struct Generator(pub(crate) u64);

impl Generator {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The estimate admits the true value, up to what a double loses in the reference itself, and its bound is of use.
#[track_caller]
pub(crate) fn assert_admits(found: Estimate, expected: f64, useful: f64) {
    let error = (found.value - expected).abs();
    assert!(error <= found.bound + expected.abs() * 1e-12, "off by {error:e} with a bound of {:e}", found.bound);
    assert!(found.bound <= useful, "a bound of {:e} above {useful:e} says nothing of {expected}", found.bound);
}

#[test]
fn the_operator_is_known_by_its_card() {
    let card = HOST.operator.card();
    assert_eq!(card.id, STATISTICS);
    assert_eq!(card.parameters, STATS_8192);
    assert!(
        card.noise.bound_log2 < card.noise.limit_log2 && card.noise.answer_bound_log2 < card.noise.answer_limit_log2
    );
    assert!(card.error_bound.unwrap() < 1e-6);
    assert_eq!(HOST.operator.parameters(), HOST.context.parameters());
}
