//! The messages of the operators: records, requests, batches, reports and answers, under one small set.
//!
//! The first byte of an input chooses the decoder (bits 0 to 6) and whether the rest is a message as it stands (bit 7 clear) or one without magic, version and digest.

use blindrelay_billing::{ReceivedBatch, Report};
use blindrelay_routing::find::{FindAnswer, FindRecord, FindRequest};
use blindrelay_routing::search::{SearchAnswer, SearchRequest};
use blindrelay_routing::{MatchAnswer, MatchKind};

use crate::billing::LAYOUT;
use crate::sets::OPERATORS;
use crate::wire::headed;

/// What reads a message and writes it again; the text of a refusal.
type Recode = fn(&[u8]) -> Result<Option<Vec<u8>>, String>;

/// The decoders, by the number that an input begins with.
pub const DECODERS: &[(&str, Recode)] = &[
    ("answer of match-signs", |bytes| match_answer(bytes, MatchKind::Signs)),
    ("answer of match-embeddings", |bytes| match_answer(bytes, MatchKind::Embeddings)),
    ("record of find-signs", |bytes| written(FindRecord::from_bytes(bytes, &OPERATORS), FindRecord::to_bytes)),
    ("request of find-signs", |bytes| written(FindRequest::from_bytes(bytes, &OPERATORS), FindRequest::to_bytes)),
    ("answer of find-signs", |bytes| {
        written(FindAnswer::from_bytes(bytes, &OPERATORS), |answer| answer.to_bytes(&OPERATORS))
    }),
    ("request of search", |bytes| written(SearchRequest::from_bytes(bytes, &OPERATORS), SearchRequest::to_bytes)),
    ("answer of search", |bytes| {
        written(SearchAnswer::from_bytes(bytes, &OPERATORS), |answer| answer.to_bytes(OPERATORS.parameters()))
    }),
    ("batch of charge", |bytes| {
        let batch = ReceivedBatch::from_bytes(bytes, &OPERATORS).map_err(|error| error.to_string())?;
        assert_eq!(batch.ciphertexts.len(), usize::from(batch.header.ciphertexts));
        Ok(None)
    }),
    ("report of charge", report),
];

/// Decodes a message. What is accepted is written as the same bytes; what a tenant does next with the numbers of a report does not break either.
pub fn run(input: &[u8]) -> bool {
    let Some((&choice, rest)) = input.split_first() else { return false };
    let Some((name, recode)) = DECODERS.get(usize::from(choice & 0x7f)) else { return false };
    let message = if choice & 0x80 == 0 { rest.to_vec() } else { headed(rest, OPERATORS.parameters()) };
    match recode(&message) {
        Ok(recoded) => assert!(recoded.is_none_or(|recoded| recoded == message), "two encodings of one {name}"),
        Err(reason) => {
            assert!(!reason.is_empty(), "a refusal of a {name} without a reason");
            return false;
        }
    }
    true
}

/// A decoded message as bytes.
fn written<T, D: std::fmt::Display, E: std::fmt::Debug>(
    read: Result<T, D>,
    write: impl Fn(&T) -> Result<Vec<u8>, E>,
) -> Result<Option<Vec<u8>>, String> {
    let message = read.map_err(|error| error.to_string())?;
    Ok(Some(write(&message).expect("what was read can be written")))
}

fn match_answer(bytes: &[u8], kind: MatchKind) -> Result<Option<Vec<u8>>, String> {
    written(MatchAnswer::from_bytes(bytes, kind, &OPERATORS), |answer| answer.to_bytes(OPERATORS.parameters()))
}

fn report(bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let report = Report::from_bytes(bytes, &OPERATORS).map_err(|error| error.to_string())?;
    for period in &report.periods {
        let ranges = LAYOUT.ranges(period.period, period.batches);
        assert!(ranges.iter().flatten().all(|(least, most)| least <= most));
    }
    Ok(Some(report.to_bytes(OPERATORS.parameters()).expect("what was read can be written")))
}
