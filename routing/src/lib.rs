//! Encrypted matching.
//!
//! A token is a vector of 128 small signed integers. Participants enrol encrypted tokens; a probe, itself encrypted, is answered with the
//! encrypted inner product of the probe with every token, by one ciphertext product for 16 or 32 of them. The service that computes the
//! scores can read neither tokens nor probe nor scores. The same file names as in the other operator crates: `layout` says
//! which value stands where, `pack` is the key holder's side, `evaluate` the service's, `plan` the card, `reference` the function
//! on clear values.

mod error;
mod evaluate;
pub mod find;
mod layout;
mod message;
mod pack;
mod placing;
mod plan;
pub mod reference;
pub mod search;

pub use error::{AnswerError, TokenError};
pub use evaluate::{Matching, Roster, RosterSnapshot};
pub use layout::{Layout, TOKEN_ENTRIES};
pub use message::{MatchAnswer, ScoredBlock};
pub use pack::{Token, normalize_identity};
pub use plan::{MATCH_EMBEDDINGS, MATCH_SIGNS, MatchKind};
