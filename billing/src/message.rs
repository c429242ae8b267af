//! The messages of `charge/1` as bytes: batches, encrypted rates, requests and reports.

mod fields;
mod report;

use blindrelay_engine::bfv::{Ciphertext, Context};
use blindrelay_engine::params::Parameters;
use blindrelay_engine::wire::{self, Kind, Message, Wire, WireError};
use serde::{Deserialize, Serialize};

pub(crate) use fields::Fields;
pub(crate) use report::MAX_PERIODS;
pub use report::{PeriodReport, Report};

use crate::calendar::Date;
use crate::error::MessageError;

/// The operator's id.
pub const CHARGE: &str = "charge/1";
/// Version of the headers of this operator.
pub(crate) const VERSION: u8 = 1;

/// Usage from a meter.
pub(crate) const PART_BATCH: u8 = 0;
/// Encrypted rates of a period.
pub(crate) const PART_RATES: u8 = 1;
/// The sums, between service and store.
pub(crate) const PART_STATE: u8 = 2;
/// The answer to a request.
pub(crate) const PART_REPORT: u8 = 3;

/// SHA-256.
pub type Digest = [u8; 32];

/// What a batch says in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// First 16 bytes of the SHA-256 of the meter's name.
    pub meter: [u8; 16],
    /// Number of the batch, counted by the meter.
    pub sequence: u64,
    /// First day of the period that its lines lie in.
    pub period: Date,
    /// 1, or 2 where it carries intervals: the second is subtracted from the first.
    pub ciphertexts: u8,
    /// Commitment to the readings: SHA-256 over a salt and their digest.
    pub commitment: Digest,
}

impl BatchHeader {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.meter);
        bytes.extend_from_slice(&self.sequence.to_le_bytes());
        bytes.extend_from_slice(&self.period.days().to_le_bytes());
        bytes.push(self.ciphertexts);
        bytes.extend_from_slice(&self.commitment);
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        (fields.byte()? == VERSION).then_some(())?;
        let header = Self {
            meter: fields.bytes()?,
            sequence: fields.u64()?,
            period: fields.date()?,
            ciphertexts: fields.byte()?,
            commitment: fields.bytes()?,
        };
        fields.end()?;
        (1..=2).contains(&header.ciphertexts).then_some(header)
    }
}

/// A batch as it was received.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedBatch {
    /// What it says in the clear.
    pub header: BatchHeader,
    /// Its ciphertexts: usage and leaves first, then joins.
    pub ciphertexts: Vec<Ciphertext>,
}

impl ReceivedBatch {
    /// Reads a batch.
    pub fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self, MessageError> {
        Self::from_items(&items_of(bytes, context.parameters(), PART_BATCH, 3)?, context)
    }

    pub(crate) fn from_items(items: &[Vec<u8>], context: &Context) -> Result<Self, MessageError> {
        let (header, ciphertexts) = items.split_first().ok_or(MessageError::Items { what: "it has no header" })?;
        let header = BatchHeader::from_bytes(header)
            .ok_or(MessageError::Items { what: "its header is not that of a batch of version 1" })?;
        if ciphertexts.len() != usize::from(header.ciphertexts) {
            return Err(MessageError::Items { what: "it does not have the ciphertexts that its header announces" });
        }
        let ciphertexts =
            ciphertexts.iter().map(|bytes| Ciphertext::from_bytes(bytes, context)).collect::<Result<_, _>>()?;
        Ok(Self { header, ciphertexts })
    }
}

/// Encrypted rates as they were received.
pub(crate) struct ReceivedRates {
    pub(crate) period: Date,
    pub(crate) rates: Ciphertext,
}

impl ReceivedRates {
    pub(crate) fn header(period: Date) -> Vec<u8> {
        std::iter::once(VERSION).chain(period.days().to_le_bytes()).collect()
    }

    pub(crate) fn from_items(items: &[Vec<u8>], context: &Context) -> Result<Self, MessageError> {
        let [header, rates] = items else {
            return Err(MessageError::Items { what: "rates are a header and one ciphertext" });
        };
        let read = |bytes| {
            let mut fields = Fields::new(bytes);
            (fields.byte()? == VERSION).then_some(())?;
            let period = fields.date()?;
            fields.end().map(|()| period)
        };
        let period =
            read(header).ok_or(MessageError::Items { what: "its header is not that of rates of version 1" })?;
        Ok(Self { period, rates: Ciphertext::from_bytes(rates, context)? })
    }
}

/// A message of this operator, of at most so many items.
pub(crate) fn read(bytes: &[u8], parameters: &Parameters, most: usize) -> Result<Message, MessageError> {
    let longest = wire::max_len(Kind::Ciphertext, parameters).max(1 << 10);
    let message = Message::from_bytes(bytes, parameters.digest(), most, longest)?;
    if message.operator == CHARGE { Ok(message) } else { Err(MessageError::Operator { found: message.operator }) }
}

/// The items of one of this operator's messages.
pub(crate) fn items_of(
    bytes: &[u8],
    parameters: &Parameters,
    part: u8,
    most: usize,
) -> Result<Vec<Vec<u8>>, MessageError> {
    let message = read(bytes, parameters, most)?;
    if message.part == part {
        Ok(message.items)
    } else {
        Err(MessageError::Part { expected: part, found: message.part })
    }
}

/// A message of this operator.
pub(crate) fn write(parameters: &Parameters, part: u8, items: Vec<Vec<u8>>) -> Result<Vec<u8>, WireError> {
    Message { parameters: parameters.digest(), operator: CHARGE.to_owned(), part, items }.to_bytes()
}

/// Which periods a report is asked for: those that begin in `[from, until)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportRequest {
    /// First day.
    pub from: Date,
    /// The day after the last.
    pub until: Date,
}

impl ReportRequest {
    /// The month of a day.
    pub fn month_of(day: Date) -> Self {
        Self { from: day.month_start(), until: day.next_month() }
    }

    /// The request as JSON.
    pub fn to_json(self) -> String {
        serde_json::to_string(&self).unwrap_or_default()
    }
}
