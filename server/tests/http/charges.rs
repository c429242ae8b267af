//! From readings at two relays to an invoice at the tenant, with real keys, over the service.

use std::sync::Arc;

use blindrelay_billing::{
    Batch, Charging, Date, Invoice, InvoiceDetails, Layout, Measurement, Meter, MeterSettings, OpenedPeriod, RateCard,
    Reading, Report, ReportRequest, audit, reference,
};
use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::params::{BILL_8192, Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_keyholder::SecretKey;
use serde_json::Value;

use crate::client::Client;
use crate::rig::{Rig, Setup};
use crate::sockets::Running;

const CARD: &str = r#"
currency = "EUR"

[[items]]
name = "Participant minutes"
kind = "interval"
unit = "minute"
limit = 86400
prices = [{ from = 2026-01-01, price = "0.0040" }, { from = 2026-10-16, price = "0.0045" }]

[[items]]
name = "Relayed data"
unit = "gigabyte"
measured = "megabyte"
limit = 10_000_000
prices = [{ from = "2026-01-01", price = "0.09" }]
"#;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

struct Tenant {
    context: Arc<Context>,
    key: SecretKey,
    layout: Arc<Layout>,
}

impl Tenant {
    fn new() -> Self {
        let parameters = Parameters::new(preset(BILL_8192).unwrap(), Backend::detect()).unwrap();
        let context = Context::new(&parameters).unwrap();
        let key = SecretKey::from_seed(&context, Seed::from_bytes([11; 32]));
        let layout = Layout::new(RateCard::from_toml(CARD).unwrap(), &context).unwrap();
        Self { context, key, layout }
    }

    /// The address of a new meter under the rate card.
    async fn meter(&self, rig: &Rig) -> String {
        let settings: Value = serde_json::from_str(&self.layout.card().to_json()).unwrap();
        rig.ledger("meters", "charge/1", settings).await
    }

    /// What a relay encrypts under the tenant's public key.
    fn batches(&self, relay: &str, readings: &[Reading]) -> Vec<Batch> {
        let (key, root) = (self.key.public_key(), Seed::from_bytes([5; 32]));
        let settings = MeterSettings { size: 10, age: u64::MAX, ..MeterSettings::named(relay) };
        let mut meter = Meter::new(&self.layout, &self.context, key, root, &settings).unwrap();
        for reading in readings {
            meter.record(reading, 0).unwrap();
        }
        meter.flush();
        meter.batches().unwrap()
    }

    fn invoice(&self, report: &[u8]) -> Invoice {
        let report = Report::from_bytes(report, &self.context).unwrap();
        let mut slots = Vec::new();
        for period in &report.periods {
            let ranges = self.layout.ranges(period.period, period.batches);
            let ciphertexts = [&period.usage, &period.charge, &period.rates];
            let open = |(ciphertext, ranges): (&Option<_>, &Vec<_>)| match ciphertext {
                Some(ciphertext) => self.key.open_slots(ciphertext, ranges).unwrap().to_vec(),
                None => Vec::new(),
            };
            slots.push(ciphertexts.into_iter().zip(&ranges).map(open).collect::<Vec<_>>());
        }
        let opened: Vec<OpenedPeriod<'_>> =
            slots.iter().map(|slots| OpenedPeriod { usage: &slots[0], charges: &slots[1], rates: &slots[2] }).collect();
        let details = InvoiceDetails {
            number: "2026-0042".to_owned(),
            issued: day("2026-11-02"),
            supplier: "Relay Operations".to_owned(),
            customer: "Tenant".to_owned(),
            note: String::new(),
        };
        Invoice::new(&self.layout, &report, &opened, &self.context, details).unwrap()
    }
}

/// Readings of a relay all over October, across the change of prices.
fn readings(layout: &Layout, relay: u64) -> Vec<Reading> {
    let (minutes, data) =
        (layout.card().find("Participant minutes").unwrap(), layout.card().find("Relayed data").unwrap());
    let start = day("2026-10-01").unix();
    (0..30_u64)
        .flat_map(|index| {
            let join = start + 86_000 * index + 1000 * relay;
            let stay = Measurement::Interval { join, leave: join + 60 + 977 * index };
            let amount = i64::try_from(1 + 37 * index * (relay + 1)).unwrap();
            let bytes = Measurement::Quantity { at: join, amount };
            [Reading { item: minutes, measurement: stay }, Reading { item: data, measurement: bytes }]
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn usage_becomes_an_invoice_to_the_cent() {
    let running = Running::start(Setup::default()).await;
    let (rig, tenant) = (&running.rig, Tenant::new());
    let meters = [tenant.meter(rig).await, tenant.meter(rig).await];
    let mut histories = Vec::new();
    let mut all = Vec::new();
    for (relay, meter) in (0..).zip(&meters) {
        let readings = readings(&tenant.layout, relay);
        let batches = tenant.batches(&format!("relay-{relay}"), &readings);
        assert!(batches.len() > 4);
        let path = format!("{meter}/batches");
        for (batch, expected) in batches.iter().zip(1..) {
            let name = format!("relay-{relay}.{}", batch.sequence);
            // The first upload is cut off in the middle, the second succeeds, the third repeats it.
            let mut broken = running.client().await;
            let head = Client::named_head(&path, &name, batch.bytes.len());
            broken.write([head.as_bytes(), &batch.bytes[..batch.bytes.len() / 2]].concat()).await;
            drop(broken);
            let mut client = running.client().await;
            for _ in 0..2 {
                let answer = client.post_named(&path, &name, &batch.bytes).await.unwrap();
                assert_eq!(answer, (201, format!("{{\"batches\":{expected}}}").into_bytes()));
            }
        }
        histories.push(batches.into_iter().map(|batch| batch.bytes).collect::<Vec<_>>());
        all.extend(readings);
    }
    for _ in 0..2 {
        rig.merge(&meters[0], "relay-1", &meters[1]).await.expect(201);
    }
    let request = ReportRequest { from: day("2026-10-01"), until: day("2026-11-01") };
    let report = rig.post(&format!("{}/report", meters[0]), request.to_json()).await.expect(200).body;
    let invoice = tenant.invoice(&report);
    assert_eq!(invoice.inconsistency(), None);
    let clear = reference::charges(tenant.layout.card(), &all, (request.from, request.until), |_, _| None).unwrap();
    let expected: Vec<_> = clear.iter().map(|charge| (charge.quantity, charge.amount)).collect();
    let found: Vec<_> = invoice.lines.iter().map(|line| (u128::from(line.quantity), line.amount)).collect();
    assert_eq!(found, expected);
    assert_eq!(found.len(), 4);
    audit(&Charging::new(&tenant.context).unwrap(), &tenant.layout, &histories, &invoice).unwrap();
    // A month without usage is a report too.
    let empty = ReportRequest { from: day("2026-09-01"), until: day("2026-10-01") };
    let report = rig.post(&format!("{}/report", meters[0]), empty.to_json()).await.expect(200).body;
    assert_eq!(tenant.invoice(&report).total.minor(), 0);
    running.end().await;
}

#[tokio::test]
async fn what_is_no_usage_is_refused() {
    let (rig, tenant) = (Rig::new().await, Tenant::new());
    let bad = serde_json::json!({"operator": "charge/1", "settings": {"currency": "EUR"}});
    rig.post_json("/v1/meters", &bad).await.refused(422, "settings");
    let meter = tenant.meter(&rig).await;
    let path = format!("{meter}/batches");
    let batch = tenant.batches("relay-1", &readings(&tenant.layout, 0)).remove(0).bytes;
    rig.post(&path, batch.clone()).await.refused(400, "idempotency-key-required");
    let mut corrupt = batch.clone();
    // All bits of the last residue: more than any prime.
    let residue = corrupt.len() - 8;
    corrupt[residue..].fill(0xff);
    rig.post_named(&path, "corrupt", corrupt).await.refused(422, "malformed-object");
    rig.post(&format!("{meter}/report"), "{}").await.refused(422, "unfit-request");
    assert_eq!(rig.get(&meter).await.json()["batches"], 0);
    assert_eq!(rig.append(&meter, "good", batch).await, 1);
}
