//! Encrypted keyword search: which participants of a room have a keyword, and how many.
//!
//! A keyword is 128 bits of a hash under a secret of the room, as eight residues modulo `t`. Participants enrol up to eight encrypted keywords each; a query
//! repeats one keyword in all places. The service computes `r (query - roster)` in slots, with `r` uniform and non-zero in every slot: zero exactly where a residue of the query
//! equals one of the roster, and otherwise a uniform non-zero residue that says nothing. A place whose eight slots are all zero is a match. Then it hides how it computed that
//! ([`blindrelay_engine::bfv::Evaluator::rerandomize`]), so that whoever opens the answer learns which residues are equal and nothing else.
//!
//! The same file names as in the other operators: `layout` says which value stands where, `pack` is the key holder's side, `evaluate` the service's, `plan` the card, `reference`
//! the function on clear values.

mod error;
mod evaluate;
mod layout;
mod message;
mod pack;
mod plan;
pub mod reference;

pub use error::{ImplausibleAnswer, KeywordError};
pub use evaluate::{SearchRoster, SearchSnapshot, Searching};
pub use layout::{KEYWORD_RESIDUES, KEYWORDS, SearchLayout};
pub use message::{SearchAnswer, SearchMatch, SearchRequest, SearchedBlock};
pub use pack::{Keyword, normalize_keyword, pack_participants, pack_query};
pub use plan::{SEARCH, SearchPlan};
