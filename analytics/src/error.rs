//! Why settings, a contribution or an answer are refused. Values are never told.

use blindrelay_engine::Error;
use blindrelay_engine::operator::OperatorError;
use blindrelay_engine::wire::WireError;

/// Why settings are refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The text is not JSON of the settings' shape.
    #[error("{reason}")]
    Json {
        /// What the parser says.
        reason: String,
    },
    /// A number is outside its range.
    #[error("{name} is {found}, and may be from {least} to {most}")]
    Number {
        /// Which number.
        name: &'static str,
        /// What it is.
        found: f64,
        /// The smallest.
        least: f64,
        /// The largest.
        most: f64,
    },
    /// More slots than a ciphertext has.
    #[error("the statistic takes {found} slots of a ciphertext, which has {capacity}")]
    Slots {
        /// How many it takes.
        found: usize,
        /// How many there are.
        capacity: usize,
    },
    /// The edges of a histogram are not an ascending list that begins at zero.
    #[error(
        "the edges of a histogram are 1 to 64 finite numbers that begin with 0 and ascend; number {index} does not fit"
    )]
    Edges {
        /// The first that does not fit, from 0.
        index: usize,
    },
    /// The declared ranges leave too little precision.
    #[error(
        "with contributions up to {limit} and up to {contributions} of them, only {bits} bits are left for the scale, of at least {needed}: lower one of them"
    )]
    Precision {
        /// The largest magnitude of a contribution.
        limit: f64,
        /// How many contributions there may be.
        contributions: u64,
        /// Bits left for the scale.
        bits: i32,
        /// Bits needed.
        needed: i32,
    },
    /// The engine refuses the plan.
    #[error(transparent)]
    Engine(#[from] Error),
}

impl From<SettingsError> for OperatorError {
    fn from(error: SettingsError) -> Self {
        Self::Settings { reason: error.to_string() }
    }
}

/// Why a contribution is not packed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ContributionError {
    /// It is for another statistic than the settings collect.
    #[error("the panel collects {expected}, not {found}")]
    Statistic {
        /// What the settings collect.
        expected: &'static str,
        /// What was contributed.
        found: &'static str,
    },
    /// Not as many values as the settings declare.
    #[error("the panel takes {expected} values in a contribution, not {found}")]
    Count {
        /// How many the settings declare.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A value is not finite, or outside the declared range.
    #[error("value {index} is not a number from {least} to {most}")]
    Range {
        /// Which one, from 0.
        index: usize,
        /// The smallest.
        least: f64,
        /// The largest.
        most: f64,
    },
    /// Somebody left before joining.
    #[error("stay {index} ends before it begins")]
    LeaveBeforeJoin {
        /// Which one, from 0.
        index: usize,
    },
    /// The engine refused the plaintext.
    #[error(transparent)]
    Engine(#[from] Error),
    /// The ciphertexts do not make a message.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// Why an answer is not a report.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The settings do not fit the parameters.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The bytes are no message, or an item is no ciphertext.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The message is of another operator, or another message of this one.
    #[error("the message is part {part} of operator '{found}', but part {expected_part} of '{expected}' was expected")]
    Operator {
        /// The operator that was asked.
        expected: &'static str,
        /// The part that was expected.
        expected_part: u8,
        /// The operator in the message.
        found: String,
        /// The part in the message.
        part: u8,
    },
    /// The message was computed under other settings.
    #[error("the message belongs to the settings {found}, but those here are {expected}")]
    OtherSettings {
        /// Digest of the settings here.
        expected: String,
        /// Digest in the message.
        found: String,
    },
    /// The items do not make an answer.
    #[error("the message does not fit the settings: {what}")]
    Items {
        /// What is wrong with them.
        what: &'static str,
    },
    /// Fewer contributions than the settings ask for.
    #[error("the answer is of {found} contributions, but the settings ask for {least} to {most}")]
    Contributions {
        /// How many there are.
        found: u64,
        /// The fewest.
        least: u64,
        /// The most.
        most: u64,
    },
    /// Not as many opened ciphertexts or slots as the answer has.
    #[error("the answer has {expected} {what}, and {found} were opened")]
    Opened {
        /// `ciphertexts` or `slots`.
        what: &'static str,
        /// How many the answer has.
        expected: usize,
        /// How many were opened.
        found: usize,
    },
    /// The opened slots cannot come from contributions within the declared ranges. Which slot it is, is not told.
    #[error("the opened slots are not sums of contributions within the declared ranges")]
    Implausible,
}
