//! Whether opened slots are those of an honest report. Everything is computed before the verdict, and there is one verdict for every reason.

use blindrelay_engine::params::ParameterDigest;

use super::OpenedPeriod;
use crate::chain;
use crate::decimal::Decimal;
use crate::error::InvoiceError;
use crate::layout::Layout;
use crate::message::{PeriodReport, Report};
use crate::rates::{Item, ItemId, Period, Pricing, Rate};
use crate::tariff::{Durations, Tariff};

/// What becomes a line: sums of an item's slots, or of those of the lengths of calls that cost the same.
pub(super) struct LineSums {
    /// The lengths of the calls; `None` where the item is not priced by the call.
    pub(super) durations: Option<Durations>,
    /// Usage in the measured unit, or the number of calls.
    pub(super) usage: u64,
    /// Usage times numerator.
    pub(super) charge: i128,
    /// What the charge is divided by.
    pub(super) denominator: u64,
    /// The price of the period, or of a call.
    pub(super) price: Decimal,
}

/// A period, and the lines of its items: none where an item has no price yet, one, or one for each class of calls that were made.
pub(super) struct Verified {
    pub(super) period: Period,
    pub(super) items: Vec<Vec<LineSums>>,
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
    let multipliers = layout.multipliers(report.period);
    let free = !card.has_encrypted_prices() && multipliers.iter().all(|&multiplier| multiplier == 0);
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
    let items: Vec<Result<Vec<LineSums>, InvoiceError>> = items.collect();
    Ok(Verified { period: report.period, items: items.into_iter().collect::<Result<_, _>>()? })
}

/// No lines where the item has no price in the period.
fn one_item(
    layout: &Layout,
    report: &PeriodReport,
    opened: OpenedPeriod<'_>,
    id: ItemId,
    item: &Item,
) -> Result<Vec<LineSums>, InvoiceError> {
    let rate = layout.card().rate(item, report.period);
    let priced = item.price_on(report.period.start);
    if let Some((Pricing::Tariff(tariff), rate)) = priced.map(|price| &price.pricing).zip(rate) {
        return calls(layout, report, opened, (id, item), (tariff, rate));
    }
    let numerator = numerator(layout, opened, id, rate).ok_or(InvoiceError::Refused)?;
    let most = if priced.is_some() { i128::from(report.batches) * i128::from(item.limit()) } else { 0 };
    let (mut usage, mut charge, mut honest) = (0, 0, true);
    for &place in layout.slots(id) {
        let (used, charged) = (slot(opened.usage, place), slot(opened.charges, place));
        honest &= used >= 0 && used <= most && charged == used * i128::from(numerator);
        usage += used;
        charge += charged;
    }
    honest.then_some(()).ok_or(InvoiceError::Refused)?;
    let Some((price, rate)) = priced.zip(rate) else { return Ok(Vec::new()) };
    let price = match &price.pricing {
        Pricing::Public(price) => *price,
        Pricing::Tariff(_) => return Err(InvoiceError::Refused),
        Pricing::Encrypted { largest } => {
            Decimal::new(numerator / rate.step, largest.decimals()).ok_or(InvoiceError::Refused)?
        }
    };
    let usage = u64::try_from(usage).map_err(|_| InvoiceError::Refused)?;
    Ok(vec![LineSums { durations: None, usage, charge, denominator: rate.denominator, price }])
}

fn slot(slots: &[i64], place: u16) -> i128 {
    slots.get(usize::from(place)).map_or(0, |&value| i128::from(value))
}

/// One line for each class of lengths that has calls. Every slot is looked at before the verdict, also those that no length has.
fn calls(
    layout: &Layout,
    report: &PeriodReport,
    opened: OpenedPeriod<'_>,
    (id, item): (ItemId, &Item),
    (tariff, rate): (&Tariff, Rate),
) -> Result<Vec<LineSums>, InvoiceError> {
    let most = i128::from(report.batches) * i128::from(item.slot_limit());
    let pricing = item.price_on(report.period.start).map(|price| &price.pricing);
    let mut classes = tariff.classes().into_iter().peekable();
    let (mut lines, mut honest) = (Vec::<LineSums>::new(), true);
    for (length, &place) in (0_u64..).zip(layout.slots(id)) {
        let (counted, charged) = (slot(opened.usage, place), slot(opened.charges, place));
        let numerator = pricing.and_then(|pricing| rate.numerator_at(pricing, length as usize)).unwrap_or(0);
        let most = if length <= tariff.limit() { most } else { 0 };
        honest &= counted >= 0 && counted <= most && charged == counted * i128::from(numerator);
        while classes.next_if(|class| class.durations.longest < length).is_some() {}
        let Some(class) = classes.peek().filter(|class| class.durations.contains(length) && honest && counted > 0)
        else {
            continue;
        };
        let counted = u64::try_from(counted).map_err(|_| InvoiceError::Refused)?;
        match lines.last_mut() {
            Some(line) if line.durations == Some(class.durations) => {
                line.usage = line.usage.checked_add(counted).ok_or(InvoiceError::Refused)?;
                line.charge += charged;
            }
            _ => lines.push(LineSums {
                durations: Some(class.durations),
                usage: counted,
                charge: charged,
                denominator: rate.denominator,
                price: class.price,
            }),
        }
    }
    honest.then_some(lines).ok_or(InvoiceError::Refused)
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
