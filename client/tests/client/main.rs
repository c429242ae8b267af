//! The client against services that follow a script.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed assumption fails the test")]

mod administration;
mod answers;
mod nodes;
mod receipts;
mod requests;
mod retries;
mod script;
mod tls;
