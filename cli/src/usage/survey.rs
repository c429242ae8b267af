//! A look at the whole of a usage file before anything of it is counted.

use std::path::Path;

use blindrelay_billing::{Date, Item, ItemId, Layout, Measurement, Period};
use indicatif::ProgressBar;

use super::Usage;
use crate::failure::Failure;

/// What a usage file contains. It has been read to its end: every line is good.
pub(crate) struct Survey {
    /// SHA-256 of the file.
    pub(crate) digest: [u8; 32],
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    /// The month of the lines.
    pub(crate) month: Date,
    /// Tenants in the order of their first lines, each with the number of its batches.
    pub(crate) tenants: Vec<(String, u64)>,
}

/// How full the batch of a tenant and a period is.
struct Filling {
    period: Date,
    used: Vec<u32>,
    batches: u64,
}

/// Reads a file to its end and counts the batches that it will make. Lines outside `month` are refused; without one, the month is that of the first line.
pub(crate) fn survey(
    path: &Path,
    layout: &Layout,
    month: Option<Date>,
    progress: &ProgressBar,
) -> Result<Survey, Failure> {
    let card = layout.card();
    // Calls share slots. A batch has room for at least as many as may be of one length.
    let capacity = |(item, of): (ItemId, &Item)| match of.calls() {
        Some(calls) => u32::try_from(calls).unwrap_or(u32::MAX),
        None => layout.slots(item).len() as u32,
    };
    let capacities: Vec<u32> = card.ids().zip(card.items()).map(capacity).collect();
    let mut usage = Usage::open(path, card, month)?;
    let mut fillings: Vec<Vec<Filling>> = Vec::new();
    let mut current: Option<Period> = None;
    while let Some(line) = usage.next()? {
        if usage.lines().is_multiple_of(1 << 16) {
            progress.set_position(usage.bytes());
        }
        let (mut from, until) = match line.reading.measurement {
            Measurement::Quantity { at, .. } => (at, at),
            Measurement::Interval { join, leave } => (join, leave),
        };
        if fillings.len() <= line.tenant {
            fillings.push(Vec::new());
        }
        let Some(fillings) = fillings.get_mut(line.tenant) else { continue };
        // A change of prices in the middle of an interval makes two pieces of it.
        loop {
            let period = match current {
                Some(period) if period.contains(from) => period,
                _ => match card.period_at(from) {
                    Some(period) => *current.insert(period),
                    None => break,
                },
            };
            fill(fillings, period, line.reading.item.index(), &capacities);
            from = period.end.unix();
            if until <= from {
                break;
            }
        }
    }
    let month = usage.month().ok_or_else(|| Failure::Content {
        path: path.to_owned(),
        fault: "it has no lines, so that its month is not known".to_owned(),
        advice: "name the month with --month",
    })?;
    check_range(path, layout, usage.tenants(), &fillings)?;
    let batches = fillings.iter().map(|fillings| fillings.iter().map(batches_of).sum());
    let tenants = usage.tenants().iter().cloned().zip(batches).collect();
    Ok(Survey { digest: usage.digest(), bytes: usage.bytes(), lines: usage.lines(), month, tenants })
}

/// The same rule as that of the meter: a batch is closed when the slots of one of its items are used up.
fn fill(fillings: &mut Vec<Filling>, period: Period, item: usize, capacities: &[u32]) {
    let known = fillings.iter_mut().rposition(|filling| filling.period == period.start);
    if known.is_none() {
        fillings.push(Filling { period: period.start, used: vec![0; capacities.len()], batches: 0 });
    }
    let filling = match known {
        Some(index) => fillings.get_mut(index),
        None => fillings.last_mut(),
    };
    let Some(filling) = filling else { return };
    if let (Some(used), Some(&capacity)) = (filling.used.get_mut(item), capacities.get(item)) {
        *used += 1;
        if *used >= capacity {
            filling.used.fill(0);
            filling.batches += 1;
        }
    }
}

fn batches_of(filling: &Filling) -> u64 {
    filling.batches + u64::from(filling.used.iter().any(|&used| used > 0))
}

/// What the service would refuse in the middle of a run is refused before it.
fn check_range(path: &Path, layout: &Layout, tenants: &[String], fillings: &[Vec<Filling>]) -> Result<(), Failure> {
    for (tenant, fillings) in tenants.iter().zip(fillings) {
        for filling in fillings {
            let Some(period) = layout.card().period_from(filling.period) else { continue };
            let (batches, capacity) = (batches_of(filling), layout.capacity(period));
            if batches > capacity {
                return Err(Failure::Content {
                    path: path.to_owned(),
                    fault: format!(
                        "tenant {tenant} has {batches} batches since {}, but sums stay exact up to {capacity}",
                        filling.period
                    ),
                    advice: "lower the limits of the items in the rate card, or measure in larger units",
                });
            }
        }
    }
    Ok(())
}
