//! `demo` on meetings of all sizes and in all scripts.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::command::{Finished, run, run_with};

fn demo(meeting: &Value, more: &[&str]) -> Finished {
    let directory = tempdir().unwrap();
    std::fs::write(directory.path().join("meeting.json"), meeting.to_string()).unwrap();
    run(directory.path(), &[&["demo", "meeting.json"], more].concat()).ok()
}

fn of(names: &[&str], looks_for: &str) -> Value {
    let participants: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    json!({ "title": "T", "participants": participants, "newcomer": { "name": "Newcomer", "looks_for": looks_for } })
}

fn crowd(size: usize) -> Vec<String> {
    (0..size).map(|number| format!("Participant {number}")).collect()
}

/// The handles of all participants of a name, by the participants' own account.
fn handles(report: &Value, name: &str) -> Vec<String> {
    let participants = report["participants"].as_array().unwrap().iter();
    let mut handles: Vec<String> = participants
        .filter(|participant| participant["name"] == name)
        .map(|participant| participant["handle"].as_str().unwrap().to_owned())
        .collect();
    handles.sort();
    handles
}

/// What stands in the right column, without its line breaks.
fn told(text: &str) -> String {
    let cells = text.lines().filter(|line| line.starts_with('│')).filter_map(|line| line.split('│').nth(2));
    cells.map(str::trim).collect::<Vec<_>>().join(" ")
}

/// How many requests of a kind the relay saw.
fn requests(report: &Value, method: &str, begin: &str, end: &str) -> usize {
    let text = |seen: &Value, field: &str| seen[field].as_str().unwrap().to_owned();
    let of_kind = |seen: &&Value| {
        let path = text(seen, "path");
        text(seen, "method") == method && path.starts_with(begin) && path.ends_with(end)
    };
    report["relay"].as_array().unwrap().iter().filter(of_kind).count()
}

fn matches(report: &Value) -> Vec<String> {
    let matches = report["newcomer"]["matches"].as_array().unwrap().iter();
    let mut handles: Vec<String> = matches.map(|found| found["handle"].as_str().unwrap().to_owned()).collect();
    handles.sort();
    handles
}

#[test]
fn without_a_file_a_board_meeting_is_played() {
    let text = run(Path::new("."), &["demo"]).ok().out;
    assert!(text.starts_with("Board meeting: 5 participants. Annabella Milbanke arrives"), "{text}");
    for words in ["what the relay saw", "what members, tenant and host know", "round trip", "question 1,6"] {
        assert!(text.contains(words), "'{words}' is not in {text}");
    }
    let told = told(&text);
    for words in
        ["It opens to one ticket", "presents the ticket", "total 1.96 EUR", "mean attention 0.8", "at most 5.9"]
    {
        assert!(told.contains(words), "'{words}' is not in {text}");
    }
    assert!(!text.contains('\u{1b}'), "no colours where nobody sees them");
}

#[test]
fn meetings_of_every_size_find_the_one_who_is_looked_for() {
    for size in [1, 2, 13, 33] {
        let names = crowd(size);
        let sought = names[size / 2].as_str();
        let meeting = of(&names.iter().map(String::as_str).collect::<Vec<_>>(), sought);
        let report = demo(&meeting, &["--json"]).json();
        assert_eq!(report["participants"].as_array().unwrap().len(), size);
        assert_eq!(matches(&report), handles(&report, sought), "{size}");
        // Keys, room, enrolments and a question; a meter, its batches, its card and its charges; keys, a panel, everybody's contribution and a report.
        let batches = requests(&report, "POST", "/v1/meters/", "/batches");
        assert_eq!(report["relay"].as_array().unwrap().len(), (size + 3) + (3 + batches) + (size + 1 + 3), "{size}");
    }
}

#[test]
fn the_relay_saw_what_the_participants_sent_and_nothing_of_their_names() {
    let meeting = of(&["Ada", "Grace"], "Grace");
    let report = demo(&meeting, &["--json"]).json();
    let relay = report["relay"].as_array().unwrap();
    for participant in report["participants"].as_array().unwrap() {
        let sent = |seen: &&Value| seen["request_digest"] == participant["record_digest"];
        assert_eq!(relay.iter().filter(sent).count(), 1, "{report}");
    }
    let seen = serde_json::to_string(relay).unwrap();
    for name in ["Ada", "Grace", "Newcomer"] {
        assert!(!seen.contains(name), "{seen}");
    }
    assert!(relay.iter().all(|seen| seen["status"].as_u64().unwrap() < 300), "{seen}");
    let sent: Vec<&str> = relay
        .iter()
        .filter(|seen| seen["request_bytes"].as_u64().unwrap() > 0)
        .map(|seen| seen["request_digest"].as_str().unwrap())
        .collect();
    let digests: std::collections::BTreeSet<&str> = sent.iter().copied().collect();
    assert_eq!(digests.len(), sent.len(), "no two ciphertexts are equal");
}

#[test]
fn the_tenant_is_charged_what_was_measured_and_the_host_reads_it() {
    let person = |name: &str, measured: &Value| json!({ "name": name, "measured": measured });
    let meeting = json!({
        "title": "T", "date": "2026-11-20", "minutes": 30,
        "participants": [
            person("A", &json!({ "present": [0, 30], "spoke": 6, "attention": [1, 0.5, null], "megabytes": 100 })),
            person("B", &json!({ "present": [5, 20], "spoke": 2, "attention": [0.5], "megabytes": 0 })),
        ],
        "newcomer": { "name": "C", "looks_for": "A" },
    });
    let report = demo(&meeting, &["--json"]).json();
    let invoice = &report["charge"]["invoice"];
    let lines: Vec<(&str, u64)> = invoice["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["item"].as_str().unwrap(), line["quantity"].as_u64().unwrap()))
        .collect();
    // 30 + 15 + 30 minutes of audio, 100 + 300 megabytes, half an hour of the room.
    for expected in [("audio", 4500), ("data", 400), ("room", 1800)] {
        assert!(lines.contains(&expected), "{lines:?}");
    }
    let panels = report["panels"].as_array().unwrap();
    let value = |estimate: &Value| estimate["value"].as_f64().unwrap();
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-3, "{found} is not {expected}");
    let [attention, speaking, concurrency] = &panels[..] else { panic!("{report}") };
    let slots = &attention["report"]["findings"]["attention"]["slots"];
    close(value(&slots[0]["mean"]["mean"]), 0.75);
    close(value(&slots[1]["mean"]["mean"]), 0.5);
    assert!(slots[2]["mean"]["mean"].is_null(), "{slots}");
    close(value(&speaking["report"]["findings"]["speaking"]["seconds"]["shares"][0]), 0.75);
    let participants = &concurrency["report"]["findings"]["concurrency"]["participants"];
    for (index, expected) in [2.5, 3.0, 2.0].into_iter().enumerate() {
        close(value(&participants[index]), expected);
    }
    let text = demo(&meeting, &[]).out;
    let told = told(&text);
    assert!(told.contains("A 75.000 ± 0.001 %, B 25.000 ± 0.001 %, C 0.000"), "{text}");
    assert!(text.contains("9 × POST /v1/panels/…/batches") && text.contains("3 × POST /v1/panels "), "{text}");
}

#[test]
fn a_meeting_that_is_too_large_to_be_played_is_refused_with_a_reason() {
    let people = (0..129).map(|number| json!({ "name": number.to_string() }));
    let meeting = json!({ "participants": people.collect::<Vec<_>>(), "newcomer": { "name": "N", "looks_for": "1" } });
    let directory = tempdir().unwrap();
    std::fs::write(directory.path().join("m.json"), meeting.to_string()).unwrap();
    let finished = run(directory.path(), &["demo", "m.json"]);
    finished.failed(2, &["129 participants", "room for 128", "leave some of them out"]);
}

#[test]
fn many_rows_are_summed_up_and_the_one_who_is_found_stays() {
    let names = crowd(40);
    let meeting = of(&names.iter().map(String::as_str).collect::<Vec<_>>(), "Participant 20");
    let text = demo(&meeting, &[]).out;
    assert!(text.lines().count() < 100, "{text}");
    assert!(text.contains("more of the same kind") && told(&text).contains("Participant 20 enrols"), "{text}");
}

#[test]
fn equal_identities_are_both_found() {
    let meeting = json!({
        "participants": [
            { "name": "Zoë Hopper", "handle": "laptop" },
            { "name": "Somebody Else" },
            // The same name from another keyboard: the mark stands for itself, and there are spaces around.
            { "name": " Zoe\u{308} Hopper ", "handle": "telephone" },
        ],
        "newcomer": { "name": "Kay", "looks_for": "Zoë Hopper" },
    });
    let report = demo(&meeting, &["--json"]).json();
    let mut expected = [handles(&report, "Zoë Hopper"), handles(&report, " Zoe\u{308} Hopper ")].concat();
    expected.sort();
    assert_eq!(matches(&report), expected);
    assert_eq!(expected.len(), 2);
    let text = demo(&meeting, &[]).out;
    let told = told(&text);
    assert!(told.contains("It opens to 2 tickets") && told.contains("Zoë Hopper (laptop) enrols"), "{text}");
}

#[test]
fn nobody_is_found_where_nobody_has_the_name() {
    let report = demo(&of(&["Ada", "Grace"], "Alan"), &["--json"]).json();
    assert!(matches(&report).is_empty());
    let text = demo(&of(&["Ada", "Grace"], "Alan"), &[]).out;
    assert!(told(&text).contains("It opens to nothing: nobody in the room has that name."), "{text}");
}

#[test]
fn names_of_any_script_keep_the_columns_straight() {
    let names = ["ليلى حداد", "王小明", "👩‍🚀 Комета", "Zoë", "e\u{301}e\u{301}", "דוד", "한국어 이름", "a\u{1b}[2Jb\nc"];
    for (sought, columns) in names.into_iter().zip(["60", "97", "140", "3"].into_iter().cycle()) {
        let directory = tempdir().unwrap();
        std::fs::write(directory.path().join("m.json"), of(&names, sought).to_string()).unwrap();
        let finished = run_with(directory.path(), &["demo", "m.json"], &[("COLUMNS", columns)]).ok();
        let rows: Vec<&str> = finished.out.lines().filter(|line| line.starts_with(['│', '├', '┌', '└'])).collect();
        let width = columns.parse::<usize>().unwrap().max(60);
        for row in rows {
            assert_eq!(unicode_width::UnicodeWidthStr::width(row), width, "{row}");
        }
        assert!(!finished.out.contains('\u{1b}'), "a name must not reach the terminal's controls");
        assert!(told(&finished.out).contains("presents the ticket"), "{sought}: {}", finished.out);
    }
}

#[test]
fn every_backend_of_this_machine_plays_the_same_meeting() {
    let scalar = run(Path::new("."), &["demo", "--json", "--backend", "scalar"]).ok().json();
    assert_eq!((&scalar["backend"], matches(&scalar).len()), (&json!("scalar"), 1));
    let finished = run(Path::new("."), &["demo", "--backend", "abacus"]);
    finished.failed(2, &["abacus", "scalar"]);
}

#[test]
fn the_examples_of_the_repository_can_be_played() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut played = 0;
    for entry in std::fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            run(&directory, &["demo", path.to_str().unwrap()]).ok();
            played += 1;
        }
    }
    assert!(played >= 4, "{played}");
}

/// Words of a text, with ids, digests, times and numbers that change from run to run left out.
fn lasting_words(text: &str) -> Vec<&str> {
    let changes = |word: &&str| {
        let number = word.contains(|c: char| c == '…' || c.is_ascii_digit());
        number || ["µs", "ms", "s"].contains(&word.trim_end_matches(','))
    };
    text.split_whitespace().filter(|word| !changes(word)).collect()
}

#[test]
fn the_transcript_in_the_readme_is_what_the_demonstration_prints() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let begin = "<!-- transcript -->\n```text\n$ cargo run --release -- demo\n";
    let (_, transcript) = readme.split_once(begin).unwrap();
    let (transcript, _) = transcript.split_once("\n```").unwrap();
    let played = run(Path::new("."), &["demo"]).ok().out;
    assert_eq!(lasting_words(&told(transcript)), lasting_words(&told(&played)));
    let outside =
        |text: &str| text.lines().filter(|line| !line.starts_with(['│', '├', '┌', '└'])).collect::<Vec<_>>().join(" ");
    assert_eq!(lasting_words(&outside(transcript)), lasting_words(&outside(&played)));
}
