//! Why a bridge, a key or a comparison is refused.

use blindrelay_engine::params::ParameterDigest;

use super::set::ShortintSet;

/// The errors of bridges. None of them carries a plaintext.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// An object belongs to other BFV parameters.
    #[error("{object} belongs to the BFV parameters {found}, but the bridge to {expected}")]
    Parameters {
        /// What was given.
        object: &'static str,
        /// Parameters of the bridge.
        expected: ParameterDigest,
        /// Parameters of the object.
        found: ParameterDigest,
    },
    /// An object belongs to another set of the `tfhe` crate.
    #[error("{object} belongs to {found}, but {expected} was expected")]
    Set {
        /// What was given.
        object: &'static str,
        /// The set that was expected.
        expected: ShortintSet,
        /// The set of the object.
        found: ShortintSet,
    },
    /// The BFV set has no answers.
    #[error("the parameter set {name} has no answer prime, so it has no answers to take coefficients from")]
    NoAnswers {
        /// The set.
        name: String,
    },
    /// The scores do not fit what the coefficients hold.
    #[error(
        "scores from {minimum} to {maximum} in steps of {step}, divided by {divisor} in the coefficients: limits must be multiples of the step, the step \
         one of the divisor, and a coefficient holds at most {limit} in magnitude"
    )]
    Scores {
        /// Smallest score.
        minimum: i64,
        /// Largest score.
        maximum: i64,
        /// Distance of neighbouring scores.
        step: u64,
        /// What scores are divided by in the coefficients.
        divisor: u64,
        /// Largest magnitude of a coefficient.
        limit: u64,
    },
    /// The answers would not open either.
    #[error("answers with noise up to 2^{bound_log2:.2} do not open reliably: the limit is 2^{limit_log2:.2}")]
    Noise {
        /// Base-2 logarithm of the bound on the noise.
        bound_log2: f64,
        /// Base-2 logarithm of the limit.
        limit_log2: f64,
    },
    /// A comparison could be wrong too often.
    #[error(
        "a comparison of scores of {source_set} under {set} could be wrong with probability 2^{failure_log2:.1}, but at most 2^{limit_log2} is offered: use \
         a larger set of the tfhe crate, or scores that fill less of the plaintext modulus"
    )]
    Failure {
        /// The BFV set.
        source_set: String,
        /// The set of the `tfhe` crate.
        set: ShortintSet,
        /// Base-2 logarithm of the smallest bound that any number of bits reaches.
        failure_log2: f64,
        /// What is offered.
        limit_log2: f64,
    },
    /// The answer was not relinearized.
    #[error("the answer has {found} components; a comparison needs 2: relinearize with the room's evaluation keys")]
    Components {
        /// Components of the answer.
        found: usize,
    },
    /// The answer does not hold the coefficient.
    #[error("the answer does not hold coefficient {position}")]
    Position {
        /// The coefficient.
        position: u32,
    },
    /// Every score gives the same result.
    #[error(
        "every score from {minimum} to {maximum} compares equally with the threshold {threshold}; it must be above {minimum} and at most {maximum}"
    )]
    Threshold {
        /// The threshold.
        threshold: i64,
        /// Smallest score.
        minimum: i64,
        /// Largest score.
        maximum: i64,
    },
    /// Bytes are not what they should be.
    #[error("these bytes are no {object}: they begin with other bytes")]
    Magic {
        /// What was expected.
        object: &'static str,
    },
    /// Bytes are of another version.
    #[error("{object} of version {found}, but this program reads version {expected}")]
    Version {
        /// What was read.
        object: &'static str,
        /// The version that is read.
        expected: u8,
        /// Its version.
        found: u8,
    },
    /// The bytes name a set that does not exist.
    #[error("{object} for the set number {found} of the tfhe crate, which this program does not know")]
    UnknownSet {
        /// What was read.
        object: &'static str,
        /// The number.
        found: u8,
    },
    /// The number of bytes is wrong.
    #[error("{object} has {found} bytes, but {expected} under its parameters")]
    Length {
        /// What was read.
        object: &'static str,
        /// Bytes that its parameters ask for.
        expected: usize,
        /// Bytes that there are.
        found: usize,
    },
}
