//! Oblivious selection: whole journeys in a reduced ring and at the named set, and everything that is refused.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    clippy::panic,
    reason = "test code: a panic is a failed test"
)]

mod bytes;
mod journeys;
mod opening;
mod plans;
mod refusals;
mod restored;
#[path = "../restored/restoring.rs"]
mod restoring;
mod room;
mod whole;
