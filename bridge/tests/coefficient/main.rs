//! Comparisons of single scores with real keys: decisions beside clear comparisons, measured errors beside stated ones, malformed input.
#![cfg(feature = "tfhe")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

mod bytes;
mod errors;
mod refusals;
mod room;
mod scores;
