//! What can be wrong with a token, and with the bytes of an answer.

use blindrelay_engine::wire::WireError;

/// Why a token or a batch of tokens is refused. Entries are never told.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not 128 entries.
    #[error("a token has 128 entries, not {found}")]
    Length {
        /// How many there are.
        found: usize,
    },
    /// An entry is too large.
    #[error("entry {index} of token {token} is outside [-{limit}, {limit}]")]
    Range {
        /// Which token.
        token: usize,
        /// Which entry.
        index: usize,
        /// The largest magnitude.
        limit: u8,
    },
    /// No token, or more than fit.
    #[error("a record carries 1 to {capacity} tokens, not {found}")]
    Count {
        /// How many there are.
        found: usize,
        /// How many fit.
        capacity: usize,
    },
    /// The engine refused the plaintext.
    #[error(transparent)]
    Engine(#[from] blindrelay_engine::Error),
}

/// Why bytes are not the answer of a matching operator.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The bytes are no message, or an item is no answer.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The message is of another operator, or another message of this one.
    #[error("the message is part {part} of operator '{found}', but an answer of '{expected}' was expected")]
    Operator {
        /// The operator that was asked.
        expected: &'static str,
        /// The operator in the message.
        found: String,
        /// The part in the message.
        part: u8,
    },
    /// The items do not make an answer.
    #[error("the message is not an answer: {what}")]
    Items {
        /// What is wrong with them.
        what: &'static str,
    },
}
