//! The same calls through a service: counted one-hot, encrypted, charged as ciphertexts and opened.

use std::sync::Arc;
use std::time::Instant;

use blindrelay_billing::{CHARGE, Invoice, InvoiceDetails, InvoiceError, Layout, Meter, MeterSettings, Money, Reading};
use blindrelay_client::{Client, Family};
use blindrelay_engine::Error as EngineError;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::ring::Seed;
use blindrelay_keyholder::SecretKey;
use serde::Serialize;

use super::{Calls, LineOf};
use crate::commands::invoice::opening::Opener;
use crate::failure::Failure;
use crate::service::BATCH_ATTEMPTS;

/// What the journey took. That it is there says that every line was the same.
#[derive(Serialize)]
pub(super) struct Encrypted {
    pub(super) batches: usize,
    /// Bytes that were sent.
    pub(super) bytes: usize,
    /// Packing and encrypting.
    pub(super) encrypt_seconds: f64,
    /// Sending, and adding up at the service.
    pub(super) send_seconds: f64,
    /// From asking for the charges to the checked invoice.
    pub(super) invoice_seconds: f64,
    /// Lines whose quantity, price and amount are those of clear arithmetic: all of them.
    pub(super) lines: usize,
    pub(super) total: Money,
}

/// Plays relay and tenant with a key of its own. The meter is deleted at the end, whatever happens.
pub(super) fn perform(
    client: &Client,
    context: &Arc<Context>,
    layout: &Arc<Layout>,
    readings: &[Reading],
    calls: &Calls,
) -> Result<Encrypted, Failure> {
    let meter = client.create_ledger(Family::Meters, CHARGE, &layout.card().to_json(), None)?;
    let charged = charge(client, context, layout, &meter, readings, calls);
    let deleted = client.delete_ledger(Family::Meters, &meter);
    let charged = charged?;
    deleted?;
    Ok(charged)
}

fn charge(
    client: &Client,
    context: &Arc<Context>,
    layout: &Arc<Layout>,
    id: &str,
    readings: &[Reading],
    calls: &Calls,
) -> Result<Encrypted, Failure> {
    let tenant = SecretKey::generate(context)?;
    let start = Instant::now();
    let seed = Seed::random().map_err(EngineError::from)?;
    let settings = MeterSettings { age: u64::MAX, ..MeterSettings::named("price") };
    let mut meter = Meter::new(layout, context, tenant.public_key(), seed, &settings)?;
    for reading in readings {
        meter.record(reading, 0)?;
    }
    meter.flush();
    let batches = meter.batches()?;
    let encrypt_seconds = start.elapsed().as_secs_f64();

    let start = Instant::now();
    for batch in &batches {
        client.with_attempts(BATCH_ATTEMPTS).append(
            Family::Meters,
            id,
            &batch.bytes,
            &format!("{id}.{}", batch.sequence),
        )?;
    }
    let send_seconds = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let details = InvoiceDetails {
        number: "trial".to_owned(),
        issued: calls.month,
        supplier: String::new(),
        customer: String::new(),
        note: String::new(),
    };
    let invoice = Opener::new(client, context, id)?.invoice(&tenant, calls.month, details)?;
    let invoice_seconds = start.elapsed().as_secs_f64();
    if !same(&invoice, calls) {
        return Err(InvoiceError::Refused.into());
    }
    Ok(Encrypted {
        batches: batches.len(),
        bytes: batches.iter().map(|batch| batch.bytes.len()).sum(),
        encrypt_seconds,
        send_seconds,
        invoice_seconds,
        lines: invoice.lines.len(),
        total: invoice.total,
    })
}

/// Whether the opened invoice is what clear arithmetic says, line by line.
fn same(invoice: &Invoice, calls: &Calls) -> bool {
    let opened = invoice.lines.iter().map(|line| LineOf {
        item: line.item.clone(),
        durations: line.durations,
        from: line.from,
        until: line.until,
        quantity: line.quantity,
        price: line.price,
        amount: line.amount,
    });
    invoice.inconsistency().is_none() && invoice.total == calls.total && opened.collect::<Vec<_>>() == calls.lines
}
