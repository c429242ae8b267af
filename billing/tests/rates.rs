//! Rate cards from text: every refusal names item and field, and both formats say the same.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

mod support;

use blindrelay_billing::{Date, Layout, RateCard, RateError};
use support::{context, day};

const GOOD: &str = r#"
currency = "EUR"

[[items]]
name = "Call"
kind = "interval"
unit = "minute"
limit = 86400
weight = 3

[[items.prices]]
from = 2026-01-01
price = "0.0040"

[[items.prices]]
from = "2026-10-16"
price = "0.0045"

[[items]]
name = "Data"
unit = "gigabyte"
measured = "byte"
limit = 1000000
prices = [{ from = 2026-02-10, price = "0.09" }]
"#;

#[test]
fn both_formats_give_the_same_card() {
    let card = RateCard::from_toml(GOOD).unwrap();
    assert_eq!(RateCard::from_json(&card.to_json()).unwrap(), card);
    assert_eq!(serde_json::from_str::<RateCard>(&card.to_json()).unwrap(), card);
    assert_eq!(
        toml::from_str::<RateCard>(
            &GOOD.replace("= 2026-01-01", "= \"2026-01-01\"").replace("= 2026-02-10", "= \"2026-02-10\"")
        )
        .unwrap(),
        card
    );
    assert!(!card.has_encrypted_prices() && card.has_intervals());
}

#[test]
fn every_refusal_names_item_and_field() {
    let refuse = |from: &str, to: &str, expected: &str| {
        assert!(GOOD.contains(from), "{from}");
        let error = RateCard::from_toml(&GOOD.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(expected), "{to}: {error}");
    };
    refuse("\"EUR\"", "\"EUX\"", "rate card, field currency: 'EUX' is not a currency");
    refuse("currency = \"EUR\"", "", "rate card, field currency: it is missing");
    refuse("currency = \"EUR\"", "currency = \"EUR\"\nvat = 20", "rate card, field vat: there is no such field");
    refuse("\"Call\"", "\"\"", "item number 1, field name: a name has 1 to 64");
    refuse("\"Call\"", "\"=Call\"", "item number 1, field name");
    refuse("\"Call\"", "\"Data\"", "item Data, field name: another item has the same name");
    refuse("name = \"Call\"\n", "", "item number 1, field name: it is missing");
    refuse("kind = \"interval\"", "kind = \"duration\"", "item Call, field kind: unknown variant `duration`");
    refuse("unit = \"minute\"", "unit = \"minutes\"", "item Call, field unit: unknown variant `minutes`");
    refuse("unit = \"minute\"", "unit = \"megabyte\"", "item Call, field measured: it is not a unit of the same kind");
    refuse(
        "unit = \"minute\"",
        "unit = \"megabyte\"\nmeasured = \"byte\"",
        "item Call, field unit: an interval is charged by a unit of time",
    );
    refuse(
        "unit = \"minute\"",
        "unit = \"minute\"\nmeasured = \"minute\"",
        "item Call, field measured: an interval is measured in seconds",
    );
    refuse("unit = \"minute\"", "units = \"minute\"", "item Call, field unit: it is missing");
    refuse("weight = 3", "wieght = 3", "item Call, field wieght: there is no such field");
    refuse("weight = 3", "weight = 0", "item Call, field weight: a weight is between 1 and");
    refuse("limit = 86400", "limit = 0", "item Call, field limit: the largest quantity");
    refuse("limit = 86400", "limit = -5", "item Call, field limit: invalid value: integer `-5`");
    refuse("limit = 86400", "limit = 1.5", "item Call, field limit: invalid type: floating point");
    refuse("limit = 86400", "limit = nan", "item Call, field limit: ");
    refuse("\"0.0040\"", "0.0040", "item Call, field prices[0].price: invalid type");
    refuse("\"0.0040\"", "\"-0.0040\"", "item Call, field prices[0].price: '-0.0040' is not a price");
    refuse("\"0.0045\"", "\"1e-3\"", "item Call, field prices[1].price: '1e-3' is not a price");
    refuse("\"2026-10-16\"", "\"2025-10-16\"", "item Call, field prices[1].from: 2025-10-16 is not after");
    refuse("\"2026-10-16\"", "\"2026-10-32\"", "item Call, field prices[1].from: '2026-10-32' is not a day");
    refuse("= 2026-01-01", "= 2026-01-01T10:00:00Z", "item Call, field prices[0].from: ");
    refuse(
        "price = \"0.0045\"",
        "cost = \"0.0045\"",
        "item Call, field prices[1].price: write either price, or largest",
    );
    refuse(
        "price = \"0.0045\"",
        "price = \"0.0045\"\nuntil = 2027-01-01",
        "item Call, field prices[1].until: there is no such field",
    );
    refuse("price = \"0.0045\"", "largest = \"0.0045\"", "some prices of the card are encrypted");
    refuse(
        "prices = [{ from = 2026-02-10, price = \"0.09\" }]",
        "prices = []",
        "item Data, field prices: an item needs at least one price",
    );
    refuse(
        "prices = [{ from = 2026-02-10, price = \"0.09\" }]",
        "prices = [7]",
        "item Data, field prices[0]: it is not an object",
    );
    refuse(
        "unit = \"gigabyte\"\nmeasured = \"byte\"\nlimit = 1000000\nprices = [{ from = 2026-02-10, price = \"0.09\" }]",
        "unit = \"piece\"\nlimit = 1\nprices = [{ from = 2026-02-10, price = \"999999999999999999\" }]",
        "item Data, field prices: the price since 2026-02-10 has too many digits",
    );
    for text in [
        "",
        "[]",
        "null",
        "{\"currency\":\"EUR\",\"items\":[]}",
        "{\"currency\":\"EUR\",\"items\":{}}",
        "{\"currency\":\"EUR\",\"items\":[[]]}",
    ] {
        assert!(RateCard::from_json(text).is_err(), "{text}");
    }
    assert!(matches!(RateCard::from_toml("currency ="), Err(RateError::Syntax { .. })));
}

#[test]
fn periods_are_cut_at_months_and_changes() {
    let card = RateCard::from_toml(GOOD).unwrap();
    let starts = |from: &str, until: &str| -> Vec<String> {
        card.periods(day(from), day(until)).iter().map(|period| period.start.to_string()).collect()
    };
    assert_eq!(starts("2026-02-01", "2026-03-01"), ["2026-02-01", "2026-02-10"]);
    assert_eq!(starts("2026-10-01", "2026-11-01"), ["2026-10-01", "2026-10-16"]);
    assert_eq!(starts("2026-10-02", "2026-10-17"), ["2026-10-16"]);
    assert_eq!(starts("2025-11-01", "2026-02-02"), ["2026-01-01", "2026-02-01"]);
    assert_eq!(starts("2025-11-01", "2026-01-01"), Vec::<String>::new());
    let all = card.periods(day("2026-01-01"), day("2031-01-01"));
    assert!(all.array_windows().all(|[earlier, later]| earlier.end == later.start), "periods leave no gap");
    assert!(all.iter().all(|period| period.start.month_start().next_month() >= period.end));
    for second in [0, 1, 86_399] {
        let period = card.period_at(day("2026-10-16").unix() + second).unwrap();
        assert_eq!((period.start, period.end), (day("2026-10-16"), day("2026-11-01")));
    }
    assert_eq!(card.period_at(day("2026-01-01").unix() - 1), None);
    assert_eq!(card.period_from(day("2026-10-17")), None);
    let last = card.periods(day("9999-12-01"), Date::from_civil(9999, 12, 31).unwrap());
    assert_eq!(last.len(), 1);
}

#[test]
fn rates_are_cancelled_fractions() {
    let card = RateCard::from_toml(GOOD).unwrap();
    let rate = |name: &str, on: &str| {
        let item = card.item(card.find(name).unwrap()).unwrap();
        card.rate(item, card.period_at(day(on).unix()).unwrap()).map(|rate| (rate.numerator.unwrap(), rate.denominator))
    };
    // 0.4 ct a minute is 1/150 ct a second, 0.45 ct is 3/400; 9 ct a gigabyte are 9/10^9 a byte.
    assert_eq!(rate("Call", "2026-01-01"), Some((1, 150)));
    assert_eq!(rate("Call", "2026-10-16"), Some((3, 400)));
    assert_eq!(rate("Data", "2026-10-16"), Some((9, 1_000_000_000)));
    assert_eq!(rate("Data", "2026-02-09"), None);
    // A line that could wrap is refused with both numbers.
    let wide = RateCard::from_toml(&GOOD.replace("limit = 1000000\n", "limit = 1000000000000000\n")).unwrap();
    let (bound, limit) = (9_000_000_000_000_000, context().plaintext_limit().into());
    assert_eq!(Layout::new(wide, context()).unwrap_err(), RateError::Range { item: "Data".to_owned(), bound, limit });
}
