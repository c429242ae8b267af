//! Circuits on ciphertexts against clear arithmetic, against their dry runs, and on every backend.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a panic is a failed test"
)]

mod decisions;
mod keys;
mod levelled;
mod plans;
mod polynomials;
mod ranking;
mod refusals;
mod world;
