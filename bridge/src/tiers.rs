//! Cumulative tiers over encrypted wide integers: what a month's usage costs when the first units have one price, the next ones another.
//!
//! * A relay encrypts the usage under the tenant's [`PublicKey`]: [`UsageCiphertext`].
//! * The service computes the total with the tenant's [`ServerKey`] and a public [`TierTable`] ([`charge`]), or with a table whose
//!   boundaries and prices are encrypted ([`EncryptedTierTable`]).
//! * The tenant opens the [`TotalCiphertext`] with the key that `blindrelay-keyholder` made, against what the table can charge at most.
//!
//! Integers are radix ciphertexts of blocks of two bits under [`PARAMETERS`] (Bergerat et al., "Parameter Optimization and Larger Precision
//! for (T)FHE", 2023; crate `tfhe`). Everything is exact: a bootstrap fails with probability at most 2^-128. There is no ambient state; keys are arguments.

mod charge;
mod encrypted;
mod error;
mod keys;
mod lookup;
mod packed;
mod parameters;
mod plan;
mod rows;
mod table;
mod total;
mod usage;
mod wire;

pub use charge::charge;
pub use encrypted::{EncryptedTierTable, PRICE_BITS_LIMIT, PriceWidth, PrivateTiers};
pub use error::{Fault, TableError, WireError};
pub use keys::{PublicKey, ServerKey};
pub use parameters::{BLOCK_BITS, PARAMETERS};
pub use plan::{Plan, plan};
pub use table::{TIERS_LIMIT, TOTAL_BITS_LIMIT, Tier, TierTable, UsageWidth};
pub use total::TotalCiphertext;
pub use usage::UsageCiphertext;
pub use wire::{KEY_BYTES_LIMIT, Kind, PUBLIC_KEY_BYTES_LIMIT, TOTAL_BYTES_LIMIT};
