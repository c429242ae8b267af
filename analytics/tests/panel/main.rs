//! Panels with real keys: statistics against their references, refusals that change nothing, states, merges and reports.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

mod pages;
mod random;
mod refusals;
mod rig;
mod states;
mod statistics;
