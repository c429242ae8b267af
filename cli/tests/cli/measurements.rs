//! Files of measurements and settings that cannot be meant: the place, exit code 2, and nothing is sent.

use crate::panels::Hosted;

/// A file's content, and words of the message.
type Refused<'a> = (&'a str, &'a [&'a str]);

#[test]
fn every_fault_of_a_file_is_named_with_its_place_and_nothing_is_sent() {
    let hosted = Hosted::new();
    let cases: &[(&str, &[Refused<'_>])] = &[
        (
            "attention",
            &[
                ("", &["line 1", "it has 0 columns", "has 5"]),
                ("a,b,c,d\n0,0,0,0\n", &["line 1", "it has 4 columns of values", "attention has 5"]),
                ("a,b,c,d,e\n", &["no lines besides the header"]),
                ("a,b,c,d,e\n0,0,0,0,0\n1,1,1,1\n", &["line 3: it has 4 fields, the header has 5"]),
                ("a,b,c,d,e\n0,0,0.5,NaN,0\n", &["line 2, column d: 'NaN' is not a number"]),
                ("a,b,c,d,e\n0,0,inf,0,0\n", &["line 2, column c: 'inf' is not a number"]),
                ("a,b,c,d,e\n0,1.5,0,0,0\n", &["line 2, column b: '1.5' is above 1"]),
                ("a,b,c,d,e\n-0.1,0,0,0,0\n", &["line 2, column a: '-0.1' is negative"]),
                ("a,b,c,d,e\n0,0,0,0,high\n", &["line 2, column e: 'high' is not a number"]),
                ("a,b,c,d,e\n0,0,0,0,0.12", &["the last line does not end with a line break"]),
                ("a;b;c;d;e\n0;0;0;0;0\n", &["line 1", "not separated by commas"]),
                ("contributor,a,b,c,d,e\nx,0,0,0,0,0\nx,0,0,0,0,0\n", &["line 3, column contributor: 'x' has more"]),
                ("contributor,a,b,c,d,e\n,0,0,0,0,0\n", &["line 2, column contributor: it is empty"]),
            ],
        ),
        (
            "speaking",
            &[
                ("a,b,c\n1,2,1801\n", &["line 2, column c: '1801' is above 1800"]),
                ("a,b,c\n1,,2\n", &["line 2, column b: nothing is not a number"]),
            ],
        ),
        (
            "durations",
            &[
                ("seconds\n1e999\n", &["line 2, column seconds: '1e999' is not a number"]),
                ("seconds\n5:61\n", &["line 2, column seconds: '5:61'"]),
                ("seconds,mood\n5,1\n", &["line 1: no column is called 'mood'"]),
                ("second\n5\n", &["line 1: no column is called 'second'"]),
                ("seconds,seconds\n5,5\n", &["line 1: the column seconds is there twice"]),
                (
                    "contributor,seconds\na,5\na,6\n",
                    &["line 3, column contributor: 'a' has more than 1 line since line 2"],
                ),
                ("seconds\n\"5\n6\n", &["line 2, column seconds"]),
            ],
        ),
        (
            "concurrency",
            &[
                ("join,leave\n10,5\n", &["line 2, column leave: it is 5 s before join"]),
                ("join,leave\n0,3601\n", &["line 2, column leave: '3601' is above 3600"]),
                ("leave\n5\n", &["line 1: the column join is missing"]),
            ],
        ),
        (
            "correlation",
            &[
                ("x,y\n-241,0\n", &["line 2, column x: '-241' is below -240"]),
                ("x,y\n0,1.01\n", &["line 2, column y: '1.01' is above 1"]),
            ],
        ),
    ];
    for (name, files) in cases {
        let panel = hosted.create(&format!("{name}.toml"));
        for (content, words) in *files {
            hosted.write("bad.csv", content);
            let refused = hosted.contribute(&panel, "bad.csv");
            refused.failed(2, words);
            refused.failed(2, &["bad.csv"]);
        }
        hosted.contribute(&panel, "nowhere.csv").failed(2, &["nowhere.csv"]);
        assert_eq!(hosted.contributions(&panel), 0, "{name}");
    }
}

#[test]
fn settings_that_cannot_be_meant_are_refused_before_the_service_is_asked() {
    let hosted = Hosted::new();
    for (content, words) in [
        ("", "missing field `collect`"),
        ("minimum_contributions = 5\n[collect.mood]\nslots = 1\n", "unknown variant `mood`"),
        ("minimum_contributions = 0\n[collect.attention]\nslots = 1\n", "minimum_contributions is 0"),
        (
            "minimum_contributions = 5\n[collect.attention]\nslots = 9999\n",
            "takes 19998 slots of a ciphertext, which has 4096",
        ),
        ("minimum_contributions = 5\n[collect.attention]\nslots = 1\n[collect.speaking]\n", "line"),
        (
            "minimum_contributions = 5\n[collect.durations]\nlimit_seconds = 60\nedges = [0, 5, 3]\n",
            "number 2 does not fit",
        ),
        ("minimum_contributions = 5\n[collect.correlation]\nx_limit = nan\ny_limit = 1\n", "x_limit"),
        (
            "minimum_contributions = 5\nmaximum_contributions = 4294967296\n[collect.durations]\nlimit_seconds = 1048576\nedges = [0]\n",
            "bits are left",
        ),
        ("names = [\"a\", \"b\"]\nminimum_contributions = 5\n[collect.attention]\nslots = 1\n", "names: 2 are listed"),
    ] {
        hosted.write("bad.toml", content);
        let refused = hosted.command(&["panel", "create", "bad.toml"]);
        refused.failed(2, &["bad.toml", words]);
    }
    assert_eq!(hosted.command(&["panel", "list"]).ok().out, "no panels\n");
}

#[test]
fn a_panel_takes_no_more_than_it_declares() {
    let hosted = Hosted::new();
    hosted.write(
        "few.toml",
        "minimum_contributions = 1\nmaximum_contributions = 3\n[collect.durations]\nlimit_seconds = 60\nedges = [0]\n",
    );
    hosted.write("two.csv", "seconds\n1\n2\n");
    hosted.write("more.csv", "seconds\n3\n4\n");
    let panel = hosted.create("few.toml");
    hosted.contribute(&panel, "two.csv").ok();
    hosted.contribute(&panel, "more.csv").failed(1, &["has 2 contributions", "with 2 more", "the 3 that it takes"]);
    assert_eq!(hosted.contributions(&panel), 2);
    hosted.report(&panel).ok();
}

#[test]
fn text_of_others_is_text_in_the_report() {
    let hosted = Hosted::new();
    let settings = "title = \"<script>alert(1)</script> \\u001b[2J\"\nnames = [\"<b>\", \"&\"]\nminimum_contributions = 1\n[collect.speaking]\nparticipants = 2\nlimit_seconds = 60\nedges = [0]\n";
    hosted.write("names.toml", settings);
    hosted.write("one.csv", "a,b\n1,2\n");
    let panel = hosted.create("names.toml");
    hosted.contribute(&panel, "one.csv").ok();
    let report = ["report", "--panel", &panel, "--key", "host.key", "--settings", "names.toml"];
    let text = hosted.command(&report).ok().out;
    assert!(!text.contains('\u{1b}') && text.contains("<b>"), "{text}");
    hosted.command(&[&report[..], &["--write", "page.html"]].concat()).ok();
    let page = hosted.read("page.html");
    assert!(!page.contains("<script") && !page.contains("<b>") && page.contains("&lt;script&gt;"), "{page}");
}
