//! The table of a tariff, and the lengths that cost the same.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Tariff, TariffError};
use crate::decimal::{Decimal, gcd};
use crate::unit::Unit;

/// Lengths of calls, from the shortest to the longest, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durations {
    /// Shortest, in `unit`.
    pub shortest: u64,
    /// Longest, in `unit`.
    pub longest: u64,
    /// The unit of both.
    pub unit: Unit,
}

impl Durations {
    /// Whether a call of so many units is one of them.
    pub const fn contains(&self, units: u64) -> bool {
        self.shortest <= units && units <= self.longest
    }
}

impl fmt::Display for Durations {
    /// `1 to 60 s`, or `60 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shortest, longest, unit } = self;
        let symbol = if unit.symbol().is_empty() { String::new() } else { format!(" {}", unit.symbol()) };
        if shortest == longest { write!(f, "{shortest}{symbol}") } else { write!(f, "{shortest} to {longest}{symbol}") }
    }
}

/// Neighbouring lengths that cost the same: one line of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DurationClass {
    /// The lengths.
    #[serde(flatten)]
    pub durations: Durations,
    /// What a call of any of them costs, in major units of the currency.
    pub price: Decimal,
}

impl Tariff {
    /// Prices of calls of 0 to [`Tariff::limit`] measured units, all with the same number of decimals.
    pub fn table(&self) -> &[Decimal] {
        &self.table
    }

    /// The same up to a smaller limit. Refused above the tariff's own.
    pub fn table_to(&self, limit: u64) -> Result<&[Decimal], TariffError> {
        let entries = usize::try_from(limit).ok().and_then(|limit| self.table.get(..=limit));
        entries.ok_or(TariffError::AboveLimit { units: limit, limit: self.limit })
    }

    /// The table in runs of equal prices, by ascending length.
    pub fn classes(&self) -> Vec<DurationClass> {
        let mut classes: Vec<DurationClass> = Vec::new();
        for (length, &price) in (0..).zip(&self.table) {
            match classes.last_mut() {
                Some(class) if class.price == price => class.durations.longest = length,
                _ => {
                    let durations = Durations { shortest: length, longest: length, unit: self.measured };
                    classes.push(DurationClass { durations, price });
                }
            }
        }
        classes
    }

    /// The largest price of the table.
    pub const fn largest(&self) -> Decimal {
        self.largest
    }

    /// The greatest common divisor of the digits of all prices; 0 where calls cost nothing.
    pub(crate) const fn common_units(&self) -> u64 {
        self.common
    }

    pub(super) fn fill_table(&mut self) -> Result<(), TariffError> {
        let mut prices: Vec<Decimal> = Vec::with_capacity(self.limit as usize + 1);
        for units in 0..=self.limit {
            // Calls in the same blocks cost the same; one of length 0 is not connected.
            let same = units > 1 && self.charged_units(units) == self.charged_units(units - 1);
            let price = match prices.last() {
                Some(&price) if same => price,
                _ => self.exact(units)?,
            };
            prices.push(price);
        }
        let decimals = prices.iter().map(|price| price.decimals()).max().unwrap_or(0);
        let with_all =
            |(units, price): (u64, &Decimal)| price.with_decimals(decimals).ok_or(TariffError::Overflow { units });
        self.table = (0..).zip(&prices).map(with_all).collect::<Result<_, _>>()?;
        self.largest = self.table.iter().copied().max_by_key(|price| price.units()).unwrap_or(Decimal::ZERO);
        self.common = self.table.iter().fold(0, |common, price| gcd(common, u128::from(price.units()))) as u64;
        Ok(())
    }
}
