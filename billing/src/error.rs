//! Why rate cards, readings, reports and audits are refused. No message carries a value that was encrypted.

use blindrelay_engine::wire::WireError;

use crate::calendar::Date;
use crate::money::MoneyError;
use crate::tariff::TariffError;

/// What is wrong with a rate card.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RateError {
    /// Neither JSON nor TOML.
    #[error("the rate card cannot be read: {reason}")]
    Syntax {
        /// What the reader of the format says.
        reason: String,
    },
    /// A field of the card itself.
    #[error("rate card, field {field}: {reason}")]
    Card {
        /// The field.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A field of an item.
    #[error("rate card, item {item}, field {field}: {reason}")]
    Item {
        /// Name of the item, or its number where it has none.
        item: String,
        /// The field.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A tariff that is no function of the length of a call.
    #[error("rate card, item {item}, tariff since {from}: {source}")]
    Tariff {
        /// Name of the item.
        item: String,
        /// First day of the tariff.
        from: Date,
        /// What is wrong with it.
        source: TariffError,
    },
    /// More lengths of calls than there are slots.
    #[error(
        "rate card: its items need {needed} lanes of {lane} slots, one slot for each length of a call, but there are {available}: lower the limit of calls or measure them in a larger unit"
    )]
    Lanes {
        /// Lanes that the items cannot do without.
        needed: u64,
        /// Slots of a lane.
        lane: usize,
        /// Lanes that there are.
        available: usize,
    },
    /// The largest charge of one line could wrap.
    #[error(
        "rate card, item {item}: one line can reach {bound} in exact units, but only {limit} opens unambiguously: lower the limit or measure in a larger unit"
    )]
    Range {
        /// Name of the item.
        item: String,
        /// Largest quantity times largest rate.
        bound: u128,
        /// Largest magnitude of a slot.
        limit: u128,
    },
    /// The parameter set has no slots, or too few.
    #[error("parameter set {name} has no {needed} slots for charges")]
    Parameters {
        /// Name of the set.
        name: String,
        /// How many slots are needed.
        needed: usize,
    },
}

impl RateError {
    pub(crate) fn at(item: Option<&str>, field: &str, reason: impl Into<String>) -> Self {
        match item {
            Some(item) => Self::field(item, field, reason),
            None => Self::card(field, reason),
        }
    }

    pub(crate) fn field(item: &str, field: &str, reason: impl Into<String>) -> Self {
        Self::Item { item: item.to_owned(), field: field.to_owned(), reason: reason.into() }
    }

    pub(crate) fn card(field: &str, reason: impl Into<String>) -> Self {
        Self::Card { field: field.to_owned(), reason: reason.into() }
    }
}

/// Why a reading is refused, or a batch cannot be made. After a refusal nothing of the reading was counted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MeterError {
    /// No item of the card.
    #[error("item {item} is not on the rate card")]
    UnknownItem {
        /// Name or number of the item.
        item: String,
    },
    /// A number below zero.
    #[error("item {item}: a quantity cannot be negative")]
    Negative {
        /// Name of the item.
        item: String,
    },
    /// A quantity above the item's limit.
    #[error("item {item}: the quantity is above the limit of {limit} on one line")]
    AboveLimit {
        /// Name of the item.
        item: String,
        /// The item's limit.
        limit: u64,
    },
    /// Leave before join.
    #[error("item {item}: the leave is before the join")]
    LeaveBeforeJoin {
        /// Name of the item.
        item: String,
    },
    /// A quantity for an interval item, or the reverse.
    #[error("item {item} is charged by {expected}")]
    Kind {
        /// Name of the item.
        item: String,
        /// What its readings are: `a quantity`, or `join and leave`.
        expected: &'static str,
    },
    /// The item has no price at that time.
    #[error("item {item} has no price at {moment} s since 1970")]
    NoPrice {
        /// Name of the item.
        item: String,
        /// When.
        moment: u64,
    },
    /// The meter's own settings.
    #[error("the meter's setting {setting} is refused: {reason}")]
    Setting {
        /// Which one.
        setting: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// No period of the card begins on that day.
    #[error("no period of the rate card begins on {start}")]
    NoPeriod {
        /// The day.
        start: Date,
    },
    /// A price that the card does not allow.
    #[error("item {item}: {reason}")]
    Price {
        /// Name of the item.
        item: String,
        /// What does not fit.
        reason: &'static str,
    },
    /// The engine refused the plaintext or the key.
    #[error(transparent)]
    Engine(#[from] blindrelay_engine::Error),
    /// The message could not be written.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// Why no invoice can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvoiceError {
    /// The opened values are not those of an honest report. There is one value for every reason that depends on what was opened, so that nobody who
    /// sees it learns about the key.
    #[error("the report is refused: it does not open to charges of this rate card")]
    Refused,
    /// The report covers other periods than were asked for.
    #[error("the report has {found} periods, but the rate card has {expected} in that time")]
    Periods {
        /// How many the card has.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The report was made under another card.
    #[error("the period from {start} was charged under other settings than this rate card")]
    Card {
        /// First day of the period.
        start: Date,
    },
    /// An amount too large to write.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Why bytes are no message of this operator.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// No message, or an item that is no ciphertext.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A message of another operator.
    #[error("the message is one of operator '{found}', but one of 'charge/1' was expected")]
    Operator {
        /// The operator in the message.
        found: String,
    },
    /// Another message of this operator.
    #[error("the message is part {found} of charge/1, but part {expected} was expected")]
    Part {
        /// The part that was expected.
        expected: u8,
        /// The part in the message.
        found: u8,
    },
    /// The items do not make the message.
    #[error("the message is not complete: {what}")]
    Items {
        /// What is wrong with them.
        what: &'static str,
    },
}

/// What an auditor found.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A batch could not be added again.
    #[error("batch number {index} cannot be added: {source}")]
    Batch {
        /// Its place, counted from 1.
        index: usize,
        /// Why.
        source: blindrelay_engine::operator::OperatorError,
    },
    /// The report could not be computed.
    #[error("the report cannot be computed again: {0}")]
    Report(blindrelay_engine::operator::OperatorError),
    /// The report that was computed again cannot be read.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Something on the invoice is not what follows from the batches.
    #[error("period from {start}: the {what} of the invoice does not follow from the batches")]
    Differs {
        /// First day of the period.
        start: Date,
        /// Which digest or count.
        what: &'static str,
    },
    /// The invoice has other periods.
    #[error("the invoice has {found} periods, the batches give {expected}")]
    Periods {
        /// How many follow from the request.
        expected: usize,
        /// How many the invoice has.
        found: usize,
    },
    /// The amounts on the page do not add up to its totals, or its seal is another.
    #[error("the invoice itself is not consistent: {what}")]
    Invoice {
        /// What does not agree.
        what: &'static str,
    },
    /// Readings that were handed over are not those of the batch.
    #[error("the readings are not those that the batch was made from: its {what} is another")]
    Readings {
        /// What differs.
        what: &'static str,
    },
}
