//! What tenant and host are told, in words.

use blindrelay_analytics::{Estimate, Findings};

use super::{Charged, Collected, Report};
use crate::printable::{count, grouped, name};

/// Most speakers that are named.
const SPEAKERS: usize = 3;

pub(super) fn meter() -> String {
    "The tenant who pays for the meeting has given the relay a public key; only the tenant's own key opens what is encrypted under it. The meter's rate card is public."
        .to_owned()
}

pub(super) fn batch(report: &Report) -> String {
    format!(
        "When the meeting ends, the relay packs {} of minutes, data and stays into one batch, encrypts it for the tenant and wipes the plain numbers.",
        count(report.charge.readings, "reading")
    )
}

pub(super) fn invoice(charge: &Charged) -> String {
    let invoice = &charge.invoice;
    let line = |line: &blindrelay_billing::InvoiceLine| {
        let quantity = count(usize::try_from(line.quantity).unwrap_or(usize::MAX), &line.measured.to_string());
        format!("{} {quantity} {}", name(&line.item), line.amount)
    };
    let lines: Vec<String> = invoice.lines.iter().filter(|line| line.quantity > 0).map(line).collect();
    format!(
        "The service multiplies encrypted sums by the rates. The tenant opens the invoice and checks every line: {}; total {}.",
        lines.join(", "),
        invoice.total
    )
}

pub(super) fn host_keys() -> String {
    "The host of the meeting has a key too. Keys made from it let the service multiply; they open nothing.".to_owned()
}

pub(super) fn panels(report: &Report) -> String {
    let of = |panel: &Collected| match panel.report.findings {
        Findings::Attention { .. } => "attention by stretch of ten minutes",
        Findings::Speaking { .. } => "speaking time by participant",
        _ => "participants over time",
    };
    let collected: Vec<&str> = report.panels.iter().map(of).collect();
    let least = report.panels.first().map_or(0, |panel| panel.report.settings.minimum_contributions);
    format!(
        "{} for the host: {}. No report leaves before {}.",
        count(report.panels.len(), "panel"),
        collected.join("; "),
        count(least as usize, "contribution")
    )
}

pub(super) fn contributions(report: &Report) -> String {
    let devices = report.panels.first().map_or(0, |panel| panel.devices);
    format!(
        "{} what they measured under the host's public key, one contribution a panel. They see nobody else's numbers.",
        if devices == 1 { "1 device encrypts".to_owned() } else { format!("{} devices encrypt", grouped(devices)) }
    )
}

/// What the host reads in the report of a panel.
pub(super) fn findings(panel: &Collected) -> String {
    let from = count(panel.report.contributions as usize, "contribution");
    let figures = panel.report.figures();
    let summary = |index: usize| figures.summary.get(index).map_or("none", |(_, figure)| figure.as_str());
    let row = |index: usize| {
        let (what, values) = figures.rows.get(index)?;
        Some((name(what), values))
    };
    match &panel.report.findings {
        Findings::Attention { slots, .. } => {
            let means: Vec<Option<Estimate>> = slots.iter().map(|slot| slot.mean.mean).collect();
            let extreme = |what: &str, index: Option<usize>| {
                let (of, values) = row(index?)?;
                Some(format!("; {what} from {of} on, {}", values.first()?))
            };
            let (least, most) = extremes(&means);
            format!(
                "The host opens sums of {from}: mean attention {}{}{}.",
                summary(0),
                extreme("highest", most).unwrap_or_default(),
                extreme("lowest", least).unwrap_or_default()
            )
        }
        Findings::Speaking { seconds, .. } => {
            let mut order: Vec<(usize, f64)> = seconds.parts.iter().map(|part| part.value).enumerate().collect();
            order.sort_by(|a, b| b.1.total_cmp(&a.1));
            let share = |&(index, _): &(usize, f64)| {
                let (who, values) = row(index)?;
                Some(format!("{who} {}", values.get(1)?))
            };
            let shares: Vec<String> = order.iter().take(SPEAKERS).filter_map(share).collect();
            let more = order.len().saturating_sub(shares.len());
            let more = if more == 0 { String::new() } else { format!(", and {} more", grouped(more)) };
            format!("From {from}, {} of speech: {}{more}.", summary(0), shares.join(", "))
        }
        _ => format!("From {from}: at most {} participants at once, from {} on.", summary(1), summary(2)),
    }
}

/// Where the smallest and the largest value are.
fn extremes(values: &[Option<Estimate>]) -> (Option<usize>, Option<usize>) {
    let known = || values.iter().enumerate().filter_map(|(index, value)| Some((index, value.as_ref()?.value)));
    let least = known().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index);
    let most = known().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index);
    (least, most)
}
