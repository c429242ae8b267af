//! Why an operation on plaintexts or ciphertexts is refused.

use crate::params::{Level, ParameterDigest, ParameterError};

/// The errors of encoding and evaluation. None of them carries a plaintext.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two objects belong to different parameter sets.
    #[error("{left} belongs to parameters {left_digest}, but {right} to {right_digest}")]
    ParameterMismatch {
        /// The first object.
        left: Object,
        /// Its parameters.
        left_digest: ParameterDigest,
        /// The second object.
        right: Object,
        /// Its parameters.
        right_digest: ParameterDigest,
    },
    /// Two operands are at different levels.
    #[error("the first ciphertext is at level {left}, the second at level {right}: switch the higher one down first")]
    LevelMismatch {
        /// Level of the first operand.
        left: Level,
        /// Level of the second operand.
        right: Level,
    },
    /// Two operands are at different scales.
    #[error(
        "{operation}: the first operand has scale {left}, the second {right}; multiply one of them by a constant of the missing scale and rescale"
    )]
    ScaleMismatch {
        /// The operation.
        operation: &'static str,
        /// Scale of the first operand.
        left: String,
        /// Scale of the second operand.
        right: String,
    },
    /// The result would have a scale that no ciphertext has.
    #[error("{operation} with scale {scale}: {reason}")]
    Scale {
        /// The operation that was refused, before it was computed.
        operation: &'static str,
        /// The scale.
        scale: String,
        /// What is wrong with it.
        reason: ScaleFault,
    },
    /// The result could wrap around the modulus of its level.
    #[error(
        "{operation} could reach a magnitude of 2^{bound_log2:.2}, but the level holds less than 2^{limit_log2:.2}"
    )]
    Magnitude {
        /// The operation that was refused, before it was computed.
        operation: &'static str,
        /// Base-2 logarithm of the bound on message and error together.
        bound_log2: f64,
        /// Base-2 logarithm of half the level's modulus.
        limit_log2: f64,
    },
    /// A number is not finite or above the declared limit. The number itself is not told.
    #[error("number {index} is not finite or its magnitude is above {limit}")]
    NumberOutOfRange {
        /// Its position.
        index: usize,
        /// The largest magnitude that was declared.
        limit: f64,
    },
    /// The parameter set does not have that many levels.
    #[error("there is no level {level}: the highest is {top}")]
    NoSuchLevel {
        /// The level asked for.
        level: Level,
        /// The highest level.
        top: Level,
    },
    /// There is no lower level.
    #[error("a ciphertext at level 0 has no prime left to drop")]
    LevelExhausted,
    /// The operation needs another number of components.
    #[error("{operation} takes a ciphertext of {expected} components, but this one has {found}: relinearize it first")]
    Components {
        /// The operation.
        operation: &'static str,
        /// How many it takes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The result could fail to decrypt more often than once in 2^128.
    #[error(
        "{operation} would leave a noise of up to 2^{bound_log2:.2}, but only 2^{limit_log2:.2} decrypts with failure below 2^-128"
    )]
    Noise {
        /// The operation that was refused, before it was computed.
        operation: &'static str,
        /// Base-2 logarithm of the bound on the noise it would leave.
        bound_log2: f64,
        /// Base-2 logarithm of the largest noise allowed.
        limit_log2: f64,
    },
    /// Noise that tells of the computation would show through the noise that is to hide it.
    #[error(
        "a flood of 2^{flood_bits} hides a noise of up to 2^{bound_log2:.2} to a statistical distance of 2^{distance_log2:.2}, but at most 2^{limit_log2:.2} is allowed"
    )]
    Exposed {
        /// Base-2 logarithm of the bound on the noise that has to be hidden.
        bound_log2: f64,
        /// Base-2 logarithm of the flood's largest magnitude.
        flood_bits: u32,
        /// Base-2 logarithm of the distance.
        distance_log2: f64,
        /// Base-2 logarithm of the largest distance that is allowed.
        limit_log2: f64,
    },
    /// A key that the operation needs is not in the evaluation keys.
    #[error("the evaluation keys have no {key}")]
    MissingKey {
        /// Which key.
        key: KeyName,
    },
    /// A key that serves lower levels only.
    #[error("the {key} serves level {found} and below, but is needed at level {needed}")]
    KeyLevel {
        /// Which key.
        key: KeyName,
        /// The highest level that it serves.
        found: Level,
        /// The level of the ciphertext.
        needed: Level,
    },
    /// Several keys that a circuit needs are not in the evaluation keys.
    #[error("the evaluation keys lack {}", listed(missing))]
    MissingKeys {
        /// Which keys.
        missing: Vec<KeyName>,
    },
    /// A circuit needs more levels or more room for noise than the parameters have.
    #[error("{circuit} does not fit parameter set {parameters}: {reason}; {}", advice(enough.as_deref()))]
    CircuitTooDeep {
        /// The circuit.
        circuit: String,
        /// Name of the parameter set.
        parameters: String,
        /// What its dry run met.
        reason: Box<Error>,
        /// The smallest named set that is enough, if one is.
        enough: Option<String>,
    },
    /// Two values of a circuit are held with different factors.
    #[error("one value is held times {left}, the other times {right}: bring them to the same factor first")]
    FactorMismatch {
        /// Factor of the first.
        left: u64,
        /// Factor of the second.
        right: u64,
    },
    /// A range of values that is none, or whose values are not distinct modulo the plaintext modulus.
    #[error("values from {minimum} to {maximum} in steps of {step}: {reason}")]
    ValueSet {
        /// Smallest value.
        minimum: i64,
        /// Largest value.
        maximum: i64,
        /// Distance of neighbours.
        step: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A threshold that no value or every value reaches.
    #[error(
        "threshold {threshold} decides nothing: scores are from {minimum} to {maximum}, so it has to be above {minimum} and at most {maximum}"
    )]
    Threshold {
        /// The threshold.
        threshold: i64,
        /// Smallest score.
        minimum: i64,
        /// Largest score.
        maximum: i64,
    },
    /// A set that names the same element twice.
    #[error("elements {first} and {second} of the set are the same")]
    RepeatedElement {
        /// Position of the first occurrence.
        first: usize,
        /// Position of the second.
        second: usize,
    },
    /// A set without elements, or one with an element outside the declared range.
    #[error("a set has 1 to {capacity} elements of the declared range: {reason}")]
    SetElements {
        /// How many elements the range has.
        capacity: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// A number of candidates that the slots cannot hold in pairs.
    #[error("{found} candidates: the slots hold all pairs of {least} to {most}")]
    Candidates {
        /// How many were given.
        found: usize,
        /// Fewest.
        least: usize,
        /// Most.
        most: usize,
    },
    /// A choice of nobody or of everybody.
    #[error("a choice of {chosen} among {places} places: choose at least 1 and leave at least 1 out")]
    Choice {
        /// How many are to be chosen.
        chosen: usize,
        /// How many places there are.
        places: usize,
    },
    /// A circuit was given fewer values than it takes.
    #[error("the circuit takes at least {expected} inputs, but {found} were given")]
    Inputs {
        /// How many it takes, as far as it was run.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// More values than the layout has places.
    #[error("{found} values do not fit in the {capacity} places of a plaintext")]
    TooManyValues {
        /// How many values were given.
        found: usize,
        /// How many fit.
        capacity: usize,
    },
    /// A value is outside the range of the plaintext. The value itself is not told.
    #[error("value {index} is outside [-{limit}, {limit}]")]
    ValueOutOfRange {
        /// Its position.
        index: usize,
        /// The largest magnitude that is allowed.
        limit: u64,
    },
    /// The plaintext modulus has no slots at this ring degree.
    #[error("plaintext modulus {plaintext} is not 1 modulo {order}, so there are no slots: use coefficient encoding")]
    NoSlots {
        /// `t`.
        plaintext: u64,
        /// `2 n`.
        order: u64,
    },
    /// The parameter set does not offer the operation.
    #[error("parameter set {name} does not offer {operation}: {reason}")]
    Unsupported {
        /// Name of the set.
        name: String,
        /// The operation.
        operation: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// A ciphertext whose message everybody can read.
    #[error("the ciphertext is transparent: everything but its first component is zero")]
    Transparent,
    /// The parameters themselves are refused.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {reason}")]
    Randomness {
        /// What the system said.
        reason: String,
    },
}

/// Why no ciphertext has a scale.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScaleFault {
    /// Products and rescalings bring in 2 and the ciphertext primes only.
    #[error("{prime} is not one of the set's ciphertext primes")]
    Prime {
        /// The other prime.
        prime: u64,
    },
    /// An exponent that no circuit reaches.
    #[error("the exponent {exponent} of {base} is not within -{limit} to {limit}")]
    Exponent {
        /// 2 or the prime.
        base: u64,
        /// Its exponent.
        exponent: i32,
        /// The largest magnitude.
        limit: i32,
    },
    /// The scale is below 1 or absurdly large.
    #[error("its base-2 logarithm is {log2}, but scales are from 2^{least} to 2^{most}")]
    Range {
        /// The logarithm.
        log2: f64,
        /// The least that is allowed.
        least: f64,
        /// The most that is allowed.
        most: f64,
    },
}

/// What disagreed in [`Error::ParameterMismatch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Object {
    /// A ciphertext.
    Ciphertext,
    /// The second of two ciphertexts.
    SecondCiphertext,
    /// A plaintext.
    Plaintext,
    /// A public key.
    PublicKey,
    /// Evaluation keys.
    EvaluationKeys,
    /// A secret key.
    SecretKey,
    /// The evaluator or encoder that was asked.
    Evaluator,
    /// A stored operand prepared for products.
    PreparedMultiplicand,
}

impl std::fmt::Display for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ciphertext => "the ciphertext",
            Self::SecondCiphertext => "the second ciphertext",
            Self::Plaintext => "the plaintext",
            Self::PublicKey => "the public key",
            Self::EvaluationKeys => "the set of evaluation keys",
            Self::SecretKey => "the secret key",
            Self::Evaluator => "the evaluator",
            Self::PreparedMultiplicand => "the prepared multiplicand",
        })
    }
}

/// A key that can be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyName {
    /// The relinearization key.
    Relinearization,
    /// The key of the automorphism `X -> X^k`.
    Galois(u32),
}

impl std::fmt::Display for KeyName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Relinearization => f.write_str("relinearization key"),
            Self::Galois(element) => write!(f, "key for the automorphism X -> X^{element}"),
        }
    }
}

/// Keys in words.
pub(crate) fn listed(keys: &[KeyName]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What would be enough, in words.
fn advice(enough: Option<&str>) -> String {
    match enough {
        Some(name) => format!("{name} is enough"),
        None => "no named set is enough: choose a smaller range of values or fewer of them".to_owned(),
    }
}

impl From<getrandom::Error> for Error {
    fn from(error: getrandom::Error) -> Self {
        Self::Randomness { reason: error.to_string() }
    }
}
