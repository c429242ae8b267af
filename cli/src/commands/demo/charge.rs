//! The relay's meter and the tenant who is charged: readings of the meeting become an invoice that only the tenant can open.

use std::time::Instant;

use blindrelay_billing::{
    CHARGE, Date, Invoice, InvoiceDetails, Layout, Measurement, Meter, MeterSettings, RateCard, Reading,
};
use blindrelay_client::{Client, Family};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::{Backend, Error as EngineError};
use blindrelay_keyholder::SecretKey;

use super::cast::Micros;
use super::relay::Seen;
use crate::commands::invoice::opening::Opener;
use crate::commands::invoice::today;
use crate::failure::Failure;
use crate::holder::billing_context;
use crate::meeting::Meeting;
use crate::service::BATCH_ATTEMPTS;

/// What is charged, and how much.
const RATES: &str = include_str!("../../../../examples/rates.toml");
/// When the meeting begins, in seconds after midnight.
const BEGINS: f64 = 9.0 * 3600.0;
/// Megabytes a minute where a meeting file does not say.
const MEGABYTES_A_MINUTE: f64 = 10.0;

/// What relay and tenant did and learned.
pub(super) struct Charge {
    pub(super) meter: String,
    /// How many readings the relay took.
    pub(super) readings: usize,
    /// The batches that were sent.
    pub(super) batches: Vec<Seen>,
    pub(super) invoice: Invoice,
    pub(super) timings: Timings,
}

/// How long it took.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(super) struct Timings {
    /// Packing and encrypting all readings.
    pub(super) encrypt: Micros,
    /// From asking for the charges to the checked invoice.
    pub(super) invoice: Micros,
}

impl Charge {
    /// Lets a tenant make a key, the relay count the meeting, and the tenant open the month's invoice.
    pub(super) fn perform(meeting: &Meeting, client: &Client, backend: Backend) -> Result<Self, Failure> {
        let context = billing_context(backend)?;
        let tenant = SecretKey::generate(&context)?;
        let layout = Layout::new(RateCard::from_toml(RATES)?, &context)?;
        let day = meeting.date.map_or_else(today, Ok)?;
        let readings = readings(meeting, layout.card(), day);

        // The relay: it has the public key, and forgets a reading when it is encrypted.
        let id = client.create_ledger(Family::Meters, CHARGE, &layout.card().to_json(), None)?;
        let seed = Seed::random().map_err(EngineError::from)?;
        let start = Instant::now();
        let mut meter = Meter::new(&layout, &context, tenant.public_key(), seed, &MeterSettings::named("relay-1"))?;
        for reading in &readings {
            meter.record(reading, day.unix())?;
        }
        meter.flush();
        let batches = meter.batches()?;
        let encrypt = start.elapsed();
        for batch in &batches {
            client.with_attempts(BATCH_ATTEMPTS).append(
                Family::Meters,
                &id,
                &batch.bytes,
                &format!("relay-1.{}", batch.sequence),
            )?;
        }

        // The tenant.
        let start = Instant::now();
        let details = InvoiceDetails {
            number: format!("{}-1", day.month_start()),
            issued: day,
            supplier: "Relay operator".to_owned(),
            customer: "The meeting's tenant".to_owned(),
            note: String::new(),
        };
        let invoice = Opener::new(client, &context, &id)?.invoice(&tenant, day.month_start(), details)?;
        let timings = Timings { encrypt: encrypt.into(), invoice: start.elapsed().into() };
        let batches = batches.iter().map(|batch| Seen::of(&batch.bytes)).collect();
        Ok(Self { meter: id, readings: readings.len(), batches, invoice, timings })
    }
}

/// Audio and data of everybody, and the room from the first join to the last leave.
fn readings(meeting: &Meeting, card: &RateCard, day: Date) -> Vec<Reading> {
    let begin = day.unix() as f64 + BEGINS;
    let at = |minute: f64| (begin + 60.0 * minute).round() as u64;
    let read = |item: &str, measurement| Some(Reading { item: card.find(item)?, measurement });
    let mut readings = Vec::new();
    let mut whole = [meeting.minutes, 0.0];
    for (_, measured) in meeting.everybody() {
        let [join, leave] = meeting.presence(measured);
        whole = [whole[0].min(join), whole[1].max(leave)];
        let default = (MEGABYTES_A_MINUTE * (leave - join)).round() as u64;
        let seconds = Measurement::Quantity { at: at(leave), amount: (at(leave) - at(join)) as i64 };
        let megabytes = Measurement::Quantity { at: at(leave), amount: measured.megabytes.unwrap_or(default) as i64 };
        readings.extend(read("audio", seconds));
        readings.extend(read("data", megabytes));
    }
    readings.extend(read("room", Measurement::Interval { join: at(whole[0]), leave: at(whole[1]) }));
    readings
}
