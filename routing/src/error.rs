//! What can be wrong with a token.

/// Why a token or a batch of tokens is refused. Entries are never told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
