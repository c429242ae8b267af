//! Decisions on encrypted values, each from what a service holds to the bytes of the answer.

mod find;
mod search;
mod slots;

use std::sync::Arc;

use blindrelay_engine::bfv::Context;
use blindrelay_engine::circuit::{Comparison, Equality, PairLayout, Threshold, TopK, ValueSet};
use blindrelay_engine::params::{DECIDE_16384, DECIDE_32768, RANK_32768};
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::Wire;
use blindrelay_kernels::Backend;

use crate::random::SplitMix64;
use crate::{Error, room};

use find::FindRoom;
use search::SearchRoom;
use slots::SlotCircuit;

/// Scores that are compared at once: the slots of `decide-16384`.
pub const SCORES: usize = 16_384;

/// The least score that reaches the threshold.
pub const THRESHOLD: i64 = 64;

/// Values of a comparison and of an equality: 0 to this.
const LARGEST: i64 = 63;

/// Values of ranked candidates: 0 to this.
const LARGEST_RANKED: i64 = 127;

/// How many of the ranked candidates are chosen.
const CHOSEN: usize = 5;

/// The service's part of one decision, ready to be made again and again.
pub trait Decision: Sync {
    /// Everything between the received ciphertexts and the bytes of the answer.
    fn evaluate(&self) -> Result<Vec<u8>, Error>;

    /// What the evaluation keys occupy.
    fn keys(&self) -> KeyBytes;

    /// The parameters in words.
    fn parameters(&self) -> String;
}

/// Bytes of evaluation keys, 0 where none are needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyBytes {
    /// As a member uploads them, half of every row a seed.
    pub uploaded: usize,
    /// In the service's memory, seeds expanded.
    pub expanded: usize,
}

impl KeyBytes {
    fn of(keys: &EvaluationKeys) -> Self {
        let relinearization = keys.relinearization().map_or(0, |key| key.0.byte_len());
        let galois: usize = keys.galois_keys().map(|key| key.key().byte_len()).sum();
        Self { uploaded: keys.to_bytes().len(), expanded: relinearization + galois }
    }
}

/// A decision that can be measured.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it is called in reports.
    pub subject: &'static str,
    /// How many participants, candidates or keywords are stored; 0 where nothing is.
    pub stored: usize,
    /// Most microseconds that it should take on one core.
    pub goal: Option<f64>,
    prepare: fn(Backend) -> Result<Box<dyn Decision>, Error>,
}

impl Case {
    /// Keys, records and request. Refused where the answer opens to something else than the clear function gives.
    pub fn prepare(&self, backend: Backend) -> Result<Box<dyn Decision>, Error> {
        (self.prepare)(backend)
    }

    /// The case of that name; otherwise the error lists all of them.
    pub fn by_name(name: &str) -> Result<&'static Self, Error> {
        CASES
            .iter()
            .find(|case| case.name == name)
            .ok_or_else(|| Error::Case { name: name.to_owned(), known: CASES.map(|case| case.name).join(", ") })
    }
}

/// Every decision, in the order of the table.
pub static CASES: [Case; 9] = [
    Case {
        name: "threshold-16384",
        subject: "threshold on 16,384 scores",
        stored: 0,
        goal: Some(500_000.0),
        prepare: |backend| threshold(backend),
    },
    Case {
        name: "comparison",
        subject: "comparison of 32,768 pairs of 64 values",
        stored: 0,
        goal: None,
        prepare: |backend| comparison(backend),
    },
    Case {
        name: "equality",
        subject: "equality of 32,768 pairs of 64 values",
        stored: 0,
        goal: None,
        prepare: |backend| equality(backend),
    },
    Case {
        name: "find-128",
        subject: "find among 128 participants, request to answer bytes",
        stored: 128,
        goal: None,
        prepare: |backend| Ok(Box::new(FindRoom::new(128, backend)?)),
    },
    Case {
        name: "find-256",
        subject: "find among 256 participants, request to answer bytes",
        stored: 256,
        goal: None,
        prepare: |backend| Ok(Box::new(FindRoom::new(256, backend)?)),
    },
    Case {
        name: "rank-32",
        subject: "the 5 largest of 32 candidates",
        stored: 32,
        goal: None,
        prepare: |backend| ranking(32, backend),
    },
    Case {
        name: "rank-128",
        subject: "the 5 largest of 128 candidates",
        stored: 128,
        goal: None,
        prepare: |backend| ranking(128, backend),
    },
    Case {
        name: "search-1000",
        subject: "search among 1,000 keywords, request to answer bytes",
        stored: 1000,
        goal: None,
        prepare: |backend| Ok(Box::new(SearchRoom::new(1000, backend)?)),
    },
    Case {
        name: "search-10000",
        subject: "search among 10,000 keywords, request to answer bytes",
        stored: 10_000,
        goal: None,
        prepare: |backend| Ok(Box::new(SearchRoom::new(10_000, backend)?)),
    },
];

fn threshold(backend: Backend) -> Result<Box<dyn Decision>, Error> {
    let context = room::context(DECIDE_16384, backend)?;
    let circuit = Threshold::new(ValueSet::new(-128, 128, 2)?, THRESHOLD)?;
    // Every score, and both neighbours of the threshold, in many slots.
    let scores: Vec<i64> = (0..SCORES as i64).map(|slot| (slot * 37) % 129 * 2 - 128).collect();
    let expected: Vec<i64> = scores.iter().map(|&score| i64::from(score >= THRESHOLD)).collect();
    Ok(Box::new(SlotCircuit::new(&context, circuit, &[scores], &expected)?))
}

fn comparison(backend: Backend) -> Result<Box<dyn Decision>, Error> {
    let context = room::context(DECIDE_32768, backend)?;
    let [x, y] = pairs(&context);
    let expected: Vec<i64> = x.iter().zip(&y).map(|(x, y)| i64::from(x >= y)).collect();
    let circuit = Comparison::new(ValueSet::new(0, LARGEST, 1)?)?;
    Ok(Box::new(SlotCircuit::new(&context, circuit, &[x, y], &expected)?))
}

fn equality(backend: Backend) -> Result<Box<dyn Decision>, Error> {
    let context = room::context(DECIDE_32768, backend)?;
    let [x, y] = pairs(&context);
    let expected: Vec<i64> = x.iter().zip(&y).map(|(x, y)| i64::from(x == y)).collect();
    let circuit = Equality::Within(ValueSet::new(0, LARGEST, 1)?);
    Ok(Box::new(SlotCircuit::new(&context, circuit, &[x, y], &expected)?))
}

/// All pairs of values, as often as there is room.
fn pairs(context: &Context) -> [Vec<i64>; 2] {
    let (values, slots) = (LARGEST + 1, 0..context.parameters().degree() as i64);
    [slots.clone().map(|slot| slot % values).collect(), slots.map(|slot| slot / values % values).collect()]
}

fn ranking(candidates: usize, backend: Backend) -> Result<Box<dyn Decision>, Error> {
    let context: Arc<Context> = room::context(RANK_32768, backend)?;
    let layout = PairLayout::new(&context, candidates)?;
    let circuit = TopK::new(layout, ValueSet::new(0, LARGEST_RANKED, 1)?, CHOSEN)?;
    let values: Vec<i64> = SplitMix64::new(7)
        .residues(LARGEST_RANKED as u64 + 1, candidates)
        .into_iter()
        .map(|value| value as i64)
        .collect();
    let mut order: Vec<(i64, usize)> = values.iter().enumerate().map(|(place, value)| (-value, place)).collect();
    order.sort_unstable();
    let chosen: Vec<usize> = order.into_iter().take(CHOSEN).map(|(_, place)| place).collect();
    let expected: Vec<i64> =
        (0..context.parameters().degree()).map(|slot| i64::from(chosen.contains(&layout.first(slot)))).collect();
    Ok(Box::new(SlotCircuit::new(&context, circuit, &layout.spread(&values, 1), &expected)?))
}

/// The parameters of a context in words.
fn describe(context: &Context) -> String {
    let parameters = context.parameters();
    let t = context.plaintext_modulus().value();
    format!("{}: N={} log2(QP)={} t={t}", parameters.name(), parameters.degree(), parameters.modulus_bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_gives_the_same_answer_again_and_needs_no_keys() {
        let search = Case::by_name("search-1000").unwrap().prepare(Backend::detect()).unwrap();
        assert_eq!(search.evaluate().unwrap(), search.evaluate().unwrap());
        assert_eq!(search.keys(), KeyBytes::default());
    }

    #[test]
    fn an_unknown_name_is_refused_with_all_that_are_known() {
        let error = Case::by_name("threshold").unwrap_err().to_string();
        assert!(CASES.iter().all(|case| error.contains(case.name)), "{error}");
    }
}
