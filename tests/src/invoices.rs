//! Random invoices: a card, readings, relays and months drawn from one number, charged on ciphertexts and opened, against integers on clear values.

use std::sync::Arc;

use blindrelay_billing::{
    Charging, Currency, Date, Decimal, Invoice, InvoiceDetails, ItemId, ItemKind, Layout, Measurement, Meter,
    MeterSettings, OpenedPeriod, Period, RateCard, Reading, Report, ReportRequest, Unit, audit,
};
use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::Accumulation;
use blindrelay_engine::params::{BILL_8192, Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::PublicKey;
use blindrelay_keyholder::SecretKey;
use num_bigint::BigInt;
use num_integer::Integer;
use serde_json::{Value, json};

use crate::generator::Generator;

/// More batches of a period than a journey makes.
const MOST_BATCHES: u64 = 256;

/// A tenant with its key, and the operator.
pub struct Tenant {
    context: Arc<Context>,
    key: SecretKey,
    charging: Charging,
}

/// What a journey had in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    /// Lines of usage.
    pub lines: usize,
    /// Lines of the invoice.
    pub invoice_lines: usize,
    /// Batches.
    pub batches: usize,
}

impl Default for Tenant {
    fn default() -> Self {
        Self::new(Backend::detect())
    }
}

/// A card with encrypted or public prices, and the prices of every item and period.
struct Drawn {
    card: RateCard,
    prices: Vec<Vec<(Date, Decimal)>>,
}

impl Drawn {
    fn price(&self, item: ItemId, day: Date) -> Option<Decimal> {
        self.prices[item.index()].iter().rev().find(|(from, _)| *from <= day).map(|&(_, price)| price)
    }
}

/// Below a random power of two, so that small numbers are as common as large ones.
fn up_to_power(generator: &mut Generator, most: usize) -> u64 {
    let bound = 1 << generator.below(most);
    generator.below(bound) as u64
}

fn price(generator: &mut Generator, decimals: u8) -> Decimal {
    let units = match generator.below(6) {
        0 => 0,
        1 => 1,
        _ => up_to_power(generator, 16),
    };
    Decimal::new(units, decimals).expect("a short price")
}

/// Days on which prices begin: one before the year, others in October 2026.
fn days(generator: &mut Generator) -> Vec<Date> {
    let october = Date::from_civil(2026, 10, 1).expect("a day").days();
    let mut days = vec![Date::from_civil(2026, 1, 1).expect("a day").days()];
    days.extend((0..generator.below(3)).map(|_| october + generator.below(31) as u32));
    if generator.below(8) == 0 {
        // The item is new.
        days.remove(0);
        days.push(october + generator.below(31) as u32);
    }
    days.sort_unstable();
    days.dedup();
    days.into_iter().map(|days| Date::from_days(days).expect("a day")).collect()
}

fn draw_card(generator: &mut Generator) -> Drawn {
    let currencies = Currency::all();
    let currency = generator.choose(&currencies).to_string();
    let encrypted = generator.below(4) == 0;
    let kinds: [(&str, &str, &str); 9] = [
        ("interval", "minute", "second"),
        ("interval", "hour", "second"),
        ("quantity", "minute", "second"),
        ("quantity", "second", "minute"),
        ("quantity", "gigabyte", "byte"),
        ("quantity", "megabyte", "kilobyte"),
        ("quantity", "byte", "byte"),
        ("quantity", "kilobyte", "megabyte"),
        ("quantity", "piece", "piece"),
    ];
    let (mut items, mut prices) = (Vec::new(), Vec::new());
    for number in 0..=generator.below(6) {
        let (kind, unit, measured) = *generator.choose(&kinds);
        let limit = if kind == "interval" {
            86_400 * (1 + generator.below(7))
        } else {
            1 + up_to_power(generator, 24) as usize
        };
        let decimals = generator.below(5) as u8;
        let drawn: Vec<(Date, Decimal)> =
            days(generator).into_iter().map(|day| (day, price(generator, decimals))).collect();
        let entry = |&(from, price): &(Date, Decimal)| {
            let largest = Decimal::new(price.units() + 3, decimals).expect("a short price");
            if encrypted { json!({"from": from, "largest": largest}) } else { json!({"from": from, "price": price}) }
        };
        items.push(json!({
            "name": format!("Item {number}"), "kind": kind, "unit": unit, "measured": measured, "limit": limit,
            "weight": 1 + generator.below(9), "prices": drawn.iter().map(entry).collect::<Vec<Value>>(),
        }));
        prices.push(drawn);
    }
    let text = json!({"currency": currency, "items": items}).to_string();
    Drawn { card: RateCard::from_json(&text).expect("a drawn card"), prices }
}

/// A reading in October 2026, now and then beyond its ends; often at a limit.
fn draw_reading(generator: &mut Generator, drawn: &Drawn) -> Reading {
    let ids: Vec<ItemId> = drawn.card.ids().collect();
    let item = *generator.choose(&ids);
    let of = drawn.card.item(item).expect("an item");
    let start = Date::from_civil(2026, 10, 1).expect("a day").unix() - 86_400;
    let at = start + generator.below(33 * 86_400) as u64;
    let amount = match generator.below(8) {
        0 => of.limit(),
        1 => 0,
        _ => generator.below(of.limit() as usize + 1) as u64,
    };
    let measurement = match of.kind() {
        ItemKind::Quantity | ItemKind::Call => Measurement::Quantity { at, amount: amount as i64 },
        ItemKind::Interval => Measurement::Interval { join: at, leave: at + amount },
    };
    Reading { item, measurement }
}

impl Tenant {
    /// A tenant on one backend.
    pub fn new(backend: Backend) -> Self {
        let parameters = Parameters::new(preset(BILL_8192).expect("a preset"), backend).expect("a valid set");
        let context = Context::new(&parameters).expect("a BFV set");
        let key = SecretKey::from_seed(&context, Seed::from_bytes([21; 32]));
        let charging = Charging::new(&context).expect("a card within its limits");
        Self { context, key, charging }
    }

    pub(crate) const fn context(&self) -> &Arc<Context> {
        &self.context
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    /// Case `number`: usage of October 2026 through one or two relays, restarts and merges to an invoice, every line of which is compared. Panics where
    /// anything differs.
    pub fn journey(&self, number: u64) -> Size {
        let mut generator = Generator::new("invoices", number);
        let month = ReportRequest::month_of(Date::from_civil(2026, 10, 1).expect("a day"));
        // A card whose lines could wrap is refused, and one that takes few batches is not what this is about: the next one is drawn.
        let (drawn, layout) = loop {
            let drawn = draw_card(&mut generator);
            let layout = Layout::new(drawn.card.clone(), &self.context);
            let roomy = |layout: &Arc<Layout>| {
                drawn
                    .card
                    .periods(month.from, month.until)
                    .iter()
                    .all(|&period| layout.capacity(period) >= MOST_BATCHES)
            };
            if let Some(layout) = layout.ok().filter(roomy) {
                break (drawn, layout);
            }
        };
        let count = match generator.below(10) {
            0 => 0,
            1 => generator.below(3_000),
            _ => generator.below(200),
        };
        let mut meters: Vec<Meter> =
            (0..=generator.below(2)).map(|relay| self.meter(&layout, relay, &mut generator)).collect();
        let (mut counted, mut histories) = (Vec::new(), vec![Vec::new(); meters.len()]);
        Self::encrypt_rates(&drawn, &layout, month, &meters[0], &mut histories[0]);
        for _ in 0..count {
            let reading = draw_reading(&mut generator, &drawn);
            let relay = generator.below(meters.len());
            // Readings before the first price of their item are refused, and then nothing of them is counted.
            if meters[relay].record(&reading, 0).is_ok() {
                counted.push(reading);
            }
        }
        for (meter, history) in meters.iter_mut().zip(&mut histories) {
            meter.flush();
            history.extend(meter.batches().expect("batches").into_iter().map(|batch| batch.bytes));
        }
        let bytes = self.service(&drawn.card, &histories, month, &mut generator);
        let invoice = self.open(&layout, &Report::from_bytes(&bytes, &self.context).expect("a report"));
        compare(&drawn, &counted, month, &invoice, number);
        if generator.below(8) == 0 {
            audit(&self.charging, &layout, &histories, &invoice).expect("an honest invoice");
        }
        Size { lines: counted.len(), invoice_lines: invoice.lines.len(), batches: histories.iter().map(Vec::len).sum() }
    }

    fn meter(&self, layout: &Arc<Layout>, relay: usize, generator: &mut Generator) -> Meter {
        let size = if generator.below(3) == 0 { 1 + generator.below(1_000) } else { usize::MAX };
        // Few batches: a journey is about amounts.
        let settings =
            MeterSettings { size: size.max(200), age: u64::MAX, ..MeterSettings::named(&format!("relay-{relay}")) };
        let root = Seed::from_bytes([generator.below(256) as u8; 32]);
        Meter::new(layout, &self.context, self.key.public_key(), root, &settings).expect("a meter")
    }

    fn encrypt_rates(drawn: &Drawn, layout: &Layout, month: ReportRequest, meter: &Meter, history: &mut Vec<Vec<u8>>) {
        if !layout.card().has_encrypted_prices() {
            return;
        }
        for period in layout.card().periods(month.from, month.until) {
            let prices: Vec<Option<Decimal>> = drawn.card.ids().map(|item| drawn.price(item, period.start)).collect();
            history.push(meter.encryptor().encrypt_rates(period.start, &prices).expect("allowed prices"));
        }
    }

    /// What a service does with the messages: a ledger for each relay, stored and restored now and then, merged at the end.
    pub(crate) fn service(
        &self,
        card: &RateCard,
        histories: &[Vec<Vec<u8>>],
        month: ReportRequest,
        generator: &mut Generator,
    ) -> Vec<u8> {
        let settings = card.to_json();
        let mut ledgers = histories.iter().map(|history| {
            let mut ledger = self.charging.new_accumulator(&settings).expect("a ledger");
            for message in history {
                ledger.append(message, None).expect("an honest batch");
                if generator.below(4) == 0 {
                    ledger = self.charging.restore(&settings, &ledger.to_bytes()).expect("a state");
                }
            }
            ledger
        });
        let mut first = ledgers.next().expect("at least one relay");
        for other in ledgers {
            first.merge(&other.to_bytes()).expect("sums of the same card");
        }
        first.report(month.to_json().as_bytes(), None).expect("a report")
    }

    pub(crate) fn open(&self, layout: &Layout, report: &Report) -> Invoice {
        let open = |ciphertext: &Option<_>, ranges: &[(i64, i64)]| {
            let open = |ciphertext| self.key.open_slots(ciphertext, ranges).expect("an honest ciphertext").to_vec();
            ciphertext.as_ref().map(open).unwrap_or_default()
        };
        let slots: Vec<[Vec<i64>; 3]> = report
            .periods
            .iter()
            .map(|period| {
                let [usage, charge, rates] = layout.ranges(period.period, period.batches);
                [open(&period.usage, &usage), open(&period.charge, &charge), open(&period.rates, &rates)]
            })
            .collect();
        let opened: Vec<OpenedPeriod<'_>> =
            slots.iter().map(|[usage, charges, rates]| OpenedPeriod { usage, charges, rates }).collect();
        let day = Date::from_civil(2026, 11, 1).expect("a day");
        let text = |text: &str| text.to_owned();
        let details =
            InvoiceDetails { number: text("1"), issued: day, supplier: text("s"), customer: text("c"), note: text("") };
        Invoice::new(layout, report, &opened, &self.context, details).expect("an honest report")
    }
}

/// `price * 10^digits * measured / unit * quantity` by big integers, rounded half to even: nothing of the crate's own arithmetic.
fn amount(currency: Currency, price: Decimal, unit: Unit, measured: Unit, quantity: u64) -> BigInt {
    let numerator = BigInt::from(price.units())
        * BigInt::from(10).pow(u32::from(currency.digits()))
        * BigInt::from(measured.size())
        * BigInt::from(quantity);
    let denominator = BigInt::from(10).pow(u32::from(price.decimals())) * BigInt::from(unit.size());
    let (quotient, rest) = numerator.div_rem(&denominator);
    let twice = rest * 2;
    let up = twice > denominator || (twice == denominator && quotient.is_odd());
    if up { quotient + 1 } else { quotient }
}

fn quantity_within(measurement: Measurement, period: Period) -> u64 {
    match measurement {
        Measurement::Quantity { at, amount } => {
            if period.contains(at) {
                amount as u64
            } else {
                0
            }
        }
        Measurement::Interval { join, leave } => {
            leave.min(period.end.unix()).saturating_sub(join.max(period.start.unix()))
        }
    }
}

fn compare(drawn: &Drawn, counted: &[Reading], month: ReportRequest, invoice: &Invoice, number: u64) {
    assert_eq!(invoice.inconsistency(), None, "case {number}");
    let card = &drawn.card;
    let (mut lines, mut total) = (invoice.lines.iter(), BigInt::from(0));
    for period in card.periods(month.from, month.until) {
        for (id, item) in card.ids().zip(card.items()) {
            let Some(price) = drawn.price(id, period.start) else { continue };
            let readings = counted.iter().filter(|reading| reading.item == id);
            let quantity: u64 = readings.map(|reading| quantity_within(reading.measurement, period)).sum();
            let expected = amount(card.currency(), price, item.unit(), item.measured(), quantity);
            let line = lines.next().unwrap_or_else(|| panic!("case {number}: a line is missing"));
            assert_eq!(
                (line.item.as_str(), line.from, line.quantity),
                (item.name(), period.start, quantity),
                "case {number}"
            );
            assert_eq!(BigInt::from(line.amount.minor()), expected, "case {number}, {} from {}", line.item, line.from);
            assert_eq!(line.price.to_string(), price.to_string(), "case {number}");
            total += expected;
        }
    }
    assert!(lines.next().is_none(), "case {number}: a line too many");
    assert_eq!(BigInt::from(invoice.total.minor()), total, "case {number}");
    let clear = blindrelay_billing::reference::charges(card, counted, (month.from, month.until), |item, period| {
        drawn.price(item, period.start)
    });
    let clear = clear.expect("amounts that fit");
    assert!(clear.iter().map(|charge| charge.amount).eq(invoice.lines.iter().map(|line| line.amount)), "case {number}");
}
