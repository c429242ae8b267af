//! Rate cards, invoices, requests for reports, and the days, numbers and amounts in them.
//!
//! The first byte of an input chooses the decoder; the rest is its text.

use std::sync::{Arc, LazyLock};

use blindrelay_billing::{Charging, Currency, Date, Decimal, Invoice, Layout, Ledger, Money, RateCard, Report, audit};
use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::{Accumulation, Accumulator};
use blindrelay_engine::params::{BILL_8192, Parameters, preset};

/// Tables of the set of `charge/1`.
pub static CONTEXT: LazyLock<Arc<Context>> = LazyLock::new(|| {
    let parameters = Parameters::new(preset(BILL_8192).expect("a named set"), Backend::detect()).expect("a named set");
    Context::new(&parameters).expect("a set of BFV")
});

/// The operator.
static CHARGING: LazyLock<Charging> = LazyLock::new(|| Charging::new(&CONTEXT).expect("the operator's own set"));

/// Items of both kinds, prices that change.
pub const CARD: &str = r#"{"currency": "EUR", "items": [
    {"name": "Call", "kind": "interval", "unit": "minute", "limit": 86400, "weight": 3,
     "prices": [{"from": "2026-01-01", "price": "0.0040"}, {"from": "2026-10-16", "price": "0.0045"}]},
    {"name": "Data", "unit": "gigabyte", "measured": "byte", "limit": 1000000,
     "prices": [{"from": "2026-02-10", "price": "0.09"}]}]}"#;

/// The layout of a card with everything.
pub static LAYOUT: LazyLock<Arc<Layout>> = LazyLock::new(|| {
    Layout::new(RateCard::from_json(CARD).expect("a valid card"), &CONTEXT).expect("a card that fits")
});

/// Empty sums under it.
static LEDGER: LazyLock<Ledger> =
    LazyLock::new(|| CHARGING.ledger(LAYOUT.card().clone()).expect("a card that the operator takes"));

/// What takes a text, and says whether it was accepted.
type Check = fn(&str) -> bool;

/// The decoders, by the number that an input begins with.
pub const DECODERS: &[(&str, Check)] = &[
    ("rate card as TOML", |text| card(RateCard::from_toml(text).ok())),
    ("rate card as JSON", |text| card(RateCard::from_json(text).ok())),
    ("settings of a meter", |text| CHARGING.new_accumulator(text).is_ok()),
    ("invoice", invoice),
    ("request for a report", report),
    ("day", |text| again::<Date>(text)),
    ("decimal number", |text| text.parse::<Decimal>().is_ok_and(|number| again::<Decimal>(&number.to_string()))),
    ("amount of money", |text| text.parse::<Money>().is_ok_and(|amount| again::<Money>(&amount.to_string()))),
    ("currency", |text| again::<Currency>(text)),
];

/// Reads a text; what is accepted is written and read again.
pub fn run(input: &[u8]) -> bool {
    let Some((&choice, text)) = input.split_first() else { return false };
    let Some((_, check)) = DECODERS.get(usize::from(choice)) else { return false };
    std::str::from_utf8(text).is_ok_and(check)
}

/// What is accepted has one spelling.
fn again<T: std::str::FromStr + std::fmt::Display>(text: &str) -> bool {
    let Ok(value) = text.parse::<T>() else { return false };
    assert_eq!(value.to_string(), text);
    true
}

/// A card has one JSON, and its layout and periods can be asked for.
fn card(card: Option<RateCard>) -> bool {
    let Some(card) = card else { return false };
    assert_eq!(RateCard::from_json(&card.to_json()).as_ref(), Ok(&card));
    let days = ["1970-01-01", "2026-07-01", "9999-11-30"].map(|day| day.parse::<Date>().expect("a day"));
    for day in days {
        if let Some(period) = card.period_at(day.unix()) {
            assert!(period.contains(day.unix()));
            assert_eq!(card.period_from(period.start), Some(period));
        }
    }
    if let Ok(layout) = Layout::new(card, &CONTEXT) {
        for period in days.into_iter().filter_map(|day| layout.card().period_at(day.unix())) {
            let ranges = layout.ranges(period, 1);
            assert!(ranges.iter().flatten().all(|(least, most)| least <= most));
            assert!(layout.capacity(period) > 0);
        }
    }
    true
}

/// An invoice has one JSON, can be shown, and an audit of it says something.
fn invoice(text: &str) -> bool {
    let Ok(invoice) = Invoice::from_json(text) else { return false };
    let json = invoice.to_json();
    assert_eq!(Invoice::from_json(&json).map(|invoice| invoice.to_json()).ok(), Some(json));
    assert!(!invoice.to_html().is_empty() && !invoice.to_csv().is_empty());
    drop(audit::<Vec<u8>>(&CHARGING, &LAYOUT, &[], &invoice));
    true
}

/// A report on nothing has the periods that were asked for.
fn report(text: &str) -> bool {
    let Ok(report) = LEDGER.report(text.as_bytes(), None) else { return false };
    let report = Report::from_bytes(&report, &CONTEXT).expect("the operator's own report");
    assert!(report.from < report.until && report.periods.iter().all(|period| period.batches == 0));
    true
}
