//! Reports: for each period the digests, and the encrypted usage and charges.

use blindrelay_engine::bfv::{Ciphertext, Context};
use blindrelay_engine::params::Parameters;
use blindrelay_engine::wire::{Wire, WireError, content_digest};

use super::{Digest, Fields, PART_REPORT, VERSION, items_of, write};
use crate::calendar::Date;
use crate::error::MessageError;
use crate::rates::Period;

/// Most periods of a report.
pub(crate) const MAX_PERIODS: usize = 64;

/// The answer to a [`super::ReportRequest`].
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// First day that was asked for.
    pub from: Date,
    /// The day after the last.
    pub until: Date,
    /// One entry for each period of the card that begins in that time.
    pub periods: Vec<PeriodReport>,
}

/// Usage and charges of one period.
#[derive(Clone, Debug, PartialEq)]
pub struct PeriodReport {
    /// Which period.
    pub period: Period,
    /// Batches in the sums.
    pub batches: u64,
    /// What the chain began with: layout, days and rates of the period.
    pub opening: Digest,
    /// The chain after the last batch.
    pub chain: Digest,
    /// The usage of every slot; `None` where there were no batches.
    pub usage: Option<Ciphertext>,
    /// Usage times rates of every slot; `None` where there were no batches or every rate is a public zero.
    pub charge: Option<Ciphertext>,
    /// The rates of every slot where they are encrypted.
    pub rates: Option<Ciphertext>,
    /// SHA-256 of the bytes of `usage`, `charge` and `rates`; of no bytes where one is absent.
    pub digests: [Digest; 3],
}

impl PeriodReport {
    pub(crate) fn new(
        (period, batches): (Period, u64),
        [opening, chain]: [Digest; 2],
        [usage, charge, rates]: [Option<Ciphertext>; 3],
    ) -> Self {
        let digest = |ciphertext: &Option<Ciphertext>| {
            content_digest(&ciphertext.as_ref().map(Wire::to_bytes).unwrap_or_default())
        };
        let digests = [digest(&usage), digest(&charge), digest(&rates)];
        Self { period, batches, opening, chain, usage, charge, rates, digests }
    }

    fn write(&self, items: &mut Vec<Vec<u8>>) {
        let ciphertexts = [&self.usage, &self.charge, &self.rates];
        let mut header = Vec::with_capacity(256);
        header.extend_from_slice(&self.period.start.days().to_le_bytes());
        header.extend_from_slice(&self.period.end.days().to_le_bytes());
        header.extend_from_slice(&self.batches.to_le_bytes());
        header.push(ciphertexts.iter().zip(0..).map(|(ciphertext, bit)| u8::from(ciphertext.is_some()) << bit).sum());
        for digest in [self.opening, self.chain].iter().chain(&self.digests) {
            header.extend_from_slice(digest);
        }
        items.push(header);
        items.extend(ciphertexts.into_iter().flatten().map(Wire::to_bytes));
    }

    fn read(items: &mut std::vec::IntoIter<Vec<u8>>, context: &Context) -> Result<Self, MessageError> {
        let header = items.next().ok_or(MessageError::Items { what: "a period is missing" })?;
        let (mut report, present) =
            Self::read_header(&header).ok_or(MessageError::Items { what: "the header of a period cannot be read" })?;
        let places = [&mut report.usage, &mut report.charge, &mut report.rates];
        // Usage and rates are sums and fresh; only the charge may be a product that was not relinearized.
        for (((place, bit), most), digest) in places.into_iter().zip(0..).zip([2, 3, 2]).zip(&report.digests) {
            let bytes = if present >> bit & 1 == 1 {
                let bytes = items.next().ok_or(MessageError::Items { what: "a ciphertext is missing" })?;
                let ciphertext = Ciphertext::from_bytes(&bytes, context)?;
                if ciphertext.rlwe().components().len() > most {
                    return Err(MessageError::Items { what: "a ciphertext has more components than its kind" });
                }
                *place = Some(ciphertext);
                bytes
            } else {
                Vec::new()
            };
            if content_digest(&bytes) != *digest {
                return Err(MessageError::Items { what: "a ciphertext is not the one that its digest names" });
            }
        }
        Ok(report)
    }

    fn read_header(bytes: &[u8]) -> Option<(Self, u8)> {
        let mut fields = Fields::new(bytes);
        let period = Period { start: fields.date()?, end: fields.date()? };
        let (batches, present) = (fields.u64()?, fields.byte()?);
        let report = Self {
            period,
            batches,
            opening: fields.bytes()?,
            chain: fields.bytes()?,
            usage: None,
            charge: None,
            rates: None,
            digests: [fields.bytes()?, fields.bytes()?, fields.bytes()?],
        };
        fields.end()?;
        (present < 8).then_some((report, present))
    }
}

impl Report {
    /// The message.
    pub fn to_bytes(&self, parameters: &Parameters) -> Result<Vec<u8>, WireError> {
        let mut header = vec![VERSION];
        header.extend_from_slice(&self.from.days().to_le_bytes());
        header.extend_from_slice(&self.until.days().to_le_bytes());
        header.extend_from_slice(&(self.periods.len() as u64).to_le_bytes());
        let mut items = vec![header];
        self.periods.iter().for_each(|period| period.write(&mut items));
        write(parameters, PART_REPORT, items)
    }

    /// Reads a report and holds every ciphertext against its digest.
    pub fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self, MessageError> {
        let items = items_of(bytes, context.parameters(), PART_REPORT, 1 + 4 * MAX_PERIODS)?;
        let mut items = items.into_iter();
        let header = items.next().ok_or(MessageError::Items { what: "it has no header" })?;
        let (from, until, count) = read_header(&header)
            .ok_or(MessageError::Items { what: "its header is not that of a report of version 1" })?;
        let periods = (0..count).map(|_| PeriodReport::read(&mut items, context)).collect::<Result<_, _>>()?;
        if items.next().is_some() {
            return Err(MessageError::Items { what: "it has more items than its header announces" });
        }
        Ok(Self { from, until, periods })
    }
}

fn read_header(bytes: &[u8]) -> Option<(Date, Date, u64)> {
    let mut fields = Fields::new(bytes);
    (fields.byte()? == VERSION).then_some(())?;
    let header = (fields.date()?, fields.date()?, fields.u64()?);
    fields.end()?;
    (header.2 <= MAX_PERIODS as u64).then_some(header)
}
