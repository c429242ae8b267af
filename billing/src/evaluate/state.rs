//! The sums as bytes, for the store between requests and for merging.

use std::collections::BTreeMap;

use blindrelay_engine::bfv::Ciphertext;
use blindrelay_engine::operator::OperatorError;
use blindrelay_engine::wire::Wire;

use super::sums::{StoredRates, Sums};
use super::{Ledger, refused, unfit};
use crate::calendar::Date;
use crate::message::{Fields, MAX_PERIODS, PART_STATE, VERSION, items_of, write};
use crate::rates::Period;

/// Days, opening, chain, batches, terms and which ciphertexts follow.
fn header(sums: &Sums, has_usage: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(160);
    bytes.extend_from_slice(&sums.period.start.days().to_le_bytes());
    bytes.extend_from_slice(&sums.period.end.days().to_le_bytes());
    bytes.extend_from_slice(&sums.opening);
    bytes.extend_from_slice(&sums.chain);
    bytes.extend_from_slice(&sums.batches().to_le_bytes());
    bytes.extend_from_slice(&sums.terms().to_le_bytes());
    bytes.push(u8::from(has_usage) | u8::from(sums.rates.is_some()) << 1);
    bytes.extend_from_slice(&sums.rates.as_ref().map_or([0; 32], |stored| stored.digest));
    bytes
}

impl Ledger {
    pub(super) fn write_state(&self) -> Vec<u8> {
        let mut items = vec![std::iter::once(VERSION).chain((self.periods.len() as u64).to_le_bytes()).collect()];
        for sums in self.periods.values() {
            // The noise of a sum was admitted when it was made.
            let usage = sums.usage(self.context()).ok().flatten();
            items.push(header(sums, usage.is_some()));
            items.extend(usage.iter().map(Wire::to_bytes));
            items.extend(sums.rates.iter().map(|stored| stored.rates.to_bytes()));
        }
        // At most 64 periods of three items each.
        write(self.context().parameters(), PART_STATE, items).unwrap_or_default()
    }

    /// The sums in these bytes. Refused where a period of the card is now charged by other terms than when it was opened.
    pub(super) fn read_state(&self, bytes: &[u8]) -> Result<BTreeMap<Date, Sums>, OperatorError> {
        let broken = |what: &str| unfit("state", format!("{what} cannot be read"));
        let items = items_of(bytes, self.context().parameters(), PART_STATE, 1 + 3 * MAX_PERIODS);
        let mut items = items.map_err(refused("state"))?.into_iter();
        let count = items.next().as_deref().and_then(read_count).ok_or_else(|| broken("its header"))?;
        let mut periods = BTreeMap::new();
        for _ in 0..count {
            let header = items.next().ok_or_else(|| broken("a period"))?;
            let header = StateHeader::read(&header).ok_or_else(|| broken("the header of a period"))?;
            let mut next = |present: bool| {
                let bytes = present.then(|| items.next().ok_or_else(|| broken("a ciphertext"))).transpose()?;
                Ok::<_, OperatorError>(bytes.map(|bytes| Ciphertext::from_bytes(&bytes, self.context())).transpose()?)
            };
            let (usage, rates) = (next(header.present & 1 == 1)?, next(header.present >> 1 == 1)?);
            let sums = self.restore_sums(&header, usage, rates)?;
            if periods.insert(header.period.start, sums).is_some() {
                return Err(broken("a period that comes twice"));
            }
        }
        if items.next().is_some() {
            return Err(broken("what follows the last period"));
        }
        Ok(periods)
    }

    fn restore_sums(
        &self,
        header: &StateHeader,
        usage: Option<Ciphertext>,
        rates: Option<Ciphertext>,
    ) -> Result<Sums, OperatorError> {
        let start = header.period.start;
        let mut sums = self.opened(self.period_from(start, "state")?);
        if sums.opening != header.opening || sums.period != header.period {
            return Err(unfit("state", format!("the period from {start} was opened under other terms")));
        }
        let inconsistent = || unfit("state", format!("the counts of the period from {start} cannot be right"));
        let top = self.context().parameters().top_level();
        if usage.iter().any(|usage| usage.level() != top || usage.rlwe().components().len() != 2) {
            return Err(inconsistent());
        }
        sums.restore_usage(header.batches, header.terms, usage).ok_or_else(inconsistent)?;
        sums.rates = rates.map(|rates| StoredRates { rates, digest: header.rates });
        sums.chain = header.chain;
        Ok(sums)
    }
}

struct StateHeader {
    period: Period,
    opening: [u8; 32],
    chain: [u8; 32],
    batches: u64,
    terms: u64,
    present: u8,
    rates: [u8; 32],
}

impl StateHeader {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let header = Self {
            period: Period { start: fields.date()?, end: fields.date()? },
            opening: fields.bytes()?,
            chain: fields.bytes()?,
            batches: fields.u64()?,
            terms: fields.u64()?,
            present: fields.byte()?,
            rates: fields.bytes()?,
        };
        fields.end()?;
        (header.present < 4).then_some(header)
    }
}

fn read_count(bytes: &[u8]) -> Option<u64> {
    let mut fields = Fields::new(bytes);
    (fields.byte()? == VERSION).then_some(())?;
    let count = fields.u64()?;
    fields.end()?;
    (count <= MAX_PERIODS as u64).then_some(count)
}
