//! A service that keeps what it has in a folder, across ends of every kind.

use std::fs;
use std::path::Path;

use tempfile::tempdir;

use crate::command::{Finished, Service, run};

/// What a member of the room asks and is told.
fn ask(at: &Path, service: &Service, room: &str, command: &[&str]) -> Finished {
    run(at, &[command, &["--service", &service.url, "--room", room, "--key", "room.key"]].concat())
}

#[test]
fn nothing_is_lost_when_the_service_dies() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    run(at, &["keygen", "--out", "room.key"]).ok();
    let service = Service::start_durable(at);
    let room = run(at, &["room", "create", "--service", &service.url, "--key", "room.key"]).ok().out.trim().to_owned();
    ask(at, &service, &room, &["enroll", "--identity", "Ada Lovelace", "--identity", "Mary Somerville"]).ok();
    let before = ask(at, &service, &room, &["match", "--identity", "Ada Lovelace"]).ok().out;
    assert!(before.contains("128"), "{before}");
    service.kill();

    let service = Service::start_durable(at);
    assert_eq!(ask(at, &service, &room, &["match", "--identity", "Ada Lovelace"]).ok().out, before);
    ask(at, &service, &room, &["enroll", "--identity", "Augustus De Morgan"]).ok();
    assert_eq!(service.terminate(), Some(0));

    let service = Service::start_durable(at);
    let found = ask(at, &service, &room, &["match", "--identity", "Augustus De Morgan"]).ok().out;
    assert!(found.contains("128"), "{found}");
    // One signing key, made once.
    let keys = fs::read_dir(at.join("data/identity")).unwrap();
    let keys = keys.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".key"));
    assert_eq!(keys.count(), 1);
}

#[test]
fn receipts_are_kept_and_checked_and_a_service_of_another_key_is_refused() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    run(at, &["keygen", "--out", "room.key"]).ok();
    let service = Service::start_durable(at);
    let room = run(at, &["room", "create", "--service", &service.url, "--key", "room.key"]).ok().out.trim().to_owned();
    ask(at, &service, &room, &["enroll", "--identity", "Ada Lovelace"]).ok();
    let question = ["match", "--identity", "Ada Lovelace", "--receipts", "receipts"];
    let first = ask(at, &service, &room, &question).ok();
    assert!(first.out.contains("128") && first.err.contains("seen for the first time"), "{first:?}");
    let second = ask(at, &service, &room, &question).ok();
    assert!(!second.err.contains("first time"), "{second:?}");

    let kept = |extension: &str| {
        let files = fs::read_dir(at.join("receipts")).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
        files.sort();
        files
    };
    let (receipts, answers) = (kept("receipt"), kept("answer"));
    assert_eq!((receipts.len(), kept("request").len(), answers.len()), (2, 2, 2));
    let receipt = receipts[0].to_str().unwrap();
    let checked = run(at, &["verify", receipt]).ok().out;
    assert!(checked.contains("match-signs/1") && checked.contains("the signature is good"), "{checked}");
    let trusted = run(at, &["verify", receipt, receipts[1].to_str().unwrap(), "--json"]).ok().json();
    assert_eq!((trusted.as_array().unwrap().len(), &trusted[0]["answer"]), (2, &true.into()));
    run(at, &["verify", receipt, "--trust", &"0".repeat(64)]).failed(4, &["receipt"]);

    // One bit of the answer or of the signature is enough.
    for path in [&answers[0], &receipts[0]] {
        let good = fs::read(path).unwrap();
        let mut bad = good.clone();
        *bad.last_mut().unwrap() ^= 1;
        fs::write(path, &bad).unwrap();
        run(at, &["verify", receipt]).failed(4, &["has not signed this"]);
        fs::write(path, &good).unwrap();
    }

    // The same records behind another signing key.
    service.kill();
    fs::rename(at.join("data/identity"), at.join("identity")).unwrap();
    let impostor = Service::start_durable(at);
    ask(at, &impostor, &room, &question).failed(4, &["other signing keys than before"]);
    // What is no receipt is wrong input, and said once.
    fs::write(at.join("none.receipt"), "none").unwrap();
    let none = run(at, &["verify", "none.receipt", "--history", "receipts/history.json"]);
    none.failed(2, &["no receipt", "give a file"]);
    assert_eq!(none.err.matches("no receipt").count(), 1, "{none:?}");
    assert_eq!(kept("receipt").len(), 2);
}

#[test]
fn a_section_of_storage_that_cannot_be_meant_is_refused() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    for (text, words) in [
        ("[storage]\ndatabase = \"mysql://db\"\nblobs = { directory = \"blobs\" }", "'sqlite:PATH' or 'postgres://"),
        ("[storage]\ndatabase = \"sqlite:rows\"\nblobs = { folder = \"blobs\" }", "folder"),
        ("[storage]\ndatabase = \"sqlite:rows\"", "blobs"),
    ] {
        fs::write(at.join("service.toml"), text).unwrap();
        run(at, &["serve", "--config", "service.toml", "--check-config"]).failed(2, &["[storage]", words]);
    }
    let good = "[storage]\ndatabase = \"sqlite:rows\"\nblobs = { directory = \"blobs\" }";
    fs::write(at.join("service.toml"), good).unwrap();
    run(at, &["serve", "--config", "service.toml", "--check-config", "--data", "data"]).ok();
    assert!(!at.join("rows").exists(), "checking makes nothing");
}

#[test]
fn a_backup_of_a_service_that_works_becomes_another_one() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    run(at, &["keygen", "--out", "room.key"]).ok();
    let service = Service::start_durable(at);
    let room = run(at, &["room", "create", "--service", &service.url, "--key", "room.key"]).ok().out.trim().to_owned();
    ask(at, &service, &room, &["enroll", "--identity", "Ada Lovelace"]).ok();
    let before = ask(at, &service, &room, &["match", "--identity", "Ada Lovelace"]).ok().out;
    let made = run(at, &["backup", "--data", "data", "--out", "backup", "--json"]).ok();
    assert!(made.err.contains("signing key"), "{made:?}");
    assert_eq!(made.json()["copied"]["blobs"], 2, "keys and a record: {made:?}");
    ask(at, &service, &room, &["enroll", "--identity", "Mary Somerville"]).ok();
    service.kill();

    run(at, &["restore", "--data", "data", "--from", "backup"]).failed(2, &["tables already"]);
    fs::rename(at.join("data"), at.join("former")).unwrap();
    run(at, &["restore", "--data", "data", "--from", "nothing"]).failed(1, &["manifest.json"]);
    run(at, &["restore", "--data", "data", "--from", "backup"]).ok();
    let service = Service::start_durable(at);
    assert_eq!(ask(at, &service, &room, &["match", "--identity", "Ada Lovelace"]).ok().out, before);
    assert_eq!(ask(at, &service, &room, &["match", "--identity", "Mary Somerville"]).code, Some(3), "nobody matches");
}
