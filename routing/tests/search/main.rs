//! Keyword search: whole journeys against the clear functions, what an opened answer shows and what it does not, noise, and everything that is refused.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "test code: a panic is a failed test"
)]

mod journeys;
mod noise;
mod privacy;
mod refusals;
mod room;
