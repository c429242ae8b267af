//! What a service needs to know of an operator: its card, and how to store records and answer requests.
//!
//! A service is generic over operators: adding one is a crate and a line of registration. Operators do no I/O, read no clock and
//! draw no randomness, so that a result can be recomputed bit for bit from its inputs.

mod card;
mod error;
mod handle;

use std::sync::Arc;

pub use card::{KeyNeed, NoiseCard, OperatorCard, ValueRange};
pub use error::OperatorError;
pub use handle::{HANDLE_BYTES, Handle};

use crate::params::Parameters;
use crate::rlwe::EvaluationKeys;

/// A registered computation on ciphertexts of one parameter set.
pub trait Operator: Send + Sync {
    /// What it does and needs; published by the service.
    fn card(&self) -> &OperatorCard;

    /// The parameters of everything it reads and writes.
    fn parameters(&self) -> &Parameters;

    /// An empty collection.
    fn new_collection(&self) -> Box<dyn Collection>;
}

/// Encrypted records that requests are answered from, in the order of their arrival.
pub trait Collection: Send + Sync {
    /// Appends a record that carries one value for each handle. On error nothing has changed.
    fn append(&mut self, record: &[u8], handles: &[Handle]) -> Result<(), OperatorError>;

    /// Removes the value of a handle; the record's ciphertext goes with its last value. On error nothing has changed.
    fn remove(&mut self, handle: Handle) -> Result<(), OperatorError>;

    /// Handles in answer order.
    fn handles(&self) -> Vec<Handle>;

    /// Bytes held in memory.
    fn byte_len(&self) -> usize;

    /// The collection as it is now; later changes do not reach it.
    fn snapshot(&self) -> Arc<dyn Snapshot>;
}

/// An immutable view of a collection on which requests are evaluated.
pub trait Snapshot: Send + Sync {
    /// The answer to a request, as bytes of the operator's message format. `keys` are those of the collection's owner, if there are any.
    fn evaluate(&self, request: &[u8], keys: Option<&EvaluationKeys>) -> Result<Vec<u8>, OperatorError>;
}
