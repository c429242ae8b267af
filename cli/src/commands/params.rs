//! `params`: what the parameter sets and operators promise, in figures.

use blindrelay_engine::bfv::{Answer, Context};
use blindrelay_engine::operator::OperatorCard;
use blindrelay_engine::params::{Parameters, Scheme, preset, presets};
use blindrelay_engine::ring::{Poly, Seed};
use blindrelay_engine::rlwe::{EvaluationKeys, KeySwitchingKey, RelinearizationKey};
use blindrelay_engine::wire::{self, Kind, Wire};
use blindrelay_engine::{Backend, ckks};
use blindrelay_routing::Layout;
use blindrelay_server::Registry;
use clap::Args;
use serde::Serialize;

use crate::failure::Failure;
use crate::output::Output;
use crate::printable::{count, grouped};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only this parameter set
    name: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    parameter_sets: Vec<ParameterSet>,
    operators: Vec<OperatorCard>,
}

#[derive(Serialize)]
struct ParameterSet {
    name: String,
    digest: String,
    scheme: &'static str,
    ring_degree: usize,
    /// BFV: results are integers modulo this prime.
    #[serde(skip_serializing_if = "Option::is_none")]
    plaintext_modulus: Option<u64>,
    /// CKKS: base-2 logarithm of the scale of fresh encodings.
    #[serde(skip_serializing_if = "Option::is_none")]
    scale_bits: Option<u32>,
    slots: Option<usize>,
    ciphertext_primes: Vec<u64>,
    special_primes: Vec<u64>,
    answer_prime: Option<u64>,
    security: Security,
    /// Base-2 logarithm of the probability that any coefficient decrypts wrongly, or lies outside its error bound, at most.
    failure_log2: f64,
    /// BFV: base-2 logarithm of the largest noise that decrypts.
    #[serde(skip_serializing_if = "Option::is_none")]
    noise_limit_log2: Option<f64>,
    /// CKKS: how many products one after the other a fresh ciphertext can go through.
    #[serde(skip_serializing_if = "Option::is_none")]
    depth: Option<usize>,
    bytes: Bytes,
}

#[derive(Serialize)]
struct Security {
    policy: &'static str,
    modulus_bits: u32,
    ceiling_bits: u32,
    secret: &'static str,
    error: &'static str,
}

/// Lengths on the wire.
#[derive(Serialize)]
struct Bytes {
    probe_or_record: usize,
    ciphertext: usize,
    public_key: usize,
    relinearization_key: usize,
    /// An answer of one group: as many scores as share a ciphertext.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<usize>,
    /// The same where the service has the relinearization key.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_relinearized: Option<usize>,
}

/// Shows all sets and operators, or one set with the operators that use it.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    let specs = match &arguments.name {
        Some(name) => vec![preset(name)?],
        None => presets(),
    };
    let registry = Registry::standard(backend).map_err(|error| Failure::Service(error.to_string()))?;
    let mut shown = Shown { parameter_sets: Vec::new(), operators: Vec::new() };
    for spec in specs {
        let parameters = Parameters::new(spec, backend)?;
        let cards = registry.cards().into_iter().filter(|card| card.parameters == parameters.name());
        shown.operators.extend(cards.cloned());
        shown.parameter_sets.push(figures(&parameters)?);
    }
    output.result(&shown, || describe(&shown))
}

/// What the scheme of a set adds to its ring.
struct SchemeFigures {
    name: &'static str,
    plaintext_modulus: Option<u64>,
    scale_bits: Option<u32>,
    slots: Option<usize>,
    noise_limit_log2: Option<f64>,
    depth: Option<usize>,
    /// Kinds of fresh and of computed ciphertexts.
    kinds: [Kind; 2],
}

impl SchemeFigures {
    fn of(parameters: &Parameters) -> Result<Self, Failure> {
        Ok(match parameters.spec().scheme {
            Scheme::Bfv { plaintext_modulus } => {
                let context = Context::new(parameters)?;
                Self {
                    name: "bfv",
                    plaintext_modulus: Some(plaintext_modulus),
                    scale_bits: None,
                    slots: context.slot_count(),
                    noise_limit_log2: Some(context.noise_limit_log2(parameters.top_level())),
                    depth: None,
                    kinds: [Kind::SeededCiphertext, Kind::Ciphertext],
                }
            }
            Scheme::Ckks { scale_bits } => Self {
                name: "ckks",
                plaintext_modulus: None,
                scale_bits: Some(scale_bits),
                slots: Some(ckks::Context::new(parameters)?.slot_count()),
                noise_limit_log2: None,
                depth: Some(parameters.top_level().0),
                kinds: [Kind::SeededApproximateCiphertext, Kind::ApproximateCiphertext],
            },
            _ => {
                return Err(Failure::Usage {
                    what: format!("the scheme of {} is not known to this command", parameters.name()),
                    advice: "name another set",
                });
            }
        })
    }
}

fn figures(parameters: &Parameters) -> Result<ParameterSet, Failure> {
    let spec = parameters.spec();
    let scheme = SchemeFigures::of(parameters)?;
    let [fresh, computed] = scheme.kinds;
    Ok(ParameterSet {
        name: parameters.name().to_owned(),
        digest: parameters.digest().to_string(),
        scheme: scheme.name,
        ring_degree: parameters.degree(),
        plaintext_modulus: scheme.plaintext_modulus,
        scale_bits: scheme.scale_bits,
        slots: scheme.slots,
        ciphertext_primes: spec.ciphertext_primes.clone(),
        special_primes: spec.special_primes.clone(),
        answer_prime: spec.answer_prime,
        security: Security {
            policy: spec.policy.name(),
            modulus_bits: parameters.modulus_bits(),
            ceiling_bits: spec.policy.max_modulus_bits(parameters.degree()),
            secret: "uniform ternary",
            error: "centred binomial, eta = 21",
        },
        failure_log2: -128.0,
        noise_limit_log2: scheme.noise_limit_log2,
        depth: scheme.depth,
        bytes: Bytes {
            probe_or_record: wire::max_len(fresh, parameters),
            ciphertext: wire::max_len(computed, parameters),
            public_key: wire::max_len(Kind::PublicKey, parameters),
            relinearization_key: relinearization_len(parameters),
            answer: answer_len(parameters, 2),
            answer_relinearized: answer_len(parameters, 1),
        },
    })
}

/// Length of evaluation keys that only relinearize: that of any such keys, here of zeros.
fn relinearization_len(parameters: &Parameters) -> usize {
    let rows = parameters.top().decomposition().rows().len();
    let bodies = (0..rows).map(|_| Poly::zero(parameters.key_basis())).collect();
    let key = KeySwitchingKey::new(parameters, bodies, Seed::from_bytes([0; 32])).map(RelinearizationKey);
    EvaluationKeys::new(parameters, key, []).to_bytes().len()
}

/// Length of an answer with the scores of one group, and `rest` polynomials besides.
fn answer_len(parameters: &Parameters, rest: usize) -> Option<usize> {
    let basis = parameters.answer_basis()?;
    let layout = Layout::new(parameters.degree());
    let positions: Vec<u32> = (0..layout.capacity()).map(|place| layout.score(place)).collect();
    let body = vec![0; positions.len()];
    let rest = (0..rest).map(|_| Poly::zero(basis)).collect();
    Some(Answer::new(parameters, positions, body, rest)?.to_bytes().len())
}

fn describe(shown: &Shown) -> String {
    let mut text = String::new();
    for set in &shown.parameter_sets {
        text += &describe_set(set);
        for card in shown.operators.iter().filter(|card| card.parameters == set.name) {
            text += &describe_operator(card);
        }
        text.push('\n');
    }
    text
}

fn list(numbers: &[u64]) -> String {
    if numbers.is_empty() {
        "none".to_owned()
    } else {
        numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
    }
}

fn describe_set(set: &ParameterSet) -> String {
    let mut lines = vec![
        format!("{}  ({}, ring degree {})", set.name, set.scheme.to_uppercase(), set.ring_degree),
        format!("  digest             {}", set.digest),
        format!("  ciphertext primes  {}", list(&set.ciphertext_primes)),
        format!("  special primes     {}", list(&set.special_primes)),
        match (set.plaintext_modulus, set.scale_bits) {
            (Some(modulus), _) => format!(
                "  plaintext modulus  {modulus} ({})",
                set.slots.map_or("no slots".to_owned(), |slots| format!("{slots} slots"))
            ),
            (None, Some(bits)) => {
                format!("  scale              2^{bits} ({} slots of approximate numbers)", set.slots.unwrap_or(0))
            }
            (None, None) => "  plaintext          none".to_owned(),
        },
        format!("  answer prime       {}", set.answer_prime.map_or("none".to_owned(), |prime| prime.to_string())),
        format!(
            "  security           128 bits under {}: log2(QP) is {} bits of at most {}; secret {}, error {}",
            set.security.policy,
            set.security.modulus_bits,
            set.security.ceiling_bits,
            set.security.secret,
            set.security.error
        ),
        match (set.noise_limit_log2, set.depth) {
            (Some(limit), _) => format!(
                "  failure            below 2^{} over all coefficients, for a noise up to 2^{limit:.1}",
                set.failure_log2
            ),
            (None, depth) => format!(
                "  failure            below 2^{} that any number lies outside its error bound; {} one after the other",
                set.failure_log2,
                count(depth.unwrap_or(0), "product")
            ),
        },
        format!(
            "  bytes              fresh ciphertext {}, computed one up to {}, public key {}, relinearization key {}",
            grouped(set.bytes.probe_or_record),
            grouped(set.bytes.ciphertext),
            grouped(set.bytes.public_key),
            grouped(set.bytes.relinearization_key)
        ),
    ];
    if let (Some(answer), Some(relinearized)) = (set.bytes.answer, set.bytes.answer_relinearized) {
        lines.push(format!(
            "                     answer of a group {}, with a relinearization key {}",
            grouped(answer),
            grouped(relinearized)
        ));
    }
    lines.join("\n") + "\n"
}

fn describe_operator(card: &OperatorCard) -> String {
    format!(
        "  operator           {}: {}\n                     {} entries from {} to {}, {} values a record, results from {} to {}\n                     noise 2^{:.1} of at most 2^{:.1}, of the answer 2^{:.1} of at most 2^{:.1}, failure below 2^{}\n",
        card.id,
        card.summary,
        card.entries,
        card.entry_range.minimum,
        card.entry_range.maximum,
        card.values_per_record,
        card.result_range.minimum,
        card.result_range.maximum,
        card.noise.bound_log2,
        card.noise.limit_log2,
        card.noise.answer_bound_log2,
        card.noise.answer_limit_log2,
        card.failure_log2
    )
}
