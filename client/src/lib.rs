#![doc = include_str!("../../docs/client.md")]

mod address;
mod api_keys;
mod client;
mod error;
mod exchange;
mod jobs;
mod keys;
mod ledgers;
mod moment;
mod names;
mod nodes;
mod pages;
mod receipts;
mod retry;
mod rooms;
mod tenants;
mod tls;

pub use crate::api_keys::{ApiKey, NewApiKey, Role, RoleError};
pub use crate::client::{Builder, Client};
pub use crate::error::Error;
pub use crate::jobs::{Job, JobPart, JobState, NewJob, PartProblem};
pub use crate::keys::{KeySet, KeyTerms};
pub use crate::ledgers::{Family, Ledger, LedgerEntry};
pub use crate::moment::UnixMillis;
pub use crate::receipts::{KeptReceipt, ReceiptSource, Receipted, SourceChange};
pub use crate::retry::{Clock, SystemClock};
pub use crate::rooms::Room;
pub use crate::tenants::{Tenant, TenantLimits};
