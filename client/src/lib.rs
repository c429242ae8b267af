#![doc = include_str!("../../docs/client.md")]

mod address;
mod client;
mod error;
mod exchange;
mod keys;
mod ledgers;
mod names;
mod nodes;
mod retry;
mod rooms;
mod tls;

pub use crate::client::{Builder, Client};
pub use crate::error::Error;
pub use crate::keys::KeysReceipt;
pub use crate::ledgers::{Family, Ledger, LedgerEntry};
pub use crate::retry::{Clock, SystemClock};
pub use crate::rooms::Room;
