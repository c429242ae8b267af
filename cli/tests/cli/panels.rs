//! Panels from their settings to the opened report, against a running service.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use blindrelay_analytics::reference;
use serde_json::Value;
use tempfile::tempdir;

use crate::command::{Finished, Service, run, spawn};

/// A service, a host with keys, and the files of the examples beside them.
pub(crate) struct Hosted {
    _directory: tempfile::TempDir,
    at: PathBuf,
    service: Service,
}

impl Hosted {
    pub(crate) fn new() -> Self {
        let directory = tempdir().unwrap();
        let at = directory.path().to_owned();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        for name in ["attention", "concurrency", "correlation", "durations", "speaking"] {
            for ending in ["toml", "csv"] {
                let file = format!("{name}.{ending}");
                fs::copy(examples.join(&file), at.join(&file)).unwrap();
            }
        }
        run(&at, &["keygen", "--for", "reports", "--public", "host.pub"]).ok();
        let service = Service::start(&at, &[]);
        Self { _directory: directory, at, service }
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        fs::write(self.at.join(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at.join(name)).unwrap()
    }

    /// A command against the service.
    pub(crate) fn command(&self, arguments: &[&str]) -> Finished {
        run(&self.at, &[arguments, &["--service", &self.service.url]].concat())
    }

    pub(crate) fn url(&self) -> &str {
        &self.service.url
    }

    pub(crate) fn create(&self, settings: &str) -> String {
        self.command(&["panel", "create", settings, "--key", "host.key"]).ok().out.trim().to_owned()
    }

    pub(crate) fn contribute(&self, panel: &str, file: &str) -> Finished {
        self.command(&["contribute", file, "--panel", panel, "--public", "host.pub"])
    }

    pub(crate) fn report(&self, panel: &str) -> Finished {
        self.command(&["report", "--panel", panel, "--key", "host.key", "--json"])
    }

    pub(crate) fn contributions(&self, panel: &str) -> u64 {
        let shown = self.command(&["panel", "show", "--panel", panel, "--json"]).ok().json();
        shown["contributions"].as_u64().unwrap()
    }

    /// The columns of a file without its header; `None` where a field is empty.
    fn columns(&self, file: &str) -> Vec<Vec<Option<f64>>> {
        let text = self.read(file);
        let rows: Vec<Vec<Option<f64>>> =
            text.lines().skip(1).map(|line| line.split(',').map(number).collect()).collect();
        (0..rows[0].len()).map(|column| rows.iter().map(|row| row[column]).collect()).collect()
    }
}

/// A number or a clock.
fn number(field: &str) -> Option<f64> {
    field.split(':').try_fold(0.0, |sum, part| Some(60.0 * sum + part.parse::<f64>().ok()?))
}

/// An estimate of a report admits a number, and is of use.
fn admits(estimate: &Value, number: f64) {
    let (value, bound) = (estimate["value"].as_f64().unwrap(), estimate["bound"].as_f64().unwrap());
    assert!((value - number).abs() <= bound + 1e-9 * number.abs(), "{estimate} is not {number}");
    assert!(bound < 1e-3 * (1.0 + number.abs()), "a bound of {bound} says nothing of {number}");
}

#[test]
fn attention_and_its_spread_come_out_as_in_the_file() {
    let hosted = Hosted::new();
    let panel = hosted.create("attention.toml");
    hosted.report(&panel).failed(1, &["has 0 contributions", "needs at least 10", "wait"]);
    let contributed = hosted.contribute(&panel, "attention.csv").ok();
    assert!(contributed.out.contains("24 contributions from 24 lines"), "{contributed:?}");
    let again = hosted.contribute(&panel, "attention.csv").ok();
    assert!(again.out.contains("24 contributions were counted already; nothing was sent"), "{again:?}");
    assert_eq!(hosted.contributions(&panel), 24);

    let report = hosted.report(&panel).ok().json();
    let columns = hosted.columns("attention.csv");
    let all: Vec<f64> = columns.iter().skip(1).flatten().filter_map(|score| *score).collect();
    let found = &report["findings"]["attention"];
    let (mean, variance) = reference::mean_and_variance(&all).unwrap();
    admits(&found["overall"]["mean"]["mean"], mean);
    admits(&found["overall"]["variance"], variance);
    for (slot, column) in found["slots"].as_array().unwrap().iter().zip(&columns[1..]) {
        let scores: Vec<f64> = column.iter().filter_map(|score| *score).collect();
        let (mean, variance) = reference::mean_and_variance(&scores).unwrap();
        admits(&slot["mean"]["mean"], mean);
        admits(&slot["variance"], variance);
        assert_eq!(slot["mean"]["count"]["value"].as_f64(), Some(scores.len() as f64));
    }
    let options = ["report", "--panel", &panel, "--key", "host.key", "--settings", "attention.toml"];
    let text = hosted.command(&options).ok().out;
    for words in ["Attention at the board meeting, from 24 contributions", "Mean attention", "Ada Lovelace", " ± "] {
        assert!(text.contains(words), "'{words}' is not in {text}");
    }
    let written = [&options[..], &["--write", "r.html", "--write", "r.json"]].concat();
    assert!(hosted.command(&written).ok().out.contains("a report on 24 contributions, in r.html, r.json"));
    let page = hosted.read("r.html");
    assert!(page.starts_with("<!doctype html>") && page.contains("<svg") && page.contains("Ada Lovelace"), "{page}");
    let json: Value = serde_json::from_str(&hosted.read("r.json")).unwrap();
    assert_eq!((&json["contributions"], &json["names"][0]), (&24.into(), &"Ada Lovelace".into()));
    hosted.command(&[&options[..], &["--write", "r.pdf"]].concat()).failed(2, &["r.pdf", ".json or .html"]);
}

#[test]
fn speaking_times_calls_stays_and_series_come_out_as_in_their_files() {
    let hosted = Hosted::new();
    let report = |name: &str| {
        let panel = hosted.create(&format!("{name}.toml"));
        let file = format!("{name}.csv");
        let checked = hosted.command(&["contribute", &file, "--panel", &panel, "--public", "host.pub", "--check"]).ok();
        assert!(checked.out.contains("all good") && checked.out.contains("nothing was sent"), "{checked:?}");
        assert_eq!(hosted.contributions(&panel), 0);
        hosted.contribute(&panel, &file).ok();
        hosted.report(&panel).ok().json()["findings"][name].clone()
    };

    let speaking = report("speaking");
    let sums: Vec<f64> =
        hosted.columns("speaking.csv").iter().map(|column| column.iter().flatten().sum::<f64>()).collect();
    let shares = reference::shares(&sums).unwrap();
    for (index, (sum, share)) in sums.iter().zip(shares).enumerate() {
        admits(&speaking["seconds"]["parts"][index], *sum);
        admits(&speaking["seconds"]["shares"][index], share);
    }

    let durations = report("durations");
    let calls: Vec<f64> = hosted.columns("durations.csv")[0].iter().flatten().copied().collect();
    let (mean, variance) = reference::mean_and_variance(&calls).unwrap();
    admits(&durations["seconds"]["mean"]["mean"], mean);
    admits(&durations["seconds"]["variance"], variance);
    let counts: Vec<u64> = durations["histogram"]["counts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bin| bin["value"].as_f64().unwrap() as u64)
        .collect();
    assert_eq!(counts, reference::histogram(&[0.0, 60.0, 300.0, 900.0, 1800.0, 3600.0], &calls));

    let concurrency = report("concurrency");
    let participants = concurrency["participants"].as_array().unwrap();
    // In the first five minutes a is there from the beginning, b from 1:30 on, c from 4:10 on and e from 0:20 on.
    admits(&participants[0], 1.0 + 210.0 / 300.0 + 50.0 / 300.0 + 280.0 / 300.0);
    admits(&participants[8], 6.0);
    admits(&concurrency["peak"]["largest"], 6.0);

    let correlation = report("correlation");
    let columns = hosted.columns("correlation.csv");
    let pairs: Vec<(f64, f64)> =
        columns[0].iter().flatten().copied().zip(columns[1].iter().flatten().copied()).collect();
    admits(&correlation["correlation"], reference::correlation(&pairs).unwrap());
}

#[test]
fn panels_of_two_relays_are_merged_once_listed_and_deleted() {
    let hosted = Hosted::new();
    let (one, two) = (hosted.create("durations.toml"), hosted.create("durations.toml"));
    hosted.contribute(&one, "durations.csv").ok();
    hosted.contribute(&two, "durations.csv").ok();
    let merge = ["panel", "merge", "--from", &two, "--into", &one];
    for _ in 0..2 {
        let merged = hosted.command(&merge).ok();
        assert!(merged.out.contains("24 contributions"), "{merged:?}");
    }
    assert_eq!((hosted.contributions(&one), hosted.contributions(&two)), (24, 12));
    let mean = |panel: &str| {
        let report = hosted.report(panel).ok().json();
        report["findings"]["durations"]["seconds"]["mean"]["mean"]["value"].as_f64().unwrap()
    };
    assert!((mean(&one) - mean(&two)).abs() < 0.01);

    let other = hosted.create("speaking.toml");
    hosted.command(&["panel", "merge", "--from", &other, "--into", &one]).failed(1, &["422"]);
    hosted.command(&["panel", "merge", "--from", &one, "--into", &one]).failed(2, &["into itself"]);
    let listed = hosted.command(&["panel", "list", "--json"]).ok().json();
    let ids: Vec<&str> = listed.as_array().unwrap().iter().map(|panel| panel["id"].as_str().unwrap()).collect();
    assert!(ids.len() == 3 && ids.is_sorted() && [&one, &two, &other].iter().all(|id| ids.contains(&id.as_str())));
    hosted.command(&["panel", "delete", "--panel", &two]).ok();
    hosted.command(&["panel", "show", "--panel", &two]).failed(1, &["404", "check the id"]);
    assert!(hosted.command(&["panel", "list"]).ok().out.lines().count() == 2);
}

#[test]
fn a_client_that_is_killed_counts_nothing_twice_and_nothing_less() {
    let hosted = Hosted::new();
    let panel = hosted.create("durations.toml");
    let lines: Vec<String> = (0..300).map(|line| format!("{}\n", 10 + 37 * line % 9000)).collect();
    hosted.write("many.csv", &format!("seconds\n{}", lines.concat()));
    let contribute = ["contribute", "many.csv", "--panel", &panel, "--public", "host.pub", "--service"];
    let contribute = [&contribute[..], &[&hosted.service.url]].concat();
    let mut counted = Vec::new();
    for pause in [30, 90, 50, 150] {
        let mut child = spawn(&hosted.at, &contribute);
        std::thread::sleep(Duration::from_millis(pause));
        let _ = child.kill();
        let _ = child.wait();
        counted.push(hosted.contributions(&panel));
    }
    assert!(counted.is_sorted() && counted.iter().all(|&count| count <= 300), "{counted:?}");
    // A note that was lost: the contribution is sent again, and the service knows it.
    let journal = format!("many.csv.{}.journal", &panel[..8]);
    if let Ok(text) = fs::read_to_string(hosted.at.join(&journal)) {
        let kept = text.trim_end().rfind('\n').filter(|_| text.contains("\nsent ")).map_or(text.len(), |at| at + 1);
        hosted.write(&journal, &text[..kept]);
    }
    run(&hosted.at, &contribute).ok();
    assert_eq!(hosted.contributions(&panel), 300);
    let calls: Vec<f64> = lines.iter().map(|line| line.trim().parse().unwrap()).collect();
    let report = hosted.report(&panel).ok().json();
    let (mean, _) = reference::mean_and_variance(&calls).unwrap();
    admits(&report["findings"]["durations"]["seconds"]["mean"]["mean"], mean);
    // Another file or another key under the same journal is refused.
    hosted.write("many.csv", "seconds\n5\n");
    run(&hosted.at, &contribute).failed(2, &[&journal, "the file has changed since"]);
}

#[test]
fn only_the_host_opens_reports_and_only_of_what_was_agreed_on() {
    let hosted = Hosted::new();
    let panel = hosted.create("durations.toml");
    hosted.contribute(&panel, "durations.csv").ok();
    run(&hosted.at, &["keygen", "--for", "reports", "--out", "other.key", "--public", "other.pub"]).ok();
    run(&hosted.at, &["keygen", "--out", "room.key"]).ok();
    let with = |key: &str| hosted.command(&["report", "--panel", &panel, "--key", key]);
    with("other.key").failed(1, &["does not open under this key", "belong together"]);
    with("room.key").failed(2, &["room.key"]);
    with("none.key").failed(2, &["none.key"]);
    let named = |file: &str| hosted.command(&["report", "--panel", &panel, "--key", "host.key", "--settings", file]);
    named("durations.toml").ok();
    named("speaking.toml").failed(2, &["collects something else"]);
    let public = |file: &str| hosted.command(&["contribute", "durations.csv", "--panel", &panel, "--public", file]);
    public("host.key").failed(2, &["host.key", "--for reports --public"]);
    public("none.pub").failed(2, &["none.pub"]);
    public("other.pub").failed(2, &["another public key"]);
    let agreed = ["contribute", "durations.csv", "--panel", &panel, "--public", "host.pub", "--settings"];
    hosted.command(&[&agreed[..], &["speaking.toml"]].concat()).failed(2, &["collects something else"]);
    hosted.contribute(&"0".repeat(32), "durations.csv").failed(1, &["404", "check the id"]);
    let malformed = hosted.contribute("7", "durations.csv");
    assert_eq!((malformed.code, malformed.err.contains("32 hexadecimal digits")), (Some(2), true), "{malformed:?}");
    assert_eq!(hosted.contributions(&panel), 12);
}
