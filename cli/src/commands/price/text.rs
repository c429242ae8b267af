//! Tariffs and prices for people.

use std::fmt::Write as _;

use blindrelay_billing::{Decimal, DurationClass, TariffTerms};

use super::journey::Encrypted;
use super::{Calls, Priced, TariffOf};
use crate::output::Output;
use crate::printable::{count, grouped, name, pad, width, wrap};

/// Most lines of a table of lengths.
const MAX_SHOWN: usize = 24;

/// The whole answer.
pub(super) fn of(priced: &Priced) -> String {
    let mut parts: Vec<String> = Vec::new();
    match &priced.calls {
        None => parts.extend(priced.tariffs.iter().map(|tariff| explain(tariff, &priced.currency.to_string()))),
        Some(calls) => parts.push(charged(calls)),
    }
    parts.extend(priced.encrypted.as_ref().map(encrypted));
    parts.join("\n")
}

/// What the tariff says, and what each length costs.
fn explain(tariff: &TariffOf, currency: &str) -> String {
    let TariffOf { item, from, limit, measured, .. } = tariff;
    let mut text =
        format!("{}, from {from} on: a call of up to {} {measured}s costs\n", name(item), grouped(*limit as usize));
    for part in parts(tariff, currency) {
        let _ = writeln!(text, "  {part}");
    }
    let heading = ["length".to_owned(), format!("price in {currency}")];
    let row = |class: &DurationClass| [class.durations.to_string(), class.price.to_string()];
    let rows: Vec<[String; 2]> = std::iter::once(heading).chain(tariff.classes.iter().map(row)).collect();
    let table = table(&rows, [false, true]);
    let lines: Vec<&str> = table.lines().collect();
    text.push('\n');
    match lines.as_slice() {
        [first @ .., last] if lines.len() > MAX_SHOWN => {
            let (shown, hidden) = first.split_at(MAX_SHOWN - 2);
            let _ = writeln!(
                text,
                "{}\n.. and {}, which --json shows",
                shown.join("\n"),
                count(hidden.len(), "more length")
            );
            text += last;
            text.push('\n');
        }
        _ => text += &table,
    }
    text
}

/// The terms in words.
fn parts(tariff: &TariffOf, currency: &str) -> Vec<String> {
    let TariffOf { terms, unit, measured, .. } = tariff;
    let TariffTerms { setup, free, first, increment, tiers, minimum, maximum } = terms;
    let units = |number: u64| count(number as usize, &measured.to_string());
    let mut parts = Vec::new();
    if setup.exceeds(Decimal::ZERO) {
        parts.push(format!("{setup} {currency} once it is connected"));
    }
    if *free > 0 {
        parts.push(format!("nothing for the first {}", units(*free)));
    }
    parts.extend(match (*first, *increment) {
        (1, 1) => None,
        (first, increment) if first == increment => Some(format!("then by started blocks of {}", units(first))),
        (first, increment) => {
            Some(format!("then by started blocks, the first of {}, the others of {}", units(first), units(increment)))
        }
    });
    parts.extend(tiers.iter().map(|tier| match tier.after {
        0 => format!("{} {currency} per {unit}", tier.price),
        after => format!("{} {currency} per {unit} after {} of them", tier.price, units(after)),
    }));
    if minimum.exceeds(Decimal::ZERO) {
        parts.push(format!("at least {minimum} {currency}, unless it costs nothing"));
    }
    parts.extend(maximum.map(|maximum| format!("at most {maximum} {currency}")));
    parts
}

/// The invoice to come.
fn charged(calls: &Calls) -> String {
    let heading = ["item", "length", "from", "until", "quantity", "price", "amount"].map(str::to_owned);
    let mut rows = vec![heading];
    rows.extend(calls.lines.iter().map(|line| {
        [
            name(&line.item),
            line.durations.map_or_else(String::new, |durations| durations.to_string()),
            line.from.to_string(),
            line.until.previous().to_string(),
            grouped(line.quantity as usize),
            line.price.to_string(),
            line.amount.grouped(),
        ]
    }));
    let month: String = calls.month.to_string().chars().take(7).collect();
    format!(
        "{} of usage in {month}\n\n{}\ntotal {}\n",
        count(calls.count as usize, "line"),
        table(&rows, [false, false, false, false, true, true, true]),
        calls.total
    )
}

fn encrypted(encrypted: &Encrypted) -> String {
    let Encrypted { batches, bytes, encrypt_seconds, send_seconds, invoice_seconds, lines, total } = encrypted;
    let text = format!(
        "On ciphertexts: {} of {} encrypted in {:.1} ms, sent and added up in {:.1} ms; invoice asked for, opened and checked in {:.1} ms. {} and the total of {total} are the same as above.",
        if *batches == 1 { "1 batch".to_owned() } else { format!("{} batches", grouped(*batches)) },
        count(*bytes, "byte"),
        1e3 * encrypt_seconds,
        1e3 * send_seconds,
        1e3 * invoice_seconds,
        if *lines == 1 { "The only line".to_owned() } else { format!("All {} lines", grouped(*lines)) },
    );
    wrap(&text, Output::columns()).join("\n") + "\n"
}

/// Rows below each other; `right` columns end at the same place.
fn table<const N: usize>(rows: &[[String; N]], right: [bool; N]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths).zip(right).map(|((cell, columns), right)| {
            if right {
                format!("{}{cell}", " ".repeat(columns.saturating_sub(width(cell))))
            } else {
                pad(cell, columns)
            }
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}
