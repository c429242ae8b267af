//! The command line as its users run it: the real binary, its output, its exit codes and its files.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed assumption fails the test")]

mod administration;
mod audit;
mod billing;
mod command;
mod demo;
mod durable;
mod evaluation_keys;
mod files;
mod finds;
mod jobs;
mod life;
mod measurements;
mod meetings;
mod operations;
mod panels;
mod price;
mod search;
mod unreliable;
mod usage_files;
