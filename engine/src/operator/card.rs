//! The card of an operator: everything that a caller needs to know before it sends anything.

use serde::{Deserialize, Serialize};

/// Whether an operator uses a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyNeed {
    /// Not used.
    None,
    /// Used when it is there; the answers get smaller.
    Optional,
    /// Without it nothing can be computed.
    Required,
}

/// The numbers that a value may take: from `minimum` to `maximum` in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueRange {
    /// Smallest value.
    pub minimum: i64,
    /// Largest value.
    pub maximum: i64,
    /// Distance of neighbouring values; 0 where they are real numbers.
    pub step: u64,
}

/// Noise of the result in the worst case that the operator admits, and what the parameters allow. Base-2 logarithms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseCard {
    /// Bound on the noise of the ciphertext before it becomes an answer.
    pub bound_log2: f64,
    /// The largest noise that decrypts.
    pub limit_log2: f64,
    /// Bound on the noise of the answer.
    pub answer_bound_log2: f64,
    /// The largest noise with which an answer opens.
    pub answer_limit_log2: f64,
}

/// The card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatorCard {
    /// Name and revision, for example `match-signs/1`; part of every answer.
    pub id: String,
    /// What it computes, in a sentence.
    pub summary: String,
    /// Which resource of a service it is used through.
    pub resource: super::Resource,
    /// Name of the parameter set.
    pub parameters: String,
    /// Digest of the parameter set, hexadecimal.
    pub parameter_digest: String,
    /// Ciphertext-ciphertext products one after the other.
    pub depth: u32,
    /// Whether a relinearization key is used.
    pub relinearization: KeyNeed,
    /// The automorphisms that need keys.
    pub galois_elements: Vec<u32>,
    /// How many entries a record's value has.
    pub entries: usize,
    /// What each entry may be.
    pub entry_range: ValueRange,
    /// How many values a record can carry.
    pub values_per_record: usize,
    /// What each result may be.
    pub result_range: ValueRange,
    /// Where the results are.
    pub output_layout: String,
    /// Largest record, in bytes.
    pub record_limit: usize,
    /// Largest request, in bytes.
    pub request_limit: usize,
    /// Noise in the worst case.
    pub noise: NoiseCard,
    /// Approximate schemes: bound on the error of each result, in the result's unit; `None` where results are exact.
    pub error_bound: Option<f64>,
    /// Base-2 logarithm of the probability that any result of an answer is wrong, or farther away than its error bound.
    pub failure_log2: f64,
}
