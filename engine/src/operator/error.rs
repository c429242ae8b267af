//! Why an operator refuses a record or a request.

use super::handle::Handle;
use crate::error::Error;
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
    /// A record must carry at least one value and at most as many as the card says.
    #[error("a record carries 1 to {capacity} values, not {found}")]
    ValueCount {
        /// How many were announced.
        found: usize,
        /// How many fit.
        capacity: usize,
    },
    /// There is nothing to answer from.
    #[error("nobody is enrolled yet")]
    Empty,
}
