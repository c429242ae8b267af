//! Meeting files that are not meetings: one line, the file, the place, exit code 2.

use tempfile::tempdir;

use crate::command::run;

#[test]
fn every_fault_is_named_with_its_place() {
    let long = format!("[{}]", "9,".repeat(10));
    let many = format!(
        r#"{{"participants":[{}{{"name":"a"}}],"newcomer":{{"name":"b","looks_for":"a"}}}}"#,
        r#"{"name":"a"},"#.repeat(10_000)
    );
    let cases: &[(&[u8], &[&str])] = &[
        (b"", &["m.json: the file is empty"]),
        (b" \n\t ", &["m.json: the file is empty"]),
        (b"{", &["m.json:1:1", "EOF"]),
        (b"{\"participants\":\n [{\"name\" 3}]}", &["m.json:2:11"]),
        (b"\n\"a\xff\"", &["m.json:2:3", "not UTF-8"]),
        (b"\xff\xfe{\0}\0", &["m.json:1:1", "not UTF-8", "save the file as UTF-8"]),
        (b"[]", &["m.json:1:"]),
        (b"null", &["m.json:1:4", "null"]),
        (long.as_bytes(), &["m.json:1:"]),
        (br#"{"participants":[],"newcomer":{"name":"a","looks_for":"b"}}"#, &["m.json: participants: nobody is listed"]),
        (br#"{"newcomer":{"name":"a","looks_for":"b"}}"#, &["m.json:1:", "missing field `participants`"]),
        (br#"{"participants":[{"name":"a"}]}"#, &["m.json:1:", "missing field `newcomer`"]),
        (br#"{"participants":[{"name":"a"}],"newcomer":{"name":"b"}}"#, &["m.json:1:", "missing field `looks_for`"]),
        (
            b"{\"participants\":[{\"name\":\"a\",\n\"nmae\":1}],\"newcomer\":{\"name\":\"b\",\"looks_for\":\"a\"}}",
            &["m.json:2:6", "unknown field `nmae`"],
        ),
        (
            br#"{"participants":[{"name":"a"}],"newcomer":{"name":"b","looks_for":"a"},"x":1}"#,
            &["m.json:1:", "unknown field `x`"],
        ),
        (br#"{"participants":[{"name":7}],"newcomer":{"name":"b","looks_for":"a"}}"#, &["m.json:1:26", "integer `7`"]),
        (
            br#"{"participants":[{"name":"a"},{"name":" "}],"newcomer":{"name":"b","looks_for":"a"}}"#,
            &["m.json: participants[1].name: the text is empty"],
        ),
        (
            br#"{"participants":[{"name":"a"}],"newcomer":{"name":"","looks_for":"a"}}"#,
            &["newcomer.name: the text is empty"],
        ),
        (
            br#"{"participants":[{"name":"a"}],"newcomer":{"name":"b","looks_for":""}}"#,
            &["newcomer.looks_for: the text is empty"],
        ),
        (
            br#"{"participants":[{"name":"a","handle":"h"},{"name":"b"},{"name":"c","handle":"h"}],"newcomer":{"name":"b","looks_for":"a"}}"#,
            &["participants[2].handle: 'h' is already the handle of participants[0]"],
        ),
        (many.as_bytes(), &["10001 are listed"]),
        (br#"{"minutes":0,"participants":[{"name":"a"}],"newcomer":{"name":"b","looks_for":"a"}}"#, &["m.json: minutes: 0 is not from 1 to 900"]),
        (br#"{"date":"2026-02-30","participants":[{"name":"a"}],"newcomer":{"name":"b","looks_for":"a"}}"#, &["m.json:1:20"]),
        (
            br#"{"participants":[{"name":"a","measured":{"present":[9,8]}}],"newcomer":{"name":"b","looks_for":"a"}}"#,
            &["participants[0].measured.present[1]: 8 is not from 9 to 60"],
        ),
        (
            br#"{"participants":[{"name":"a","measured":{"present":[0,8],"spoke":9}}],"newcomer":{"name":"b","looks_for":"a"}}"#,
            &["participants[0].measured.spoke: 9 is not from 0 to 8"],
        ),
        (
            br#"{"participants":[{"name":"a"}],"newcomer":{"name":"b","looks_for":"a","measured":{"attention":[0,1.5]}}}"#,
            &["newcomer.measured.attention[1]: 1.5 is not from 0 to 1"],
        ),
        (
            br#"{"minutes":20,"participants":[{"name":"a"}],"newcomer":{"name":"b","looks_for":"a","measured":{"attention":[0,0,0]}}}"#,
            &["newcomer.measured.attention: 3 scores for 2 stretches of ten minutes"],
        ),
        (br#"{"participants":[{"name":"a","measured":{"mood":1}}],"newcomer":{"name":"b","looks_for":"a"}}"#, &["unknown field `mood`"]),
        (br#"{"participants":[{"name":"a"}],"newcomer":{"name":"b","looks_for":"a"}} x"#, &["m.json:1:", "trailing"]),
    ];
    for (content, words) in cases {
        let directory = tempdir().unwrap();
        std::fs::write(directory.path().join("m.json"), content).unwrap();
        let finished = run(directory.path(), &["demo", "m.json"]);
        finished.failed(2, words);
        assert_eq!(finished.err.lines().count(), 1, "{finished:?}");
        assert!(finished.out.is_empty(), "{finished:?}");
    }
}

#[test]
fn a_missing_file_and_a_directory_are_named() {
    let directory = tempdir().unwrap();
    run(directory.path(), &["demo", "nowhere.json"]).failed(2, &["nowhere.json: No such file"]);
    run(directory.path(), &["demo", "."]).failed(2, &[".: "]);
}
