//! Whether opened slots are those of an honest report. Everything is computed before the verdict, and there is one verdict for every reason.

use blindrelay_engine::params::ParameterDigest;

use super::OpenedPeriod;
use crate::chain;
use crate::decimal::Decimal;
use crate::error::InvoiceError;
use crate::layout::Layout;
use crate::message::{PeriodReport, Report};
use crate::rates::{Item, ItemId, Period, Rate, Tariff};

/// Sums of an item's slots.
pub(super) struct ItemSums {
    /// Usage in the measured unit.
    pub(super) usage: u64,
    /// Usage times numerator.
    pub(super) charge: i128,
    /// What the charge is divided by.
    pub(super) denominator: u64,
    /// The price of the period.
    pub(super) price: Decimal,
}

/// A period, and the sums of its items; `None` where an item has no price yet.
pub(super) struct Verified {
    pub(super) period: Period,
    pub(super) items: Vec<Option<ItemSums>>,
}

/// Holds a report against card and ranges.
pub(super) fn periods(
    layout: &Layout,
    report: &Report,
    opened: &[OpenedPeriod<'_>],
    parameters: ParameterDigest,
) -> Result<Vec<Verified>, InvoiceError> {
    let card = layout.card();
    let expected = card.periods(report.from, report.until);
    if expected.len() != report.periods.len() || opened.len() != report.periods.len() {
        let found = report.periods.len().min(opened.len());
        return Err(InvoiceError::Periods { expected: expected.len(), found });
    }
    for (&period, found) in expected.iter().zip(&report.periods) {
        if found.period != period || found.opening != chain::opening(card, period, parameters) {
            return Err(InvoiceError::Card { start: period.start });
        }
    }
    let verified: Vec<Result<Verified, InvoiceError>> =
        report.periods.iter().zip(opened).map(|(report, opened)| one_period(layout, report, *opened)).collect();
    verified.into_iter().collect()
}

fn one_period(layout: &Layout, report: &PeriodReport, opened: OpenedPeriod<'_>) -> Result<Verified, InvoiceError> {
    let card = layout.card();
    let has_usage = report.batches > 0;
    // Absent ciphertexts stand for zeros, but only where an honest report leaves them out.
    let free = !card.has_encrypted_prices()
        && layout.rates(report.period).iter().flatten().all(|rate| rate.numerator == Some(0));
    let shaped =
        |slots: &[i64], present: bool| if present { slots.len() == layout.slot_count() } else { slots.is_empty() };
    let honest_shape = report.usage.is_some() == has_usage
        && report.charge.is_some() == (has_usage && !free)
        && (report.rates.is_none() || card.has_encrypted_prices())
        && (report.rates.is_some() || !card.has_encrypted_prices() || !has_usage)
        && (has_usage || report.rates.is_some() || report.chain == report.opening)
        && report.batches <= layout.capacity(report.period)
        && shaped(opened.usage, report.usage.is_some())
        && shaped(opened.charges, report.charge.is_some())
        && shaped(opened.rates, report.rates.is_some());
    honest_shape.then_some(()).ok_or(InvoiceError::Refused)?;
    let items = card.ids().zip(card.items()).map(|(id, item)| one_item(layout, report, opened, id, item));
    // Every item is looked at before the verdict.
    let items: Vec<Result<Option<ItemSums>, InvoiceError>> = items.collect();
    Ok(Verified { period: report.period, items: items.into_iter().collect::<Result<_, _>>()? })
}

/// `None` where the item has no price in the period.
fn one_item(
    layout: &Layout,
    report: &PeriodReport,
    opened: OpenedPeriod<'_>,
    id: ItemId,
    item: &Item,
) -> Result<Option<ItemSums>, InvoiceError> {
    let rate = layout.card().rate(item, report.period);
    let priced = item.price_on(report.period.start);
    let numerator = numerator(layout, opened, id, rate).ok_or(InvoiceError::Refused)?;
    let most = if priced.is_some() { i128::from(report.batches) * i128::from(item.limit()) } else { 0 };
    let slot = |slots: &[i64], place: u16| slots.get(usize::from(place)).map_or(0, |&value| i128::from(value));
    let (mut usage, mut charge, mut honest) = (0, 0, true);
    for &place in layout.slots(id) {
        let (used, charged) = (slot(opened.usage, place), slot(opened.charges, place));
        honest &= used >= 0 && used <= most && charged == used * i128::from(numerator);
        usage += used;
        charge += charged;
    }
    honest.then_some(()).ok_or(InvoiceError::Refused)?;
    let Some((price, rate)) = priced.zip(rate) else { return Ok(None) };
    let price = match price.tariff {
        Tariff::Public(price) => price,
        Tariff::Encrypted { largest } => {
            Decimal::new(numerator / rate.step, largest.decimals()).ok_or(InvoiceError::Refused)?
        }
    };
    let usage = u64::try_from(usage).map_err(|_| InvoiceError::Refused)?;
    Ok(Some(ItemSums { usage, charge, denominator: rate.denominator, price }))
}

/// The integer that usage is multiplied by: public, or the same in every slot of the item, in range and on a step.
fn numerator(layout: &Layout, opened: OpenedPeriod<'_>, id: ItemId, rate: Option<Rate>) -> Option<u64> {
    let Some(rate) = rate else { return opened_rate(layout, opened, id, 0, 1) };
    match rate.numerator {
        Some(numerator) => Some(numerator),
        None => opened_rate(layout, opened, id, rate.largest, rate.step),
    }
}

fn opened_rate(layout: &Layout, opened: OpenedPeriod<'_>, id: ItemId, largest: u64, step: u64) -> Option<u64> {
    if opened.rates.is_empty() {
        return Some(0);
    }
    let mut values = layout.slots(id).iter().map(|&place| opened.rates.get(usize::from(place)).copied().unwrap_or(-1));
    let first = values.next()?;
    let constant = values.filter(|&value| value != first).count() == 0;
    let value = u64::try_from(first).ok()?;
    (constant && value <= largest && value.is_multiple_of(step)).then_some(value)
}
