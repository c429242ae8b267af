//! Tariffs: against a naive count of units, from text, in ranges, and on ciphertexts.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

mod support;

use blindrelay_billing::{
    Decimal, Invoice, Layout, MAX_LENGTH, MeterError, RateCard, RateError, Reading, Tariff, TariffError, TariffTerms,
    Tier, Unit, reference, verify_readings,
};
use blindrelay_engine::operator::{Accumulator, OperatorError};
use proptest::prelude::*;
use support::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A tariff as plain numbers: prices in thousandths of a major unit, one measured unit a unit.
#[derive(Clone, Debug)]
struct Naive {
    setup: u64,
    free: u64,
    first: u64,
    increment: u64,
    tiers: Vec<(u64, u64)>,
    minimum: u64,
    maximum: Option<u64>,
}

impl Naive {
    /// Walks through the call unit by unit and block by block.
    fn price(&self, length: u64) -> u64 {
        if length == 0 {
            return 0;
        }
        let (mut charged, mut covered) = (0, self.free);
        while covered < length {
            let block = if charged == 0 { self.first } else { self.increment };
            (charged, covered) = (charged + block, covered + block);
        }
        let mut sum = self.setup;
        for unit in 1..=charged {
            let mut price = 0;
            for &(after, of_tier) in &self.tiers {
                if unit > after {
                    price = of_tier;
                }
            }
            sum += price;
        }
        if sum == 0 {
            return 0;
        }
        if sum < self.minimum {
            sum = self.minimum;
        }
        match self.maximum {
            Some(maximum) if sum > maximum => maximum,
            _ => sum,
        }
    }

    fn terms(&self) -> TariffTerms {
        let price = |thousandths| Decimal::new(thousandths, 3).unwrap();
        TariffTerms {
            setup: price(self.setup),
            free: self.free,
            first: self.first,
            increment: self.increment,
            tiers: self.tiers.iter().map(|&(after, of)| Tier { after, price: price(of) }).collect(),
            minimum: price(self.minimum),
            maximum: self.maximum.map(price),
        }
    }
}

fn naive() -> impl Strategy<Value = Naive> {
    let tiers = proptest::collection::btree_map(1_u64..400, 0_u64..500, 0..5);
    let amounts = (0_u64..300, 0_u64..2_000, proptest::option::of(0_u64..50_000));
    (amounts, 0_u64..40, 1_u64..90, 1_u64..90, 0_u64..500, tiers).prop_map(
        |((setup, minimum, maximum), free, first, increment, price, tiers)| Naive {
            setup,
            free,
            first,
            increment,
            tiers: std::iter::once((0, price)).chain(tiers).collect(),
            minimum,
            maximum: maximum.map(|more| minimum + more),
        },
    )
}

proptest! {
    #[test]
    fn every_length_costs_what_counting_units_gives(naive in naive(), limit in 1_u64..600) {
        let tariff = Tariff::new(naive.terms(), Unit::Minute, Unit::Minute, limit).unwrap();
        prop_assert_eq!(tariff.table().len() as u64, limit + 1);
        for length in 0..=limit {
            let price = tariff.charge(length).unwrap();
            prop_assert_eq!(price.with_decimals(3).unwrap().units(), naive.price(length), "{}", length);
            prop_assert_eq!(tariff.table()[length as usize], price);
        }
        prop_assert_eq!(tariff.charge(limit + 1), Err(TariffError::AboveLimit { units: limit + 1, limit }));
        // The classes cover every length once, neighbours differ, and each has one price.
        let mut next = 0;
        for class in tariff.classes() {
            prop_assert_eq!(class.durations.shortest, next);
            for length in class.durations.shortest..=class.durations.longest {
                prop_assert_eq!(tariff.table()[length as usize], class.price);
            }
            next = class.durations.longest + 1;
        }
        prop_assert_eq!(next, limit + 1);
        prop_assert!(tariff.classes().array_windows().all(|[one, other]| one.price != other.price));
    }
}

/// The example of docs/billing.md, by hand.
#[test]
fn the_example_costs_what_it_costs_by_hand() {
    let card = RateCard::from_toml(include_str!("../../examples/tariff.toml")).unwrap();
    let blindrelay_billing::Pricing::Tariff(tariff) = &card.items()[0].prices()[0].pricing else { panic!("a tariff") };
    for (seconds, price) in [
        // Not connected.
        (0, "0"),
        // Free seconds: setup 0.05, raised to the minimum.
        (1, "0.10"),
        (30, "0.10"),
        // A first block: 0.05 + 0.06 = 0.11.
        (31, "0.11"),
        (90, "0.11"),
        // And half a minute more.
        (91, "0.14"),
        (120, "0.14"),
        (121, "0.17"),
        // Ten minutes are charged: 0.05 + 0.60.
        (630, "0.65"),
        // The next block is of the second tier: 0.02.
        (631, "0.67"),
        // An hour is charged: 0.05 + 0.60 + 50 * 0.04 = 2.65, lowered to the maximum.
        (3_630, "2.50"),
        (7_200, "2.50"),
    ] {
        assert_eq!(tariff.charge(seconds).unwrap().with_decimals(3), decimal(price).with_decimals(3), "{seconds}");
    }
    let uncapped = TariffTerms { maximum: None, ..tariff.terms().clone() };
    let uncapped = Tariff::new(uncapped, Unit::Minute, Unit::Second, 7_200).unwrap();
    assert_eq!(uncapped.charge(3_630).unwrap().with_decimals(2).unwrap().to_string(), "2.65");
    assert_eq!(uncapped.charge(3_631).unwrap().to_string(), "2.655");
    assert_eq!(tariff.table_to(30).unwrap().len(), 31);
    assert_eq!(tariff.table_to(7_201).unwrap_err(), TariffError::AboveLimit { units: 7_201, limit: 7_200 });
}

#[test]
fn every_wrong_tariff_has_its_error() {
    let good = TariffTerms::per_unit(decimal("0.06"));
    let refused = |terms: TariffTerms, limit| Tariff::new(terms, Unit::Minute, Unit::Second, limit).unwrap_err();
    let tiers = |afters: &[u64]| {
        let price = decimal("0.60");
        TariffTerms { tiers: afters.iter().map(|&after| Tier { after, price }).collect(), ..good.clone() }
    };
    assert_eq!(refused(good.clone(), 0), TariffError::Limit { limit: 0, most: MAX_LENGTH });
    assert_eq!(refused(good.clone(), 8_192), TariffError::Limit { limit: 8_192, most: MAX_LENGTH });
    assert_eq!(refused(tiers(&[]), 9), TariffError::Tiers { found: 0, most: 64 });
    assert_eq!(refused(tiers(&(0..65).collect::<Vec<_>>()), 9), TariffError::Tiers { found: 65, most: 64 });
    assert_eq!(refused(tiers(&[5]), 9), TariffError::FirstTier { after: 5 });
    assert_eq!(refused(tiers(&[0, 9, 7]), 9), TariffError::TierOrder { after: 7, before: 9 });
    assert_eq!(refused(tiers(&[0, 9, 9]), 9), TariffError::RepeatedTier { after: 9 });
    for (field, terms) in [
        ("first", TariffTerms { first: 0, ..good.clone() }),
        ("increment", TariffTerms { increment: 0, ..good.clone() }),
        ("free", TariffTerms { free: u64::MAX, ..good.clone() }),
    ] {
        assert!(matches!(refused(terms, 9), TariffError::Field { field: of, .. } if of == field), "{field}");
    }
    let bounds = TariffTerms { minimum: decimal("0.011"), maximum: Some(decimal("0.01")), ..good.clone() };
    let (minimum, maximum) = (decimal("0.011"), decimal("0.01"));
    assert_eq!(refused(bounds, 9), TariffError::MinimumAboveMaximum { minimum, maximum });
    let large = TariffTerms { setup: decimal("1000000000000000000"), ..good.clone() };
    assert_eq!(refused(large, 9), TariffError::Overflow { units: 1 });
    // 0.05 a minute is 0.000833.. a second.
    let thirds = TariffTerms::per_unit(decimal("0.05"));
    assert_eq!(refused(thirds, 9), TariffError::Inexact { units: 1, unit: Unit::Minute, measured: Unit::Second });
    let mixed = Tariff::new(good.clone(), Unit::Minute, Unit::Megabyte, 9).unwrap_err();
    assert_eq!(mixed, TariffError::Units { unit: Unit::Minute, measured: Unit::Megabyte });
    // 0.06 a minute is 0.001 a second.
    let tariff = Tariff::new(good, Unit::Minute, Unit::Second, 59).unwrap();
    assert_eq!(tariff.charge(59).unwrap().to_string(), "0.059");
    let all = [
        TariffError::AboveLimit { units: 61, limit: 60 }.to_string(),
        TariffError::TierOrder { after: 7, before: 9 }.to_string(),
    ];
    assert_eq!(all[0], "a call of 61 units is above the limit of 60");
    assert!(all[1].contains("after 7 units") && all[1].contains("after 9"), "{}", all[1]);
}

/// Calls beside minutes; the tariff changes on the 16th.
const CARD: &str = r#"
currency = "EUR"

[[items]]
name = "Minutes"
unit = "minute"
limit = 1440
prices = [{ from = 2026-01-01, price = "0.004" }]

[[items]]
name = "Calls"
kind = "call"
unit = "minute"
limit = 240
calls = 1000

[[items.prices]]
from = 2026-01-01
tariff = { setup = "0.10", free = 2, increment = 5, tiers = [{ after = 0, price = "0.03" }, { after = 60, price = "0.015" }], minimum = "0.15", maximum = "4" }

[[items.prices]]
from = 2026-10-16
tariff = { tiers = [{ after = 0, price = "0.02" }] }
"#;

#[test]
fn every_refusal_of_a_card_names_item_and_field() {
    let refuse = |from: &str, to: &str, expected: &str| {
        assert!(CARD.contains(from), "{from}");
        let error = RateCard::from_toml(&CARD.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(expected), "{to}: {error}");
    };
    refuse("calls = 1000", "calls = 0", "item Calls, field calls: the most calls of one length");
    refuse("calls = 1000", "calls = -1", "item Calls, field calls: invalid value: integer `-1`");
    refuse("limit = 1440", "limit = 1440\ncalls = 5", "item Minutes, field calls: only an item of kind call");
    refuse("limit = 240", "limit = 8192", "item Calls, field limit: the longest call has at most 8191 units");
    refuse("free = 2", "free = -2", "item Calls, field prices[0].tariff.free: invalid value: integer `-2`");
    refuse("free = 2", "increments = 2", "item Calls, field prices[0].tariff.increments: there is no such field");
    refuse("\"0.03\"", "\"-0.03\"", "item Calls, field prices[0].tariff.tiers: '-0.03' is not a price");
    refuse("\"0.10\"", "\"-0.10\"", "item Calls, field prices[0].tariff.setup: '-0.10' is not a price");
    refuse("after = 60", "behind = 60", "item Calls, field prices[0].tariff.tiers: unknown field `behind`");
    refuse("after = 60", "after = 0", "item Calls, tariff since 2026-01-01: two tiers begin after 0 units");
    refuse("maximum = \"4\"", "maximum = \"0.1\"", "item Calls, tariff since 2026-01-01: the minimum of 0.15 is above");
    refuse("increment = 5", "increment = 0", "item Calls, tariff since 2026-01-01: increment is 0");
    refuse(
        "tariff = { tiers = [{ after = 0, price = \"0.02\" }] }",
        "price = \"0.02\"",
        "prices[1].tariff: it is missing",
    );
    refuse(
        "from = 2026-10-16",
        "from = 2026-10-16\nprice = \"0.1\"",
        "item Calls, field prices[1].price: there is no such field, only from and tariff",
    );
    refuse("price = \"0.004\"", "largest = \"0.004\"", "some prices of the card are encrypted");
    let price = "{ from = 2026-01-01, price = \"0.004\" }";
    refuse(
        price,
        "{ from = 2026-01-01, tariff = { tiers = [] } }",
        "item Minutes, field prices[0].price: write either",
    );
    let card = RateCard::from_toml(CARD).unwrap();
    assert_eq!(RateCard::from_json(&card.to_json()).unwrap(), card);
    // More tariffs than a card may have.
    let day = |number: usize| format!("{}-01-01", 2000 + number);
    let many: Vec<String> = (0..129)
        .map(|number| format!("{{ from = {}, tariff = {{ tiers = [{{ after = 0, price = \"1\" }}] }} }}", day(number)))
        .collect();
    let of = |prices: &[String]| {
        let text = "currency = \"EUR\"\n[[items]]\nname = \"Calls\"\nkind = \"call\"\nunit = \"minute\"\nlimit = 9\n";
        RateCard::from_toml(&format!("{text}prices = [{}]", prices.join(",")))
    };
    assert!(of(&many[..128]).is_ok());
    assert!(of(&many).unwrap_err().to_string().contains("at most 128 tariffs"));
}

#[test]
fn lengths_that_have_no_slot_and_prices_that_wrap_are_refused_with_the_card() {
    let layout_of = |card: &str| Layout::new(RateCard::from_toml(card).unwrap(), context());
    // 8,192 slots are 128 lanes of 64, and the minutes need one of them.
    let most = CARD.replace("limit = 240", "limit = 8127");
    assert!(layout_of(&most).is_ok());
    let error = layout_of(&CARD.replace("limit = 240", "limit = 8128")).unwrap_err();
    assert_eq!(error, RateError::Lanes { needed: 129, lane: 64, available: 128 });
    // Prices are in hundredths of a cent: at most 4 EUR a call, a thousand calls of a length, 40,000 a length and batch.
    let layout = layout(CARD);
    let periods = layout.card().periods(day("2026-10-01"), day("2026-11-01"));
    assert_eq!(layout.reach(periods[0], 1), 1_000 * 800);
    assert_eq!(layout.capacity(periods[0]), context().plaintext_limit() / 800_000);
    assert_eq!(layout.reach(periods[1], 3), 3 * 1_000 * 480);
    let calls = context().plaintext_limit() / 800;
    assert!(layout_of(&CARD.replace("calls = 1000", &format!("calls = {calls}"))).is_ok());
    let error = layout_of(&CARD.replace("calls = 1000", &format!("calls = {}", calls + 1))).unwrap_err();
    let (bound, limit) = (u128::from(calls + 1) * 800, u128::from(context().plaintext_limit()));
    assert_eq!(error, RateError::Range { item: "Calls".to_owned(), bound, limit });
    // One batch reaches the whole range: the service refuses a second.
    let full = support::layout(&CARD.replace("calls = 1000", &format!("calls = {calls}")));
    let mut ledger = ledger(&full);
    let readings = [quantity(&full, "Calls", "2026-10-01 00:00:00", 3)];
    let mut meter = meter(&full);
    append(&mut ledger, &batches(&mut meter, &readings));
    let second = batches(&mut meter, &readings);
    let bound = u128::from(calls) * 1600;
    assert_eq!(ledger.append(&second[0].bytes, None), Err(OperatorError::Range { bound, limit }));
}

fn amounts(invoice: &Invoice) -> Vec<(String, u64, String)> {
    invoice.lines.iter().map(|line| (line.label(), line.quantity, line.amount.decimal())).collect()
}

fn agree(layout: &Layout, readings: &[Reading], invoice: &Invoice) {
    let request = (day("2026-10-01"), day("2026-11-01"));
    let clear = reference::charges(layout.card(), readings, request, |_, _| None).unwrap();
    let of_clear = clear.iter().map(|charge| (charge.durations, charge.quantity, charge.amount));
    let lines = invoice.lines.iter().map(|line| (line.durations, u128::from(line.quantity), line.amount));
    assert!(of_clear.eq(lines), "{clear:?}\n{:?}", invoice.lines);
    assert_eq!(invoice.inconsistency(), None);
}

#[test]
fn a_month_of_calls_is_charged_as_by_hand() {
    let layout = layout(CARD);
    let call = |at: &str, minutes| quantity(&layout, "Calls", at, minutes);
    let readings = [
        call("2026-10-01 09:00:00", 0),
        call("2026-10-01 09:00:00", 2),
        call("2026-10-01 09:00:00", 3),
        call("2026-10-02 09:00:00", 7),
        call("2026-10-02 09:00:00", 5),
        call("2026-10-02 09:00:00", 240),
        call("2026-10-20 09:00:00", 7),
        call("2026-10-20 10:00:00", 7),
        quantity(&layout, "Minutes", "2026-10-20 10:00:00", 100),
    ];
    let mut ledger = ledger(&layout);
    let sent = batches(&mut meter(&layout), &readings);
    assert_eq!(sent.iter().map(|batch| batch.lines).sum::<usize>(), 9);
    append(&mut ledger, &sent);
    let (report, _) = report(&ledger, "2026-10-01", "2026-11-01");
    let invoice = invoice(&layout, &report);
    let expected = [
        ("Minutes", 0, "0.00"),
        ("Calls (0 min)", 1, "0.00"),
        // 0.10, raised to 0.15.
        ("Calls (1 to 2 min)", 1, "0.15"),
        // One block of five: 0.10 + 0.15.
        ("Calls (3 to 7 min)", 3, "0.75"),
        // 238 minutes are 48 blocks: 0.10 + 60 * 0.03 + 180 * 0.015 = 4.60, lowered to 4, which 200 minutes cost as well.
        ("Calls (198 to 240 min)", 1, "4.00"),
        ("Minutes", 100, "0.40"),
        ("Calls (7 min)", 2, "0.28"),
    ];
    let expected: Vec<_> = expected.map(|(label, calls, amount)| (label.to_owned(), calls, amount.to_owned())).into();
    assert_eq!(amounts(&invoice), expected);
    assert_eq!(invoice.subtotals.len(), 2);
    assert_eq!(invoice.total.to_string(), "5.58 EUR");
    agree(&layout, &readings, &invoice);
    assert_eq!(Invoice::from_json(&invoice.to_json()).unwrap(), invoice);
    assert!(invoice.to_csv().contains("line,Calls (3 to 7 min),2026-10-01,2026-10-15,3,piece,0.250,piece,0.75,EUR"));
    assert!(invoice.to_html().contains("<td>Calls (198 to 240 min)</td>"));
    // An auditor needs no key.
    let history = vec![sent.iter().map(|batch| batch.bytes.clone()).collect::<Vec<_>>()];
    blindrelay_billing::audit(&charging(), &layout, &history, &invoice).unwrap();
    let other = support::layout(&CARD.replace("increment = 5", "increment = 6"));
    assert!(blindrelay_billing::audit(&charging(), &other, &history, &invoice).is_err());
}

#[test]
fn batches_close_where_a_length_has_its_calls_and_not_where_slots_are_used_up() {
    let layout = layout(&CARD.replace("calls = 1000", "calls = 40"));
    let call = |minutes| quantity(&layout, "Calls", "2026-10-01 09:00:00", minutes);
    // 20,000 calls, more than slots: a batch for every 40 of the same length.
    let even: Vec<Reading> = (0..20_000).map(|number| call(number % 200)).collect();
    let mut meter = meter(&layout);
    let sent = batches(&mut meter, &even);
    assert_eq!(sent.iter().map(|batch| batch.lines).collect::<Vec<_>>(), [8_000, 8_000, 4_000]);
    let mut ledger = ledger(&layout);
    append(&mut ledger, &sent);
    let (report, _) = report(&ledger, "2026-10-01", "2026-11-01");
    agree(&layout, &even, &invoice(&layout, &report));
    // A disputed batch is made again from its calls, in any order.
    let mut meter = support::meter(&layout);
    let readings = [call(7), call(9), call(7)];
    for reading in &readings {
        meter.record(reading, 0).unwrap();
    }
    meter.flush();
    let draft = meter.drafts().remove(0);
    let encryptor = meter.encryptor();
    let (batch, secret) = (encryptor.encrypt(&draft).unwrap(), encryptor.disclose(&draft));
    let key = key().public_key();
    let verify =
        |readings: &[Reading]| verify_readings(&layout, context(), (&key, "relay-1"), readings, &secret, &batch.bytes);
    verify(&readings).unwrap();
    verify(&[call(9), call(7), call(7)]).unwrap();
    assert!(verify(&[call(7), call(9), call(9)]).is_err());
    assert!(verify(&readings[..2]).is_err());
}

#[test]
fn calls_out_of_range_are_refused_before_they_are_counted() {
    let layout = layout(CARD);
    let mut meter = meter(&layout);
    let call = |at, minutes| quantity(&layout, "Calls", at, minutes);
    let item = || "Calls".to_owned();
    let above = MeterError::AboveLimit { item: item(), limit: 240 };
    assert_eq!(meter.record(&call("2026-10-01 00:00:00", 241), 0), Err(above.clone()));
    assert_eq!(meter.record(&call("2026-10-01 00:00:00", -1), 0), Err(MeterError::Negative { item: item() }));
    let early = meter.record(&call("2025-12-31 23:59:59", 1), 0);
    assert!(matches!(early, Err(MeterError::NoPrice { .. })), "{early:?}");
    let interval = interval(&layout, "Calls", "2026-10-01 00:00:00", "2026-10-01 00:04:00");
    assert_eq!(meter.record(&interval, 0), Err(MeterError::Kind { item: item(), expected: "a quantity" }));
    meter.record(&call("2026-10-01 00:00:00", 240), 0).unwrap();
    // A draft is open now: the same on the fast way.
    assert_eq!(meter.record(&call("2026-10-01 00:00:00", 241), 0), Err(above));
    assert_eq!(meter.waiting(), 1);
}

#[test]
fn wrong_counts_and_charges_of_calls_are_refused_in_one_way() {
    let layout = layout(CARD);
    let calls = layout.card().find("Calls").unwrap();
    let mut ledger = ledger(&layout);
    let readings = [quantity(&layout, "Calls", "2026-10-01 00:00:00", 7)];
    append(&mut ledger, &batches(&mut meter(&layout), &readings));
    let (report, _) = report(&ledger, "2026-10-01", "2026-11-01");
    let good = open(&layout, &report).unwrap();
    let slots = layout.slots(calls);
    assert_eq!(good[0][0][usize::from(slots[7])], 1);
    assert_eq!(good[0][0].iter().sum::<i64>(), 1);
    let refused = |change: &dyn Fn(&mut [Vec<i64>; 3])| {
        let mut changed = good.clone();
        change(&mut changed[0]);
        let refused = invoice_of(&layout, &report, &changed);
        assert_eq!(refused.unwrap_err(), blindrelay_billing::InvoiceError::Refused);
    };
    let at = |length: usize| usize::from(slots[length]);
    // A call too many for its charge, a charge of another length, a length that no call has, and more calls than a batch may hold.
    refused(&|[usage, ..]| usage[at(7)] = 2);
    refused(&|[_, charges, _]| charges[at(7)] += 1);
    refused(&|[usage, ..]| {
        usage[at(7)] = 0;
        usage[at(8)] = 1;
    });
    refused(&|[usage, ..]| usage[at(241)] = 1);
    refused(&|[usage, charges, _]| {
        charges[at(7)] *= 1_001;
        usage[at(7)] = 1_001;
    });
    assert!(invoice_of(&layout, &report, &good).is_ok());
}

#[test]
fn tariffs_that_cost_nothing_are_counted() {
    let text = "currency = \"EUR\"\n[[items]]\nname = \"Calls\"\nkind = \"call\"\nunit = \"minute\"\nlimit = 60\n";
    let layout = layout(&format!(
        "{text}prices = [{{ from = 2026-01-01, tariff = {{ tiers = [{{ after = 0, price = \"0\" }}] }} }}]"
    ));
    let mut ledger = ledger(&layout);
    let readings = [quantity(&layout, "Calls", "2026-10-01 00:00:00", 12)];
    append(&mut ledger, &batches(&mut meter(&layout), &readings));
    let (report, _) = report(&ledger, "2026-10-01", "2026-11-01");
    assert!(report.periods[0].charge.is_none());
    let invoice = invoice(&layout, &report);
    assert_eq!(amounts(&invoice), [("Calls (0 to 60 min)".to_owned(), 1, "0.00".to_owned())]);
    agree(&layout, &readings, &invoice);
}
