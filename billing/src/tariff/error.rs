//! Why a tariff is refused, or a length has no price.

use crate::decimal::{Decimal, MAX_DECIMALS};
use crate::unit::Unit;

/// What is wrong with a tariff, or with the length of a call. Tariffs are public.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TariffError {
    /// A call that is longer than the table.
    #[error("a call of {units} units is above the limit of {limit}")]
    AboveLimit {
        /// Length of the call.
        units: u64,
        /// Longest call.
        limit: u64,
    },
    /// A table without entries, or with too many.
    #[error("the longest call is {limit} units, but a tariff has 1 to {most}: measure in a larger unit")]
    Limit {
        /// What was asked for.
        limit: u64,
        /// The most that is allowed.
        most: u64,
    },
    /// Prices and lengths that do not measure the same.
    #[error("prices are per {unit} and lengths in {measured}, which are not units of the same kind")]
    Units {
        /// The unit of the prices.
        unit: Unit,
        /// The unit of the lengths.
        measured: Unit,
    },
    /// A number out of range.
    #[error("{field} is {found}, but must be {least} to {most}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is written.
        found: u64,
        /// Smallest allowed number.
        least: u64,
        /// Largest allowed number.
        most: u64,
    },
    /// No tiers, or too many.
    #[error("it has {found} tiers, but must have 1 to {most}")]
    Tiers {
        /// How many are written.
        found: usize,
        /// Most allowed tiers.
        most: usize,
    },
    /// Units before the first tier.
    #[error("the first tier begins after {after} units, so that the units before it have no price: begin after 0")]
    FirstTier {
        /// Where the first tier begins.
        after: u64,
    },
    /// A tier that begins before the one that is written before it.
    #[error("the tier after {after} units is written behind the one after {before}: write tiers in ascending order")]
    TierOrder {
        /// Where the tier begins.
        after: u64,
        /// Where the one before begins.
        before: u64,
    },
    /// Two tiers from the same unit on.
    #[error("two tiers begin after {after} units")]
    RepeatedTier {
        /// Where both begin.
        after: u64,
    },
    /// No amount is allowed.
    #[error("the minimum of {minimum} is above the maximum of {maximum}")]
    MinimumAboveMaximum {
        /// Least price of a call.
        minimum: Decimal,
        /// Largest price of a call.
        maximum: Decimal,
    },
    /// A price that does not fit.
    #[error("the price of a call of {units} units has too many digits")]
    Overflow {
        /// Length of the call.
        units: u64,
    },
    /// A price that is no decimal.
    #[error(
        "a call of {units} units, measured by the {measured} and priced per {unit}, has no exact price of at most {MAX_DECIMALS} decimals: write prices per {measured}, or choose blocks that are simple fractions of the {unit}"
    )]
    Inexact {
        /// Length of the call.
        units: u64,
        /// The unit of the prices.
        unit: Unit,
        /// The unit of the lengths.
        measured: Unit,
    },
}
