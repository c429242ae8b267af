//! What a service needs to know of an operator: its card, and how to store records and answer requests.
//!
//! A service is generic over operators: adding one is a crate and a line of registration. Operators do no I/O, read no clock and
//! draw no randomness, so that a result can be recomputed bit for bit from its inputs.

mod card;
mod error;
mod handle;
mod placement;

use std::sync::Arc;

pub use card::{KeyNeed, NoiseCard, OperatorCard, ValueRange};
pub use error::OperatorError;
pub use handle::{HANDLE_BYTES, Handle};
pub use placement::Placement;

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

    /// Whether answers also depend on a secret that the operator was made with, so that nobody else computes the same ones.
    fn has_secret(&self) -> bool {
        false
    }
}

/// Encrypted records that requests are answered from.
///
/// Records with their handles and placements are all that a collection depends on, whatever the order in which they came and whatever was removed in between: every service
/// that has them gives the same answers, bit for bit.
pub trait Collection: Send + Sync {
    /// Adds a record that carries one value for each handle, and says where it stands from now on. On error nothing has changed.
    fn append(&mut self, record: &[u8], handles: &[Handle]) -> Result<Placement, OperatorError>;

    /// Adds a record where an earlier [`Collection::append`] of this or another collection of the operator put it; [`OperatorError::Placement`] where something
    /// stands there. On error nothing has changed.
    fn restore(&mut self, record: &[u8], handles: &[Handle], placement: Placement) -> Result<(), OperatorError>;

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

    /// SHA-256 of what answers are computed from: the records, their handles and where they stand. Equal collections have the same.
    fn digest(&self) -> [u8; 32];
}

/// Which kind of resource a service offers for an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Resource {
    /// A room: records that requests are compared with ([`Operator`]).
    Rooms,
    /// A meter: encrypted usage and charges ([`Accumulation`]).
    Meters,
    /// A panel: encrypted statistics ([`Accumulation`]).
    Panels,
}

/// A registered computation that keeps encrypted sums: batches are added to the sums and forgotten, reports are computed from the sums.
///
/// A service keeps the bytes of [`Accumulator::to_bytes`] between requests and nothing else.
pub trait Accumulation: Send + Sync {
    /// What it does and needs; published by the service.
    fn card(&self) -> &OperatorCard;

    /// The parameters of everything it reads and writes.
    fn parameters(&self) -> &Parameters;

    /// Empty sums. `settings` is public JSON text of the operator's own shape; refused with [`OperatorError::Settings`] where it is another.
    fn new_accumulator(&self, settings: &str) -> Result<Box<dyn Accumulator>, OperatorError>;

    /// The sums that [`Accumulator::to_bytes`] wrote under the same settings.
    fn restore(&self, settings: &str, state: &[u8]) -> Result<Box<dyn Accumulator>, OperatorError>;
}

/// Encrypted sums. Their size does not depend on how much was added.
pub trait Accumulator: Send + Sync {
    /// Adds a batch. On error nothing has changed. `keys` are those of the owner, if there are any.
    fn append(&mut self, batch: &[u8], keys: Option<&EvaluationKeys>) -> Result<(), OperatorError>;

    /// Adds the sums that another accumulator with the same settings wrote with [`Accumulator::to_bytes`]. On error nothing has changed.
    fn merge(&mut self, state: &[u8]) -> Result<(), OperatorError>;

    /// How many batches are in the sums.
    fn batches(&self) -> u64;

    /// Everything that [`Accumulation::restore`] needs, always the same bytes for the same sums.
    fn to_bytes(&self) -> Vec<u8>;

    /// The answer to a request, as bytes of the operator's message format.
    fn report(&self, request: &[u8], keys: Option<&EvaluationKeys>) -> Result<Vec<u8>, OperatorError>;
}
