//! The relay's side: what is counted where, when batches close, and what is refused before anything is counted.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

mod support;

use std::collections::BTreeSet;

use blindrelay_billing::{
    Measurement, Meter, MeterError, MeterSettings, Reading, ReceivedBatch, SECONDS_PER_DAY, verify_readings,
};
use blindrelay_engine::ring::Seed;
use blindrelay_keyholder::hazmat;
use support::*;

const CARD: &str = r#"
currency = "EUR"

[[items]]
name = "Call"
kind = "interval"
unit = "minute"
limit = 86_400
weight = 3
prices = [{ from = 2026-01-15, price = "0.0040" }, { from = 2026-10-16, price = "0.0045" }]

[[items]]
name = "Data"
unit = "megabyte"
limit = 1_000
prices = [{ from = 2026-02-01, price = "0.01" }]
"#;

/// The opened slots of a batch: leaves and quantities, then joins.
fn slots(bytes: &[u8]) -> Vec<Vec<i64>> {
    let received = ReceivedBatch::from_bytes(bytes, context()).unwrap();
    let open = |ciphertext| context().decode_slots(&hazmat::decrypt(&key(), ciphertext).unwrap()).unwrap();
    received.ciphertexts.iter().map(open).collect()
}

#[test]
fn readings_go_to_the_slots_of_their_item_in_order() {
    let layout = layout(CARD);
    let readings = [
        quantity(&layout, "Data", "2026-10-01 00:00:10", 7),
        interval(&layout, "Call", "2026-10-01 00:00:10", "2026-10-01 00:01:00"),
        quantity(&layout, "Data", "2026-10-01 00:00:11", 0),
        quantity(&layout, "Data", "2026-10-01 00:00:12", 1_000),
        interval(&layout, "Call", "2026-10-01 00:00:00", "2026-10-01 00:00:00"),
    ];
    let mut meter = meter(&layout);
    let batches = batches(&mut meter, &readings);
    assert_eq!((batches.len(), batches[0].lines, batches[0].sequence), (1, 5, 0));
    let opened = slots(&batches[0].bytes);
    let at = |item: &str, order: usize| usize::from(layout.slots(layout.card().find(item).unwrap())[order]);
    let mut expected = vec![vec![0; 8192]; 2];
    for (order, amount) in [7, 0, 1_000].into_iter().enumerate() {
        expected[0][at("Data", order)] = amount;
    }
    (expected[0][at("Call", 0)], expected[1][at("Call", 0)]) = (60, 10);
    assert_eq!(opened, expected);
    let header = ReceivedBatch::from_bytes(&batches[0].bytes, context()).unwrap().header;
    assert_eq!((header.period, header.sequence, header.ciphertexts), (day("2026-10-01"), 0, 2));
}

#[test]
fn an_interval_is_divided_at_the_end_of_a_month_and_at_a_change_of_price() {
    let layout = layout(CARD);
    for (join, leave, parts) in [
        ("2026-10-15 23:59:59", "2026-10-16 00:00:01", vec![("2026-10-01", 1), ("2026-10-16", 1)]),
        ("2026-10-31 23:00:00", "2026-11-01 00:00:00", vec![("2026-10-16", 3_600)]),
        ("2026-11-01 00:00:00", "2026-11-01 00:00:00", vec![("2026-11-01", 0)]),
        ("2026-12-31 18:00:00", "2027-01-01 18:00:00", vec![("2026-12-01", 21_600), ("2027-01-01", 64_800)]),
    ] {
        let batches = batches(&mut meter(&layout), &[interval(&layout, "Call", join, leave)]);
        let mut found: Vec<(String, i64)> = batches
            .iter()
            .map(|batch| {
                let opened = slots(&batch.bytes);
                (batch.period.to_string(), opened[0].iter().sum::<i64>() - opened[1].iter().sum::<i64>())
            })
            .collect();
        found.sort();
        assert!(found.iter().map(|(start, seconds)| (start.as_str(), *seconds)).eq(parts), "{join}: {found:?}");
    }
}

#[test]
fn what_is_out_of_range_is_refused_before_it_is_counted() {
    let layout = layout(CARD);
    let mut meter = meter(&layout);
    let mut refuse = |reading: Reading, expected: &str| {
        let refused = meter.record(&reading, 0).unwrap_err();
        assert_eq!(refused.to_string(), expected);
        // The second time there may be a batch that the reading's period fits.
        assert_eq!(meter.waiting(), 0);
    };
    refuse(quantity(&layout, "Data", "2026-10-01 00:00:00", -1), "item Data: a quantity cannot be negative");
    refuse(
        quantity(&layout, "Data", "2026-10-01 00:00:00", 1_001),
        "item Data: the quantity is above the limit of 1000 on one line",
    );
    refuse(quantity(&layout, "Data", "2026-10-01 00:00:00", i64::MIN), "item Data: a quantity cannot be negative");
    refuse(
        quantity(&layout, "Data", "2026-10-01 00:00:00", i64::MAX),
        "item Data: the quantity is above the limit of 1000 on one line",
    );
    refuse(
        interval(&layout, "Call", "2026-10-01 00:00:01", "2026-10-01 00:00:00"),
        "item Call: the leave is before the join",
    );
    refuse(
        interval(&layout, "Call", "2026-10-01 00:00:00", "2026-10-02 00:00:01"),
        "item Call: the quantity is above the limit of 86400 on one line",
    );
    refuse(
        interval(&layout, "Data", "2026-10-01 00:00:00", "2026-10-01 00:00:00"),
        "item Data is charged by a quantity",
    );
    refuse(quantity(&layout, "Call", "2026-10-01 00:00:00", 1), "item Call is charged by join and leave");
    let before = moment("2026-01-31 23:59:59");
    refuse(
        quantity(&layout, "Data", "2026-01-31 23:59:59", 1),
        &format!("item Data has no price at {before} s since 1970"),
    );
    // An interval that begins before the first price is not counted in part.
    let before = moment("2026-01-14 23:59:59");
    refuse(
        interval(&layout, "Call", "2026-01-14 23:59:59", "2026-01-15 00:00:01"),
        &format!("item Call has no price at {before} s since 1970"),
    );
    let other = support::layout(&CARD.replace("name = \"Data\"", "name = \"Other\"\nunit = \"piece\"\nlimit = 1\nprices = [{ from = 2026-01-01, price = \"1\" }]\n[[items]]\nname = \"Data\""));
    refuse(quantity(&other, "Data", "2026-10-01 00:00:00", 1), "item number 2 is not on the rate card");
    let forever = Reading {
        item: layout.card().find("Data").unwrap(),
        measurement: Measurement::Quantity { at: u64::MAX, amount: 1 },
    };
    refuse(forever, &format!("item Data has no price at {} s since 1970", u64::MAX));
    // The same in the fast path, with a batch of the period open.
    meter.record(&quantity(&layout, "Data", "2026-10-01 00:00:00", 1), 0).unwrap();
    for amount in [-1, 1_001] {
        assert!(meter.record(&quantity(&layout, "Data", "2026-10-01 00:00:00", amount), 0).is_err());
    }
    assert_eq!(meter.waiting(), 1);
}

#[test]
fn batches_close_by_slots_by_size_and_by_age() {
    let layout = layout(CARD);
    let capacity = layout.slots(layout.card().find("Data").unwrap()).len();
    assert_eq!(capacity, 8192 / 4);
    let reading = quantity(&layout, "Data", "2026-10-01 00:00:00", 1);
    let mut meter = support::meter(&layout);
    for _ in 0..capacity {
        meter.record(&reading, 0).unwrap();
    }
    // The next line of the item finds no slot; lines of other items would.
    assert_eq!((meter.waiting(), meter.drafts().len()), (capacity, 0));
    meter.record(&interval(&layout, "Call", "2026-10-01 00:00:00", "2026-10-01 00:00:09"), 0).unwrap();
    assert_eq!((meter.waiting(), meter.drafts().len()), (capacity + 1, 0));
    meter.record(&reading, 0).unwrap();
    assert_eq!((meter.waiting(), meter.drafts().len()), (1, 1));

    let mut meter =
        meter_with(&layout, &MeterSettings { size: 3, age: 60, first_sequence: 40, ..MeterSettings::named("m") });
    (0..4).for_each(|_| meter.record(&reading, 100).unwrap());
    meter.poll(159);
    assert_eq!((meter.waiting(), meter.next_sequence()), (1, 41));
    meter.poll(160);
    let batches = meter.batches().unwrap();
    assert_eq!(batches.iter().map(|batch| (batch.sequence, batch.lines)).collect::<Vec<_>>(), [(40, 3), (41, 1)]);
    meter.record(&reading, 200).unwrap();
    meter.record(&reading, 260).unwrap();
    assert_eq!((meter.waiting(), meter.drafts().len()), (0, 1));
    assert!(meter.batches().unwrap().is_empty());
    for settings in [
        MeterSettings { size: 0, ..MeterSettings::named("m") },
        MeterSettings::named(""),
        MeterSettings::named(&"m".repeat(65)),
    ] {
        let refused = Meter::new(&layout, context(), key().public_key(), Seed::from_bytes([5; 32]), &settings);
        assert!(matches!(refused, Err(MeterError::Setting { .. })), "{settings:?}");
    }
}

#[test]
fn a_meter_keeps_few_periods_open() {
    let layout = layout(CARD);
    let mut meter = meter(&layout);
    let start = moment("2026-02-01 00:00:00");
    let item = layout.card().find("Data").unwrap();
    for month in 0..40 {
        let at = start + month * 31 * SECONDS_PER_DAY;
        meter.record(&Reading { item, measurement: Measurement::Quantity { at, amount: 1 } }, 0).unwrap();
    }
    assert_eq!(meter.waiting(), 16);
    meter.flush();
    let batches = meter.batches().unwrap();
    assert_eq!(batches.len(), 40);
    assert_eq!(batches.iter().map(|batch| batch.period).collect::<BTreeSet<_>>().len(), 40);
    assert!(batches.iter().map(|batch| batch.sequence).eq(0..40));
}

#[test]
fn repeating_gives_the_same_bytes_and_nothing_else_does() {
    let layout = layout(CARD);
    let readings = [quantity(&layout, "Data", "2026-10-01 00:00:00", 7)];
    let make = |name: &str, seed: u8, secret: u8, first_sequence: u64, readings: &[Reading]| {
        let settings = MeterSettings { age: u64::MAX, first_sequence, ..MeterSettings::named(name) };
        let key = blindrelay_keyholder::SecretKey::from_seed(context(), Seed::from_bytes([secret; 32]));
        let mut meter =
            Meter::new(&layout, context(), key.public_key(), Seed::from_bytes([seed; 32]), &settings).unwrap();
        batches(&mut meter, readings).remove(0).bytes
    };
    let first = make("a", 1, 11, 0, &readings);
    assert_eq!(first, make("a", 1, 11, 0, &readings));
    let mut all = vec![
        first,
        make("b", 1, 11, 0, &readings),
        make("a", 2, 11, 0, &readings),
        make("a", 1, 12, 0, &readings),
        make("a", 1, 11, 1, &readings),
        make("a", 1, 11, 0, &[quantity(&layout, "Data", "2026-10-01 00:00:00", 8)]),
        make("a", 1, 11, 0, &[quantity(&layout, "Data", "2026-11-01 00:00:00", 7)]),
    ];
    // Neither do any two of them share their uniform halves, which would show a seed that was used twice.
    let mut halves = BTreeSet::new();
    for bytes in &all {
        for ciphertext in ReceivedBatch::from_bytes(bytes, context()).unwrap().ciphertexts {
            assert!(halves.insert(ciphertext.rlwe().components()[1].residues()[..8].to_vec()));
        }
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 7);
}

#[test]
fn a_disputed_batch_is_made_again_from_its_readings() {
    let layout = layout(CARD);
    let readings = [
        interval(&layout, "Call", "2026-10-15 23:00:00", "2026-10-16 01:00:00"),
        quantity(&layout, "Data", "2026-10-01 00:00:00", 7),
    ];
    let mut meter = meter(&layout);
    for reading in &readings {
        meter.record(reading, 0).unwrap();
    }
    meter.flush();
    let drafts = meter.drafts();
    for draft in &drafts {
        let secret = meter.encryptor().disclose(draft);
        let batch = meter.encryptor().encrypt(draft).unwrap().bytes;
        let public = key().public_key();
        let verify = |readings: &[Reading], secret: &Seed, batch: &[u8]| {
            verify_readings(&layout, context(), (&public, "relay-1"), readings, secret, batch)
        };
        verify(&readings, &secret, &batch).unwrap();
        let mut others = readings;
        others[1] = quantity(&layout, "Data", "2026-10-01 00:00:00", 6);
        others[0] = interval(&layout, "Call", "2026-10-15 23:00:00", "2026-10-16 01:00:01");
        assert!(verify(&others, &secret, &batch).is_err());
        assert!(verify(&readings, &Seed::from_bytes([0; 32]), &batch).is_err());
        assert!(verify(&readings, &secret, &batch[..batch.len() - 1]).is_err());
    }
    assert_eq!(drafts.len(), 2);
    assert_eq!(format!("{:?}", drafts[0]), "Draft(2026-10-01, number 0, ..)");
    assert_eq!(format!("{:?}", meter.encryptor()), "Encryptor(relay-1, ..)");
}
