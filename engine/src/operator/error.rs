//! Why an operator refuses a record or a request.

use super::handle::Handle;
use super::placement::Placement;
use crate::error::{Error, KeyName};
use crate::wire::WireError;

/// Errors of operators. Those of [`OperatorError::Wire`] and [`OperatorError::Refused`] are the caller's to mend.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// The bytes are not what the operator reads.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The ciphertexts cannot be computed on.
    #[error(transparent)]
    Refused(#[from] Error),
    /// No value has this handle.
    #[error("nothing is enrolled under handle {handle}")]
    UnknownHandle {
        /// The handle.
        handle: Handle,
    },
    /// The handle is taken.
    #[error("handle {handle} is already enrolled")]
    RepeatedHandle {
        /// The handle.
        handle: Handle,
    },
    /// A record cannot stand where it was put before.
    #[error("{count} values cannot stand at {placement}: {reason}")]
    Placement {
        /// Where the record was put.
        placement: Placement,
        /// How many values it carries.
        count: usize,
        /// What is in the way.
        reason: &'static str,
    },
    /// A record must carry at least one value and at most as many as the card says.
    #[error("a record carries 1 to {capacity} values, not {found}")]
    ValueCount {
        /// How many were announced.
        found: usize,
        /// How many fit.
        capacity: usize,
    },
    /// The settings are not the operator's.
    #[error("the settings do not fit the operator: {reason}")]
    Settings {
        /// What does not fit.
        reason: String,
    },
    /// A batch, a state or a request does not fit the settings.
    #[error("the {object} does not fit the settings: {reason}")]
    Unfit {
        /// What was refused: `batch`, `state` or `request`.
        object: &'static str,
        /// What does not fit.
        reason: String,
    },
    /// A result could be too large to be told from another one.
    #[error(
        "the sums could reach {bound}, but results are certain only up to {limit}: close this period and begin another"
    )]
    Range {
        /// What the declared ranges allow.
        bound: u128,
        /// Largest magnitude that opens unambiguously.
        limit: u128,
    },
    /// A report would say too much about too few.
    #[error("a report needs at least {needed} contributions, and there are {found}")]
    TooFewContributions {
        /// How many there are.
        found: u64,
        /// How many there have to be.
        needed: u64,
    },
    /// A message of another operator, or another one of this operator.
    #[error(
        "expected {expected} of operator '{operator}', but these bytes are part {part} of operator '{found}', with {items} items"
    )]
    OtherMessage {
        /// What was expected.
        expected: &'static str,
        /// The operator.
        operator: &'static str,
        /// The operator in the message.
        found: String,
        /// The part in the message.
        part: u8,
        /// How many items the message has.
        items: usize,
    },
    /// The room's evaluation keys lack some that the operator needs.
    #[error("the room's evaluation keys lack {}; make and upload them: {command}", crate::error::listed(missing))]
    MissingKeys {
        /// All that are missing.
        missing: Vec<KeyName>,
        /// The command that makes them.
        command: String,
    },
    /// There is nothing to answer from.
    #[error("nobody is enrolled yet")]
    Empty,
}
