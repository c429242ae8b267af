//! Short versions of the runs of `tests/faults`, with the real binary. Counts and states are asserted here; times are figures of the long runs.
#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

mod gone;
mod half_open;
mod nodes;
mod throughput;
mod uploads;

use std::path::Path;

/// The program that serves.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_blindrelay"))
}

/// Panics where a count is not what it has to be.
fn check(figures: &blindrelay_faults::figures::Figures) {
    let missed = figures.missed(false);
    assert!(missed.is_empty(), "{missed:?} in {figures}");
}
