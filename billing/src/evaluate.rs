//! The service's side: one encrypted sum of usage a period, and charges from it.

mod charge;
mod state;
mod sums;

use std::collections::BTreeMap;
use std::sync::Arc;

use blindrelay_engine::Error;
use blindrelay_engine::bfv::{Context, Evaluator};
use blindrelay_engine::operator::{Accumulation, Accumulator, OperatorCard, OperatorError};
use blindrelay_engine::params::Parameters;
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::content_digest;

use crate::calendar::Date;
use crate::chain;
use crate::error::MessageError;
use crate::layout::Layout;
use crate::message::{
    MAX_PERIODS, PART_BATCH, PART_RATES, PeriodReport, ReceivedBatch, ReceivedRates, Report, ReportRequest, read,
};
use crate::plan;
use crate::rates::{Period, RateCard};
pub(crate) use charge::lowest;
use sums::Sums;
pub(crate) use sums::sum_noise;

/// The operator `charge/1`.
pub struct Charging {
    card: OperatorCard,
    evaluator: Evaluator,
}

impl Charging {
    /// The operator over prepared tables of `bill-8192`.
    pub fn new(context: &Arc<Context>) -> Result<Self, Error> {
        let evaluator = Evaluator::new(context);
        Ok(Self { card: plan::card(&evaluator)?, evaluator })
    }

    /// Empty sums under a rate card.
    pub fn ledger(&self, card: RateCard) -> Result<Ledger, OperatorError> {
        let layout = Layout::new(card, self.evaluator.context())
            .map_err(|error| OperatorError::Settings { reason: error.to_string() })?;
        Ok(Ledger { layout, evaluator: self.evaluator.clone(), periods: BTreeMap::new() })
    }

    fn ledger_of(&self, settings: &str) -> Result<Ledger, OperatorError> {
        let card =
            RateCard::from_json(settings).map_err(|error| OperatorError::Settings { reason: error.to_string() })?;
        self.ledger(card)
    }
}

impl Accumulation for Charging {
    fn card(&self) -> &OperatorCard {
        &self.card
    }

    fn parameters(&self) -> &Parameters {
        self.evaluator.context().parameters()
    }

    fn new_accumulator(&self, settings: &str) -> Result<Box<dyn Accumulator>, OperatorError> {
        Ok(Box::new(self.ledger_of(settings)?))
    }

    fn restore(&self, settings: &str, state: &[u8]) -> Result<Box<dyn Accumulator>, OperatorError> {
        let mut ledger = self.ledger_of(settings)?;
        ledger.periods = ledger.read_state(state)?;
        Ok(Box::new(ledger))
    }
}

/// Encrypted usage under one rate card: a sum for each period that has batches.
#[derive(Clone)]
pub struct Ledger {
    layout: Arc<Layout>,
    evaluator: Evaluator,
    periods: BTreeMap<Date, Sums>,
}

/// What does not fit the settings.
pub(crate) fn unfit(object: &'static str, reason: impl Into<String>) -> OperatorError {
    OperatorError::Unfit { object, reason: reason.into() }
}

/// An unreadable message as an operator's error.
fn refused(object: &'static str) -> impl Fn(MessageError) -> OperatorError {
    move |error| match error {
        MessageError::Wire(error) => error.into(),
        other => unfit(object, other.to_string()),
    }
}

impl Ledger {
    /// The layout.
    pub const fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    fn context(&self) -> &Arc<Context> {
        self.evaluator.context()
    }

    fn period_from(&self, start: Date, object: &'static str) -> Result<Period, OperatorError> {
        let period = self.layout.card().period_from(start);
        period.ok_or_else(|| unfit(object, format!("no period of the rate card begins on {start}")))
    }

    fn opened(&self, period: Period) -> Sums {
        Sums::opened(period, chain::opening(self.layout.card(), period, self.context().parameters().digest()))
    }

    /// The sums of a period, or new ones. Refused where that would be more than [`MAX_PERIODS`].
    fn sums_of(&self, period: Period) -> Result<Sums, OperatorError> {
        match self.periods.get(&period.start) {
            Some(sums) => Ok(sums.clone()),
            None if self.periods.len() >= MAX_PERIODS => {
                Err(unfit("batch", format!("there are sums of {MAX_PERIODS} periods already: begin another meter")))
            }
            None => Ok(self.opened(period)),
        }
    }

    fn append_batch(&mut self, bytes: &[u8], items: &[Vec<u8>]) -> Result<(), OperatorError> {
        let batch = ReceivedBatch::from_items(items, self.context()).map_err(refused("batch"))?;
        let period = self.period_from(batch.header.period, "batch")?;
        if batch.ciphertexts.len() > 1 && !self.layout.card().has_intervals() {
            return Err(unfit("batch", "it carries intervals, and the rate card has none"));
        }
        let mut sums = self.sums_of(period)?;
        sums.add_batches(&self.layout, 1)?;
        for (ciphertext, sign) in batch.ciphertexts.iter().zip([true, false]) {
            sums.add(self.context(), ciphertext, sign)?;
        }
        sums.chain = chain::after_batch(&sums.chain, bytes);
        self.periods.insert(period.start, sums);
        Ok(())
    }

    fn append_rates(&mut self, bytes: &[u8], items: &[Vec<u8>]) -> Result<(), OperatorError> {
        if !self.layout.card().has_encrypted_prices() {
            return Err(unfit("batch", "it carries encrypted rates, and the prices of the rate card are public"));
        }
        let received = ReceivedRates::from_items(items, self.context()).map_err(refused("batch"))?;
        let period = self.period_from(received.period, "batch")?;
        let mut sums = self.sums_of(period)?;
        if sums.set_rates(self.context(), received.rates, content_digest(bytes))? {
            self.periods.insert(period.start, sums);
        }
        Ok(())
    }

    /// The report as a value; [`Accumulator::report`] gives its bytes.
    pub fn report_on(&self, request: ReportRequest) -> Result<Report, OperatorError> {
        let ReportRequest { from, until } = request;
        if from >= until {
            return Err(unfit("request", format!("its last day is not after its first: {from} to {until}")));
        }
        let periods = self.layout.card().periods(from, until);
        if periods.len() > MAX_PERIODS {
            return Err(unfit("request", format!("a report has at most {MAX_PERIODS} periods, not {}", periods.len())));
        }
        let report = |period: Period| {
            if let Some(sums) = self.periods.get(&period.start) {
                charge::report(&self.evaluator, &self.layout, sums)
            } else {
                let opening = self.opened(period).opening;
                Ok(PeriodReport::new((period, 0), [opening, opening], [None, None, None]))
            }
        };
        Ok(Report { from, until, periods: periods.into_iter().map(report).collect::<Result<_, _>>()? })
    }
}

impl Accumulator for Ledger {
    fn append(&mut self, batch: &[u8], _: Option<&EvaluationKeys>) -> Result<(), OperatorError> {
        let message = read(batch, self.context().parameters(), 3).map_err(refused("batch"))?;
        match message.part {
            PART_BATCH => self.append_batch(batch, &message.items),
            PART_RATES => self.append_rates(batch, &message.items),
            other => Err(unfit("batch", format!("it is part {other} of charge/1: neither usage nor rates"))),
        }
    }

    fn merge(&mut self, state: &[u8]) -> Result<(), OperatorError> {
        let mut merged = self.periods.clone();
        for (start, theirs) in self.read_state(state)? {
            match merged.get_mut(&start) {
                Some(ours) => ours.merge(self.context(), &self.layout, theirs)?,
                None => drop(merged.insert(start, theirs)),
            }
        }
        if merged.len() > MAX_PERIODS {
            return Err(unfit("state", format!("together there are sums of more than {MAX_PERIODS} periods")));
        }
        self.periods = merged;
        Ok(())
    }

    fn batches(&self) -> u64 {
        self.periods.values().map(Sums::batches).sum()
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.write_state()
    }

    fn report(&self, request: &[u8], _: Option<&EvaluationKeys>) -> Result<Vec<u8>, OperatorError> {
        let request = serde_json::from_slice(request)
            .map_err(|error| unfit("request", format!("it is not a report request: {error}")))?;
        Ok(self.report_on(request)?.to_bytes(self.context().parameters())?)
    }
}
