//! The files that the command line writes, and what it says of files.

use std::fs;

use serde_json::json;
use tempfile::tempdir;

use crate::command::run;

#[cfg(unix)]
#[test]
fn a_key_file_is_for_its_owner_only_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempdir().unwrap();
    let path = directory.path().join("room.key");
    let made = run(directory.path(), &["keygen"]).ok();
    assert!(made.out.contains("room.key") && made.out.contains("match-2048"), "{made:?}");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = fs::read(&path).unwrap();

    let again = run(directory.path(), &["keygen", "--evaluation-keys", "room.eval"]);
    again.failed(2, &["room.key", "never overwritten"]);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(!directory.path().join("room.eval").exists(), "a refused run leaves nothing behind");

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let shown = run(directory.path(), &["inspect", "room.key"]);
    shown.failed(2, &["can be read by others", "chmod 600"]);
}

#[test]
fn two_keys_differ_and_evaluation_keys_are_not_overwritten_either() {
    let directory = tempdir().unwrap();
    for name in ["a.key", "b.key"] {
        run(directory.path(), &["keygen", "--out", name]).ok();
    }
    let read = |name| fs::read(directory.path().join(name)).unwrap();
    assert_ne!(read("a.key"), read("b.key"));

    let made =
        run(directory.path(), &["keygen", "--json", "--out", "c.key", "--evaluation-keys", "c.eval"]).ok().json();
    assert_eq!(made["evaluation_keys"]["bytes"].as_u64().unwrap(), read("c.eval").len() as u64);
    let again = run(directory.path(), &["keygen", "--out", "d.key", "--evaluation-keys", "c.eval"]);
    again.failed(2, &["c.eval", "exists already"]);
    assert!(!directory.path().join("d.key").exists());
}

#[test]
fn inspect_tells_files_apart_and_keeps_secrets() {
    let directory = tempdir().unwrap();
    run(directory.path(), &["keygen", "--operator", "match-embeddings/1", "--evaluation-keys", "room.eval"]).ok();
    fs::write(
        directory.path().join("meeting.json"),
        json!({ "participants": [{ "name": "A" }], "newcomer": { "name": "B", "looks_for": "A" } }).to_string(),
    )
    .unwrap();
    fs::write(directory.path().join("noise"), [7; 100]).unwrap();
    fs::write(directory.path().join("nothing"), []).unwrap();
    let inspect = |name: &str| run(directory.path(), &["inspect", name]);

    let key = inspect("room.key").ok().out;
    assert!(key.contains("secret key file") && key.contains("match-4096"), "{key}");
    let seed = &fs::read(directory.path().join("room.key")).unwrap()[40..];
    let digits: String = seed.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let shown = run(directory.path(), &["inspect", "room.key", "--json"]).ok().out;
    assert!(!key.contains(&digits[..8]) && !shown.contains(&digits[..8]));

    let keys = run(directory.path(), &["inspect", "--json", "room.eval"]).ok().json();
    assert_eq!(keys["relinearization"], json!(true));
    assert_eq!(keys["parameter_set"], json!("match-4096"));
    assert!(inspect("room.eval").ok().out.contains("evaluation keys"));
    assert!(inspect("meeting.json").ok().out.contains("a meeting"));

    inspect("noise").failed(2, &["100 bytes", "not a file of blindrelay", "looked for"]);
    inspect("nothing").failed(2, &["0 bytes"]);
    inspect("nowhere").failed(2, &["nowhere", "No such file"]);
    let mut cut = fs::read(directory.path().join("room.eval")).unwrap();
    cut.truncate(39);
    fs::write(directory.path().join("cut"), &cut).unwrap();
    inspect("cut").failed(2, &["40 bytes are needed", "39"]);
}

#[test]
fn params_shows_figures_that_agree_with_the_files() {
    let directory = tempdir().unwrap();
    let all = run(directory.path(), &["params", "--json"]).ok().json();
    let names: Vec<&str> =
        all["parameter_sets"].as_array().unwrap().iter().map(|set| set["name"].as_str().unwrap()).collect();
    for name in ["match-2048", "match-4096", "bill-8192", "stats-8192", "stats-16384", "decide-32768"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let operators: Vec<(&str, &str)> = all["operators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|card| (card["id"].as_str().unwrap(), card["parameters"].as_str().unwrap()))
        .collect();
    for operator in [("charge/1", "bill-8192"), ("find-signs/1", "decide-32768")] {
        assert!(operators.contains(&operator), "{operators:?}");
    }
    for (operator, set) in [("match-signs/1", "match-2048"), ("match-embeddings/1", "match-4096")] {
        let (key, keys) = (format!("{set}.key"), format!("{set}.eval"));
        run(directory.path(), &["keygen", "--operator", operator, "--out", &key, "--evaluation-keys", &keys]).ok();
        let shown = run(directory.path(), &["params", "--json", set]).ok().json();
        let bytes = shown["parameter_sets"][0]["bytes"]["relinearization_key"].as_u64().unwrap();
        assert_eq!(bytes, fs::metadata(directory.path().join(&keys)).unwrap().len());
        assert_eq!(shown["operators"][0]["id"], json!(operator));
    }
    assert!(run(directory.path(), &["params"]).ok().out.contains("128 bits under Pq128"));
    run(directory.path(), &["params", "match-1"]).failed(2, &["match-1", "match-2048"]);
}

#[test]
fn completions_and_the_missing_benchmarks_answer() {
    let directory = tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(directory.path(), &["completions", shell]).ok().out;
        assert!(script.contains("blindrelay") && script.contains("enroll"), "{shell}");
    }
    if cfg!(not(feature = "bench")) {
        run(directory.path(), &["bench"]).failed(2, &["no benchmarks", "--features bench"]);
    }
    assert_eq!(run(directory.path(), &["no-such-command"]).code, Some(2));
    assert_eq!(run(directory.path(), &["--help"]).code, Some(0));
}
