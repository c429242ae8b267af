//! The life of a room, from its key to its end, against a running service.

use std::fs;

use serde_json::Value;
use tempfile::tempdir;

use crate::command::{Finished, Service, run, run_with};

struct Room<'a> {
    directory: &'a std::path::Path,
    service: &'a str,
    id: String,
}

impl Room<'_> {
    fn command(&self, arguments: &[&str]) -> Finished {
        run(self.directory, &[arguments, &["--service", self.service, "--room", &self.id]].concat())
    }

    fn find(&self, identity: &str) -> Finished {
        self.command(&["match", "--key", "room.key", "--identity", identity])
    }
}

fn handle_of(lines: &str, identity: &str) -> String {
    let line = lines.lines().find(|line| line.ends_with(identity)).unwrap_or_else(|| panic!("{identity}: {lines}"));
    line.split_whitespace().next().unwrap().to_owned()
}

#[cfg(unix)]
#[test]
fn a_room_lives_from_its_key_to_its_deletion() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let service = Service::start(at, &[]);
    run(at, &["keygen"]).ok();
    let id = run(at, &["room", "create", "--service", &service.url, "--key", "room.key"]).ok().out.trim().to_owned();
    let room = Room { directory: at, service: &service.url, id };

    let nobody = room.find("Ada Lovelace");
    assert_eq!(nobody.code, Some(3), "{nobody:?}");
    assert!(nobody.out.contains("nobody is enrolled"), "{nobody:?}");

    let names: Vec<String> = (0..70)
        .map(|number| format!("Member {number}"))
        .chain(["Ada Lovelace".to_owned(), "王小明".to_owned()])
        .collect();
    fs::write(at.join("names.txt"), names.join("\r\n") + "\n\n").unwrap();
    let enrol = ["enroll", "--key", "room.key", "--identities", "names.txt", "--receipts", "receipts.txt"];
    let enrolled = room.command(&enrol).ok();
    assert_eq!(enrolled.out.lines().count(), names.len(), "{enrolled:?}");
    let repeated = room.command(&enrol).ok();
    assert!(repeated.out.is_empty() && repeated.err.contains("72 enrolments noted"), "{repeated:?}");
    let shown = room.command(&["room", "show", "--json", "--handles"]).ok().json();
    assert_eq!((shown["handles"].as_u64(), shown["listed"].as_array().unwrap().len()), (Some(72), 72));

    for identity in ["Ada Lovelace", "王小明", "Member 0", "Member 69"] {
        let found = room.find(identity).ok();
        assert_eq!(found.out, format!("{}  128\n", handle_of(&enrolled.out, identity)), "{identity}");
    }
    let nobody = room.find("Grace Hopper");
    assert_eq!((nobody.code, nobody.out.contains("none of the 72 handles")), (Some(3), true), "{nobody:?}");
    let all = ["match", "--key", "room.key", "--identity", "Grace Hopper", "--all", "--json", "--threshold", "-128"];
    let all = room.command(&all).ok().json();
    assert_eq!(all["scores"].as_array().unwrap().len(), 72);
    assert_eq!(all["matches"], all["scores"]);

    // Equal identities have handles of their own.
    let second = room.command(&["enroll", "--key", "room.key", "--identity", " Ada Lovelace "]).ok();
    assert_eq!(room.find("Ada Lovelace").ok().out.lines().count(), 2);
    for enrolment in [&second, &enrolled] {
        let handle = handle_of(&enrolment.out, "Ada Lovelace");
        room.command(&["remove", "--handle", &handle]).ok();
        room.command(&["remove", "--handle", &handle]).failed(1, &["404", "check the id"]);
    }
    assert_eq!(room.find("Ada Lovelace").code, Some(3));
    room.find("王小明").ok();

    // Every opened answer was counted; a key that has none left asks no more, and one that is nearly there says so.
    let count = fs::read_to_string(at.join("room.key.decisions")).unwrap();
    assert_eq!(count, "9\n");
    fs::write(at.join("room.key.decisions"), "127\n").unwrap();
    let last = room.find("王小明").ok();
    assert!(last.err.contains("0 decisions are left"), "{last:?}");
    room.find("王小明").failed(1, &["128 decisions", "blindrelay keygen"]);
    fs::write(at.join("room.key.decisions"), "0\n").unwrap();

    // Asking in bulk opens and checks every answer, and spends no decision.
    let bulk = ["load", "--key", "room.key", "--clients", "3", "--matches", "4", "--json"];
    let seen = room.command(&bulk).ok().json();
    assert_eq!((seen["answered"].as_u64(), seen["failed"].as_u64()), (Some(12), Some(0)), "{seen}");
    assert_eq!(fs::read_to_string(at.join("room.key.decisions")).unwrap(), "0\n");

    room.command(&["room", "delete"]).ok();
    room.command(&bulk).failed(1, &["404"]);
    room.find("王小明").failed(1, &["404"]);
    assert_eq!(service.terminate(), Some(0));
}

#[test]
fn a_key_of_another_room_opens_nothing_of_this_one() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let service = Service::start(at, &["--backend", "scalar"]);
    for name in ["room.key", "other.key"] {
        run(at, &["keygen", "--out", name]).ok();
    }
    run(at, &["keygen", "--operator", "match-embeddings/1", "--out", "vectors.key"]).ok();
    let create = |more: &[&str]| {
        let create = [&["room", "create", "--service", &service.url], more].concat();
        Room { directory: at, service: &service.url, id: run(at, &create).ok().out.trim().to_owned() }
    };
    let room = create(&["--key", "room.key"]);
    room.command(&["enroll", "--key", "room.key", "--identity", "Ada"]).ok();
    room.find("Ada").ok();
    let other = ["match", "--key", "other.key", "--identity", "Ada"];
    room.command(&other).failed(2, &["not those of the key file"]);
    room.command(&["enroll", "--key", "other.key", "--identity", "Ada"]).failed(2, &["not those of the key file"]);

    // Without evaluation keys only the opened values tell. A wrong one is in range about every second time, forty never are.
    let names: Vec<String> = (0..40).map(|number| format!("Member {number}")).collect();
    fs::write(at.join("names.txt"), names.join("\n")).unwrap();
    let keyless = create(&[]);
    keyless.command(&["enroll", "--key", "room.key", "--identities", "names.txt"]).ok();
    keyless.command(&other).failed(1, &["could not be opened", "connect nobody"]);
    let vectors = room.command(&["match", "--key", "vectors.key", "--identity", "Ada"]);
    vectors.failed(2, &["match-embeddings/1"]);
    room.command(&["match", "--key", "none.key", "--identity", "Ada"]).failed(2, &["none.key", "keygen"]);
    room.command(&["match", "--key", "room.key", "--identity", "  "]).failed(2, &["the identity is empty"]);
}

#[test]
fn embeddings_are_matched_by_closeness() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let service = Service::start(at, &[]);
    run(at, &["keygen", "--operator", "match-embeddings/1", "--evaluation-keys", "room.eval"]).ok();
    let create = ["room", "create", "--operator", "match-embeddings/1", "--evaluation-keys", "room.eval", "--service"];
    let id = run(at, &[&create[..], &[&service.url]].concat()).ok().out.trim().to_owned();
    let room = Room { directory: at, service: &service.url, id };
    let wave = |shift: f64| (0..128).map(|i| (f64::from(i) * 0.37 + shift).sin()).collect::<Vec<f64>>();
    fs::write(at.join("one.json"), serde_json::to_string(&wave(0.0)).unwrap()).unwrap();
    fs::write(at.join("close.txt"), wave(0.1).iter().map(|x| format!("{x}\n")).collect::<Vec<_>>().concat()).unwrap();
    fs::write(at.join("far.txt"), wave(1.6).iter().map(|x| format!("{x}, ")).collect::<Vec<_>>().concat()).unwrap();
    let enroll = ["enroll", "--key", "room.key", "--embedding", "close.txt", "--embedding", "far.txt"];
    let enrolled = room.command(&enroll).ok();
    let find = ["match", "--key", "room.key", "--embedding", "one.json", "--all", "--json"];
    let found = room.command(&find).ok().json();
    assert_eq!(found["matches"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["matches"][0]["handle"].as_str().unwrap(), handle_of(&enrolled.out, "close.txt"));
    assert_eq!(found["scores"].as_array().unwrap().len(), 2);

    for (content, words) in [
        ("[1, 2]", "128 entries, not 2"),
        ("[1, ]", "trailing comma"),
        ("1 2 x", "number 3 cannot be read"),
        ("", "no number"),
    ] {
        fs::write(at.join("bad.txt"), content).unwrap();
        room.command(&["match", "--key", "room.key", "--embedding", "bad.txt"]).failed(2, &["bad.txt", words]);
    }
    room.command(&["match", "--key", "room.key", "--identity", "Ada"]).failed(2, &["embedding instead"]);
}

#[test]
fn tenants_need_their_key_and_see_their_own_rooms_only() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let digest = |key: &str| {
        blindrelay_engine::wire::content_digest(key.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .concat()
    };
    let tenant = |name: &str, key: &str| format!("[[tenants]]\nname = \"{name}\"\nkey_sha256 = \"{}\"\n", digest(key));
    fs::write(at.join("service.toml"), tenant("one", "first-key") + &tenant("two", "second-key")).unwrap();
    run(at, &["serve", "--config", "service.toml", "--check-config"]).ok();
    let service = Service::start(at, &["--config", "service.toml"]);

    let create = ["room", "create", "--service", &service.url];
    run(at, &create).failed(1, &["401", "BLINDRELAY_API_KEY"]);
    run_with(at, &create, &[("BLINDRELAY_API_KEY", "wrong")]).failed(1, &["401"]);
    let id = run_with(at, &create, &[("BLINDRELAY_API_KEY", "first-key")]).ok().out.trim().to_owned();
    fs::write(at.join("second"), "second-key\n").unwrap();
    let show = ["room", "show", "--service", &service.url, "--room", &id];
    run(at, &[&show[..], &["--api-key-file", "second"]].concat()).failed(1, &["404"]);
    let shown: Value =
        run_with(at, &[&show[..], &["--json"]].concat(), &[("BLINDRELAY_API_KEY", "first-key")]).ok().json();
    assert_eq!(shown["room"].as_str(), Some(id.as_str()));
}

#[test]
fn a_configuration_that_cannot_be_meant_is_refused_before_anything_starts() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    for (content, words) in [
        ("listen = \"0.0.0.0:1\"", "loopback"),
        ("lisen = 1", "unknown field"),
        ("[limits]\nconnections = 0", "must not be 0"),
    ] {
        fs::write(at.join("bad.toml"), content).unwrap();
        let finished = run(at, &["serve", "--config", "bad.toml", "--check-config"]);
        finished.failed(2, &["bad.toml", words]);
        assert_eq!(finished.err.lines().count(), 1, "{finished:?}");
    }
    run(at, &["serve", "--listen", "0.0.0.0:0"]).failed(2, &["without TLS", "loopback"]);
    // Whether there is a key is known once the store is open.
    fs::write(at.join("open.toml"), "allow_plain_http = true\nlisten = \"0.0.0.0:0\"").unwrap();
    let open = ["serve", "--config", "open.toml", "--log", "off", "--data", "data"];
    run(at, &[&open[..], &["--check-config"]].concat()).ok();
    run(at, &open).failed(1, &["without a key", "loopback", "blindrelay api-key create"]);
    run(at, &["serve", "--config", "none.toml"]).failed(2, &["none.toml"]);
}
