//! Keyword search against a running service: enrolment, questions, counts, exit codes, and what is refused.

use std::fs;
use std::path::Path;

use tempfile::tempdir;

use crate::command::{Finished, Service, run};

struct Room<'a> {
    directory: &'a Path,
    service: &'a str,
    id: String,
}

impl<'a> Room<'a> {
    fn new(directory: &'a Path, service: &'a Service, key: &str) -> Self {
        run(directory, &["keygen", "--operator", "search/1", "--out", key]).ok();
        let create = ["room", "create", "--service", &service.url, "--key", key];
        Self { directory, service: &service.url, id: run(directory, &create).ok().out.trim().to_owned() }
    }

    fn command(&self, arguments: &[&str]) -> Finished {
        run(self.directory, &[arguments, &["--service", self.service, "--room", &self.id]].concat())
    }

    fn search(&self, keyword: &str) -> Finished {
        self.command(&["search", keyword, "--key", "room.key"])
    }
}

fn handle_of<'a>(lines: &'a str, keywords: &str) -> &'a str {
    let line = lines.lines().find(|line| line.ends_with(keywords)).unwrap_or_else(|| panic!("{keywords}: {lines}"));
    line.split_whitespace().next().unwrap()
}

#[test]
fn members_learn_who_has_a_keyword_and_how_many() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let service = Service::start(at, &[]);
    let room = Room::new(at, &service, "room.key");

    let nobody = room.search("violin");
    assert_eq!((nobody.code, nobody.out.trim()), (Some(3), "nobody is enrolled in the room"), "{nobody:?}");

    let enrol = ["enroll", "--key", "room.key", "--keywords", "violin, Chess", "--keywords", "chess,rowing"];
    let first = room.command(&enrol).ok();
    assert_eq!(first.out.lines().count(), 2, "{first:?}");
    // More participants than share a ciphertext: two records.
    let lines: Vec<String> = (0..130).map(|number| format!("tag-{number}, group-{}", number % 13)).collect();
    fs::write(at.join("participants.txt"), lines.join("\r\n") + "\n\n").unwrap();
    let many = ["enroll", "--key", "room.key", "--keywords-file", "participants.txt", "--json"];
    let many = room.command(&many).ok().json();
    assert_eq!(many["enrolled"].as_array().unwrap().len(), 130);

    let found = room.search("  VIOLIN ").ok();
    assert_eq!(found.out.trim(), handle_of(&first.out, "violin, Chess"));
    assert_eq!(room.search("chess").ok().out.lines().count(), 2);
    assert_eq!(room.search("tag-129").ok().out.trim(), many["enrolled"][129]["handle"].as_str().unwrap());
    let none = room.search("tuba");
    assert_eq!((none.code, none.out.trim()), (Some(3), "none of the 132 handles in the room has the keyword"));
    let count = room.command(&["search", "group-4", "--key", "room.key", "--count"]).ok();
    assert_eq!(count.out, "10\n");
    let json = room.command(&["search", "group-4", "--key", "room.key", "--json"]).ok().json();
    assert_eq!((json["matches"].as_u64(), json["compared"].as_u64()), (Some(10), Some(132)), "{json}");
    assert_eq!(json["handles"].as_array().unwrap().len(), 10);
    assert_eq!(json["operator"], "search/1");
    let nothing = room.command(&["search", "tuba", "--key", "room.key", "--count", "--json"]);
    assert_eq!((nothing.code, nothing.json()["matches"].as_u64()), (Some(3), Some(0)));

    let gone = handle_of(&first.out, "chess, rowing").to_owned();
    room.command(&["remove", "--handle", &gone]).ok();
    assert_eq!(room.search("rowing").code, Some(3));
    assert_eq!(room.search("chess").ok().out.trim(), handle_of(&first.out, "violin, Chess"));
    // Every opened answer was counted.
    assert_eq!(fs::read_to_string(at.join("room.key.decisions")).unwrap(), "9\n");
}

#[test]
fn what_is_refused_and_why() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let service = Service::start(at, &["--backend", "scalar"]);
    let room = Room::new(at, &service, "room.key");
    let enrol = |words: &str| room.command(&["enroll", "--key", "room.key", "--keywords", words]);
    enrol("violin,chess,Violin").failed(2, &["contains the same element twice", "1 to 8 different keywords"]);
    enrol("violin,,chess").failed(2, &["a keyword is empty"]);
    enrol("a,b,c,d,e,f,g,h,i").failed(2, &["has 9 keywords: a participant has 1 to 8"]);
    room.search(" ").failed(2, &["a keyword is empty"]);
    fs::write(at.join("empty.txt"), "\n \n").unwrap();
    room.command(&["enroll", "--key", "room.key", "--keywords-file", "empty.txt"]).failed(2, &["no keywords in it"]);
    let receipts = ["enroll", "--key", "room.key", "--keywords", "a", "--receipts", "r.txt"];
    room.command(&receipts).failed(2, &["--receipts are for identities"]);
    let identity = ["enroll", "--key", "room.key", "--identity", "Ada"];
    room.command(&identity).failed(2, &["search/1", "--keywords"]);
    run(at, &["keygen", "--operator", "search/1", "--out", "k.key", "--evaluation-keys", "k.eval"])
        .failed(2, &["keyword search uses none"]);

    enrol("violin").ok();
    // The key of another room of the same kind opens nothing, although every value would be legal.
    Room::new(at, &service, "other.key");
    room.command(&["search", "violin", "--key", "other.key"]).failed(1, &["could not be opened"]);
    run(at, &["keygen", "--out", "match.key"]).ok();
    room.command(&["search", "violin", "--key", "match.key"]).failed(2, &["match-signs/1"]);
    room.command(&["match", "--key", "room.key", "--identity", "violin"]).failed(2, &["blindrelay search"]);
    let matching = ["room", "create", "--service", &service.url, "--key", "match.key"];
    let id = run(at, &matching).ok().out.trim().to_owned();
    let other = Room { directory: at, service: &service.url, id };
    other.search("violin").failed(2, &["match-signs/1"]);
}
