//! A store that survives restarts and crashes.
//!
//! Rows are in SQLite, one file, or in PostgreSQL, for any number of services. Blobs, which are evaluation keys, records, sums and requests, are in a directory or in a service
//! that speaks S3. A blob is written once under a new random name and is durable before the transaction that names it; it is deleted after the transaction that no longer
//! does. `docs/storage.md` describes guarantees, backup and what durability costs.

mod access;
mod backup;
mod blobs;
mod columns;
mod database;
mod error;
mod folder;
mod holdings;
mod jobs;
mod keys;
mod ledgers;
mod log_index;
mod migrations;
mod queue;
mod receipts;
mod recent;
mod rooms;
mod settings;
mod store;
mod sweep;

pub use backup::{BackupError, Copied, restore};
pub use error::{Damage, OpenError};
pub use queue::DurableQueue;
pub use settings::{BlobSettings, DatabaseAddress, DatabaseAddressError, S3Credentials, S3Settings, Settings};
pub use store::DurableStore;
pub use sweep::{SWEEP_AGE, Sweep};
