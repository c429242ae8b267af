//! `demo` on meetings of all sizes and in all scripts.

use std::path::Path;
use std::time::{Duration, Instant};

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
    for words in ["what the relay saw", "what the participants know", "round trip", "probe 10,5"] {
        assert!(text.contains(words), "'{words}' is not in {text}");
    }
    assert!(told(&text).contains("scores 128, so connect to it"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours where nobody sees them");
}

#[test]
fn meetings_of_every_size_find_the_one_who_is_looked_for() {
    for size in [1, 2, 16, 17, 33, 500] {
        let names = crowd(size);
        let sought = names[size / 2].as_str();
        let meeting = of(&names.iter().map(String::as_str).collect::<Vec<_>>(), sought);
        let start = Instant::now();
        let report = demo(&meeting, &["--json"]).json();
        assert!(start.elapsed() < Duration::from_secs(20), "{size}: {:?}", start.elapsed());
        assert_eq!(report["participants"].as_array().unwrap().len(), size);
        assert_eq!(report["newcomer"]["scores"].as_array().unwrap().len(), size);
        assert_eq!(matches(&report), handles(&report, sought), "{size}");
        assert_eq!(report["relay"].as_array().unwrap().len(), size + 3);
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
    let digests: std::collections::BTreeSet<&str> =
        relay.iter().map(|seen| seen["request_digest"].as_str().unwrap()).collect();
    assert_eq!(digests.len(), relay.len(), "no two ciphertexts are equal");
}

#[test]
fn many_rows_are_summed_up_and_the_one_who_is_found_stays() {
    let names = crowd(500);
    let meeting = of(&names.iter().map(String::as_str).collect::<Vec<_>>(), "Participant 250");
    let text = demo(&meeting, &[]).out;
    assert!(text.lines().count() < 80, "{text}");
    assert!(text.contains("more of the same kind") && text.contains("Participant 250 enrols"), "{text}");
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
    assert!(told.contains("2 equal names") && told.contains("Zoë Hopper (laptop) enrols"), "{text}");
}

#[test]
fn nobody_is_found_where_nobody_has_the_name() {
    let report = demo(&of(&["Ada", "Grace"], "Alan"), &["--json"]).json();
    assert!(matches(&report).is_empty());
    assert!(report["newcomer"]["closest_other"].as_i64().unwrap() < 128);
    let text = demo(&of(&["Ada", "Grace"], "Alan"), &[]).out;
    assert!(told(&text).contains("nobody in the room has that name. The highest score is"), "{text}");
}

#[test]
fn names_of_any_script_keep_the_columns_straight() {
    let names = ["ليلى حداد", "王小明", "👩‍🚀 Комета", "Zoë", "e\u{301}e\u{301}", "דוד", "한국어 이름", "a\u{1b}[2Jb\nc"];
    for columns in ["60", "97", "140", "3"] {
        for sought in names {
            let directory = tempdir().unwrap();
            std::fs::write(directory.path().join("m.json"), of(&names, sought).to_string()).unwrap();
            let finished = run_with(directory.path(), &["demo", "m.json"], &[("COLUMNS", columns)]).ok();
            let rows: Vec<&str> = finished.out.lines().filter(|line| line.starts_with(['│', '├', '┌', '└'])).collect();
            let width = columns.parse::<usize>().unwrap().max(60);
            for row in rows {
                assert_eq!(unicode_width::UnicodeWidthStr::width(row), width, "{row}");
            }
            assert!(!finished.out.contains('\u{1b}'), "a name must not reach the terminal's controls");
            assert!(told(&finished.out).contains("scores 128"), "{sought}: {}", finished.out);
        }
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
