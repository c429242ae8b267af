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
