//! Exact charges on ciphertexts.
//!
//! A relay's [`Meter`] packs plain readings into the slots of BFV plaintexts, encrypts them under the tenant's public key and forgets them. A service adds the
//! ciphertexts up, one sum a period ([`Charging`]), and multiplies the sums by the rates of a [`RateCard`] when the tenant asks. The tenant opens usage and
//! charges, checks every slot, and makes the [`Invoice`]. An auditor replays the digest chain from the batches to the report without a key. All arithmetic is
//! exact; an amount is rounded once, where it becomes a line of the invoice (`docs/billing.md`).
//!
//! `layout` says which slot carries what, `tariff` what a call costs by its length, `pack` is the relay's side, `evaluate` the service's, `invoice` the key holder's, `plan` the card,
//! `reference` the function on clear values.

mod approximate;
mod audit;
mod calendar;
mod chain;
mod currency;
mod decimal;
mod error;
mod evaluate;
mod invoice;
mod layout;
mod message;
mod money;
mod pack;
mod plan;
mod rates;
pub mod reference;
mod tariff;
mod unit;

pub use approximate::ApproximateCharging;
pub use audit::{audit, verify_readings};
pub use calendar::{Date, DateError, SECONDS_PER_DAY};
pub use currency::{Currency, UnknownCurrency};
pub use decimal::{Decimal, DecimalError, MAX_DECIMALS};
pub use error::{AuditError, InvoiceError, MessageError, MeterError, RateError};
pub use evaluate::{Charging, Ledger};
pub use invoice::{Evidence, Invoice, InvoiceDetails, InvoiceLine, OpenedPeriod, Subtotal};
pub use layout::{LANES, Layout};
pub use message::{BatchHeader, CHARGE, Digest, PeriodReport, ReceivedBatch, Report, ReportRequest};
pub use money::{Money, MoneyError};
pub use pack::{Batch, Draft, Encryptor, Measurement, Meter, MeterSettings, Packer, Reading};
pub use plan::MAX_BATCHES;
pub use rates::{
    DEFAULT_CALLS, Item, ItemId, ItemKind, MAX_ITEMS, MAX_NAME, MAX_TARIFFS, MAX_WEIGHT, Period, Price, Pricing, Rate,
    RateCard,
};
pub use tariff::{DurationClass, Durations, MAX_LENGTH, MAX_TIERS, Tariff, TariffError, TariffTerms, Tier};
pub use unit::{Dimension, Unit};
