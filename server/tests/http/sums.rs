//! An operator on sums that does what a test needs: batches and sums are plain numbers.

use std::sync::Arc;

use blindrelay_engine::operator::{Accumulation, Accumulator, KeyNeed, OperatorCard, OperatorError, Resource};
use blindrelay_engine::params::Parameters;
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::Message;
use serde::Deserialize;

use crate::operators::{Gate, card, match_2048};

/// A batch of this number panics after the sums were changed.
pub(crate) const PANIC: u64 = 666;
/// A batch of this number waits for the gate, and so does a request that is such a batch.
pub(crate) const WAIT: u64 = 777;

/// Batches carry a number; a report is the sum of all, and how many bytes of keys and request there were.
pub(crate) struct Sums {
    card: OperatorCard,
    parameters: Parameters,
    gate: Option<Arc<Gate>>,
}

impl Sums {
    pub(crate) fn new(id: &str, resource: Resource) -> Self {
        Self::at(id, resource, match_2048())
    }

    pub(crate) fn at(id: &str, resource: Resource, parameters: Parameters) -> Self {
        Self { card: card(id, resource, &parameters), parameters, gate: None }
    }

    pub(crate) fn needing(mut self, relinearization: KeyNeed) -> Self {
        self.card.relinearization = relinearization;
        self
    }

    pub(crate) fn gated(mut self, gate: &Arc<Gate>) -> Self {
        self.gate = Some(Arc::clone(gate));
        self
    }

    /// A batch that carries a number.
    pub(crate) fn batch(number: u64) -> Vec<u8> {
        Self::message(0, number.to_le_bytes().to_vec())
    }

    pub(crate) fn message(part: u8, item: Vec<u8>) -> Vec<u8> {
        let (parameters, operator) = (match_2048().digest(), "test-sums/1".to_owned());
        Message { parameters, operator, part, items: vec![item] }.to_bytes().unwrap()
    }
}

/// Public settings; the padding stands for the ciphertexts of a real operator.
#[derive(Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    limit: u64,
    minimum: u64,
    padding: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { limit: u64::MAX, minimum: 0, padding: 0 }
    }
}

fn settings(text: &str) -> Result<Settings, OperatorError> {
    serde_json::from_str(text).map_err(|error| OperatorError::Settings { reason: error.to_string() })
}

fn unfit(object: &'static str) -> OperatorError {
    OperatorError::Unfit { object, reason: "it is too short".to_owned() }
}

fn numbers(state: &[u8]) -> Result<[u64; 2], OperatorError> {
    let (pair, _) = state.split_first_chunk::<16>().ok_or_else(|| unfit("state"))?;
    let (numbers, _) = pair.as_chunks::<8>();
    Ok([u64::from_le_bytes(numbers[0]), u64::from_le_bytes(numbers[1])])
}

impl Accumulation for Sums {
    fn card(&self) -> &OperatorCard {
        &self.card
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn new_accumulator(&self, text: &str) -> Result<Box<dyn Accumulator>, OperatorError> {
        let (settings, parameters) = (settings(text)?, self.parameters.clone());
        Ok(Box::new(Sum { settings, parameters, gate: self.gate.clone(), batches: 0, total: 0 }))
    }

    fn restore(&self, text: &str, state: &[u8]) -> Result<Box<dyn Accumulator>, OperatorError> {
        let (settings, parameters) = (settings(text)?, self.parameters.clone());
        let [batches, total] = numbers(state)?;
        Ok(Box::new(Sum { settings, parameters, gate: self.gate.clone(), batches, total }))
    }
}

struct Sum {
    settings: Settings,
    parameters: Parameters,
    gate: Option<Arc<Gate>>,
    batches: u64,
    total: u64,
}

impl Accumulator for Sum {
    fn append(&mut self, batch: &[u8], _keys: Option<&EvaluationKeys>) -> Result<(), OperatorError> {
        let message = Message::from_bytes(batch, self.parameters.digest(), 1, 100_000)?;
        if message.part != 0 {
            return Err(OperatorError::Unfit { object: "batch", reason: format!("it is part {}", message.part) });
        }
        let (number, _) = message.items[0].split_first_chunk::<8>().ok_or_else(|| unfit("batch"))?;
        let number = u64::from_le_bytes(*number);
        let bound = u128::from(self.total) + u128::from(number);
        if bound > u128::from(self.settings.limit) {
            return Err(OperatorError::Range { bound, limit: u128::from(self.settings.limit) });
        }
        self.total += number;
        self.batches += 1;
        assert!(number != PANIC, "this batch panics on purpose");
        if let Some(gate) = self.gate.as_ref().filter(|_| number == WAIT) {
            gate.pass();
        }
        Ok(())
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), OperatorError> {
        let [batches, sum] = numbers(state)?;
        let bound = u128::from(self.total) + u128::from(sum);
        if bound > u128::from(self.settings.limit) {
            return Err(OperatorError::Range { bound, limit: u128::from(self.settings.limit) });
        }
        self.batches += batches;
        self.total += sum;
        Ok(())
    }

    fn batches(&self) -> u64 {
        self.batches
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = [self.batches.to_le_bytes(), self.total.to_le_bytes()].concat();
        bytes.resize(bytes.len() + self.settings.padding, 0);
        bytes
    }

    fn report(&self, request: &[u8], keys: Option<&EvaluationKeys>) -> Result<Vec<u8>, OperatorError> {
        if self.batches == 0 {
            return Err(OperatorError::Empty);
        }
        if self.batches < self.settings.minimum {
            return Err(OperatorError::TooFewContributions { found: self.batches, needed: self.settings.minimum });
        }
        if !request.is_empty() && Message::from_bytes(request, self.parameters.digest(), 1, 100_000)?.part != 0 {
            return Err(OperatorError::Unfit { object: "request", reason: "it is of another part".to_owned() });
        }
        if let Some(gate) = self.gate.as_ref().filter(|_| request == Sums::batch(WAIT)) {
            gate.pass();
        }
        Ok([self.total, request.len() as u64, u64::from(keys.is_some())].map(u64::to_le_bytes).concat())
    }
}

/// The sum in a report, the length of its request, and whether there were keys.
pub(crate) fn read(report: &[u8]) -> (u64, u64, bool) {
    let (numbers, rest) = report.as_chunks::<8>();
    assert!(rest.is_empty() && numbers.len() == 3);
    (u64::from_le_bytes(numbers[0]), u64::from_le_bytes(numbers[1]), u64::from_le_bytes(numbers[2]) == 1)
}
