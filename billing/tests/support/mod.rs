//! A tenant, its keys, and one relay: what the tests of this crate begin with.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: a panic is a failed test, and each test uses a part"
)]

use std::sync::{Arc, OnceLock};

use blindrelay_billing::{
    Batch, Charging, Date, Invoice, InvoiceDetails, InvoiceError, Layout, Ledger, Measurement, Meter, MeterSettings,
    OpenedPeriod, RateCard, Reading, Report,
};
use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::Accumulator;
use blindrelay_engine::params::{BILL_8192, Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_keyholder::{OpenError, SecretKey};

pub(crate) fn context() -> &'static Arc<Context> {
    static CONTEXT: OnceLock<Arc<Context>> = OnceLock::new();
    CONTEXT
        .get_or_init(|| Context::new(&Parameters::new(preset(BILL_8192).unwrap(), Backend::detect()).unwrap()).unwrap())
}

pub(crate) fn key() -> SecretKey {
    SecretKey::from_seed(context(), Seed::from_bytes([11; 32]))
}

pub(crate) fn charging() -> Charging {
    Charging::new(context()).unwrap()
}

pub(crate) fn layout(card: &str) -> Arc<Layout> {
    Layout::new(RateCard::from_toml(card).unwrap(), context()).unwrap()
}

pub(crate) fn ledger(layout: &Layout) -> Ledger {
    charging().ledger(layout.card().clone()).unwrap()
}

pub(crate) fn meter(layout: &Arc<Layout>) -> Meter {
    meter_with(layout, &MeterSettings { age: u64::MAX, ..MeterSettings::named("relay-1") })
}

pub(crate) fn meter_with(layout: &Arc<Layout>, settings: &MeterSettings) -> Meter {
    Meter::new(layout, context(), key().public_key(), Seed::from_bytes([5; 32]), settings).unwrap()
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// Seconds since 1970 of `YYYY-MM-DD hh:mm:ss`.
pub(crate) fn moment(text: &str) -> u64 {
    let (date, time) = text.split_once(' ').unwrap();
    let seconds = time.split(':').fold(0, |all, part| 60 * all + part.parse::<u64>().unwrap());
    day(date).unix() + seconds
}

pub(crate) fn quantity(layout: &Layout, item: &str, at: &str, amount: i64) -> Reading {
    let item = layout.card().find(item).unwrap();
    Reading { item, measurement: Measurement::Quantity { at: moment(at), amount } }
}

pub(crate) fn interval(layout: &Layout, item: &str, join: &str, leave: &str) -> Reading {
    let item = layout.card().find(item).unwrap();
    Reading { item, measurement: Measurement::Interval { join: moment(join), leave: moment(leave) } }
}

/// The batches of readings, all at once.
pub(crate) fn batches(meter: &mut Meter, readings: &[Reading]) -> Vec<Batch> {
    for reading in readings {
        meter.record(reading, 0).unwrap();
    }
    meter.flush();
    meter.batches().unwrap()
}

pub(crate) fn append(ledger: &mut Ledger, batches: &[Batch]) {
    for batch in batches {
        ledger.append(&batch.bytes, None).unwrap();
    }
}

/// The report of a request, from bytes, with its bytes.
pub(crate) fn report(ledger: &Ledger, from: &str, until: &str) -> (Report, Vec<u8>) {
    let request = format!("{{\"from\":\"{from}\",\"until\":\"{until}\"}}");
    let bytes = ledger.report(request.as_bytes(), None).unwrap();
    (Report::from_bytes(&bytes, context()).unwrap(), bytes)
}

pub(crate) fn details() -> InvoiceDetails {
    InvoiceDetails {
        number: "2026-0042".to_owned(),
        issued: day("2026-11-02"),
        supplier: "Relay Operations\n1 Harbour Street\n1000 Example".to_owned(),
        customer: "Tenant & Sons <Ltd>\n2 Hill Road\n2000 Example".to_owned(),
        note: "Payable within 30 days.".to_owned(),
    }
}

/// The slots of every ciphertext of a report: usage, charges, rates of each period.
pub(crate) fn open(layout: &Layout, report: &Report) -> Result<Vec<[Vec<i64>; 3]>, OpenError> {
    let key = key();
    let mut periods = Vec::new();
    for period in &report.periods {
        let ranges = layout.ranges(period.period, period.batches);
        let mut slots = [Vec::new(), Vec::new(), Vec::new()];
        for ((ciphertext, ranges), slots) in
            [&period.usage, &period.charge, &period.rates].into_iter().zip(&ranges).zip(&mut slots)
        {
            if let Some(ciphertext) = ciphertext {
                *slots = key.open_slots(ciphertext, ranges)?.to_vec();
            }
        }
        periods.push(slots);
    }
    Ok(periods)
}

pub(crate) fn invoice_of(layout: &Layout, report: &Report, slots: &[[Vec<i64>; 3]]) -> Result<Invoice, InvoiceError> {
    let opened: Vec<OpenedPeriod<'_>> =
        slots.iter().map(|[usage, charges, rates]| OpenedPeriod { usage, charges, rates }).collect();
    Invoice::new(layout, report, &opened, context(), details())
}

/// The invoice of an honest report.
pub(crate) fn invoice(layout: &Layout, report: &Report) -> Invoice {
    invoice_of(layout, report, &open(layout, report).unwrap()).unwrap()
}
