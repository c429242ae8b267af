//! What can be wrong with keywords, and with an opened answer.

/// Why keywords are refused. The keywords themselves are never told.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeywordError {
    /// Nothing but white space.
    #[error("a keyword is empty: it has to have at least one character other than white space")]
    Empty,
    /// No keyword, or more than a participant can have.
    #[error("participant {participant} has {found} keywords: a participant has 1 to {capacity}")]
    Count {
        /// Which participant of the record.
        participant: usize,
        /// How many keywords.
        found: usize,
        /// How many fit.
        capacity: usize,
    },
    /// The same keyword twice.
    #[error(
        "keywords {first} and {second} of participant {participant} are the same: a set that contains the same element twice"
    )]
    Repeated {
        /// Which participant of the record.
        participant: usize,
        /// Position of the first occurrence.
        first: usize,
        /// Position of the second.
        second: usize,
    },
    /// No participant, or more than fit.
    #[error("a record carries 1 to {capacity} participants, not {found}")]
    Participants {
        /// How many there are.
        found: usize,
        /// How many fit.
        capacity: usize,
    },
    /// The engine refused the plaintext.
    #[error(transparent)]
    Engine(#[from] blindrelay_engine::Error),
}

/// An opened answer is not what a service that follows the protocol sends. There is one value for every reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer could not be opened: it is not what was asked for, or it was changed on the way")]
pub struct ImplausibleAnswer;
