//! Usage files, rate cards and keys that cannot be meant: what is said of them, and that nothing is counted.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::tempdir;

use crate::command::{Finished, Service, run};

const QUANTITIES: &str = "tenant,item,time,quantity\n";
const ALL: &str = "tenant,item,time,quantity,join,leave\n";

fn prepare(at: &Path) {
    run(at, &["sample", "keys", "--dir", "keys", "--tenants", "2"]).ok();
    run(at, &["sample", "rates", "--intervals", "--out", "rates.toml"]).ok();
}

fn check(at: &Path, usage: &str, more: &[&str]) -> Finished {
    fs::write(at.join("usage.csv"), usage).unwrap();
    let fixed = ["meter", "usage.csv", "--rates", "rates.toml", "--keys", "keys", "--check"];
    run(at, &[&fixed[..], more].concat())
}

#[test]
fn good_files_are_good_in_every_spelling() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    prepare(at);
    for (usage, lines, batches) in [
        (format!("{QUANTITIES}t0001,audio,2026-11-03T09:00:00Z,60\n"), 1, 1),
        (format!("\u{feff}{QUANTITIES}t0001,audio,1793696400,60\r\n"), 1, 1),
        ("quantity,tenant,time,item\n0,t0002,2026-11-03 09:00:00.5Z,\"data\"\n\n".to_owned(), 1, 1),
        ("tenant,item,join,leave\nt0001,room,1793696400,1793696400\n".to_owned(), 1, 1),
        // Prices change on the 16th, so that the line has a part in each period.
        (format!("{ALL}t0001,room,,,2026-11-15T23:00:00Z,2026-11-16T01:00:00Z\n"), 1, 2),
        (format!("{ALL}t0001,room,,,2026-11-30T23:00:00Z,2026-12-01T00:00:00Z\n"), 1, 1),
        (
            "tenant,item,time,quantity,currency\nt0001,audio,1793696400,60,EUR\nt0002,audio,1793696400,0,EUR\n"
                .to_owned(),
            2,
            2,
        ),
    ] {
        let checked = check(at, &usage, &["--json"]).ok().json();
        assert_eq!((checked["lines"].as_u64(), checked["batches"].as_u64()), (Some(lines), Some(batches)), "{usage}");
        assert_eq!(checked["month"], "2026-11-01");
    }
    check(at, "tenant,item,time,quantity\n", &["--month", "2026-11"]).ok();
    assert!(!at.join("usage.csv.journal").exists(), "a check notes nothing");
}

#[test]
fn every_fault_is_named_with_line_and_column() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    prepare(at);
    let good = "t0001,audio,2026-11-03T09:00:00Z,60\n";
    for (line, words) in [
        ("t0001,audio,2026-11-03T09:00:00Z,abc", &["column quantity", "'abc' is not a number"][..]),
        ("t0001,audio,2026-11-03T09:00:00Z,NaN", &["column quantity", "'NaN' is not a number"]),
        ("t0001,audio,2026-11-03T09:00:00Z,inf", &["column quantity", "'inf' is not a number"]),
        ("t0001,audio,2026-11-03T09:00:00Z,", &["column quantity", "nothing is not a number"]),
        ("t0001,audio,2026-11-03T09:00:00Z,1.5", &["column quantity", "'1.5' is not a whole number"]),
        ("t0001,audio,2026-11-03T09:00:00Z,1e3", &["column quantity", "'1e3' is not a whole number"]),
        ("t0001,audio,2026-11-03T09:00:00Z,-60", &["column quantity", "'-60' is negative"]),
        ("t0001,audio,2026-11-03T09:00:00Z,86401", &["column quantity", "above 86400", "item audio"]),
        ("t0001,audio,2026-11-03T09:00:00Z,99999999999999999999999", &["column quantity", "above 86400"]),
        ("t0001,audio,yesterday,60", &["column time", "'yesterday' is not a time", "2026-11-03T09:30:00Z"]),
        ("t0001,audio,2026-11-03T09:00:00+01:00,60", &["column time", "not in UTC"]),
        ("t0001,audio,2026-11-31T09:00:00Z,60", &["column time", "does not exist"]),
        ("t0001,audio,1793696400000,60", &["column time", "milliseconds"]),
        ("t0001,audio,2026-12-01T00:00:00Z,60", &["column time", "not in the month of 2026-11-01", "--month"]),
        ("t0001,audio,2025-12-31T23:59:59Z,60", &["column time", "not in the month"]),
        ("t0001,sound,2026-11-03T09:00:00Z,60", &["column item", "'sound' is not on the rate card", "audio, video"]),
        ("../t,audio,2026-11-03T09:00:00Z,60", &["column tenant", "'../t' is no tenant's name"]),
        (",audio,2026-11-03T09:00:00Z,60", &["column tenant", "nothing is no tenant's name"]),
        ("t0001,room,2026-11-03T09:00:00Z,60", &["column quantity", "charged by join and leave"]),
        ("t0001,audio,2026-11-03T09:00:00Z", &["3 fields", "header has 4", "cut off"]),
        ("t0001,audio,2026-11-03T09:00:00Z,60,1", &["5 fields", "header has 4"]),
        ("t0001,audio,2026-11-03T09:00:00Z,\"60", &["column quantity", "'60\\nt0001", "is not a number"]),
    ] {
        let finished = check(at, &format!("{QUANTITIES}{good}{line}\n{good}"), &[]);
        finished.failed(2, &[&["usage.csv", "line 3"], words].concat());
    }
    for (line, words) in [
        ("t0001,room,,,2026-11-03T09:00:00Z,2026-11-03T08:59:59Z", &["column leave", "1 s before join"][..]),
        ("t0001,room,,,2026-11-03T09:00:00Z,2026-11-04T09:00:01Z", &["column leave", "above 86400"]),
        ("t0001,room,,,2026-11-30T23:00:00Z,2026-12-01T00:00:01Z", &["column leave", "after the end of the month"]),
        ("t0001,room,,,,2026-11-03T08:59:59Z", &["column join", "nothing is not a time"]),
        ("t0001,room,,5,2026-11-03T09:00:00Z,2026-11-03T09:00:00Z", &["column quantity", "leave quantity empty"]),
        ("t0001,audio,2026-11-03T09:00:00Z,60,2026-11-03T09:00:00Z,", &["column join", "charged by quantity"]),
    ] {
        check(at, &format!("{ALL}{line}\n"), &[]).failed(2, &[&["usage.csv", "line 2"], words].concat());
    }
    for (usage, words) in [
        ("tenant,item,quantity\n", &["line 1", "the column time is missing"][..]),
        ("", &["line 1"]),
        ("tenant;item;time;quantity\n", &["line 1", "not separated by commas"]),
        (&format!("{QUANTITIES}{}", good.trim_end()), &["line 2", "does not end with a line break", "cut off"]),
        (&format!("{QUANTITIES}t0009,audio,1793696400,60\n"), &["tenant t0009 has no public key", "t0009.pub"]),
        (
            "tenant,item,time,quantity,currency\nt0001,audio,1793696400,60,EUR\nt0001,audio,1793696400,60,USD\n",
            &["line 3, column currency", "'USD', but the rate card charges in EUR"],
        ),
    ] {
        check(at, usage, &[]).failed(2, words);
    }
}

#[test]
fn nothing_is_sent_of_a_file_with_a_fault_at_its_end() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    prepare(at);
    let service = Service::start(at, &[]);
    let lines = "t0001,audio,2026-11-03T09:00:00Z,60\n".repeat(20_000);
    fs::write(at.join("usage.csv"), format!("{QUANTITIES}{lines}t0001,audio,2026-11-03T09:00:00Z,")).unwrap();
    let meter = ["meter", "usage.csv", "--rates", "rates.toml", "--keys", "keys", "--service", &service.url];
    run(at, &meter).failed(2, &["usage.csv", "line 20002", "column quantity"]);
    assert!(!at.join("usage.csv.journal").exists());
    let body = String::from_utf8(http_get(&service.url, "/v1/meters")).unwrap();
    let listed: Value = serde_json::from_str(body.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(listed["meters"], Value::Array(Vec::new()));
}

fn http_get(url: &str, path: &str) -> Vec<u8> {
    use std::io::{Read, Write};
    let authority = url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(authority).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn a_journal_belongs_to_one_file_one_card_and_the_same_keys() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    prepare(at);
    let service = Service::start(at, &[]);
    let usage = format!("{QUANTITIES}t0001,audio,2026-11-03T09:00:00Z,60\n");
    fs::write(at.join("usage.csv"), &usage).unwrap();
    let count = |more: &[&str]| {
        let fixed = ["meter", "usage.csv", "--keys", "keys", "--service", &service.url];
        run(at, &[&fixed[..], more].concat())
    };
    count(&["--rates", "rates.toml"]).ok();
    fs::write(at.join("usage.csv"), usage.clone() + "t0001,audio,2026-11-03T09:00:00Z,61\n").unwrap();
    count(&["--rates", "rates.toml"]).failed(2, &["usage.csv.journal", "another usage file", "--journal"]);
    fs::write(at.join("usage.csv"), usage).unwrap();
    let rates = fs::read_to_string(at.join("rates.toml")).unwrap();
    fs::write(at.join("other.toml"), rates.replace("0.0040", "0.0041")).unwrap();
    count(&["--rates", "other.toml"]).failed(2, &["usage.csv.journal", "other rates"]);
    fs::write(at.join("other.toml"), rates.replace("0.0040", "four")).unwrap();
    count(&["--rates", "other.toml"]).failed(2, &["other.toml", "item audio", "prices[0].price"]);
    fs::write(at.join("other.toml"), format!("# The same card.\n{rates}")).unwrap();
    count(&["--rates", "other.toml"]).ok();
    fs::copy(at.join("keys/t0002.pub"), at.join("keys/t0001.pub")).unwrap();
    count(&["--rates", "rates.toml"]).failed(2, &["public key of tenant t0001 has changed"]);
    fs::write(at.join("keys/t0001.pub"), [0; 100]).unwrap();
    count(&["--rates", "rates.toml", "--journal", "new.journal"]).failed(2, &["t0001.pub"]);
    fs::write(at.join("noise"), "noise\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::copy(at.join("keys/t0002.pub"), at.join("keys/t0001.pub")).unwrap();
        let readable = |mode| fs::set_permissions(at.join("noise"), fs::Permissions::from_mode(mode)).unwrap();
        readable(0o644);
        count(&["--rates", "rates.toml", "--journal", "noise"]).failed(2, &["noise", "chmod 600"]);
        readable(0o600);
        count(&["--rates", "rates.toml", "--journal", "noise"]).failed(2, &["noise", "not a journal"]);
    }
}

#[test]
fn samples_are_always_the_same_for_the_same_seed() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let usage = |seed: &str| {
        let sample = ["sample", "usage", "--lines", "500", "--tenants", "7", "--month", "2027-02", "--seed", seed];
        run(at, &sample).ok().out
    };
    assert_eq!(usage("1"), usage("1"));
    assert_ne!(usage("1"), usage("2"));
    assert_eq!(usage("3").lines().count(), 501);
    run(at, &["sample", "keys", "--dir", "one", "--tenants", "2", "--seed", "5"]).ok();
    run(at, &["sample", "keys", "--dir", "two", "--tenants", "2", "--seed", "5"]).ok();
    run(at, &["sample", "keys", "--dir", "other", "--tenants", "2", "--seed", "6"]).ok();
    let read = |path: &str| fs::read(at.join(path)).unwrap();
    assert_eq!(read("one/t0002.pub"), read("two/t0002.pub"));
    assert_ne!(read("one/t0001.pub"), read("one/t0002.pub"));
    assert_ne!(read("one/t0001.pub"), read("other/t0001.pub"));
    run(at, &["sample", "keys", "--dir", "one"]).failed(2, &["t000", "never overwritten"]);
}

#[test]
fn keys_of_tenants_and_hosts_have_public_halves() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    for (purpose, file, owner, set) in
        [("billing", "tenant.key", "a tenant", "bill-8192"), ("reports", "host.key", "a host", "stats-8192")]
    {
        let public = format!("{purpose}.pub");
        run(at, &["keygen", "--for", purpose, "--public", &public]).ok();
        let later = format!("{purpose}-later.pub");
        run(at, &["public-key", "--key", file, "--out", &later]).ok();
        assert_eq!(fs::read(at.join(&public)).unwrap(), fs::read(at.join(&later)).unwrap());
        run(at, &["public-key", "--key", file, "--out", &later]).failed(2, &[&later, "exists already"]);
        let shown = run(at, &["inspect", file]).ok().out;
        assert!(shown.contains(&format!("secret key file of {owner}")) && shown.contains(set), "{shown}");
        assert!(run(at, &["inspect", &public]).ok().out.contains("public key"));
        run(at, &["keygen", "--for", purpose, "--operator", "match-signs/1"]).failed(2, &["--operator is for rooms"]);
    }
    run(at, &["keygen", "--public", "room.pub"]).failed(2, &["--public", "rooms have no public key"]);
    run(at, &["keygen"]).ok();
    run(at, &["public-key", "--key", "room.key", "--out", "room.pub"]).failed(2, &["not the key of a tenant or host"]);
    assert!(!at.join("room.pub").exists());
}
