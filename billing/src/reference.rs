//! The same charges on clear values, from the prices as they are written: what every invoice has to agree with.

use crate::calendar::Date;
use crate::decimal::Decimal;
use crate::money::Money;
use crate::pack::{Measurement, Reading};
use crate::rates::{ItemId, Period, RateCard, Tariff};

/// Quantity and amount of an item in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// What is charged.
    pub item: ItemId,
    /// When.
    pub period: Period,
    /// Sum of the readings, in the measured unit.
    pub quantity: u128,
    /// Quantity times price, rounded once.
    pub amount: Money,
}

/// Charges of readings in `[from, until)`: one for each item and period that has a price. `price_of` says the prices that the card encrypts. `None` where
/// an encrypted price is not known or a number does not fit 128 bits.
pub fn charges(
    card: &RateCard,
    readings: &[Reading],
    (from, until): (Date, Date),
    price_of: impl Fn(ItemId, Period) -> Option<Decimal>,
) -> Option<Vec<Charge>> {
    let mut charges = Vec::new();
    for period in card.periods(from, until) {
        for id in card.ids() {
            let item = card.item(id)?;
            let Some(price) = item.price_on(period.start) else { continue };
            let price = match price.tariff {
                Tariff::Public(price) => price,
                Tariff::Encrypted { .. } => price_of(id, period)?,
            };
            let of_item = readings.iter().filter(|reading| reading.item == id);
            let quantity: u128 = of_item.map(|reading| quantity_in(reading.measurement, period)).sum();
            // price / 10^k major units per unit, 10^d minor units a major one, measured / unit units a measured one.
            let factor = 10_i128.pow(u32::from(card.currency().digits())) * i128::from(item.measured().size());
            let units = i128::try_from(quantity).ok()?.checked_mul(i128::from(price.units()))?;
            let divisor = 10_i128.pow(u32::from(price.decimals())) * i128::from(item.unit().size());
            let amount = Money::rounded(card.currency(), units.checked_mul(factor)?, divisor)?;
            charges.push(Charge { item: id, period, quantity, amount });
        }
    }
    Some(charges)
}

/// What a reading adds to a period.
fn quantity_in(measurement: Measurement, period: Period) -> u128 {
    match measurement {
        Measurement::Quantity { at, amount } if period.contains(at) => u128::from(amount.unsigned_abs()),
        Measurement::Quantity { .. } => 0,
        Measurement::Interval { join, leave } => {
            u128::from(leave.min(period.end.unix()).saturating_sub(join.max(period.start.unix())))
        }
    }
}
