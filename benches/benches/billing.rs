//! Charges at `bill-8192`, one batch of 8,192 lines at a time: `meter/<step>/<backend>` is the relay's side, `charge/<step>/<backend>` the service's.
//!
//! `meter/batch` goes from readings in memory to bytes for the wire; the other steps of the meter are its parts. `charge/public` and `charge/encrypted` are usage times
//! rates, slot by slot; subtotals and total are coefficients of the result and cost nothing more. `charge/report` is a whole report of one period, from sums to bytes.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use blindrelay_billing::{
    Batch, Charging, Date, ItemId, Layout, Measurement, Meter, MeterSettings, RateCard, Reading, ReceivedBatch,
};
use blindrelay_engine::bfv::{Context, Evaluator};
use blindrelay_engine::operator::Accumulator;
use blindrelay_engine::params::{BILL_8192, Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::Wire;
use blindrelay_kernels::Backend;
use blindrelay_keyholder::SecretKey;
use criterion::{BatchSize, Criterion, Throughput};

const CARD: &str = r#"{"currency":"EUR","items":[
    {"name":"Participant minutes","unit":"minute","measured":"second","limit":86400,
     "prices":[{"from":"2026-01-01","price":"0.0040"}]},
    {"name":"Relayed data","unit":"gigabyte","measured":"kilobyte","limit":100000000,
     "prices":[{"from":"2026-01-01","price":"0.09"}]}]}"#;

const REQUEST: &[u8] = br#"{"from":"2026-10-01","until":"2026-11-01"}"#;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

struct Relay {
    context: Arc<Context>,
    layout: Arc<Layout>,
    key: SecretKey,
    readings: Vec<Reading>,
}

impl Relay {
    fn new(backend: Backend) -> Result<Self> {
        let context = Context::new(&Parameters::new(preset(BILL_8192)?, backend)?)?;
        let layout = Layout::new(RateCard::from_json(CARD)?, &context)?;
        let key = SecretKey::from_seed(&context, Seed::from_bytes([3; 32]));
        let start: Date = "2026-10-01".parse()?;
        let items: Vec<ItemId> = layout.card().ids().collect();
        let reading = |(number, &item): (u64, &ItemId)| Reading {
            item,
            measurement: Measurement::Quantity { at: start.unix() + 60 * number, amount: (number % 3600) as i64 },
        };
        let readings = (0..layout.slot_count() as u64).zip(items.iter().cycle()).map(reading).collect();
        Ok(Self { context, layout, key, readings })
    }

    fn meter(&self) -> Result<Meter> {
        let settings = MeterSettings { age: u64::MAX, ..MeterSettings::named("bench") };
        Ok(Meter::new(&self.layout, &self.context, self.key.public_key(), Seed::from_bytes([4; 32]), &settings)?)
    }

    fn fill(&self, meter: &mut Meter) {
        for reading in &self.readings {
            // Every reading is within its limits; a refused one would leave fewer lines, which `check` sees.
            let _ = black_box(meter.record(black_box(reading), 0));
        }
        meter.flush();
    }

    /// One full batch, counted and added up.
    fn batch(&self) -> Result<Batch> {
        let mut meter = self.meter()?;
        self.fill(&mut meter);
        let mut batches = meter.batches()?;
        let lines: usize = batches.iter().map(|batch| batch.lines).sum();
        if lines != self.layout.slot_count() {
            return Err(format!("{lines} lines were counted, not {}", self.layout.slot_count()).into());
        }
        batches.truncate(1);
        batches.pop().ok_or_else(|| "no batch".into())
    }
}

fn measure_meter(criterion: &mut Criterion, relay: &Relay, name: &str) -> Result<()> {
    let mut group = criterion.benchmark_group("meter");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).sample_size(30);
    group.throughput(Throughput::Elements(relay.layout.slot_count() as u64));
    let mut meter = relay.meter()?;
    group.bench_function(format!("batch/{name}"), |bencher| {
        bencher.iter(|| {
            relay.fill(&mut meter);
            black_box(meter.batches())
        });
    });
    group.bench_function(format!("fill/{name}"), |bencher| {
        bencher.iter(|| {
            relay.fill(&mut meter);
            black_box(meter.drafts())
        });
    });
    let values: Vec<i64> = (0..relay.layout.slot_count() as i64).collect();
    group.bench_function(format!("encode/{name}"), |bencher| {
        bencher.iter(|| black_box(relay.context.encode_slots(black_box(&values))));
    });
    let (plaintext, public) = (relay.context.encode_slots(&values)?, relay.key.public_key());
    let mut number = 0_u64;
    group.bench_function(format!("encrypt/{name}"), |bencher| {
        bencher.iter(|| {
            number += 1;
            let seed = Seed::from_bytes([number as u8; 32]);
            black_box(relay.context.encrypt_with_seed(black_box(&plaintext), &public, &seed))
        });
    });
    let ciphertext = relay.context.encrypt(&plaintext, &public)?;
    group.bench_function(format!("encode-wire/{name}"), |bencher| bencher.iter(|| black_box(ciphertext.to_bytes())));
    group.finish();
    Ok(())
}

fn measure_charge(criterion: &mut Criterion, relay: &Relay, name: &str) -> Result<()> {
    let batch = relay.batch()?;
    let received = ReceivedBatch::from_bytes(&batch.bytes, &relay.context)?;
    let usage = received.ciphertexts.first().ok_or("a batch has a ciphertext")?;
    let evaluator = Evaluator::new(&relay.context);
    let rates = relay.layout.spread(|item| 1 + item.index() as u64);
    let plaintext = relay.context.encode_slots(&rates)?;
    let prepared = evaluator.prepare_plaintext(&plaintext, usage.level())?;
    let encrypted = relay.context.encrypt(&plaintext, &relay.key.public_key())?;
    let charging = Charging::new(&relay.context)?;
    let mut ledger = charging.ledger(relay.layout.card().clone())?;
    ledger.append(&batch.bytes, None)?;

    let mut group = criterion.benchmark_group("charge");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).sample_size(30);
    group.bench_function(format!("public/{name}"), |bencher| {
        bencher.iter(|| black_box(evaluator.mul_plain(black_box(usage), &plaintext)));
    });
    group.bench_function(format!("public-prepared/{name}"), |bencher| {
        bencher.iter(|| black_box(evaluator.mul_prepared_plain(black_box(usage), &prepared)));
    });
    group.bench_function(format!("encrypted/{name}"), |bencher| {
        bencher.iter(|| black_box(evaluator.multiply(black_box(usage), &encrypted)));
    });
    group.bench_function(format!("report/{name}"), |bencher| {
        bencher.iter(|| black_box(ledger.report(REQUEST, None)));
    });
    // Sums stop taking batches where they could wrap, so that every round begins with the same one.
    group.bench_function(format!("append/{name}"), |bencher| {
        bencher.iter_batched(
            || ledger.clone(),
            |mut ledger| {
                let appended = ledger.append(black_box(&batch.bytes), None);
                (ledger, appended)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
    Ok(())
}

fn main() -> Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    for backend in Backend::available() {
        let relay = Relay::new(backend)?;
        measure_meter(&mut criterion, &relay, backend.name())?;
        measure_charge(&mut criterion, &relay, backend.name())?;
    }
    criterion.final_summary();
    Ok(())
}
