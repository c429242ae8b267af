//! The table of a report in the words of `docs/benchmarks.md`, put in the place of the one that is there.

use std::path::Path;

use crate::error::Error;
use crate::memory::Usage;
use crate::report::{Report, Row, number};

const HEAD: &str = "| subject | parameters | ours, min / median | peer | peer, min / median | peer / ours | goal |\n|---|---|---|---|---|---|---|\n";

const USAGE_HEAD: &str = "| decision | parameters | 1 thread, s | 2 threads, s | resident before, MB | peak with 1, MB | peak with 2, MB | keys uploaded, MB | keys in memory, MB | answer, kB |\n|---|---|---|---|---|---|---|---|---|---|\n";

/// Replaces the figures in a document; everything else stays. Refused where the document has no such table.
pub fn replace_figures(path: &Path, report: &Report) -> Result<(), Error> {
    replace_rows(path, HEAD, &report.rows.iter().map(line).collect::<String>())
}

/// The table of what decisions take, in megabytes of 10^6 bytes.
pub fn usage_table(usages: &[Usage]) -> String {
    format!("{USAGE_HEAD}{}", usage_rows(usages))
}

/// Replaces the table of what decisions take; everything else stays. Refused where the document has no such table.
pub fn replace_usages(path: &Path, usages: &[Usage]) -> Result<(), Error> {
    replace_rows(path, USAGE_HEAD, &usage_rows(usages))
}

fn replace_rows(path: &Path, head: &str, table: &str) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let absent = || Error::NoTable { path: path.to_owned() };
    let (before, rest) = text.split_once(head).ok_or_else(absent)?;
    // The table ends with its last line that begins as one.
    let rows: usize = rest.split_inclusive('\n').take_while(|line| line.starts_with('|')).map(str::len).sum();
    let after = rest.get(rows..).ok_or_else(absent)?;
    std::fs::write(path, format!("{before}{head}{table}{after}")).map_err(failed)
}

fn usage_rows(usages: &[Usage]) -> String {
    let mega = |bytes: u64| format!("{:.1}", bytes as f64 / 1e6);
    let row = |usage: &Usage| {
        let set = usage.parameters.split(':').next().unwrap_or_default();
        let cells: Vec<String> = [usage.name.clone(), set.to_owned()]
            .into_iter()
            .chain(usage.runs.iter().map(|run| format!("{:.3}", run.seconds)))
            .chain([mega(usage.resident_bytes)])
            .chain(usage.runs.iter().map(|run| mega(run.peak_bytes)))
            .chain([usage.key_bytes_uploaded, usage.key_bytes_expanded].map(|bytes| mega(bytes as u64)))
            .chain([format!("{:.1}", usage.answer_bytes as f64 / 1e3)])
            .collect();
        format!("| {} |\n", cells.join(" | "))
    };
    usages.iter().map(row).collect()
}

fn line(row: &Row) -> String {
    let (set, figure) = (row.parameters.split(':').next().unwrap_or_default(), row.ours);
    let ours = format!("{} {} / {}", number(figure.minimum), row.unit.symbol(), number(figure.median));
    let [name, theirs, ratio] = row.peer.as_ref().map_or_else(Default::default, |peer| {
        let figure = format!("{} / {}", number(peer.figure.minimum), number(peer.figure.median));
        [peer.name.clone(), figure, row.ratio.map(|ratio| format!("{}x", number(1.0 / ratio))).unwrap_or_default()]
    });
    let verdict = if row.met == Some(true) { "met" } else { "missed" };
    let goal = row.goal.map(|goal| format!("{goal} ({verdict})")).unwrap_or_default();
    format!("| {} | {set} | {ours} | {name} | {theirs} | {ratio} | {goal} |\n", row.subject)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Machine;
    use crate::measure::Figure;
    use crate::memory::Run;
    use crate::report::{Goal, Peer, Unit};

    fn report() -> Report {
        let peer = Peer { name: "peer 1".into(), parameters: String::new(), figure: Figure::exact(30.0) };
        let row = |subject: &str, ours| Row::new(subject, "set: N=8", Unit::Microseconds, ours);
        let first = row("a job", Figure { minimum: 10.0, median: 12.0 }).beside(peer);
        let second = row("another", Figure::exact(5.0)).towards(Some(Goal::AtMost(4.0)));
        let machine = Machine::describe(blindrelay_kernels::Backend::Scalar);
        Report { machine, rounds: 1, notes: Vec::new(), rows: vec![first.towards(Some(Goal::PartOfPeer(0.5))), second] }
    }

    #[test]
    fn only_the_table_changes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("document.md");
        std::fs::write(&path, format!("before\n\n{HEAD}| old | | | | | | |\n| old | | | | | | |\n\nafter | all\n"))
            .unwrap();
        replace_figures(&path, &report()).unwrap();
        let rows = "| a job | set | 10.0 us / 12.0 | peer 1 | 30.0 / 30.0 | 3.00x | <= 0.50 of peer (met) |\n\
                    | another | set | 5.00 us / 5.00 |  |  |  | <= 4.00 (missed) |\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("before\n\n{HEAD}{rows}\nafter | all\n"));
    }

    #[test]
    fn what_decisions_take_has_its_own_table() {
        let run = |threads, seconds, peak_bytes| Run { threads, seconds, peak_bytes };
        let usage = Usage {
            name: "threshold".into(),
            parameters: "set: N=8".into(),
            repeats: 3,
            runs: vec![run(1, 0.5, 80_000_000), run(2, 0.2554, 90_500_000)],
            resident_bytes: 70_000_000,
            peaks_include_preparation: false,
            key_bytes_uploaded: 5_250_000,
            key_bytes_expanded: 11_000_000,
            answer_bytes: 123_456,
        };
        let row = "| threshold | set | 0.500 | 0.255 | 70.0 | 80.0 | 90.5 | 5.2 | 11.0 | 123.5 |\n";
        assert_eq!(usage_table(std::slice::from_ref(&usage)), format!("{USAGE_HEAD}{row}"));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("document.md");
        let before = format!("{HEAD}| a figure | | | | | | |\n\n");
        std::fs::write(&path, format!("{before}{USAGE_HEAD}| old |\nafter\n")).unwrap();
        replace_usages(&path, &[usage]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{before}{USAGE_HEAD}{row}after\n"));
    }

    #[test]
    fn a_document_without_the_table_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("document.md");
        std::fs::write(&path, "no table\n").unwrap();
        let error = replace_figures(&path, &report()).unwrap_err();
        assert!(error.to_string().contains("document.md"), "{error}");
        assert!(matches!(replace_usages(&path, &[]), Err(Error::NoTable { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "no table\n");
    }
}
