//! A service from its first key on: tenants, API keys, and what their holders may do.

use std::fs;
use std::path::Path;

use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::command::{Finished, Service, run, run_with};
use crate::unreliable::{fake, reply};

const ID: &str = "0123456789abcdef0123456789abcdef";

/// A service and files of keys beside it.
struct Administered {
    directory: TempDir,
    service: Service,
}

impl Administered {
    /// A service that asks for keys, with the administrator's in the file `admin`.
    fn start() -> Self {
        let directory = tempdir().unwrap();
        let service = Service::start(directory.path(), &[]);
        let started = Self { directory, service };
        started.openly(&["api-key", "create", "--role", "admin", "--key-file", "admin"]).ok();
        started
    }

    fn at(&self) -> &Path {
        self.directory.path()
    }

    /// A command without a key.
    fn openly(&self, arguments: &[&str]) -> Finished {
        run(self.at(), &[arguments, &["--service", &self.service.url]].concat())
    }

    /// A command with the key of a file.
    fn with(&self, key: &str, arguments: &[&str]) -> Finished {
        self.openly(&[arguments, &["--api-key-file", key]].concat())
    }

    /// Makes a key of tenant `acme` in a file of the role's name, and tells its id.
    fn key(&self, role: &str) -> String {
        let create = ["api-key", "create", "--role", role, "--tenant", "acme", "--key-file", role, "--json"];
        self.with("admin", &create).ok().json()["id"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_new_service_is_taken_into_use_by_its_administrator() {
    let directory = tempdir().unwrap();
    let service = Service::start(directory.path(), &[]);
    let at = Administered { directory, service };
    let room_key = ["keygen", "--out", "room.key"];
    run(at.at(), &room_key).ok();

    // Until there is a key, everybody may do everything, but make no key that would shut the administrator out.
    at.openly(&["tenant", "create", "acme", "--rooms", "2"]).ok();
    let early = ["api-key", "create", "--role", "relay", "--tenant", "acme"];
    at.openly(&early).failed(1, &["409", "api-key create --role admin"]);
    let first = at.openly(&["api-key", "create", "--role", "admin", "--label", "first"]).ok();
    assert!(first.out.starts_with("br1-") && first.out.lines().count() == 1, "{first:?}");
    assert!(first.err.contains("role admin, 'first', never expires") && !first.err.contains("br1-"), "{first:?}");
    fs::write(at.at().join("admin"), &first.out).unwrap();

    // From then on keys are asked for.
    let create = ["room", "create", "--key", "room.key"];
    for refused in [&create[..], &["tenant", "list"], &["api-key", "create", "--role", "admin"]] {
        at.openly(refused).failed(1, &["401", "BLINDRELAY_API_KEY", "--api-key-file"]);
    }
    let wrong = [("BLINDRELAY_API_KEY", "br1-wrong")];
    run_with(at.at(), &["tenant", "list", "--service", &at.service.url], &wrong).failed(1, &["401"]);
    at.with("admin", &create).failed(1, &["403", "role admin", "use a key of a role that may do this"]);

    at.key("tenant");
    let relay = at.key("relay");
    at.key("auditor");
    let room = at.with("tenant", &create).ok().out.trim().to_owned();
    at.with("relay", &create).failed(1, &["403", "role relay", "a key of the tenant"]);

    let of_room = |key, command: &[&str]| at.with(key, &[command, &["--room", &room]].concat());
    let enroll = ["enroll", "--key", "room.key", "--identity", "Ada Lovelace"];
    let question = ["match", "--key", "room.key", "--identity", "Ada Lovelace"];
    let enrolled = of_room("relay", &enroll).ok().out;
    let found = of_room("relay", &question).ok().out;
    assert_eq!(found.split_whitespace().next(), enrolled.split_whitespace().next());

    assert_eq!(of_room("auditor", &["room", "show", "--json"]).ok().json()["handles"], 1);
    for refused in [&enroll, &question] {
        of_room("auditor", refused).failed(1, &["403", "role auditor", "use a key of a role that may do this"]);
    }

    at.with("admin", &["api-key", "revoke", &relay]).ok();
    for refused in [&enroll, &question] {
        of_room("relay", refused).failed(1, &["401", "expired or was revoked"]);
    }
    of_room("tenant", &question).ok();
    let listed = at.with("admin", &["api-key", "list"]).ok().out;
    let line = listed.lines().find(|line| line.starts_with(&relay)).unwrap();
    assert!(line.contains("relay    acme  revoked 2"), "{listed}");
}

#[test]
fn a_key_is_told_once_and_to_its_owner_alone() {
    let at = Administered::start();
    at.with("admin", &["tenant", "create", "acme"]).ok();
    let text = fs::read_to_string(at.at().join("admin")).unwrap();
    assert!(text.starts_with("br1-") && text.ends_with('\n') && text.lines().count() == 1);
    #[cfg(unix)]
    {
        let metadata = fs::metadata(at.at().join("admin")).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777, 0o600);
    }

    // A file that is there stays as it is, and no key is made for it; one for a key that was refused goes away.
    let create = ["api-key", "create", "--role", "relay", "--tenant", "acme", "--label", "box 7", "--expires", "30d"];
    at.with("admin", &[&create[..], &["--key-file", "admin"]].concat()).failed(2, &["nothing is overwritten"]);
    assert_eq!(fs::read_to_string(at.at().join("admin")).unwrap(), text);
    let stranger = ["api-key", "create", "--role", "relay", "--tenant", "nobody", "--key-file", "relay"];
    at.with("admin", &stranger).failed(1, &["404", "blindrelay tenant create"]);
    assert!(!at.at().join("relay").exists());
    let keys = || at.with("admin", &["api-key", "list", "--json"]).ok().json().as_array().unwrap().clone();
    assert_eq!(keys().len(), 1);

    let told = at.with("admin", &create).ok();
    assert!(told.err.contains("role relay of tenant acme, 'box 7', expires 2"), "{told:?}");
    let in_json = at.with("admin", &[&create[..], &["--json"]].concat()).ok();
    assert!(in_json.json()["key"].as_str().unwrap().starts_with("br1-") && in_json.err.is_empty(), "{in_json:?}");
    let quiet = at.with("admin", &[&create[..], &["--key-file", "relay"]].concat()).ok();
    assert!(quiet.out.is_empty() && quiet.err.contains("the key is in relay"), "{quiet:?}");
    let in_both = at.with("admin", &[&create[..], &["--key-file", "other", "--json"]].concat()).ok().json();
    assert_eq!((in_both.get("key"), in_both["key_file"].as_str()), (None, Some("other")));
    let listed = at.with("admin", &["api-key", "list", "--tenant", "acme", "--json"]).ok();
    assert_eq!(listed.json().as_array().unwrap().len(), 4);
    assert!(!listed.out.contains("br1-"), "{listed:?}");

    for (arguments, words) in [
        (&["--role", "relay"][..], "belongs to a tenant"),
        (&["--role", "admin", "--tenant", "acme"], "belongs to no tenant"),
        (&["--role", "admin", "--expires", "2026-01-01T00:00:00Z"], "is over already"),
        (&["--role", "admin", "--label", "a\nb"], "control character"),
    ] {
        at.with("admin", &[&["api-key", "create"], arguments].concat()).failed(2, &[words]);
    }
    for arguments in [&["--role", "owner"][..], &["--role", "admin", "--expires", "30"]] {
        assert_eq!(at.with("admin", &[&["api-key", "create"], arguments].concat()).code, Some(2));
    }
}

#[test]
fn a_rotated_key_lets_in_until_its_grace_is_over() {
    let at = Administered::start();
    at.with("admin", &["tenant", "create", "acme"]).ok();
    let former = at.key("tenant");
    let rotated = at.with("admin", &["api-key", "rotate", &former, "--key-file", "second", "--json"]).ok().json();
    let panels = ["panel", "list"];
    at.with("tenant", &panels).ok();
    at.with("second", &panels).ok();
    let second = rotated["id"].as_str().unwrap();
    assert_eq!((rotated["role"].as_str(), rotated["tenant"].as_str()), (Some("tenant"), Some("acme")));
    let third = at.with("admin", &["api-key", "rotate", second, "--grace", "0s"]).ok().out;
    at.with("second", &panels).failed(1, &["401"]);
    fs::write(at.at().join("third"), third).unwrap();
    at.with("third", &panels).ok();
    let again = ["api-key", "rotate", second, "--key-file", "fourth"];
    at.with("admin", &again).failed(1, &["409", "blindrelay api-key create"]);
    at.with("admin", &["api-key", "revoke", ID]).failed(1, &["404", "blindrelay api-key list"]);
    assert_eq!(at.with("admin", &["api-key", "revoke", "x"]).code, Some(2));
}

#[test]
fn a_tenant_keeps_to_its_limits_and_stays_out_while_it_is_suspended() {
    let at = Administered::start();
    let admin = |arguments: &[&str]| at.with("admin", arguments);
    assert_eq!(admin(&["tenant", "list", "--json"]).ok().json(), json!([]));
    admin(&["tenant", "create", "acme", "--rooms", "1", "--bytes", "1000000"]).ok();
    admin(&["tenant", "create", "acme", "--rooms", "9"]).failed(1, &["there is a tenant 'acme'", "tenant limit"]);
    at.key("tenant");
    let create = ["room", "create"];
    at.with("tenant", &create).ok();
    at.with("tenant", &create).failed(1, &["409", "limit of 1 rooms", "a higher limit"]);

    // What is not named stays.
    let changed = admin(&["tenant", "limit", "acme", "--rooms", "default", "--keys", "7", "--json"]).ok().json();
    assert_eq!(changed["limits"], json!({ "bytes": 1_000_000, "keys": 7 }));
    at.with("tenant", &create).ok();
    admin(&["tenant", "limit", "acme"]).failed(2, &["no limit was given"]);
    assert_eq!(admin(&["tenant", "limit", "acme", "--rooms", "many"]).code, Some(2));

    admin(&["tenant", "suspend", "acme"]).ok();
    at.with("tenant", &create).failed(1, &["403", "suspended", "blindrelay tenant resume"]);
    let shown = admin(&["tenant", "show", "acme"]).ok().out;
    assert!(shown.contains("suspended                  since 2") && shown.contains("at most 7"), "{shown}");
    assert!(admin(&["tenant", "list"]).ok().out.starts_with("acme  0 bytes  suspended"));
    admin(&["tenant", "resume", "acme"]).ok();
    at.with("tenant", &create).ok();

    // A misspelt name makes no tenant.
    for change in [&["suspend"][..], &["resume"], &["show"], &["limit", "--rooms", "1"]] {
        admin(&[&["tenant"], change, &["acmee"]].concat()).failed(1, &["404", "blindrelay tenant list"]);
    }
    admin(&["tenant", "create", "Acme"]).failed(2, &["'Acme'", "a-z"]);
    assert_eq!(admin(&["tenant", "list", "--json"]).ok().json().as_array().unwrap().len(), 1);
}

#[test]
fn refusals_come_with_advice() {
    let directory = tempdir().unwrap();
    for (status, code, words) in [
        ("401 Unauthorized", "unauthorized", "BLINDRELAY_API_KEY"),
        ("403 Forbidden", "role-refused", "blindrelay api-key create --role ROLE"),
        ("403 Forbidden", "tenant-suspended", "blindrelay tenant resume NAME"),
        ("409 Conflict", "first-key", "blindrelay api-key create --role admin"),
        ("409 Conflict", "keys-expired", "blindrelay keygen"),
        ("409 Conflict", "keys-revoked", "the next --epoch"),
        ("429 Too Many Requests", "rate-limited", "a higher limit"),
    ] {
        let problem = json!({ "detail": "seven words of detail", "code": code }).to_string();
        let url = fake(move |_| reply(status, "application/problem+json", problem.as_bytes()));
        let shown = run(directory.path(), &["room", "show", "--service", &url, "--room", ID]);
        shown.failed(1, &[&status[..3], "seven words of detail", words]);
    }
    // A reply that is lost may have made a key that nobody has.
    let url =
        fake(|_| b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{".to_vec());
    let create = ["api-key", "create", "--role", "admin", "--key-file", "admin", "--timeout", "1", "--service", &url];
    run(directory.path(), &create).failed(1, &["which nobody has", "blindrelay api-key list"]);
    assert!(!directory.path().join("admin").exists());
}
