//! Random tariffs: a card and calls drawn from one number, counted one-hot, charged on ciphertexts and opened, against integers on clear values.

use std::collections::BTreeMap;

use blindrelay_billing::{
    Currency, Date, Durations, Invoice, ItemId, Layout, Measurement, Meter, MeterSettings, Money, Period, RateCard,
    Reading, Report, ReportRequest, Unit, reference,
};
use blindrelay_engine::ring::Seed;
use num_bigint::BigInt;
use num_integer::Integer;
use serde_json::{Value, json};

use crate::generator::Generator;
use crate::invoices::Tenant;

/// What a case had in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    /// Calls.
    pub calls: usize,
    /// Tariffs, each in one period or more.
    pub tariffs: usize,
    /// Lines of the invoice.
    pub invoice_lines: usize,
    /// Batches.
    pub batches: usize,
    /// Bytes of the batches.
    pub bytes: usize,
}

impl std::ops::AddAssign for Size {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.tariffs += other.tariffs;
        self.invoice_lines += other.invoice_lines;
        self.batches += other.batches;
        self.bytes += other.bytes;
    }
}

/// A tariff as plain integers: prices in `10^-decimals` major units.
#[derive(Clone, Debug)]
struct Plain {
    decimals: u32,
    unit: Unit,
    measured: Unit,
    setup: u64,
    free: u64,
    first: u64,
    increment: u64,
    tiers: Vec<(u64, u64)>,
    minimum: u64,
    maximum: Option<u64>,
}

impl Plain {
    fn draw(generator: &mut Generator, unit: Unit, measured: Unit) -> Self {
        let decimals = generator.below(4) as u32;
        // A price per minute that is a multiple of 6 is a decimal per second, and one per hour is a decimal per minute.
        let step = if unit == measured { 1 } else { 6 };
        let mut tiers = vec![(0, step * generator.below(90) as u64)];
        for _ in 0..generator.below(4) {
            let (after, _) = tiers[tiers.len() - 1];
            tiers.push((after + 1 + generator.below(300) as u64, step * generator.below(90) as u64));
        }
        let increment = *generator.choose(&[1, 1, 6, 10, 30, 60]);
        let first = if generator.below(2) == 0 { increment } else { 1 + generator.below(120) as u64 };
        let free = if generator.below(2) == 0 { 0 } else { generator.below(200) as u64 };
        let amount = |generator: &mut Generator| {
            if generator.below(2) == 0 { 0 } else { generator.below(500) as u64 }
        };
        let (setup, minimum) = (amount(generator), amount(generator));
        let maximum = (generator.below(2) == 0).then(|| minimum + generator.below(30_000) as u64);
        Self { decimals, unit, measured, setup, free, first, increment, tiers, minimum, maximum }
    }

    fn json(&self) -> Value {
        let price = |units: u64| {
            let digits = self.decimals as usize;
            let padded = format!("{units:0>width$}", width = digits + 1);
            let (major, minor) = padded.split_at(padded.len() - digits);
            if minor.is_empty() { major.to_owned() } else { format!("{major}.{minor}") }
        };
        let tiers = self.tiers.iter().map(|&(after, units)| json!({"after": after, "price": price(units)}));
        let mut value = json!({
            "setup": price(self.setup), "free": self.free, "first": self.first, "increment": self.increment,
            "tiers": tiers.collect::<Vec<_>>(), "minimum": price(self.minimum),
        });
        if let Some(maximum) = self.maximum {
            value["maximum"] = price(maximum).into();
        }
        value
    }

    /// Price of a call in `1 / (10^decimals * size of the unit)` major units: blocks and units are counted one by one.
    fn price(&self, length: u64) -> u64 {
        let (mut charged, mut covered) = (0, self.free);
        while covered < length {
            let block = if charged == 0 { self.first } else { self.increment };
            (charged, covered) = (charged + block, covered + block);
        }
        let price_of_unit = |unit: u64| {
            let tier = self.tiers.iter().rev().find(|(after, _)| unit > *after).expect("the first tier");
            tier.1 * self.measured.size()
        };
        let size = self.unit.size();
        let setup = if length == 0 { 0 } else { self.setup * size };
        let sum = setup + (1..=charged).map(price_of_unit).sum::<u64>();
        if sum == 0 {
            return 0;
        }
        let raised = sum.max(self.minimum * size);
        self.maximum.map_or(raised, |maximum| raised.min(maximum * size))
    }

    /// `calls * price` in minor units as a numerator and a denominator.
    fn minor(&self, currency: Currency, price: u64, calls: u64) -> (BigInt, BigInt) {
        let numerator = BigInt::from(price) * BigInt::from(calls) * BigInt::from(10).pow(u32::from(currency.digits()));
        (numerator, BigInt::from(10).pow(self.decimals) * BigInt::from(self.unit.size()))
    }
}

/// To the nearest integer, of two the even one.
fn rounded((numerator, denominator): (BigInt, BigInt)) -> BigInt {
    let (quotient, rest) = numerator.div_rem(&denominator);
    let twice = rest * 2;
    if twice > denominator || (twice == denominator && quotient.is_odd()) { quotient + 1 } else { quotient }
}

/// A card, and the tariffs of every item by their first days.
struct Drawn {
    card: RateCard,
    tariffs: Vec<Vec<(Date, Plain)>>,
}

impl Drawn {
    fn new(generator: &mut Generator) -> Self {
        let currencies = Currency::all();
        let units = [
            (Unit::Minute, Unit::Minute),
            (Unit::Second, Unit::Second),
            (Unit::Minute, Unit::Second),
            (Unit::Hour, Unit::Minute),
            (Unit::Piece, Unit::Piece),
        ];
        let (mut items, mut tariffs) = (Vec::new(), Vec::new());
        for number in 0..=generator.below(3) {
            let &(unit, measured) = generator.choose(&units);
            let most = *generator.choose(&[20, 240, 1_500]);
            let limit = 1 + generator.below(most);
            let mut days = vec![Date::from_civil(2026, 1, 1).expect("a day")];
            if generator.below(3) == 0 {
                days.push(Date::from_civil(2026, 10, 2 + generator.below(29) as u32).expect("a day"));
            }
            let of_item: Vec<(Date, Plain)> =
                days.into_iter().map(|day| (day, Plain::draw(generator, unit, measured))).collect();
            let prices: Vec<Value> =
                of_item.iter().map(|(from, tariff)| json!({"from": from, "tariff": tariff.json()})).collect();
            items.push(json!({
                "name": format!("Calls {number}"), "kind": "call", "unit": unit, "measured": measured, "limit": limit,
                "calls": 1 + generator.below(5_000), "prices": prices,
            }));
            tariffs.push(of_item);
        }
        if generator.below(3) == 0 {
            items.push(json!({
                "name": "Data", "unit": "megabyte", "limit": 1000,
                "prices": [{"from": "2026-01-01", "price": "0.01"}],
            }));
        }
        let text = json!({"currency": generator.choose(&currencies), "items": items}).to_string();
        Self { card: RateCard::from_json(&text).expect("a drawn card"), tariffs }
    }

    fn tariff(&self, item: ItemId, period: Period) -> &Plain {
        let of_item = self.tariffs[item.index()].iter().rev();
        &of_item.clone().find(|(from, _)| *from <= period.start).expect("a tariff since January").1
    }

    fn reading(&self, generator: &mut Generator) -> Reading {
        let ids: Vec<ItemId> = self.card.ids().collect();
        let item = *generator.choose(&ids);
        let limit = self.card.item(item).expect("an item").limit();
        let amount = match generator.below(8) {
            0 => limit,
            1 => 0,
            // Most calls are short.
            _ => (generator.below(limit as usize + 1) >> generator.below(4)) as u64,
        };
        let at = Date::from_civil(2026, 10, 1).expect("a day").unix() + generator.below(31 * 86_400) as u64;
        Reading { item, measurement: Measurement::Quantity { at, amount: amount as i64 } }
    }
}

/// Case `number`: so many calls of October 2026 to an invoice, every line of which is compared. Panics where anything differs.
pub fn journey(tenant: &Tenant, number: u64, calls: usize) -> Size {
    let mut generator = Generator::new("tariffs", number);
    let month = ReportRequest::month_of(Date::from_civil(2026, 10, 1).expect("a day"));
    let drawn = Drawn::new(&mut generator);
    let layout = Layout::new(drawn.card.clone(), tenant.context()).expect("lengths that fit the slots");
    let settings = MeterSettings { age: u64::MAX, ..MeterSettings::named("relay") };
    let root = Seed::from_bytes([number as u8; 32]);
    let mut meter =
        Meter::new(&layout, tenant.context(), tenant.public_key(), root, &settings).expect("a meter of this layout");
    let mut readings = Vec::with_capacity(calls);
    for _ in 0..calls {
        let reading = drawn.reading(&mut generator);
        meter.record(&reading, 0).expect("a call within its limits");
        readings.push(reading);
    }
    meter.flush();
    let batches = meter.batches().expect("batches");
    let history: Vec<Vec<u8>> = batches.into_iter().map(|batch| batch.bytes).collect();
    let bytes = history.iter().map(Vec::len).sum();
    let report = tenant.service(&drawn.card, std::slice::from_ref(&history), month, &mut generator);
    let invoice = tenant.open(&layout, &Report::from_bytes(&report, tenant.context()).expect("a report"));
    compare(&drawn, &readings, month, &invoice, number);
    Size {
        calls,
        tariffs: drawn.tariffs.iter().map(Vec::len).sum(),
        invoice_lines: invoice.lines.len(),
        batches: history.len(),
        bytes,
    }
}

fn compare(drawn: &Drawn, readings: &[Reading], month: ReportRequest, invoice: &Invoice, number: u64) {
    assert_eq!(invoice.inconsistency(), None, "case {number}");
    let (card, currency) = (&drawn.card, drawn.card.currency());
    let mut lines = invoice.lines.iter().peekable();
    let mut total = BigInt::from(0);
    for period in card.periods(month.from, month.until) {
        for (id, item) in card.ids().zip(card.items()) {
            let mut counts = BTreeMap::<u64, u64>::new();
            let mut quantity = 0;
            for reading in readings.iter().filter(|reading| reading.item == id) {
                let Measurement::Quantity { at, amount } = reading.measurement else {
                    panic!("case {number}: no call")
                };
                if period.contains(at) {
                    *counts.entry(amount as u64).or_default() += 1;
                    quantity += amount as u64;
                }
            }
            if item.calls().is_none() {
                let line = lines.next().expect("a line of data");
                assert_eq!((line.quantity, line.durations), (quantity, None), "case {number}");
                let hundredths = BigInt::from(quantity) * BigInt::from(10).pow(u32::from(currency.digits()));
                total += rounded((hundredths, 100.into()));
                continue;
            }
            let tariff = drawn.tariff(id, period);
            let (mut exact, mut whole) = (BigInt::from(0), true);
            let mut amounts = BigInt::from(0);
            while let Some(line) = lines.next_if(|line| line.item == item.name() && line.from == period.start) {
                let Durations { shortest, longest, unit } = line.durations.expect("lengths of calls");
                assert_eq!(unit, item.measured(), "case {number}");
                let price = tariff.price(shortest);
                assert!((shortest..=longest).all(|length| tariff.price(length) == price), "case {number}");
                let of_class: Vec<u64> = counts.range(shortest..=longest).map(|(&length, _)| length).collect();
                let calls = of_class.iter().filter_map(|length| counts.remove(length)).sum::<u64>();
                assert!(calls > 0, "case {number}: a line without calls");
                assert_eq!(line.quantity, calls, "case {number}, {}", line.label());
                let expected = rounded(tariff.minor(currency, price, calls));
                assert_eq!(BigInt::from(line.amount.minor()), expected, "case {number}, {}", line.label());
                let (one, denominator) = tariff.minor(currency, price, 1);
                whole &= one.is_multiple_of(&denominator);
                exact += one * calls / denominator;
                amounts += expected;
            }
            assert!(counts.is_empty(), "case {number}: calls without a line: {counts:?}");
            // Where every price is a whole number of minor units, nothing was rounded at all.
            assert!(!whole || exact == amounts, "case {number}: {exact} instead of {amounts}");
            total += amounts;
        }
    }
    assert!(lines.next().is_none(), "case {number}: a line too many");
    assert_eq!(BigInt::from(invoice.total.minor()), total, "case {number}");
    let clear = reference::charges(card, readings, (month.from, month.until), |_, _| None).expect("public prices");
    let amount = |amount: Money, durations: Option<Durations>| (amount.minor(), durations);
    let clear = clear.iter().map(|charge| amount(charge.amount, charge.durations));
    assert!(clear.eq(invoice.lines.iter().map(|line| amount(line.amount, line.durations))), "case {number}");
}
