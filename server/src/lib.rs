//! The HTTP service: it keeps encrypted records and encrypted sums, and evaluates requests on them with the registered operators.
//!
//! It holds no key that decrypts: nothing in it, or in what it depends on, can name a secret key. [`serve()`] runs it on a socket, [`app`] is the same
//! without one. `docs/http-api.md` describes every route.

pub mod access;
mod accounts;
mod body;
pub mod cache;
pub mod compute;
pub mod config;
mod connection;
pub mod error;
mod extract;
pub mod family;
pub mod id;
pub mod jobs;
pub mod keys;
mod ledger;
mod matching;
pub mod middleware;
mod openapi;
pub mod receipts;
pub mod registry;
pub mod room;
mod routes;
mod serve;
pub mod shutdown;
pub mod state;
pub mod store;
pub mod telemetry;
pub mod time;
pub mod tls;
mod uploads;

pub use config::{Config, ConfigError, Limits, TenantConfig};
pub use error::ApiError;
pub use jobs::run_jobs;
pub use registry::{Registry, RegistryError};
pub use serve::{app, serve};
pub use state::{AppState, Environment, StartError};
