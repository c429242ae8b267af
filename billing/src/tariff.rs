//! Tariffs: what a call costs by its length, with setup fee, free units, started blocks, tiers, minimum and maximum.
//!
//! A tariff is a function of a small range, 0 to the longest call, and becomes a table of it. The relay counts calls by length, which is the sum of their one-hot
//! vectors; the service multiplies the counts by the table, slot by slot. All prices are exact decimals, and a table has no entry that was rounded.

mod error;
mod table;

use serde::{Deserialize, Serialize};

pub use self::error::TariffError;
pub use self::table::{DurationClass, Durations};
use crate::decimal::{Decimal, MAX_DECIMALS};
use crate::unit::Unit;

/// Longest call that a table may have, in measured units: the lengths from 0 on have as many slots as `bill-8192`.
pub const MAX_LENGTH: u64 = (1 << 13) - 1;
/// Most tiers of a tariff.
pub const MAX_TIERS: usize = 64;
/// Longest block and longest free time, in measured units.
const MAX_UNITS: u64 = 1_000_000_000;

/// A price from some length on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Charged units after which the price holds, in the measured unit; 0 for the first tier.
    pub after: u64,
    /// Price of one unit of the item, in major units of the currency.
    pub price: Decimal,
}

/// A tariff as it is written: not checked yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TariffTerms {
    /// Added once for every call that is not of length 0.
    pub setup: Decimal,
    /// Measured units at the beginning of each call that are not charged.
    pub free: u64,
    /// Length of the first block; it is charged as a whole once it has begun.
    pub first: u64,
    /// Length of each further block, likewise.
    pub increment: u64,
    /// Prices by ascending length.
    pub tiers: Vec<Tier>,
    /// Least that a call costs, unless it costs nothing.
    pub minimum: Decimal,
    /// Most that a call costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Decimal>,
}

impl TariffTerms {
    /// One price for every unit and nothing else.
    pub fn per_unit(price: Decimal) -> Self {
        let tiers = vec![Tier { after: 0, price }];
        Self { setup: Decimal::ZERO, free: 0, first: 1, increment: 1, tiers, minimum: Decimal::ZERO, maximum: None }
    }
}

/// A checked tariff, and its table up to the longest call.
///
/// For a call of `v` measured units, `x = max(v - free, 0)` units are left to charge. They are rounded up to whole blocks: `b = 0` for `x = 0`, else
/// `b = first` for `x <= first`, else `b = first + increment * ceil((x - first) / increment)`. Unit `j` of the `b` units, counted from 1, costs the price of the
/// last tier with `after < j`. With `c` the sum of these prices and the setup fee, the call costs nothing where `v = 0` or `c = 0`, and otherwise
/// `min(max(c, minimum), maximum)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariff {
    terms: TariffTerms,
    unit: Unit,
    measured: Unit,
    limit: u64,
    /// Decimals of what the terms say.
    decimals: u8,
    /// Price of a call of each length, all with as many decimals.
    table: Vec<Decimal>,
    largest: Decimal,
    /// The greatest common divisor of the digits of the table; 0 where calls cost nothing.
    common: u64,
}

impl Tariff {
    /// Checks the terms and computes the table. Prices are per `unit`, lengths whole numbers of `measured`, which must be units of the same kind; calls have up to
    /// `limit` measured units, at most [`MAX_LENGTH`]. Refused where tiers are not in order, where the minimum is above the maximum, and where the price of some length
    /// is no decimal of at most [`MAX_DECIMALS`] digits after the point or too large.
    pub fn new(terms: TariffTerms, unit: Unit, measured: Unit, limit: u64) -> Result<Self, TariffError> {
        check(&terms, limit)?;
        if unit.dimension() != measured.dimension() {
            return Err(TariffError::Units { unit, measured });
        }
        let prices = terms.tiers.iter().map(|tier| tier.price);
        let prices = prices.chain([terms.setup, terms.minimum]).chain(terms.maximum);
        let decimals = prices.map(Decimal::decimals).max().unwrap_or(0);
        let largest = Decimal::ZERO;
        let mut tariff = Self { terms, unit, measured, limit, decimals, table: Vec::new(), largest, common: 0 };
        tariff.fill_table()?;
        Ok(tariff)
    }

    /// What is written.
    pub const fn terms(&self) -> &TariffTerms {
        &self.terms
    }

    /// The unit that lengths are whole numbers of.
    pub const fn measured(&self) -> Unit {
        self.measured
    }

    /// The unit that prices of tiers are per.
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// Longest call, in the measured unit.
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// The exact price of a call of so many measured units, in major units of the currency. Refused above the limit.
    pub fn charge(&self, units: u64) -> Result<Decimal, TariffError> {
        if units > self.limit {
            return Err(TariffError::AboveLimit { units, limit: self.limit });
        }
        self.exact(units)
    }

    /// Units that a call is charged for: without the free ones, in whole blocks.
    pub fn charged_units(&self, units: u64) -> u64 {
        let TariffTerms { free, first, increment, .. } = self.terms;
        match units.saturating_sub(free) {
            0 => 0,
            left if left <= first => first,
            left => first + (left - first).div_ceil(increment) * increment,
        }
    }

    /// The formula above, over the common denominator `10^decimals * size of the unit`.
    fn exact(&self, units: u64) -> Result<Decimal, TariffError> {
        let overflow = || TariffError::Overflow { units };
        let (size, measured) = (u128::from(self.unit.size()), u128::from(self.measured.size()));
        let scaled = |price: Decimal| {
            let factor = 10_u128.checked_pow(u32::from(self.decimals - price.decimals()))?;
            u128::from(price.units()).checked_mul(factor)
        };
        let whole = |price: Decimal| scaled(price)?.checked_mul(size);
        let charged = self.charged_units(units);
        let mut sum = if units == 0 { 0 } else { whole(self.terms.setup).ok_or_else(overflow)? };
        for (index, tier) in self.terms.tiers.iter().enumerate() {
            let end = self.terms.tiers.get(index + 1).map_or(charged, |next| next.after.min(charged));
            let within = u128::from(end.saturating_sub(tier.after));
            let cost = || scaled(tier.price)?.checked_mul(within)?.checked_mul(measured);
            sum = cost().and_then(|cost| sum.checked_add(cost)).ok_or_else(overflow)?;
        }
        if sum > 0 {
            sum = sum.max(whole(self.terms.minimum).ok_or_else(overflow)?);
            if let Some(maximum) = self.terms.maximum {
                sum = sum.min(whole(maximum).ok_or_else(overflow)?);
            }
        }
        self.decimal(units, sum)
    }

    /// `sum / (10^decimals * size of the unit)` as a decimal with as few further digits as it needs.
    fn decimal(&self, units: u64, sum: u128) -> Result<Decimal, TariffError> {
        let size = u128::from(self.unit.size());
        let mut sum = sum;
        for decimals in self.decimals..=MAX_DECIMALS {
            if sum.is_multiple_of(size) {
                let price = u64::try_from(sum / size).ok().and_then(|digits| Decimal::new(digits, decimals));
                return price.ok_or(TariffError::Overflow { units });
            }
            sum = sum.checked_mul(10).ok_or(TariffError::Overflow { units })?;
        }
        Err(TariffError::Inexact { units, unit: self.unit, measured: self.measured })
    }
}

fn check(terms: &TariffTerms, limit: u64) -> Result<(), TariffError> {
    if limit == 0 || limit > MAX_LENGTH {
        return Err(TariffError::Limit { limit, most: MAX_LENGTH });
    }
    for (field, found, least) in [("free", terms.free, 0), ("increment", terms.increment, 1), ("first", terms.first, 1)]
    {
        if found < least || found > MAX_UNITS {
            return Err(TariffError::Field { field, found, least, most: MAX_UNITS });
        }
    }
    if terms.tiers.is_empty() || terms.tiers.len() > MAX_TIERS {
        return Err(TariffError::Tiers { found: terms.tiers.len(), most: MAX_TIERS });
    }
    match terms.tiers.first() {
        Some(first) if first.after != 0 => return Err(TariffError::FirstTier { after: first.after }),
        _ => {}
    }
    for [before, tier] in terms.tiers.array_windows() {
        match tier.after {
            after if after == before.after => return Err(TariffError::RepeatedTier { after }),
            after if after < before.after => return Err(TariffError::TierOrder { after, before: before.after }),
            _ => {}
        }
    }
    match terms.maximum {
        Some(maximum) if terms.minimum.exceeds(maximum) => {
            Err(TariffError::MinimumAboveMaximum { minimum: terms.minimum, maximum })
        }
        _ => Ok(()),
    }
}
