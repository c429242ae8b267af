//! Edits of valid objects of the named sets, given to the operators that take them. An object is up to 700 KB; an input says only what is changed in it.
//!
//! The first byte of an input chooses the object. Then come edits of six bytes: what to do (bits 0 and 1: set, insert, cut off, append; bit 7: near the beginning), where (three bytes), with
//! which value (two bytes).

use std::sync::LazyLock;

use blindrelay_analytics::Answer;
use blindrelay_billing::{Ledger, Report};
use blindrelay_engine::operator::{Accumulation, Accumulator, Handle, Operator};
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::Wire;

use crate::billing::{CARD, CONTEXT, LAYOUT};
use crate::valid::{CHARGE, MATCH, PANEL, STATISTICS};

/// What takes an edited object, and says whether it was accepted.
type Check = fn(&[u8]) -> bool;

/// The objects, by the number that an input begins with: name, valid bytes, what takes them.
pub static OBJECTS: LazyLock<Vec<(&'static str, Vec<u8>, Check)>> = LazyLock::new(|| {
    let mut ledger = ledger();
    for batch in &CHARGE.batches {
        ledger.append(batch, None).expect("a valid batch");
    }
    let request = br#"{"from":"2026-10-01","until":"2026-11-01"}"#;
    let report = ledger.report(request, None).expect("a valid request");
    let mut panel = STATISTICS.operator.new_accumulator(PANEL).expect("valid settings");
    panel.append(&STATISTICS.contribution, None).expect("a valid contribution");
    let answer = panel.report(&STATISTICS.request, None).expect("a valid request");
    vec![
        ("record", MATCH.record.clone(), record),
        ("probe", MATCH.probe.clone(), probe),
        ("evaluation-keys", MATCH.keys.clone(), keys),
        ("batch", CHARGE.batches[0].clone(), batch),
        ("state-of-meter", ledger.to_bytes(), state_of_meter),
        ("report-of-meter", report, report_of_meter),
        ("contribution", STATISTICS.contribution.clone(), contribution),
        ("state-of-panel", panel.to_bytes(), state_of_panel),
        ("request-to-panel", STATISTICS.request.clone(), request_to_panel),
        ("answer-of-panel", answer, answer_of_panel),
    ]
});

/// Edits an object and gives it to its operator. What is refused has changed nothing.
pub fn run(input: &[u8]) -> bool {
    let Some((&choice, edits)) = input.split_first() else { return false };
    let Some((_, valid, check)) = OBJECTS.get(usize::from(choice)) else { return false };
    let mut object = valid.clone();
    for &[what, x, y, z, low, high] in edits.as_chunks::<6>().0 {
        let at = u32::from_le_bytes([x, y, z, 0]) as usize;
        let at = if what & 0x80 == 0 { at % (object.len() + 1) } else { (at % 256).min(object.len()) };
        match what & 3 {
            0 => object.iter_mut().skip(at).zip([low, high]).for_each(|(byte, value)| *byte = value),
            1 => drop(object.splice(at..at, [low, high])),
            2 => object.truncate(at),
            _ => object.extend(std::iter::repeat_n(low, usize::from(high) + 1)),
        }
    }
    check(&object)
}

fn handle(byte: u8) -> Handle {
    Handle::from_bytes([byte; 16])
}

fn record(bytes: &[u8]) -> bool {
    let mut roster = MATCH.operator.new_collection();
    roster.append(&MATCH.record, &[handle(1)]).expect("a valid record");
    let before = (roster.snapshot().digest(), roster.handles(), roster.byte_len());
    let accepted = roster.append(bytes, &[handle(2)]).is_ok();
    if accepted {
        assert_eq!(roster.handles(), [handle(1), handle(2)]);
        roster.snapshot().evaluate(&MATCH.probe, None).expect("a roster that was accepted answers");
    } else {
        assert_eq!((roster.snapshot().digest(), roster.handles(), roster.byte_len()), before);
    }
    accepted
}

fn probe(bytes: &[u8]) -> bool {
    let mut roster = MATCH.operator.new_collection();
    roster.append(&MATCH.record, &[handle(1)]).expect("a valid record");
    roster.snapshot().evaluate(bytes, None).is_ok()
}

fn keys(bytes: &[u8]) -> bool {
    let Ok(keys) = EvaluationKeys::from_bytes(bytes, MATCH.operator.parameters()) else { return false };
    assert_eq!(keys.to_bytes(), bytes);
    let mut roster = MATCH.operator.new_collection();
    roster.append(&MATCH.record, &[handle(1)]).expect("a valid record");
    roster.snapshot().evaluate(&MATCH.probe, Some(&keys)).expect("keys of the set relinearize, or are not used");
    true
}

fn ledger() -> Ledger {
    CHARGE.operator.ledger(LAYOUT.card().clone()).expect("a card that the operator takes")
}

/// Appends to an accumulator that has something; what is refused has changed nothing.
fn append(accumulator: &mut dyn Accumulator, bytes: &[u8]) -> bool {
    let (before, batches) = (accumulator.to_bytes(), accumulator.batches());
    let accepted = accumulator.append(bytes, None).is_ok();
    if !accepted {
        assert!(accumulator.to_bytes() == before && accumulator.batches() == batches);
    }
    accepted
}

/// Takes a state and merges it; what is accepted comes back from its own bytes, and what is refused has changed nothing.
fn state(operator: &dyn Accumulation, settings: &str, accumulator: &mut dyn Accumulator, bytes: &[u8]) -> bool {
    let before = accumulator.to_bytes();
    if accumulator.merge(bytes).is_err() {
        assert!(accumulator.to_bytes() == before);
    }
    let Ok(restored) = operator.restore(settings, bytes) else { return false };
    let written = restored.to_bytes();
    let again = operator.restore(settings, &written).expect("its own bytes");
    assert!(again.to_bytes() == written && again.batches() == restored.batches());
    true
}

fn batch(bytes: &[u8]) -> bool {
    let mut ledger = ledger();
    ledger.append(&CHARGE.batches[1], None).expect("a valid batch");
    append(&mut ledger, bytes)
}

fn state_of_meter(bytes: &[u8]) -> bool {
    let mut ledger = ledger();
    ledger.append(&CHARGE.batches[1], None).expect("a valid batch");
    state(&*CHARGE.operator, CARD, &mut ledger, bytes)
}

fn report_of_meter(bytes: &[u8]) -> bool {
    let Ok(report) = Report::from_bytes(bytes, &CONTEXT) else { return false };
    for period in &report.periods {
        drop(LAYOUT.ranges(period.period, period.batches));
    }
    assert!(report.to_bytes(CONTEXT.parameters()).is_ok_and(|written| written == bytes));
    true
}

fn panel() -> Box<dyn Accumulator> {
    let mut panel = STATISTICS.operator.new_accumulator(PANEL).expect("valid settings");
    panel.append(&STATISTICS.contribution, None).expect("a valid contribution");
    panel
}

fn contribution(bytes: &[u8]) -> bool {
    append(&mut *panel(), bytes)
}

fn state_of_panel(bytes: &[u8]) -> bool {
    state(&*STATISTICS.operator, PANEL, &mut *panel(), bytes)
}

fn request_to_panel(bytes: &[u8]) -> bool {
    panel().report(bytes, None).is_ok()
}

fn answer_of_panel(bytes: &[u8]) -> bool {
    Answer::from_bytes(bytes, &STATISTICS.plan).is_ok()
}
