//! The key holder's side: from opened slots to an invoice that adds up, as JSON, CSV and a page to print.

mod csv;
mod hexadecimal;
mod page;
mod verify;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::calendar::Date;
use crate::currency::Currency;
use crate::decimal::Decimal;
use crate::error::InvoiceError;
use crate::layout::Layout;
use crate::message::{Digest, PeriodReport, Report};
use crate::money::Money;
use crate::tariff::Durations;
use crate::unit::Unit;
use verify::Verified;

/// The opened slots of one period of a report, empty where the report has no such ciphertext.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenedPeriod<'a> {
    /// Slots of [`PeriodReport::usage`].
    pub usage: &'a [i64],
    /// Slots of [`PeriodReport::charge`].
    pub charges: &'a [i64],
    /// Slots of [`PeriodReport::rates`].
    pub rates: &'a [i64],
}

/// What an invoice says besides its amounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceDetails {
    /// Number of the invoice.
    pub number: String,
    /// Day of issue.
    pub issued: Date,
    /// Who is paid: name and address, line by line.
    pub supplier: String,
    /// Who pays: name and address, line by line.
    pub customer: String,
    /// A note below the total; may be empty.
    pub note: String,
}

/// An item in a period, or the calls of some lengths in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceLine {
    /// Name of the item.
    pub item: String,
    /// The lengths of the calls that the line is about; `None` where the item is not priced by the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durations: Option<Durations>,
    /// First day.
    pub from: Date,
    /// The day after the last.
    pub until: Date,
    /// How much was used, in whole numbers of `measured`; the number of calls in pieces.
    pub quantity: u64,
    /// The unit of the quantity.
    pub measured: Unit,
    /// Price of one `unit`, in major units of the currency.
    pub price: Decimal,
    /// The unit of the price.
    pub unit: Unit,
    /// Quantity times price, rounded half to even: the only rounding.
    pub amount: Money,
}

impl InvoiceLine {
    /// The name of the item, and the lengths of the calls where it is priced by the call: `Calls (1 to 60 s)`.
    pub fn label(&self) -> String {
        match &self.durations {
            Some(durations) => format!("{} ({durations})", self.item),
            None => self.item.clone(),
        }
    }
}

/// The sum of an item's lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subtotal {
    /// Name of the item.
    pub item: String,
    /// Sum of the amounts of its lines.
    pub amount: Money,
}

/// What the amounts of a period were computed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// First day.
    pub from: Date,
    /// The day after the last.
    pub until: Date,
    /// Batches of usage.
    pub batches: u64,
    /// The chain before the first batch: a digest of the terms.
    #[serde(with = "hexadecimal")]
    pub opening: Digest,
    /// The chain after the last batch.
    #[serde(with = "hexadecimal")]
    pub chain: Digest,
    /// Digest of the encrypted usage in the report.
    #[serde(with = "hexadecimal")]
    pub usage: Digest,
    /// Digest of the encrypted charges in the report.
    #[serde(with = "hexadecimal")]
    pub charge: Digest,
    /// Digest of the encrypted rates in the report.
    #[serde(with = "hexadecimal")]
    pub rates: Digest,
}

impl Evidence {
    pub(crate) fn of(report: &PeriodReport) -> Self {
        let [usage, charge, rates] = report.digests;
        Self {
            from: report.period.start,
            until: report.period.end,
            batches: report.batches,
            opening: report.opening,
            chain: report.chain,
            usage,
            charge,
            rates,
        }
    }
}

/// An invoice: lines, subtotals, total, and the digests that lead from the readings to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invoice {
    /// Number, day and parties.
    pub details: InvoiceDetails,
    /// The currency of every amount.
    pub currency: Currency,
    /// First day of the time that is charged.
    pub from: Date,
    /// The day after the last.
    pub until: Date,
    /// The lines, by period and item.
    pub lines: Vec<InvoiceLine>,
    /// One for each item of the card that has a line.
    pub subtotals: Vec<Subtotal>,
    /// Sum of the subtotals.
    pub total: Money,
    /// One for each period.
    pub evidence: Vec<Evidence>,
    /// SHA-256 over everything above.
    #[serde(with = "hexadecimal")]
    pub seal: Digest,
}

impl Invoice {
    /// The invoice of a report whose ciphertexts were opened. Refused where the report is of other terms or periods, where any slot is outside its range,
    /// and where any charge is not the usage times the rate.
    pub fn new(
        layout: &Layout,
        report: &Report,
        opened: &[OpenedPeriod<'_>],
        context: &blindrelay_engine::bfv::Context,
        details: InvoiceDetails,
    ) -> Result<Self, InvoiceError> {
        let card = layout.card();
        let verified = verify::periods(layout, report, opened, context.parameters().digest())?;
        let mut lines = Vec::new();
        for Verified { period, items } in verified {
            let sums = card.items().iter().zip(items);
            for (item, sums) in sums.flat_map(|(item, lines)| lines.into_iter().map(move |sums| (item, sums))) {
                let (measured, unit) = match sums.durations {
                    Some(_) => (Unit::Piece, Unit::Piece),
                    None => (item.measured(), item.unit()),
                };
                let amount = Money::rounded(card.currency(), sums.charge, i128::from(sums.denominator));
                lines.push(InvoiceLine {
                    item: item.name().to_owned(),
                    durations: sums.durations,
                    from: period.start,
                    until: period.end,
                    quantity: sums.usage,
                    measured,
                    price: sums.price,
                    unit,
                    amount: amount.ok_or(InvoiceError::Refused)?,
                });
            }
        }
        let subtotals = subtotals(card.currency(), &lines)?;
        let mut invoice = Self {
            details,
            currency: card.currency(),
            from: report.from,
            until: report.until,
            total: Money::sum(card.currency(), subtotals.iter().map(|subtotal| subtotal.amount))?,
            lines,
            subtotals,
            evidence: report.periods.iter().map(Evidence::of).collect(),
            seal: [0; 32],
        };
        invoice.seal = invoice.compute_seal();
        Ok(invoice)
    }

    /// What does not agree inside the invoice: amounts and sums, or the seal. `None` where everything does.
    pub fn inconsistency(&self) -> Option<&'static str> {
        let Ok(expected) = subtotals(self.currency, &self.lines) else { return Some("currencies of its lines") };
        if expected != self.subtotals {
            return Some("subtotals");
        }
        let total = Money::sum(self.currency, self.subtotals.iter().map(|subtotal| subtotal.amount));
        if total != Ok(self.total) {
            return Some("total");
        }
        if self.lines.iter().any(|line| line_amount(self.currency, line) != Some(line.amount)) {
            return Some("amount of a line");
        }
        (self.seal != self.compute_seal()).then_some("seal")
    }

    /// SHA-256 over the invoice as JSON with a seal of zeros.
    fn compute_seal(&self) -> Digest {
        let unsealed = Self { seal: [0; 32], ..self.clone() };
        let mut hash = Sha256::new();
        hash.update(b"blindrelay charge/1 invoice");
        hash.update(unsealed.to_json().as_bytes());
        hash.finalize().into()
    }

    /// The invoice as JSON, one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The invoice as JSON for people.
    pub fn to_pretty_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Reads what [`Invoice::to_json`] or [`Invoice::to_pretty_json`] wrote.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// Quantity times price, rounded.
fn line_amount(currency: Currency, line: &InvoiceLine) -> Option<Money> {
    let factor = 10_i128.pow(u32::from(currency.digits())) * i128::from(line.measured.size());
    let divisor = 10_i128.pow(u32::from(line.price.decimals())) * i128::from(line.unit.size());
    let exact = i128::from(line.quantity).checked_mul(i128::from(line.price.units()))?.checked_mul(factor)?;
    Money::rounded(currency, exact, divisor)
}

/// The sums of the lines of each item, in the order in which items first appear.
fn subtotals(currency: Currency, lines: &[InvoiceLine]) -> Result<Vec<Subtotal>, InvoiceError> {
    let mut subtotals: Vec<Subtotal> = Vec::new();
    for line in lines {
        if let Some(subtotal) = subtotals.iter_mut().find(|subtotal| subtotal.item == line.item) {
            subtotal.amount = subtotal.amount.plus(line.amount)?;
        } else {
            let amount = Money::zero(currency).plus(line.amount)?;
            subtotals.push(Subtotal { item: line.item.clone(), amount });
        }
    }
    Ok(subtotals)
}
