//! From usage files to invoices and their audit.

mod plain;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use self::plain::Month;
use crate::command::{Finished, Service, run, spawn};

/// A folder with a service, keys of three tenants, a rate card and usage.
struct Trial {
    directory: TempDir,
    service: Service,
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

impl Trial {
    /// With the project's examples.
    fn of_examples() -> Self {
        let trial = Self::new();
        for name in ["usage.csv", "rates.toml"] {
            fs::copy(example(name), trial.at().join(name)).unwrap();
        }
        trial
    }

    /// With generated usage.
    fn of_lines(lines: &str) -> Self {
        let trial = Self::new();
        fs::copy(example("rates.toml"), trial.at().join("rates.toml")).unwrap();
        let sample = ["sample", "usage", "--out", "usage.csv", "--rates", "rates.toml", "--lines", lines];
        run(trial.at(), &sample).ok();
        trial
    }

    fn new() -> Self {
        let directory = tempdir().unwrap();
        run(directory.path(), &["sample", "keys", "--dir", "keys"]).ok();
        let service = Service::start(directory.path(), &[]);
        Self { directory, service }
    }

    fn at(&self) -> &Path {
        self.directory.path()
    }

    fn meter<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let service = self.service.url.as_str();
        let fixed = ["meter", "usage.csv", "--rates", "rates.toml", "--keys", "keys", "--service", service, "--json"];
        [&fixed, more].concat()
    }

    fn count(&self, more: &[&str]) -> Finished {
        run(self.at(), &self.meter(more))
    }

    fn invoices(&self, journal: &str, out: &str) -> Finished {
        let service = self.service.url.as_str();
        let fixed = ["invoice", "--keys", "keys", "--issued", "2026-12-01", "--service", service, "--json"];
        run(self.at(), &[&fixed[..], &["--journal", journal, "--out", out]].concat())
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn invoice(&self, folder: &str, tenant: &str) -> Value {
        serde_json::from_str(&self.read(&format!("{folder}/{tenant}.json"))).unwrap()
    }

    /// Holds every invoice of a folder against integer arithmetic on the usage file.
    fn compare(&self, folder: &str) {
        let month = Month::of(&self.read("usage.csv"));
        for tenant in ["t0001", "t0002", "t0003"] {
            let invoice = self.invoice(folder, tenant);
            assert_eq!(plain::amounts(&invoice), month.amounts(tenant), "{tenant}");
            assert_eq!(plain::cents(&invoice["total"]), month.total(tenant), "{tenant}");
        }
    }
}

/// Tenants and their meters, as `meter` reports them.
fn meters_of(metered: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    metered["meters"].as_array().unwrap().iter().map(|of| (text(&of["tenant"]), text(&of["meter"]))).collect()
}

#[test]
fn the_examples_are_counted_invoiced_and_audited() {
    let trial = Trial::of_examples();
    let counted = trial.count(&["--archive", "archive"]).ok().json();
    assert_eq!(counted["lines"], 61);
    // Three tenants, and prices that change on the 16th.
    assert_eq!((counted["tenants"].as_u64(), counted["batches"].as_u64()), (Some(3), Some(6)));
    let opened = trial.invoices("usage.csv.journal", "invoices").ok().json();
    assert_eq!(opened["invoices"], 3);
    trial.compare("invoices");
    for tenant in ["t0001", "t0002", "t0003"] {
        let (invoice, batches) = (format!("invoices/{tenant}.json"), format!("archive/{tenant}"));
        let verdict = run(trial.at(), &["audit", &invoice, "--batches", &batches]).ok();
        assert!(verdict.out.contains("bit by bit from 2 batches in 2 periods"), "{verdict:?}");
        run(trial.at(), &["audit", &invoice, "--batches", &batches, "--rates", "rates.toml"]).ok();
        assert!(trial.read(&format!("invoices/{tenant}.html")).contains("<!doctype html>"));
        assert!(trial.read(&format!("invoices/{tenant}.csv")).contains("audio"));
    }
}

#[test]
fn one_tenant_opens_one_invoice_and_nobody_elses() {
    let trial = Trial::of_examples();
    let counted = trial.count(&[]).ok().json();
    let meters = meters_of(&counted);
    let meter = &meters.iter().find(|(tenant, _)| tenant == "t0001").unwrap().1;
    let invoice = |more: &[&str]| {
        let fixed = ["invoice", "--service", &trial.service.url, "--meter", meter, "--month", "2026-11"];
        run(trial.at(), &[&fixed[..], more].concat())
    };
    let shown = invoice(&["--key", "keys/t0001.key", "--rates", "rates.toml"]).ok().out;
    let total = Month::of(&trial.read("usage.csv")).total("t0001");
    let line = format!("total {}.{:02} EUR", total / 100, total % 100);
    assert!(shown.contains(&line) && shown.contains("0.0045 per minute"), "{line} {shown}");
    let files = ["--write", "a.json", "--write", "a.csv", "--write", "a.html"];
    invoice(&[&["--key", "keys/t0001.key", "--customer", "Acme & Sons"][..], &files].concat()).ok();
    assert!(trial.read("a.html").contains("Acme &amp; Sons"));

    invoice(&["--key", "keys/t0002.key"]).failed(1, &["does not open under this key", "pay nothing"]);
    invoice(&["--key", "keys/t0001.key", "--write", "a.txt"]).failed(2, &["a.txt", ".html"]);
    let dearer = trial.read("rates.toml").replace("0.0045", "0.0046");
    fs::write(trial.at().join("dearer.toml"), dearer).unwrap();
    invoice(&["--key", "keys/t0001.key", "--rates", "dearer.toml"]).failed(1, &["another rate card"]);
    let nowhere = "0".repeat(32);
    let other = ["invoice", "--service", &trial.service.url, "--key", "keys/t0001.key", "--meter", &nowhere];
    run(trial.at(), &other).failed(1, &["404"]);

    // A month without usage is charged nothing.
    let zero = ["invoice", "--json", "--service", &trial.service.url, "--meter", meter, "--key", "keys/t0001.key"];
    let zero = run(trial.at(), &[&zero[..], &["--month", "2026-10"]].concat()).ok().json();
    assert_eq!(plain::cents(&zero["total"]), 0);
}

#[test]
fn tenants_without_usage_get_an_invoice_of_zero() {
    let trial = Trial::of_examples();
    let kept: Vec<String> = trial
        .read("usage.csv")
        .lines()
        .filter(|line| !line.starts_with("t0003"))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(trial.at().join("usage.csv"), kept.concat()).unwrap();
    let counted = trial.count(&["--idle", "--archive", "archive"]).ok().json();
    assert_eq!(counted["tenants"], 3);
    trial.invoices("usage.csv.journal", "invoices").ok();
    trial.compare("invoices");
    assert_eq!(plain::cents(&trial.invoice("invoices", "t0003")["total"]), 0);
    run(trial.at(), &["audit", "invoices/t0003.json", "--batches", "archive/t0003"]).ok();

    // Nobody used anything.
    fs::write(trial.at().join("usage.csv"), "tenant,item,time,quantity\n").unwrap();
    let journal = ["--idle", "--journal", "nothing.journal"];
    trial.count(&journal).failed(2, &["usage.csv", "no lines", "--month"]);
    trial.count(&[&journal[..], &["--month", "2026-12"]].concat()).ok();
    let opened = trial.invoices("nothing.journal", "nothing").ok().json();
    assert_eq!((opened["invoices"].as_u64(), plain::cents(&opened["total"])), (Some(3), 0));
}

#[test]
fn a_second_run_counts_nothing_twice() {
    let trial = Trial::of_lines("3000");
    let first = trial.count(&[]).ok().json();
    trial.invoices("usage.csv.journal", "first").ok();
    let second = trial.count(&[]).ok().json();
    assert_eq!((second["batches"].as_u64(), second["bytes_sent"].as_u64()), (Some(0), Some(0)));
    assert_eq!(second["batches_before"], first["batches"]);
    assert_eq!(second["meters"], first["meters"]);

    // Confirmations that were lost: the batches are sent again and the service counts none of them.
    let journal = trial.read("usage.csv.journal");
    let forgotten: Vec<String> = journal
        .lines()
        .filter(|line| !line.starts_with("sent ") && !line.starts_with("done "))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(trial.at().join("usage.csv.journal"), forgotten.concat() + "sent t00").unwrap();
    let third = trial.count(&[]).ok().json();
    assert_eq!(third["batches"], first["batches"]);
    trial.invoices("usage.csv.journal", "third").ok();
    for tenant in ["t0001", "t0002", "t0003"] {
        assert_eq!(trial.invoice("first", tenant), trial.invoice("third", tenant), "the same to the last digest");
    }
    trial.compare("third");
}

#[test]
fn a_run_that_is_killed_again_and_again_gives_the_same_invoices() {
    let trial = Trial::of_lines("60000");
    let whole = trial.count(&["--journal", "whole.journal"]).ok().json();
    let batches = whole["batches"].as_u64().unwrap() as usize;
    assert!(batches >= 12, "{batches}");
    trial.invoices("whole.journal", "whole").ok();

    let arguments = trial.meter(&["--archive", "archive", "--parallel", "2"]);
    let sent = || {
        let journal = fs::read_to_string(trial.at().join("usage.csv.journal")).unwrap_or_default();
        journal.lines().filter(|line| line.starts_with("sent ")).count()
    };
    let mut killed = 0;
    for goal in [0, 1, batches / 4, batches / 2, batches - 2] {
        let mut child = spawn(trial.at(), &arguments);
        while child.try_wait().unwrap().is_none() && (sent() < goal || !trial.at().join("usage.csv.journal").exists()) {
            std::thread::yield_now();
        }
        // Kills without a chance to clean up, wherever it is now.
        killed += usize::from(child.try_wait().unwrap().is_none());
        let _ = child.kill();
        child.wait().unwrap();
        let fixed = ["invoice", "--keys", "keys", "--service", &trial.service.url, "--out", "early"];
        if !trial.read("usage.csv.journal").contains("\ndone ") {
            let early = run(trial.at(), &[&fixed[..], &["--journal", "usage.csv.journal"]].concat());
            assert_eq!(early.code, Some(2), "no invoice before everything is counted: {early:?}");
        }
    }
    assert!(killed >= 3, "{killed} of 5 runs were interrupted");
    run(trial.at(), &arguments).ok();
    trial.invoices("usage.csv.journal", "resumed").ok();
    trial.compare("resumed");
    for tenant in ["t0001", "t0002", "t0003"] {
        let (resumed, whole) = (trial.invoice("resumed", tenant), trial.invoice("whole", tenant));
        for part in ["lines", "subtotals", "total"] {
            assert_eq!(resumed[part], whole[part]);
        }
        let (invoice, batches) = (format!("resumed/{tenant}.json"), format!("archive/{tenant}"));
        run(trial.at(), &["audit", &invoice, "--batches", &batches]).ok();
    }
}

#[test]
fn an_audit_finds_what_was_changed() {
    let trial = Trial::of_examples();
    trial.count(&["--archive", "archive"]).ok();
    trial.invoices("usage.csv.journal", "invoices").ok();
    let audit = |more: &[&str]| {
        run(trial.at(), &[&["audit", "invoices/t0001.json", "--batches", "archive/t0001"], more].concat())
    };
    audit(&[]).ok();
    let batch = trial.at().join("archive/t0001/00000001.batch");
    let good = fs::read(&batch).unwrap();
    let mut changed = good.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&batch, &changed).unwrap();
    assert_eq!(audit(&[]).code, Some(1), "a changed bit");
    fs::write(&batch, &good[..good.len() - 1]).unwrap();
    audit(&[]).failed(1, &["audit failed", "batch number 2"]);
    fs::copy(trial.at().join("archive/t0002/00000001.batch"), &batch).unwrap();
    audit(&[]).failed(1, &["audit failed", "chain of batches"]);
    fs::remove_file(&batch).unwrap();
    audit(&[]).failed(1, &["audit failed", "number of batches"]);
    fs::write(&batch, &good).unwrap();
    audit(&[]).ok();

    let cheaper = trial.read("rates.toml").replace("0.0040", "0.0039");
    fs::write(trial.at().join("cheaper.toml"), cheaper).unwrap();
    audit(&["--rates", "cheaper.toml"]).failed(1, &["audit failed", "terms"]);
    let invoice = trial.read("invoices/t0001.json");
    let total = trial.invoice("invoices", "t0001")["total"].to_string();
    assert!(!total.is_empty());
    let forged = invoice.replace("t0001", "t0009");
    fs::write(trial.at().join("invoices/t0001.json"), forged).unwrap();
    audit(&[]).failed(1, &["audit failed", "seal"]);
    fs::write(trial.at().join("invoices/t0001.json"), "{}").unwrap();
    audit(&[]).failed(2, &["t0001.json", "missing field"]);
}
