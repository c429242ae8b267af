//! The same charges on clear values, from the prices as they are written: what every invoice has to agree with.

use crate::calendar::Date;
use crate::decimal::Decimal;
use crate::money::Money;
use crate::pack::{Measurement, Reading};
use crate::rates::{Item, ItemId, Period, Pricing, RateCard};
use crate::tariff::{Durations, Tariff};

/// Quantity and amount of an item in a period, or number and amount of its calls of some lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// What is charged.
    pub item: ItemId,
    /// Lengths of the calls; `None` where the item is not priced by the call.
    pub durations: Option<Durations>,
    /// When.
    pub period: Period,
    /// Sum of the readings, in the measured unit, or the number of calls.
    pub quantity: u128,
    /// Quantity times price, rounded once.
    pub amount: Money,
}

/// Charges of readings in `[from, until)`: one for each item and period that has a price, and for items priced by the call one for each class of
/// lengths that has calls. `price_of` says the prices that the card encrypts. `None` where
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
            let of_item = readings.iter().filter(|reading| reading.item == id);
            let price = match &price.pricing {
                Pricing::Public(price) => *price,
                Pricing::Encrypted { .. } => price_of(id, period)?,
                Pricing::Tariff(tariff) => {
                    charges.extend(calls(card, (id, period), tariff, of_item)?);
                    continue;
                }
            };
            let quantity: u128 = of_item.map(|reading| quantity_in(reading.measurement, period)).sum();
            let amount = amount(card, item, price, quantity)?;
            charges.push(Charge { item: id, durations: None, period, quantity, amount });
        }
    }
    Some(charges)
}

fn amount(card: &RateCard, item: &Item, price: Decimal, quantity: u128) -> Option<Money> {
    // price / 10^k major units per unit, 10^d minor units a major one, measured / unit units a measured one.
    let factor = 10_i128.pow(u32::from(card.currency().digits())) * i128::from(item.measured().size());
    let units = i128::try_from(quantity).ok()?.checked_mul(i128::from(price.units()))?;
    let divisor = 10_i128.pow(u32::from(price.decimals())) * i128::from(item.unit().size());
    Money::rounded(card.currency(), units.checked_mul(factor)?, divisor)
}

/// Every call is priced by itself, and the prices of a class are added up before they are rounded.
fn calls<'a>(
    card: &RateCard,
    (item, period): (ItemId, Period),
    tariff: &Tariff,
    readings: impl Iterator<Item = &'a Reading>,
) -> Option<Vec<Charge>> {
    let classes: Vec<Durations> = tariff.classes().into_iter().map(|class| class.durations).collect();
    // Number, digits and decimals of each class.
    let mut sums = vec![(0_u128, 0_i128, 0_u8); classes.len()];
    for reading in readings {
        let Measurement::Quantity { at, amount } = reading.measurement else { return None };
        if !period.contains(at) {
            continue;
        }
        let length = u64::try_from(amount).ok()?;
        let price = tariff.charge(length).ok()?;
        let class = classes.partition_point(|class| class.longest < length);
        let (count, digits, decimals) = sums.get_mut(class)?;
        *count += 1;
        *digits = digits.checked_add(i128::from(price.units()))?;
        *decimals = price.decimals();
    }
    let factor = 10_i128.pow(u32::from(card.currency().digits()));
    let made = classes.into_iter().zip(sums).filter(|(_, (count, ..))| *count > 0);
    made.map(|(durations, (quantity, digits, decimals))| {
        let amount = Money::rounded(card.currency(), digits.checked_mul(factor)?, 10_i128.pow(u32::from(decimals)))?;
        Some(Charge { item, durations: Some(durations), period, quantity, amount })
    })
    .collect()
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
