//! Rate cards: what is charged, in which unit, at which price since when.
//!
//! A card is public settings of a meter. Its prices become integers over a public denominator an item and period ([`Rate`]), so that charges are exact
//! integers until the invoice divides and rounds them.

mod json;
mod parse;
mod rate;

use std::sync::Arc;

use serde::Serialize;

pub use self::rate::Rate;
use crate::calendar::Date;
use crate::currency::Currency;
use crate::decimal::Decimal;
use crate::error::RateError;
use crate::tariff::Tariff;
use crate::unit::{Dimension, Unit};

/// Most items of a card.
pub const MAX_ITEMS: usize = 64;
/// Longest name of an item, in characters.
pub const MAX_NAME: usize = 64;
/// Largest weight of an item.
pub const MAX_WEIGHT: u32 = 1_000_000;
/// Most tariffs of a card: each is a table in memory.
pub const MAX_TARIFFS: usize = 128;
/// Most calls of one length in one batch where the card does not say.
pub const DEFAULT_CALLS: u64 = 1_000_000;

/// Place of an item on its card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(u16);

impl ItemId {
    /// Counted from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What the readings of an item are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemKind {
    /// A whole number of the measured unit.
    Quantity,
    /// The seconds between an encrypted join and an encrypted leave.
    Interval,
    /// One call of a whole number of the measured unit, priced by a [`Tariff`]. Calls are counted by length, one slot a length.
    Call,
}

/// A price since a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// First day (UTC) on which it holds.
    pub from: Date,
    /// The price per [`Item::unit`], or of a call.
    pub pricing: Pricing,
}

/// A price that everybody knows, one that is encrypted, or a tariff of calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pricing {
    /// In major units of the card's currency.
    Public(Decimal),
    /// What a call of each length costs. For items of [`ItemKind::Call`], and only for them.
    Tariff(Arc<Tariff>),
    /// Encrypted; the card says only how fine and how large it may be.
    Encrypted {
        /// Largest price, with as many decimals as encrypted prices have.
        largest: Decimal,
    },
}

/// Something that is charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub(crate) name: String,
    pub(crate) kind: ItemKind,
    pub(crate) unit: Unit,
    pub(crate) measured: Unit,
    pub(crate) limit: u64,
    pub(crate) weight: u32,
    /// Most calls of one length in one batch; 0 unless the item is priced by the call.
    pub(crate) calls: u64,
    pub(crate) prices: Vec<Price>,
}

impl Item {
    /// Its name on invoices and in readings.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its readings are.
    pub const fn kind(&self) -> ItemKind {
        self.kind
    }

    /// The unit that prices are per.
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// The unit that readings are whole numbers of.
    pub const fn measured(&self) -> Unit {
        self.measured
    }

    /// Largest quantity of one line, in the measured unit.
    pub const fn limit(&self) -> u64 {
        self.limit
    }

    /// Most calls of one length in one batch; `None` unless the item is of [`ItemKind::Call`].
    pub fn calls(&self) -> Option<u64> {
        (self.kind == ItemKind::Call).then_some(self.calls)
    }

    /// The most that one batch adds to a slot: the limit, or the number of calls.
    pub fn slot_limit(&self) -> u64 {
        self.calls().unwrap_or(self.limit)
    }

    /// Slots that the item cannot do without: one, or one for every length from 0 to the limit.
    pub fn least_slots(&self) -> u64 {
        if self.kind == ItemKind::Call { self.limit + 1 } else { 1 }
    }

    /// Its share of the slots, against the weights of the others.
    pub const fn weight(&self) -> u32 {
        self.weight
    }

    /// Its prices, by ascending day.
    pub fn prices(&self) -> &[Price] {
        &self.prices
    }

    /// The price that holds on a day; `None` before the first.
    pub fn price_on(&self, day: Date) -> Option<&Price> {
        self.prices.iter().rev().find(|price| price.from <= day)
    }
}

/// A span of days in which no price changes and which lies in one month: usage is summed for each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// First day.
    pub start: Date,
    /// The day after the last.
    pub end: Date,
}

impl Period {
    /// Its length in seconds.
    pub const fn seconds(self) -> u64 {
        self.end.unix() - self.start.unix()
    }

    /// Whether a moment (seconds since 1970) lies in it.
    pub const fn contains(self, moment: u64) -> bool {
        self.start.unix() <= moment && moment < self.end.unix()
    }
}

/// Currency, items and prices: the settings of a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateCard {
    currency: Currency,
    items: Vec<Item>,
    /// Days on which some price begins, ascending.
    changes: Vec<Date>,
    encrypted: bool,
}

impl RateCard {
    /// From items that were checked one by one. Refused where names repeat, where public and encrypted prices are mixed and where
    /// there is no item or more than [`MAX_ITEMS`].
    fn new(currency: Currency, items: Vec<Item>) -> Result<Self, RateError> {
        if items.is_empty() || items.len() > MAX_ITEMS {
            return Err(RateError::card("items", format!("a card has 1 to {MAX_ITEMS} items, not {}", items.len())));
        }
        for (index, item) in items.iter().enumerate() {
            if items.iter().take(index).any(|other| other.name == item.name) {
                return Err(RateError::field(&item.name, "name", "another item has the same name"));
            }
        }
        let is_encrypted = |price: &Price| matches!(price.pricing, Pricing::Encrypted { .. });
        let encrypted = items.iter().flat_map(Item::prices).any(is_encrypted);
        for item in &items {
            if encrypted && !item.prices.iter().all(is_encrypted) {
                let reason = "some prices of the card are encrypted and this one is not: encrypt all of them or none";
                return Err(RateError::field(&item.name, "prices", reason));
            }
            for price in &item.prices {
                let rate = Rate::new(&price.pricing, currency, item.unit, item.measured);
                rate.ok_or_else(|| {
                    RateError::field(
                        &item.name,
                        "prices",
                        format!("the price since {} has too many digits", price.from),
                    )
                })?;
            }
        }
        let mut changes: Vec<Date> = items.iter().flat_map(Item::prices).map(|price| price.from).collect();
        changes.sort_unstable();
        changes.dedup();
        Ok(Self { currency, items, changes, encrypted })
    }

    /// The currency of every price and amount.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// The items.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Whether the prices come as a ciphertext.
    pub const fn has_encrypted_prices(&self) -> bool {
        self.encrypted
    }

    /// Whether any item is charged by join and leave.
    pub fn has_intervals(&self) -> bool {
        self.items.iter().any(|item| item.kind == ItemKind::Interval)
    }

    /// Whether any item is priced by the call.
    pub fn has_calls(&self) -> bool {
        self.items.iter().any(|item| item.kind == ItemKind::Call)
    }

    /// The item of that name.
    pub fn find(&self, name: &str) -> Option<ItemId> {
        self.ids().zip(&self.items).find(|(_, item)| item.name == name).map(|(id, _)| id)
    }

    /// Every item's place.
    pub fn ids(&self) -> impl Iterator<Item = ItemId> + use<> {
        (0..self.items.len()).map(|index| ItemId(index as u16))
    }

    /// The item at a place.
    pub fn item(&self, id: ItemId) -> Option<&Item> {
        self.items.get(id.index())
    }

    /// The period of a moment in seconds since 1970. `None` before the first price of the card.
    pub fn period_at(&self, moment: u64) -> Option<Period> {
        let day = Date::of_unix(moment)?;
        let change = self.changes.iter().rev().find(|&&change| change <= day).copied()?;
        let next = self.changes.iter().find(|&&change| change > day).copied();
        let end = day.next_month();
        let period = Period { start: change.max(day.month_start()), end: next.map_or(end, |next| next.min(end)) };
        (period.start < period.end).then_some(period)
    }

    /// The period that begins on a day; `None` where none does.
    pub fn period_from(&self, start: Date) -> Option<Period> {
        self.period_at(start.unix()).filter(|period| period.start == start)
    }

    /// The periods that begin in `[from, until)`.
    pub fn periods(&self, from: Date, until: Date) -> Vec<Period> {
        let first = self.changes.first().copied().unwrap_or(until).max(from);
        let mut next =
            self.period_at(first.unix()).map(|period| if period.start < from { period.end } else { period.start });
        let mut periods = Vec::new();
        while let Some(period) = next.filter(|&start| start < until).and_then(|start| self.period_from(start)) {
            periods.push(period);
            next = Some(period.end);
        }
        periods
    }

    /// The rate of an item in a period; `None` where the item has no price yet.
    pub fn rate(&self, item: &Item, period: Period) -> Option<Rate> {
        let price = item.price_on(period.start)?;
        Rate::new(&price.pricing, self.currency, item.unit, item.measured)
    }

    /// The card as JSON: the same text for the same card.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// An interval is counted in seconds, whatever the price is per.
fn fits_kind(kind: ItemKind, unit: Unit, measured: Unit) -> Result<(), (&'static str, &'static str)> {
    if unit.dimension() != measured.dimension() {
        return Err(("measured", "it is not a unit of the same kind as the price's unit"));
    }
    if kind == ItemKind::Interval && unit.dimension() != Dimension::Time {
        return Err(("unit", "an interval is charged by a unit of time"));
    }
    if kind == ItemKind::Interval && measured != Unit::Second {
        return Err(("measured", "an interval is measured in seconds"));
    }
    Ok(())
}
