//! Evaluation keys with an end: their terms, and what is left when they are taken out of use.

use tempfile::tempdir;

use crate::command::{Service, run};

#[test]
fn evaluation_keys_are_used_until_they_are_revoked() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let service = Service::start(at, &[]);
    let on_service = |arguments: &[&str]| run(at, &[arguments, &["--service", &service.url]].concat());
    run(at, &["keygen"]).ok();
    let create = ["room", "create", "--key", "room.key"];
    let with = |more: &[&str]| on_service(&[&create[..], more, &["--json"]].concat());
    let made = with(&["--epoch", "4", "--expires", "9999-12-31T23:59:59Z"]).ok().json();
    let (room, digest) = (made["room"].as_str().unwrap(), made["evaluation_keys"].as_str().unwrap());
    let keys = |action: &str| on_service(&["evaluation-keys", action, digest]);
    let shown = keys("show").ok().out;
    assert!(
        shown.contains("of epoch 4, until 9999-12-31T23:59:59Z") && shown.contains("revoked          no"),
        "{shown}"
    );
    let shown = on_service(&["evaluation-keys", "show", digest, "--json"]).ok().json();
    assert_eq!((shown["epoch"].as_u64(), shown["expires"].as_u64()), (Some(4), Some(253_402_300_799_000)));

    // Terms never change; whoever names others is told, and no room is made with them.
    with(&["--epoch", "4"]).ok();
    with(&["--epoch", "5"]).failed(1, &["already, of epoch 4", "leave --epoch and --expires out"]);
    with(&["--expires", "30d"]).failed(1, &["already, of epoch 4, until 9999"]);
    on_service(&["room", "create", "--epoch", "5"]).failed(2, &["none would be uploaded"]);
    with(&["--expires", "2026-01-01T00:00:00Z"]).failed(2, &["is over already"]);

    let question = ["match", "--key", "room.key", "--identity", "Ada", "--room", room];
    on_service(&["enroll", "--key", "room.key", "--identity", "Ada", "--room", room]).ok();
    on_service(&question).ok();
    keys("delete").failed(1, &["409", "delete that first"]);
    let revoked = keys("revoke").ok().out;
    assert!(revoked.contains("revoked          since 2"), "{revoked}");
    keys("revoke").ok();
    on_service(&question).failed(1, &["409", "revoked", "blindrelay keygen", "--epoch"]);
    with(&[]).failed(1, &["409", "revoked"]);
    on_service(&["room", "show", "--room", room]).ok();
    let digest = "0".repeat(64);
    on_service(&["evaluation-keys", "show", &digest]).failed(1, &["404"]);
    on_service(&["evaluation-keys", "show", "x"]).failed(2, &["64 lower-case"]);
}
