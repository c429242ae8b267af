//! From a meter at the service to an opened invoice.

use std::collections::BTreeSet;
use std::sync::Arc;

use blindrelay_billing::{
    CHARGE, Date, Invoice, InvoiceDetails, Layout, OpenedPeriod, RateCard, Report, ReportRequest,
};
use blindrelay_client::{Client, Family};
use blindrelay_engine::bfv::{Ciphertext, Context};
use blindrelay_engine::wire::{self, Kind};
use blindrelay_keyholder::{OpenError, SecretKey};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::printable::one_line;
use crate::service::BATCH_ATTEMPTS;

/// Bytes of a report besides its ciphertexts, for each period.
const HEADER_BYTES: usize = 4096;
/// Months that are looked at where no month is named.
const MONTHS: usize = 24;

/// A meter whose rate card is known.
pub(crate) struct Opener<'a> {
    client: &'a Client,
    context: &'a Arc<Context>,
    meter: &'a str,
    layout: Arc<Layout>,
}

impl<'a> Opener<'a> {
    /// Looks at the meter. Its rate card is the service's word; every amount is checked against it.
    pub(crate) fn new(client: &'a Client, context: &'a Arc<Context>, meter: &'a str) -> Result<Self, Failure> {
        let ledger = client.ledger(Family::Meters, meter)?;
        if ledger.operator != CHARGE {
            return Err(Failure::Usage {
                what: format!("the meter runs {}, not {CHARGE}", one_line(&ledger.operator)),
                advice: "give the id of a meter that `blindrelay meter` made",
            });
        }
        let card = RateCard::from_json(&ledger.settings.to_string())?;
        Ok(Self { client, context, meter, layout: Layout::new(card, context)? })
    }

    /// The meter's rate card.
    pub(crate) fn card(&self) -> &RateCard {
        self.layout.card()
    }

    /// The only month with usage in the two years up to `today`; the month of `today` where there is no usage at all.
    pub(crate) fn month_with_usage(&self, today: Date) -> Result<Date, Failure> {
        let until = today.next_month();
        let mut from = today.month_start();
        for _ in 1..MONTHS {
            from = from.previous().month_start();
        }
        let report = self.report(ReportRequest { from, until })?;
        let used = report.periods.iter().filter(|period| period.batches > 0);
        let months: BTreeSet<Date> = used.map(|period| period.period.start.month_start()).collect();
        let mut months = months.into_iter();
        match (months.next(), months.next()) {
            (None, _) => Ok(today.month_start()),
            (Some(month), None) => Ok(month),
            (Some(first), Some(second)) => Err(Failure::Usage {
                what: format!("the meter has usage in several months, among them those of {first} and {second}"),
                advice: "name the month with --month",
            }),
        }
    }

    /// The invoice of a month: every slot is opened against what the rate card allows, and every charge computed again.
    pub(crate) fn invoice(&self, key: &SecretKey, month: Date, details: InvoiceDetails) -> Result<Invoice, Failure> {
        let request = ReportRequest::month_of(month);
        let report = self.report(request)?;
        let mut opened: Vec<[Zeroizing<Vec<i64>>; 3]> = Vec::with_capacity(report.periods.len());
        for period in &report.periods {
            let [usage, charges, rates] = self.layout.ranges(period.period, period.batches);
            opened.push([
                open(key, period.usage.as_ref(), &usage)?,
                open(key, period.charge.as_ref(), &charges)?,
                open(key, period.rates.as_ref(), &rates)?,
            ]);
        }
        let slots = opened.iter().map(|[usage, charges, rates]| OpenedPeriod { usage, charges, rates });
        let slots: Vec<OpenedPeriod<'_>> = slots.collect();
        Ok(Invoice::new(&self.layout, &report, &slots, self.context, details)?)
    }

    fn report(&self, request: ReportRequest) -> Result<Report, Failure> {
        let periods = self.card().periods(request.from, request.until).len();
        let ciphertext = wire::max_len(Kind::Ciphertext, self.context.parameters());
        let longest = (periods + 1) * (3 * ciphertext + HEADER_BYTES);
        let bytes = self.client.with_attempts(BATCH_ATTEMPTS).report(
            Family::Meters,
            self.meter,
            &request.to_json(),
            longest as u64,
        )?;
        let report = Report::from_bytes(&bytes, self.context)?;
        // Another month's report would be a good one, of another month.
        if (report.from, report.until) == (request.from, request.until) {
            Ok(report)
        } else {
            Err(Failure::OtherReport)
        }
    }
}

fn open(
    key: &SecretKey,
    ciphertext: Option<&Ciphertext>,
    ranges: &[(i64, i64)],
) -> Result<Zeroizing<Vec<i64>>, Failure> {
    let open = |ciphertext| key.open_slots(ciphertext, ranges).map_err(|OpenError| Failure::NotOpened);
    ciphertext.map_or_else(|| Ok(Zeroizing::default()), open)
}
