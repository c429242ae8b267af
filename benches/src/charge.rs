//! The charge of 8,192 usage lines, from a relay's readings to the total, at N = 8192.

use std::sync::Arc;

use blindrelay_billing::{
    Batch, Charging, Date, ItemId, Layout, Ledger, Measurement, Meter, MeterSettings, RateCard, Reading, ReceivedBatch,
    Report, ReportRequest,
};
use blindrelay_engine::bfv::{Ciphertext, Context, Evaluator};
use blindrelay_engine::operator::Accumulator;
use blindrelay_engine::params::{BILL_8192, Level};
use blindrelay_engine::ring::Seed;
use blindrelay_kernels::{Backend, Modulus};
use blindrelay_keyholder::{SecretKey, hazmat};

use crate::random::SplitMix64;
use crate::{Error, agree, room};

/// Usage lines in a batch: the slots of `bill-8192`.
pub const LINES: usize = 8192;

/// Two items, half of the slots each.
const PUBLIC: &str = r#"
currency = "EUR"
items = [
    { name = "Participant minutes", unit = "minute", measured = "second", limit = 86400,
      prices = [{ from = "2026-01-01", price = "0.0037" }] },
    { name = "Relayed data", unit = "gigabyte", measured = "megabyte", limit = 100000,
      prices = [{ from = "2026-01-01", price = "0.09" }] },
]
"#;

/// The same without the prices.
const ENCRYPTED: &str = r#"
currency = "EUR"
items = [
    { name = "Participant minutes", unit = "minute", measured = "second", limit = 86400,
      prices = [{ from = "2026-01-01", largest = "0.0100" }] },
    { name = "Relayed data", unit = "gigabyte", measured = "megabyte", limit = 100000,
      prices = [{ from = "2026-01-01", largest = "0.50" }] },
]
"#;

/// The prices under [`ENCRYPTED`], those of [`PUBLIC`].
const PRICES: [&str; 2] = ["0.0037", "0.09"];

/// Who knows the prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prices {
    /// Everybody.
    Public,
    /// The tenant alone: the service multiplies two ciphertexts.
    Encrypted,
}

/// Our side: one tenant, a relay that has counted a batch of lines, and the service's sums.
pub struct Tenant {
    layout: Arc<Layout>,
    key: SecretKey,
    readings: Vec<Reading>,
    evaluator: Evaluator,
    ledger: Ledger,
    request: ReportRequest,
    usage: Ciphertext,
    rates: Option<Ciphertext>,
    clear: Clear,
    level: Level,
}

/// What the slots hold.
#[derive(Clone, Debug)]
pub struct Clear {
    /// Usage, line by line.
    pub usage: Vec<i64>,
    /// The rate of each line.
    pub rates: Vec<i64>,
    /// Usage times rate.
    pub charges: Vec<i64>,
    /// Their sum.
    pub total: i64,
}

impl Clear {
    fn new(usage: Vec<i64>, rates: Vec<i64>) -> Self {
        let charges: Vec<i64> = usage.iter().zip(&rates).map(|(usage, rate)| usage * rate).collect();
        let total = charges.iter().sum();
        Self { usage, rates, charges, total }
    }
}

impl Tenant {
    /// Refused where the charge opens to something else than the clear one.
    pub fn new(prices: Prices, backend: Backend) -> Result<Self, Error> {
        let context = room::context(BILL_8192, backend)?;
        let card = RateCard::from_toml(if prices == Prices::Public { PUBLIC } else { ENCRYPTED })?;
        let layout = Layout::new(card, &context)?;
        let key = SecretKey::from_seed(&context, Seed::from_bytes([9; 32]));
        let day: Date = "2026-10-05".parse().map_err(|_| Error::Received("no date".to_owned()))?;
        let readings = readings(&layout, day);
        let request = ReportRequest::month_of(day);
        let period = layout.card().period_from(request.from).ok_or_else(|| missing("period"))?;

        let mut meter = meter(&layout, &key)?;
        let batch = count(&mut meter, &readings)?;
        let mut ledger = Charging::new(&context)?.ledger(layout.card().clone())?;
        ledger.append(&batch.bytes, None)?;
        if prices == Prices::Encrypted {
            let prices = PRICES.map(|price| price.parse().ok());
            ledger.append(&meter.encryptor().encrypt_rates(request.from, &prices)?, None)?;
        }
        let received = ReceivedBatch::from_bytes(&batch.bytes, &context)?;
        let usage = received.ciphertexts.into_iter().next().ok_or_else(|| missing("usage"))?;

        let bytes = ledger.report(request.to_json().as_bytes(), None)?;
        let report = Report::from_bytes(&bytes, &context)?.periods.into_iter().next();
        let report = report.ok_or_else(|| missing("period"))?;
        let charge = report.charge.ok_or_else(|| missing("charge"))?;
        let (rates, rate_slots) = match report.rates {
            None => {
                let numerators: Vec<_> = layout.rates(period).into_iter().map(|rate| rate?.numerator).collect();
                (None, layout.spread(|item| numerators.get(item.index()).copied().flatten().unwrap_or(0)))
            }
            // As fresh as the service keeps them, not switched down as the report shows them.
            Some(rates) => {
                let slots = open(&key, &rates)?;
                (Some(context.encrypt(&context.encode_slots(&slots)?, &key.public_key())?), slots)
            }
        };
        let clear = Clear::new(usage_slots(&layout, &readings), rate_slots);
        agree("usage", "blindrelay", &open(&key, &usage)?, &clear.usage)?;
        agree("report", "blindrelay", &open(&key, &charge)?, &clear.charges)?;
        let (evaluator, level) = (Evaluator::new(&context), charge.level());
        let tenant = Self { layout, key, readings, evaluator, ledger, request, usage, rates, clear, level };
        let charge = tenant.charge()?;
        agree("charge", "blindrelay", &open(&tenant.key, &charge)?, &tenant.clear.charges)?;
        agree("total", "blindrelay", &tenant.total(&charge)?, &tenant.clear.total)?;
        Ok(tenant)
    }

    /// A meter of the relay.
    pub fn meter(&self) -> Result<Meter, Error> {
        meter(&self.layout, &self.key)
    }

    /// All readings counted and sealed as one batch.
    pub fn batch(&self, meter: &mut Meter) -> Result<Batch, Error> {
        count(meter, &self.readings)
    }

    /// Usage times rates, ready to be written: switched down as in a report. Subtotals and total are sums of its coefficients.
    pub fn charge(&self) -> Result<Ciphertext, Error> {
        let product = match &self.rates {
            Some(rates) => self.evaluator.multiply(&self.usage, rates)?,
            None => self.evaluator.mul_plain(&self.usage, &self.context().encode_slots(&self.clear.rates)?)?,
        };
        Ok(self.evaluator.switch_down_to(&product, self.level)?)
    }

    /// The total in a charge, without the lines: `n` times the constant coefficient.
    pub fn total(&self, charge: &Ciphertext) -> Result<i64, Error> {
        let plaintext = hazmat::decrypt(&self.key, charge)?;
        let (_, total) =
            self.layout.partial_trace(self.context(), &plaintext).ok_or_else(|| missing("partial trace"))?;
        Ok(self.context().plaintext_modulus().centre(total))
    }

    /// A report of the month, from encrypted sums to bytes.
    pub fn report(&self) -> Result<Vec<u8>, Error> {
        Ok(self.ledger.report(self.request.to_json().as_bytes(), None)?)
    }

    /// What is in the slots.
    pub const fn clear(&self) -> &Clear {
        &self.clear
    }

    /// The plaintext modulus.
    pub fn plaintext_modulus(&self) -> Modulus {
        self.context().plaintext_modulus()
    }

    /// The parameters in words.
    pub fn parameters(&self) -> String {
        let (bits, t) = (self.context().parameters().modulus_bits(), self.plaintext_modulus().value());
        format!("{BILL_8192}: N={LINES} log2(Q)={bits} t={t}")
    }

    fn context(&self) -> &Context {
        self.evaluator.context()
    }
}

fn missing(what: &str) -> Error {
    Error::Received(format!("the report has no {what}"))
}

fn meter(layout: &Arc<Layout>, key: &SecretKey) -> Result<Meter, Error> {
    let settings = MeterSettings { age: u64::MAX, ..MeterSettings::named("bench") };
    Ok(Meter::new(layout, key.context(), key.public_key(), Seed::from_bytes([4; 32]), &settings)?)
}

/// As many readings of each item as it has slots.
fn readings(layout: &Layout, day: Date) -> Vec<Reading> {
    let mut random = SplitMix64::new(5);
    let items: Vec<ItemId> = layout.card().ids().collect();
    let reading = |(number, &item): (u64, &ItemId)| {
        let amount = (random.next_word() % 3601) as i64;
        Reading { item, measurement: Measurement::Quantity { at: day.unix() + number, amount } }
    };
    (0..LINES as u64).zip(items.iter().cycle()).map(reading).collect()
}

/// Where the readings of each item belong, in their order.
fn usage_slots(layout: &Layout, readings: &[Reading]) -> Vec<i64> {
    let mut slots = vec![0; LINES];
    for item in layout.card().ids() {
        let amounts = readings.iter().filter(|reading| reading.item == item).map(|reading| match reading.measurement {
            Measurement::Quantity { amount, .. } => amount,
            Measurement::Interval { join, leave } => leave as i64 - join as i64,
        });
        for (&slot, amount) in layout.slots(item).iter().zip(amounts) {
            if let Some(place) = slots.get_mut(usize::from(slot)) {
                *place = amount;
            }
        }
    }
    slots
}

fn count(meter: &mut Meter, readings: &[Reading]) -> Result<Batch, Error> {
    for reading in readings {
        meter.record(reading, 0)?;
    }
    meter.flush();
    let mut batches = meter.batches()?;
    agree("lines of a batch", "blindrelay", &batches.iter().map(|batch| batch.lines).collect(), &vec![LINES])?;
    batches.pop().ok_or_else(|| missing("batch"))
}

fn open(key: &SecretKey, ciphertext: &Ciphertext) -> Result<Vec<i64>, Error> {
    Ok(key.context().decode_slots(&hazmat::decrypt(key, ciphertext)?)?)
}
