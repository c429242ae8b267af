//! The auditor's side: from the batches to the invoice's digests again, without a key.

use std::sync::Arc;

use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::Accumulator;
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::PublicKey;

use crate::error::{AuditError, MeterError};
use crate::evaluate::{Charging, Ledger};
use crate::invoice::{Evidence, Invoice};
use crate::layout::Layout;
use crate::message::{BatchHeader, PART_BATCH, ReportRequest, items_of};
use crate::pack::{Draft, Lines, Reading, seal};

/// Adds up the batches again under the layout of the public rate card, computes the report that the invoice was made from, and compares every digest.
/// `histories` are the messages in the order in which they were appended: one list for a single relay; where sums were merged, one list for each, the one that
/// took the others in first.
pub fn audit<B: AsRef<[u8]>>(
    charging: &Charging,
    layout: &Layout,
    histories: &[Vec<B>],
    invoice: &Invoice,
) -> Result<(), AuditError> {
    if let Some(what) = invoice.inconsistency() {
        return Err(AuditError::Invoice { what });
    }
    let mut index = 0;
    let mut replay = |history: &Vec<B>| {
        let mut ledger = charging.ledger(layout.card().clone()).map_err(AuditError::Report)?;
        for batch in history {
            index += 1;
            ledger.append(batch.as_ref(), None).map_err(|source| AuditError::Batch { index, source })?;
        }
        Ok::<Ledger, AuditError>(ledger)
    };
    let mut ledgers = histories.iter().map(&mut replay).collect::<Result<Vec<_>, _>>()?.into_iter();
    let mut ledger = match ledgers.next() {
        Some(ledger) => ledger,
        None => charging.ledger(layout.card().clone()).map_err(AuditError::Report)?,
    };
    for other in ledgers {
        ledger.merge(&other.to_bytes()).map_err(AuditError::Report)?;
    }
    let request = ReportRequest { from: invoice.from, until: invoice.until };
    let report = ledger.report_on(request).map_err(AuditError::Report)?;
    if report.periods.len() != invoice.evidence.len() {
        return Err(AuditError::Periods { expected: report.periods.len(), found: invoice.evidence.len() });
    }
    for (expected, found) in report.periods.iter().map(Evidence::of).zip(&invoice.evidence) {
        compare(&expected, found)?;
    }
    Ok(())
}

fn compare(expected: &Evidence, found: &Evidence) -> Result<(), AuditError> {
    let start = found.from;
    let differs = |what| Err(AuditError::Differs { start, what });
    if (expected.from, expected.until) != (found.from, found.until) {
        return differs("days");
    }
    if expected.batches != found.batches {
        return differs("number of batches");
    }
    for (expected, found, what) in [
        (expected.opening, found.opening, "digest of the terms"),
        (expected.chain, found.chain, "chain of batches"),
        (expected.usage, found.usage, "digest of the usage"),
        (expected.charge, found.charge, "digest of the charges"),
        (expected.rates, found.rates, "digest of the rates"),
    ] {
        if expected != found {
            return differs(what);
        }
    }
    Ok(())
}

/// Makes a batch again from the readings that a relay hands over and the batch's secret ([`crate::Encryptor::disclose`]), and compares it byte by byte: the ciphertexts
/// hold these readings and no others. Only the batch's own readings are disclosed by that.
pub fn verify_readings(
    layout: &Arc<Layout>,
    context: &Context,
    (key, meter): (&PublicKey, &str),
    readings: &[Reading],
    secret: &Seed,
    batch: &[u8],
) -> Result<(), AuditError> {
    let items = items_of(batch, context.parameters(), PART_BATCH, 3)?;
    let header = items.first().and_then(|header| BatchHeader::from_bytes(header));
    let header = header.ok_or(AuditError::Readings { what: "header" })?;
    let period = layout.card().period_from(header.period).ok_or(AuditError::Readings { what: "period" })?;
    let draft =
        Draft::of_readings(layout, period, header.sequence, readings).ok_or(AuditError::Readings { what: "period" })?;
    let again: Result<Vec<u8>, MeterError> = seal(context, key, meter, &draft, &Lines::of(&draft), secret);
    match again {
        Ok(again) if again == batch => Ok(()),
        _ => Err(AuditError::Readings { what: "content" }),
    }
}
