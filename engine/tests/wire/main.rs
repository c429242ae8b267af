//! The wire format: every object comes back, every deviation is refused by name, no byte has two meanings.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "all of this crate is a test: a panic is how it fails"
)]

mod answers;
mod approximate;
mod ciphertexts;
mod corruption;
mod crafted;
mod describe;
mod golden;
mod headers;
mod keys;
mod levelled;
mod messages;
mod objects;
mod round_trip;
mod scales;
mod sets;
