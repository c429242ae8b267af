//! Rate cards from TOML and JSON. Unknown fields are refused, and every error names item and field.

use std::sync::Arc;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{DEFAULT_CALLS, Item, ItemKind, MAX_NAME, MAX_TARIFFS, MAX_WEIGHT, Price, Pricing, RateCard, fits_kind};
use crate::calendar::Date;
use crate::decimal::Decimal;
use crate::error::RateError;
use crate::tariff::{MAX_LENGTH, Tariff, TariffTerms};
use crate::unit::Unit;

/// The fields of one object, taken out one after the other.
struct Fields {
    /// What errors call the object: nothing for the card itself.
    item: Option<String>,
    /// Path to the object inside the item.
    path: String,
    map: Map<String, Value>,
}

impl Fields {
    fn new(item: Option<String>, path: String, value: Value) -> Result<Self, RateError> {
        match value {
            Value::Object(map) => Ok(Self { item, path, map }),
            _ => Err(RateError::at(item.as_deref(), &path, "it is not an object with fields")),
        }
    }

    fn refused(&self, field: &str, reason: impl Into<String>) -> RateError {
        let path = if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) };
        RateError::at(self.item.as_deref(), &path, reason)
    }

    fn optional<T: DeserializeOwned>(&mut self, field: &str) -> Result<Option<T>, RateError> {
        let value = self.map.remove(field);
        value
            .map(|value| serde_json::from_value(value).map_err(|error| self.refused(field, error.to_string())))
            .transpose()
    }

    fn required<T: DeserializeOwned>(&mut self, field: &str) -> Result<T, RateError> {
        self.optional(field)?.ok_or_else(|| self.refused(field, "it is missing"))
    }

    fn finish(self, known: &str) -> Result<(), RateError> {
        match self.map.keys().next() {
            Some(unknown) => Err(self.refused(unknown, format!("there is no such field, only {known}"))),
            None => Ok(()),
        }
    }
}

impl RateCard {
    /// Reads a card from JSON.
    pub fn from_json(text: &str) -> Result<Self, RateError> {
        let value = serde_json::from_str(text).map_err(|error| RateError::Syntax { reason: error.to_string() })?;
        Self::from_value(value)
    }

    /// Reads a card from TOML. Days may be written as TOML dates or as text.
    pub fn from_toml(text: &str) -> Result<Self, RateError> {
        let table = text.parse().map_err(|error: toml::de::Error| RateError::Syntax { reason: error.to_string() })?;
        Self::from_value(json_of(toml::Value::Table(table)))
    }

    fn from_value(value: Value) -> Result<Self, RateError> {
        let mut fields = Fields::new(None, String::new(), value)?;
        let currency = fields.required("currency")?;
        let items: Vec<Value> = fields.required("items")?;
        fields.finish("currency and items")?;
        let mut tariffs = 0;
        let items = items.into_iter().enumerate().map(|(index, value)| item(index, value, &mut tariffs));
        let items = items.collect::<Result<_, _>>()?;
        Self::new(currency, items)
    }
}

impl<'de> Deserialize<'de> for RateCard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// `tariffs` counts those of the whole card.
fn item(index: usize, value: Value, tariffs: &mut usize) -> Result<Item, RateError> {
    let called = value.get("name").and_then(Value::as_str).filter(|name| is_name(name));
    let called = called.map_or_else(|| format!("number {}", index + 1), str::to_owned);
    let mut fields = Fields::new(Some(called), String::new(), value)?;
    let name: String = fields.required("name")?;
    if !is_name(&name) {
        let reason = format!(
            "a name has 1 to {MAX_NAME} letters, digits, spaces and -_.,/()&, and begins with a letter or digit"
        );
        return Err(fields.refused("name", reason));
    }
    let kind = fields.optional("kind")?.unwrap_or(ItemKind::Quantity);
    let unit: Unit = fields.required("unit")?;
    let default = if kind == ItemKind::Interval { Unit::Second } else { unit };
    let measured = fields.optional("measured")?.unwrap_or(default);
    fits_kind(kind, unit, measured).map_err(|(field, reason)| fields.refused(field, reason))?;
    let limit = fields.required("limit")?;
    if limit == 0 {
        return Err(fields.refused("limit", "the largest quantity on a line must be at least 1"));
    }
    let is_call = kind == ItemKind::Call;
    // The lengths of calls have the slots that they need; more would be of no use.
    let least = u32::from(!is_call);
    let weight = fields.optional("weight")?.unwrap_or(least);
    if !(least..=MAX_WEIGHT).contains(&weight) {
        return Err(fields.refused("weight", format!("a weight is between {least} and {MAX_WEIGHT}")));
    }
    if is_call && limit > MAX_LENGTH {
        let reason = format!("the longest call has at most {MAX_LENGTH} units: measure in a larger unit");
        return Err(fields.refused("limit", reason));
    }
    let calls = fields.optional("calls")?;
    if calls.is_some() && !is_call {
        return Err(fields.refused("calls", "only an item of kind call has it"));
    }
    if calls == Some(0) {
        return Err(fields.refused("calls", "the most calls of one length in a batch must be at least 1"));
    }
    let calls = if is_call { calls.unwrap_or(DEFAULT_CALLS) } else { 0 };
    let values: Vec<Value> = fields.required("prices")?;
    if values.is_empty() {
        return Err(fields.refused("prices", "an item needs at least one price"));
    }
    let called = fields.item.clone();
    fields.finish("name, kind, unit, measured, limit, weight, calls and prices")?;
    let mut prices = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let path = format!("prices[{index}]");
        let mut fields = Fields::new(called.clone(), path.clone(), value)?;
        let from: Date = fields.required("from")?;
        if prices.last().is_some_and(|last: &Price| last.from >= from) {
            return Err(fields.refused("from", format!("{from} is not after the day of the price before")));
        }
        let pricing = if is_call {
            *tariffs += 1;
            if *tariffs > MAX_TARIFFS {
                return Err(RateError::card("items", format!("a card has at most {MAX_TARIFFS} tariffs")));
            }
            let value = fields.required("tariff")?;
            let terms = terms(Fields::new(called.clone(), format!("{path}.tariff"), value)?)?;
            let refused = |source| RateError::Tariff { item: name.clone(), from, source };
            Pricing::Tariff(Arc::new(Tariff::new(terms, unit, measured, limit).map_err(refused)?))
        } else {
            price(&mut fields)?
        };
        fields.finish(if is_call { "from and tariff" } else { "from, price and largest" })?;
        prices.push(Price { from, pricing });
    }
    Ok(Item { name, kind, unit, measured, limit, weight, calls, prices })
}

/// A public price, or how large an encrypted one may be.
fn price(fields: &mut Fields) -> Result<Pricing, RateError> {
    let (price, largest): (Option<Decimal>, Option<Decimal>) = (fields.optional("price")?, fields.optional("largest")?);
    match (price, largest) {
        (Some(price), None) => Ok(Pricing::Public(price)),
        (None, Some(largest)) => Ok(Pricing::Encrypted { largest }),
        _ => Err(fields.refused("price", "write either price, or largest for an encrypted price")),
    }
}

/// A tariff as it is written; what is left out costs nothing and rounds nothing.
fn terms(mut fields: Fields) -> Result<TariffTerms, RateError> {
    let increment = fields.optional("increment")?.unwrap_or(1);
    let terms = TariffTerms {
        setup: fields.optional("setup")?.unwrap_or(Decimal::ZERO),
        free: fields.optional("free")?.unwrap_or(0),
        first: fields.optional("first")?.unwrap_or(increment),
        increment,
        tiers: fields.required("tiers")?,
        minimum: fields.optional("minimum")?.unwrap_or(Decimal::ZERO),
        maximum: fields.optional("maximum")?,
    };
    fields.finish("setup, free, first, increment, tiers, minimum and maximum")?;
    Ok(terms)
}

/// Names appear in tables that spreadsheets open, so that none may begin like a formula.
fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || " -_.,/()&".contains(c);
    name.chars().count() <= MAX_NAME
        && name.chars().next().is_some_and(char::is_alphanumeric)
        && name.chars().all(allowed)
        && name.trim() == name
}

/// JSON has no dates: they become text.
fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(moment) => Value::String(moment.to_string()),
        toml::Value::Array(values) => Value::Array(values.into_iter().map(json_of).collect()),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(key, value)| (key, json_of(value))).collect())
        }
    }
}
