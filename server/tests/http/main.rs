//! The service from outside: through its router, and over real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

mod access;
mod charges;
mod client;
mod conformance;
mod errors;
mod faults;
mod finds;
mod hostile;
mod jobs;
mod kept_receipts;
mod ledger_errors;
mod ledger_faults;
mod ledgers;
mod life;
mod limits;
mod nodes;
mod openapi;
mod operators;
mod party;
mod receipts;
mod restart;
mod rig;
mod shape;
mod sockets;
mod statistics;
mod stores;
mod sums;
mod sunset;
mod telemetry;
mod tenants;
mod tls;
#[cfg(feature = "traces")]
mod traces;
