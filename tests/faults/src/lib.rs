//! Faults and figures of the service. Real `blindrelay serve` processes are killed, starved and overloaded while clients work with them through the
//! [`blindrelay_client`] crate; what was acknowledged is compared with what is there in the end.
//!
//! The program `faults` makes the long runs whose figures are in `docs/benchmarks.md`; `cli/tests/faults` makes short ones of the same functions whenever tests run.

pub mod account;
pub mod attendance;
pub mod clock;
pub mod course;
pub mod database_gone;
pub mod descriptors;
pub mod disk_full;
pub mod figures;
pub mod half_open;
pub mod http;
pub mod nodes;
pub mod object_store_gone;
pub mod postgres;
pub mod process;
pub mod s3;
pub mod service;
pub mod throughput;
pub mod uploads;
