//! What was counted on a meter, as far as the service has acknowledged it, compared with what the tenant opens.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use blindrelay_billing::{
    CHARGE, Currency, Date, Invoice, InvoiceDetails, Layout, Measurement, Meter, MeterSettings, OpenedPeriod, RateCard,
    Reading, Report, ReportRequest,
};
use blindrelay_client::{Client, Error, Family};
use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::params::{BILL_8192, Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_keyholder::SecretKey;

/// Longest report that is read.
const LONGEST_REPORT: u64 = 16 << 20;

/// The most that one reading counts.
pub const MOST: i64 = 1000;

/// A meter with what was acknowledged of it.
pub struct Account {
    context: Arc<Context>,
    key: SecretKey,
    layout: Arc<Layout>,
    meter: String,
    batches: AtomicU64,
    total: AtomicI64,
}

/// Readings of one relay, encrypted but not acknowledged yet.
pub struct Usage {
    name: String,
    bytes: Vec<u8>,
    amount: i64,
}

/// Who makes the batches: each has a name of its own.
pub struct Relay {
    meter: Mutex<Meter>,
    name: String,
}

/// What the comparison has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Batches that were acknowledged.
    pub batches: u64,
    /// What was counted in them.
    pub total: i64,
    /// Batches that the service has in its sums beyond those, or less than those.
    pub batches_off: i64,
    /// What the tenant opens beyond that, or less than that.
    pub total_off: i64,
}

fn day() -> Date {
    Date::from_civil(2026, 11, 2).expect("a day")
}

fn card() -> RateCard {
    let card = serde_json::json!({
        "currency": Currency::all().first().map(ToString::to_string),
        "items": [{
            "name": "Calls", "kind": "quantity", "unit": "piece", "measured": "piece", "limit": MOST, "weight": 1,
            "prices": [{ "from": "2026-01-01", "price": "0.01" }],
        }],
    });
    RateCard::from_json(&card.to_string()).expect("a card")
}

impl Account {
    /// A new meter.
    pub fn new(client: &Client) -> Result<Self, Error> {
        let parameters = Parameters::new(preset(BILL_8192).expect("a preset"), Backend::detect()).expect("a valid set");
        let context = Context::new(&parameters).expect("tables");
        let key = SecretKey::from_seed(&context, Seed::from_bytes([43; 32]));
        let layout = Layout::new(card(), &context).expect("a card that fits");
        let meter = client.create_ledger(Family::Meters, CHARGE, &layout.card().to_json(), None)?;
        Ok(Self { context, key, layout, meter, batches: AtomicU64::new(0), total: AtomicI64::new(0) })
    }

    /// A relay that counts on this meter.
    pub fn relay(&self, name: &str) -> Relay {
        let settings = MeterSettings { age: u64::MAX, ..MeterSettings::named(name) };
        let mut root = [0; 32];
        root.iter_mut().zip(name.bytes()).for_each(|(byte, letter)| *byte = letter);
        let meter = Meter::new(&self.layout, &self.context, self.key.public_key(), Seed::from_bytes(root), &settings);
        Relay { meter: Mutex::new(meter.expect("a meter")), name: name.to_owned() }
    }

    /// Encrypts amounts, each up to [`MOST`], as one batch.
    pub fn usage(&self, relay: &Relay, amounts: &[i64]) -> Usage {
        let item = self.layout.card().ids().next().expect("an item");
        let mut meter = relay.meter.lock().unwrap_or_else(PoisonError::into_inner);
        for (second, &amount) in (0..).zip(amounts) {
            let reading = Reading { item, measurement: Measurement::Quantity { at: day().unix() + second, amount } };
            meter.record(&reading, 0).expect("an amount within the limit");
        }
        meter.flush();
        let batch = meter.batches().expect("batches").pop().expect("one batch");
        let name = format!("{}-{}", relay.name, batch.sequence);
        Usage { name, bytes: batch.bytes, amount: amounts.iter().sum() }
    }

    /// Adds a batch to the sums. However often this is repeated, it counts once.
    pub fn add(&self, client: &Client, usage: &Usage) -> Result<(), Error> {
        client.append(Family::Meters, &self.meter, &usage.bytes, &usage.name)?;
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.total.fetch_add(usage.amount, Ordering::Relaxed);
        Ok(())
    }

    /// Opens the sums and compares them with what was acknowledged.
    pub fn compare(&self, client: &Client) -> Result<Compared, Error> {
        let (batches, total) = (self.batches.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        let counted = client.ledger(Family::Meters, &self.meter)?.batches;
        let opened = if counted == 0 { 0 } else { self.open(client)? };
        Ok(Compared {
            batches,
            total,
            batches_off: counted.cast_signed() - batches.cast_signed(),
            total_off: opened - total,
        })
    }

    /// What the tenant reads on the invoice of the month.
    fn open(&self, client: &Client) -> Result<i64, Error> {
        let request = ReportRequest::month_of(day()).to_json();
        let bytes = client.report(Family::Meters, &self.meter, &request, LONGEST_REPORT)?;
        let report = Report::from_bytes(&bytes, &self.context).expect("a report");
        let slots: Vec<[Vec<i64>; 3]> = report
            .periods
            .iter()
            .map(|period| {
                let ranges = self.layout.ranges(period.period, period.batches);
                let ciphertexts = [&period.usage, &period.charge, &period.rates];
                let mut slots = [Vec::new(), Vec::new(), Vec::new()];
                for ((ciphertext, ranges), slots) in ciphertexts.into_iter().zip(&ranges).zip(&mut slots) {
                    if let Some(ciphertext) = ciphertext {
                        *slots = self.key.open_slots(ciphertext, ranges).expect("an honest ciphertext").to_vec();
                    }
                }
                slots
            })
            .collect();
        let opened: Vec<OpenedPeriod<'_>> =
            slots.iter().map(|[usage, charges, rates]| OpenedPeriod { usage, charges, rates }).collect();
        let text = |text: &str| text.to_owned();
        let details = InvoiceDetails {
            number: text("1"),
            issued: day(),
            supplier: text("s"),
            customer: text("c"),
            note: text(""),
        };
        let invoice = Invoice::new(&self.layout, &report, &opened, &self.context, details).expect("an honest report");
        Ok(invoice.lines.iter().map(|line| line.quantity.cast_signed()).sum())
    }
}
