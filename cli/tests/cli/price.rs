//! Tariffs from the command line: explained, priced, and charged on ciphertexts; the same files through `meter`, `invoice` and `audit`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::command::{Finished, Service, run};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

/// A folder with the tariff and the calls of the examples.
fn trial() -> TempDir {
    let directory = tempdir().unwrap();
    for name in ["tariff.toml", "calls.csv"] {
        fs::copy(example(name), directory.path().join(name)).unwrap();
    }
    directory
}

fn price(directory: &Path, more: &[&str]) -> Finished {
    run(directory, &[&["price", "--tariff", "tariff.toml"], more].concat())
}

/// Tenths of a cent that a call costs under the example's tariff, from what its comments say.
fn tenths(seconds: u64) -> u64 {
    if seconds == 0 {
        return 0;
    }
    let mut charged = 0;
    while 30 + charged < seconds {
        charged += if charged == 0 { 60 } else { 30 };
    }
    // A second of a tier is a sixtieth of 60, 40 or 10 tenths.
    let sixtieths: u64 = (1..=charged)
        .map(|second| {
            if second > 3_600 {
                10
            } else if second > 600 {
                40
            } else {
                60
            }
        })
        .sum();
    (50 + sixtieths / 60).clamp(100, 2_500)
}

/// Tenths of a cent of every tenant of a file of calls.
fn by_tenant(calls: &str) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for line in calls.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        *all.entry(fields[0].to_owned()).or_default() += tenths(fields[3].parse().unwrap());
    }
    all
}

fn euros(tenths: u64) -> String {
    assert_eq!(tenths % 10, 0, "the example has whole cents");
    format!("{}.{:02} EUR", tenths / 1_000, tenths / 10 % 100)
}

#[test]
fn a_tariff_is_explained() {
    let directory = trial();
    let shown = price(directory.path(), &[]).ok().out;
    for words in [
        "calls, from 2026-01-01 on: a call of up to 7,200 seconds costs",
        "nothing for the first 30 seconds",
        "the first of 60 seconds, the others of 30 seconds",
        "0.04 EUR per minute after 600 seconds of them",
        "91 to 120 s",
        "which --json shows",
    ] {
        assert!(shown.contains(words), "'{words}' is not in {shown}");
    }
    let value = price(directory.path(), &["--json"]).ok().json();
    let classes = value["tariffs"][0]["classes"].as_array().unwrap().clone();
    let number = |value: &Value| value.as_u64().unwrap();
    let mut next = 0;
    for class in &classes {
        let (shortest, longest) = (number(&class["shortest"]), number(&class["longest"]));
        assert_eq!(shortest, next);
        let cents: u64 = class["price"].as_str().unwrap().replace('.', "").parse().unwrap();
        assert!((shortest..=longest).all(|seconds| tenths(seconds) == 10 * cents), "{class}");
        next = longest + 1;
    }
    assert_eq!(next, 7_201);
    assert!(value.get("calls").is_none() && value.get("encrypted").is_none());
}

#[test]
fn calls_are_priced_in_the_clear_and_on_ciphertexts() {
    let directory = trial();
    let calls = fs::read_to_string(directory.path().join("calls.csv")).unwrap();
    let total = euros(by_tenant(&calls).values().sum());
    let clear = price(directory.path(), &["--calls", "calls.csv"]).ok().out;
    assert!(clear.contains(&format!("total {total}")), "{total}: {clear}");

    let service = Service::start(directory.path(), &[]);
    let encrypted = ["--calls", "calls.csv", "--encrypted", "--service", &service.url];
    let shown = price(directory.path(), &encrypted).ok().out;
    assert!(shown.contains(&total) && shown.contains("On ciphertexts: 1 batch of 336,041 bytes"), "{shown}");
    let value = price(directory.path(), &[&encrypted[..], &["--json"]].concat()).ok().json();
    assert_eq!(value["encrypted"]["total"].as_str(), Some(total.as_str()));
    assert_eq!(value["calls"]["total"], value["encrypted"]["total"]);
    let lines = value["calls"]["lines"].as_array().unwrap();
    assert_eq!(value["encrypted"]["lines"].as_u64(), Some(lines.len() as u64));
    let counted: u64 = lines.iter().map(|line| line["quantity"].as_u64().unwrap()).sum();
    assert_eq!(counted, calls.lines().count() as u64 - 1);

    // No service, no answer; and nothing without calls.
    drop(service);
    let nobody = ["--calls", "calls.csv", "--encrypted", "--service", "http://127.0.0.1:1", "--timeout", "1"];
    assert_eq!(price(directory.path(), &nobody).code, Some(1));
    assert_eq!(price(directory.path(), &["--encrypted"]).code, Some(2));
}

#[test]
fn the_same_files_are_metered_invoiced_and_audited() {
    let directory = trial();
    let at = directory.path();
    let service = Service::start(at, &[]);
    run(at, &["sample", "keys", "--dir", "keys"]).ok();
    let meter = ["meter", "calls.csv", "--rates", "tariff.toml", "--keys", "keys", "--archive", "archive"];
    run(at, &[&meter[..], &["--service", &service.url]].concat()).ok();
    let invoice = ["invoice", "--journal", "calls.csv.journal", "--keys", "keys", "--out", "invoices"];
    run(at, &[&invoice[..], &["--service", &service.url]].concat()).ok();
    let expected = by_tenant(&fs::read_to_string(at.join("calls.csv")).unwrap());
    assert_eq!(expected.len(), 3);
    for (tenant, tenths) in &expected {
        let text = fs::read_to_string(at.join(format!("invoices/{tenant}.json"))).unwrap();
        let invoice: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(invoice["total"].as_str(), Some(euros(*tenths).as_str()), "{tenant}");
        let page = fs::read_to_string(at.join(format!("invoices/{tenant}.html"))).unwrap();
        assert!(page.contains("calls (0 s)") || page.contains("calls (1 to 30 s)"), "{page}");
        let (file, batches) = (format!("invoices/{tenant}.json"), format!("archive/{tenant}"));
        let verdict = run(at, &["audit", &file, "--batches", &batches, "--rates", "tariff.toml"]).ok();
        assert!(verdict.out.contains("bit by bit from 1 batch in 1 period"), "{verdict:?}");
    }
    let dearer = fs::read_to_string(at.join("tariff.toml")).unwrap().replace("\"0.04\"", "\"0.05\"");
    fs::write(at.join("dearer.toml"), dearer).unwrap();
    let other = ["audit", "invoices/t0001.json", "--batches", "archive/t0001", "--rates", "dearer.toml"];
    run(at, &other).failed(1, &["audit failed", "terms"]);
}

#[test]
fn every_bad_input_is_named() {
    let directory = trial();
    let at = directory.path();
    let tariff = fs::read_to_string(at.join("tariff.toml")).unwrap();
    let with = |from: &str, to: &str, words: &[&str]| {
        assert!(tariff.contains(from), "{from}");
        fs::write(at.join("tariff.toml"), tariff.replacen(from, to, 1)).unwrap();
        price(at, &[]).failed(2, &[&["tariff.toml"], words].concat());
        fs::write(at.join("tariff.toml"), &tariff).unwrap();
    };
    with("after = 3_600", "after = 600", &["item calls", "since 2026-01-01", "two tiers begin after 600"]);
    with("after = 3_600", "after = 60", &["after 60 units is written behind the one after 600"]);
    with("increment = 30", "increment = 7", &["no exact price", "second"]);
    with("\"2.50\"", "\"0.05\"", &["minimum of 0.10 is above the maximum of 0.05"]);
    with("\"2.50\"", "\"-2.50\"", &["maximum", "'-2.50' is not a price"]);
    with("free = 30", "free = -30", &["tariff.free", "-30"]);
    with("limit = 7_200", "limit = 8_192", &["at most 8191"]);
    with("calls = 1_000_000", "calls = 1_000_000_000_000_000", &["lower the limit"]);
    fs::copy(example("rates.toml"), at.join("rates.toml")).unwrap();
    run(at, &["price", "--tariff", "rates.toml"]).failed(2, &["rates.toml", "no item is of kind call"]);
    run(at, &["price", "--tariff", "nowhere.toml"]).failed(2, &["nowhere.toml"]);

    let line = |line: &str, words: &[&str]| {
        fs::write(at.join("calls.csv"), format!("tenant,item,time,quantity\n{line}\n")).unwrap();
        price(at, &["--calls", "calls.csv"]).failed(2, &[&["calls.csv", "line 2"], words].concat());
    };
    line("t0001,calls,2026-11-01T00:00:00Z,7201", &["column quantity", "above 7200"]);
    line("t0001,calls,2026-11-01T00:00:00Z,-1", &["column quantity", "negative"]);
    line("t0001,calls,2026-11-01T00:00:00Z,1.5", &["column quantity", "whole number"]);
    line("t0001,calls,2025-11-01T00:00:00Z,1", &["column time", "no price at that time"]);
    line("t0001,data,2026-11-01T00:00:00Z,1", &["column item", "'data' is not on the rate card"]);
}
