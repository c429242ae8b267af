//! Rooms for `find`, from the key to the relay's connection, and everything that crosses the wire in between.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::tempdir;

use crate::command::{Finished, Service, run};

const NAMES: [&str; 3] = ["Ada Lovelace", "Mary Somerville", "Augustus De Morgan"];

struct Room<'a> {
    directory: &'a Path,
    service: &'a str,
    id: String,
}

impl<'a> Room<'a> {
    /// A room with a key file of its own.
    fn create(directory: &'a Path, service: &'a str) -> Self {
        run(directory, &["keygen", "--for", "find", "--out", "find.key"]).ok();
        let made = run(directory, &["room", "create", "--service", service, "--key", "find.key"]).ok();
        Self { directory, service, id: made.out.trim().to_owned() }
    }

    fn command(&self, arguments: &[&str]) -> Finished {
        run(
            self.directory,
            &[arguments, &["--service", self.service, "--room", &self.id, "--key", "find.key"]].concat(),
        )
    }

    /// Enrols them all; the lines with handles.
    fn enrol(&self, names: &[&str], more: &[&str]) -> Finished {
        let names = names.iter().flat_map(|name| ["--identity", name]);
        self.command(&["enroll"].into_iter().chain(names).chain(more.iter().copied()).collect::<Vec<_>>())
    }
}

fn handle_of(lines: &str, identity: &str) -> String {
    let line = lines.lines().find(|line| line.ends_with(identity)).unwrap_or_else(|| panic!("{identity}: {lines}"));
    line.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_newcomer_finds_a_ticket_and_the_relay_connects_for_it() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let service = Service::start(at, &[]);
    let room = Room::create(at, &service.url);
    let nobody = room.command(&["find", "Ada Lovelace"]);
    assert_eq!((nobody.code, nobody.out.trim()), (Some(3), "nobody matches"), "{nobody:?}");

    let enrolled = room.enrol(&NAMES, &[]).ok().out;
    let register = fs::read_to_string(at.join("tickets.csv")).unwrap();
    assert_eq!(register.lines().count(), 1 + NAMES.len(), "{register}");
    for name in [NAMES[1], " Mary Somerville "] {
        let ticket = room.command(&["find", name]).ok().out.trim().to_owned();
        assert_eq!(ticket.len(), 64);
        assert!(!register.contains(&ticket), "the relay's file holds no ticket");
        let connected = run(at, &["connect", &ticket]).ok().out.trim().to_owned();
        assert_eq!(connected, handle_of(&enrolled, NAMES[1]));
    }
    let stranger = room.command(&["find", "Michael Faraday"]);
    assert_eq!((stranger.code, stranger.out.trim()), (Some(3), "nobody matches"), "{stranger:?}");
    let unknown = run(at, &["connect", &"00".repeat(32)]);
    assert_eq!(unknown.code, Some(3), "{unknown:?}");

    let counted = room.command(&["find", NAMES[0], "--count", "--json"]).ok().json();
    assert_eq!((&counted["matches"], counted.get("tickets")), (&1.into(), None), "{counted}");
    let everybody = room.command(&["find", NAMES[0], "--threshold", "-127", "--json"]).ok().json();
    assert_eq!(everybody["tickets"].as_array().unwrap().len(), NAMES.len(), "{everybody}");
    let none = room.command(&["find", "Michael Faraday", "--count", "--json"]);
    assert_eq!((none.code, &none.json()["matches"]), (Some(3), &0.into()));
    let spent = fs::read_to_string(at.join("find.key.decisions")).unwrap();
    assert_eq!(spent.trim(), "6", "every answer that was opened is counted");
}

#[test]
fn tickets_of_ones_own_are_what_is_found() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let service = Service::start(at, &[]);
    let room = Room::create(at, &service.url);
    let tickets = ["ab".to_owned(), "01".repeat(254)];
    fs::write(at.join("own.txt"), tickets.join("\n")).unwrap();
    let options = ["--ticket-file", "own.txt", "--tickets", "relay.csv"];
    room.enrol(&NAMES, &options).failed(2, &["2 tickets for 3 identities"]);
    let enrolled = room.enrol(&NAMES[..2], &options).ok().out;
    for (name, ticket) in NAMES.iter().zip(&tickets) {
        assert_eq!(room.command(&["find", name]).ok().out.trim(), ticket);
        let connected = run(at, &["connect", ticket, "--tickets", "relay.csv"]).ok();
        assert_eq!(connected.out.trim(), handle_of(&enrolled, name));
    }
    for (content, words) in
        [("01".repeat(255), "1 to 254 bytes"), ("0g".to_owned(), "line 1"), ("00\n00".to_owned(), "line 2")]
    {
        fs::write(at.join("own.txt"), content).unwrap();
        room.enrol(&NAMES[..1], &options).failed(2, &["own.txt", words]);
    }
    fs::write(at.join("relay.csv"), "something else\n").unwrap();
    fs::write(at.join("own.txt"), "cd").unwrap();
    room.enrol(&NAMES[..1], &options).failed(2, &["relay.csv", "ticket_sha256,handle"]);
    run(at, &["connect", "ab", "--tickets", "relay.csv"]).failed(2, &["relay.csv"]);
    run(at, &["connect", "xyz"]).failed(2, &["hexadecimal"]);
}

#[test]
fn wrong_keys_and_options_are_refused_with_what_to_do() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let service = Service::start(at, &[]);
    let room = Room::create(at, &service.url);
    run(at, &["keygen", "--out", "room.key"]).ok();
    let of = |arguments: &[&str]| run(at, &[arguments, &["--service", &service.url, "--room", &room.id]].concat());
    of(&["find", "Ada", "--key", "room.key"]).failed(2, &["match-signs/1", "blindrelay match"]);
    of(&["match", "--identity", "Ada", "--key", "find.key"]).failed(2, &["find-signs/1", "blindrelay find"]);
    room.command(&["find", " "]).failed(2, &["name is empty"]);
    for threshold in ["-128", "129", "many"] {
        assert_eq!(room.command(&["find", "Ada", "--threshold", threshold]).code, Some(2));
    }
    run(at, &["keygen", "--for", "find", "--operator", "match-signs/1"]).failed(2, &["--operator"]);
    run(at, &["room", "create", "--service", &service.url, "--operator", "find-signs/1"])
        .failed(1, &["evaluation keys"]);

    // Another room's key: enrolment notices before anything is sent, a question when the answer does not open.
    room.enrol(&NAMES[..1], &[]).ok();
    fs::rename(at.join("find.key"), at.join("right.key")).unwrap();
    run(at, &["keygen", "--for", "find", "--out", "find.key"]).ok();
    room.enrol(&NAMES[1..], &[]).failed(2, &["evaluation keys are not those of the key file"]);
    room.command(&["find", NAMES[0]]).failed(2, &["evaluation keys are not those of the key file"]);
    // A room whose scores are opened has no tickets.
    let scores = run(at, &["room", "create", "--service", &service.url, "--key", "room.key"]).ok().out;
    let enrol =
        ["enroll", "--service", &service.url, "--room", scores.trim(), "--key", "room.key", "--identity", "Ada"];
    run(at, &[&enrol[..], &["--tickets", "t.csv"]].concat()).failed(2, &["room without tickets"]);
    let shown = run(at, &["inspect", "right.key"]).ok().out;
    assert!(shown.contains("a room") && shown.contains("decide-32768"), "{shown}");
}

/// Everything that crosses between a client and the service, one entry a connection: what went in and what came out.
type Captured = Arc<Mutex<Vec<(Vec<u8>, Vec<u8>)>>>;

/// Passes connections on to the service and keeps every byte.
fn capture(service: &str) -> (String, Captured) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let captured = Captured::default();
    let (target, all) = (service.trim_start_matches("http://").to_owned(), Arc::clone(&captured));
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, service) = (client.unwrap(), TcpStream::connect(&target).unwrap());
            let index = {
                let mut all = all.lock().unwrap();
                all.push((Vec::new(), Vec::new()));
                all.len() - 1
            };
            for (mut from, mut to, inward) in
                [(client.try_clone().unwrap(), service.try_clone().unwrap(), true), (service, client, false)]
            {
                let all = Arc::clone(&all);
                thread::spawn(move || {
                    let mut buffer = vec![0; 1 << 16];
                    while let Ok(read @ 1..) = from.read(&mut buffer) {
                        let mut all = all.lock().unwrap();
                        let seen = if inward { &mut all[index].0 } else { &mut all[index].1 };
                        seen.extend_from_slice(&buffer[..read]);
                        drop(all);
                        if to.write_all(&buffer[..read]).is_err() {
                            break;
                        }
                    }
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    (url, captured)
}

fn contains(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret)
}

#[test]
fn what_crosses_the_wire_has_one_size_and_holds_neither_name_nor_ticket() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let service = Service::start(at, &[]);
    let (url, captured) = capture(&service.url);
    let room = Room::create(at, &url);
    captured.lock().unwrap().clear();
    room.enrol(&NAMES, &[]).ok();
    let enrolments = std::mem::take(&mut *captured.lock().unwrap());
    let mut sizes = Vec::new();
    let mut tickets = Vec::new();
    let mut asked = Vec::new();
    for (name, found) in [(NAMES[0], true), ("Michael Faraday", false), (NAMES[2], true), ("Annabella Milbanke", false)]
    {
        let finished = room.command(&["find", name]);
        assert_eq!(finished.code, Some(if found { 0 } else { 3 }), "{finished:?}");
        if found {
            tickets.push(finished.out.trim().to_owned());
        }
        let seen = std::mem::take(&mut *captured.lock().unwrap());
        // With what was asked, a request of the one form there is, and the answer.
        let both = seen.iter().fold([0, 0], |[sent, received], (a, b)| [sent + a.len(), received + b.len()]);
        sizes.push(both);
        asked.extend(seen);
    }
    assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
    assert!(sizes[0][0] > 1_000_000 && sizes[0][1] > 100_000, "{sizes:?}");
    let raw = |ticket: &String| -> Vec<u8> {
        (0..ticket.len() / 2).map(|i| u8::from_str_radix(&ticket[2 * i..2 * i + 2], 16).unwrap()).collect()
    };
    let secrets = tickets.iter().flat_map(|ticket| [raw(ticket), ticket.clone().into_bytes()]);
    let names = NAMES.iter().chain(&["Michael Faraday", "Annabella Milbanke"]).map(|name| name.as_bytes().to_vec());
    for secret in secrets.chain(names) {
        for (sent, received) in enrolments.iter().chain(&asked) {
            assert!(!contains(sent, &secret) && !contains(received, &secret), "{secret:?} crossed the wire");
        }
    }
}
