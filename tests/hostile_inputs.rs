//! The table of hostile inputs names tests that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The texts in backticks of a cell.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_hostile_input_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace");
    let page = fs::read_to_string(root.join("docs/hostile-inputs.md")).expect("the page");
    let rows =
        page.lines().skip_while(|line| !line.starts_with("|---")).skip(1).take_while(|line| line.starts_with('|'));
    let mut named = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [input, file, tests] = cells[..] else { panic!("{row} has not three cells") };
        let file = quoted(file).next().unwrap_or_else(|| panic!("{input} names no file"));
        let text = fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{input}: {file}: {error}"));
        let before = named.len();
        for test in quoted(tests) {
            assert!(text.contains(&format!("fn {test}(")), "{input}: there is no {test} in {file}");
            named.insert((file.to_owned(), test.to_owned(), input.to_owned()));
        }
        assert!(named.len() > before, "{input} names no test, or is there twice");
    }
    assert!(named.len() > 60, "only {} tests were seen: the table was not read", named.len());
}
