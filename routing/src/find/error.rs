//! What can be wrong with a record or a request before it is encrypted, and with the bytes of an answer.

use blindrelay_engine::Error;
use blindrelay_engine::wire::WireError;

use super::payload::{MAX_PAYLOAD_BYTES, MIN_PAYLOAD_BYTES};
use super::request::FindKind;

/// Why a record or a request is not made. Neither entries nor payloads are told.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// The payload does not fit its slots.
    #[error(
        "a payload has {MIN_PAYLOAD_BYTES} to {MAX_PAYLOAD_BYTES} bytes, not {found}: send a larger one in several records"
    )]
    PayloadLength {
        /// Its length in bytes.
        found: usize,
    },
    /// An entry is not a sign.
    #[error("entry {index} of the token is not 1 or -1")]
    Entry {
        /// Its position, from 0.
        index: usize,
    },
    /// The engine refused it.
    #[error(transparent)]
    Engine(#[from] Error),
    /// It does not fit a message.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// Why bytes are not the answer to a request.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FindAnswerError {
    /// The bytes are no message, or an item is no answer.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The message is of another operator, or no answer.
    #[error("the message is part {part} of operator '{found}', but an answer of '{expected}' was expected")]
    Operator {
        /// The operator that was asked.
        expected: &'static str,
        /// The operator in the message.
        found: String,
        /// The part in the message.
        part: u8,
    },
    /// The parameters have no such answers.
    #[error(transparent)]
    Engine(#[from] Error),
    /// The items do not make an answer.
    #[error("the message is not an answer: {what}")]
    Items {
        /// What is wrong with them.
        what: &'static str,
    },
    /// It answers another request.
    #[error("the answer is not one to this request")]
    OtherRequest,
    /// It answers another question than was asked.
    #[error("the answer is {found}, but {expected} was asked for")]
    OtherKind {
        /// What was asked for.
        expected: FindKind,
        /// What came.
        found: FindKind,
    },
    /// It was computed with another threshold.
    #[error("the answer was computed with threshold {found}, but {expected} was asked for")]
    OtherThreshold {
        /// What was asked for.
        expected: i64,
        /// What came.
        found: i64,
    },
}
