//! The table of a report in the words of `docs/benchmarks.md`, put in the place of the one that is there.

use std::path::Path;

use crate::error::Error;
use crate::report::{Goal, Report, Row, number};

const HEAD: &str = "| subject | parameters | ours, min / median | peer | peer, min / median | peer / ours | goal |\n|---|---|---|---|---|---|---|\n";

/// Replaces the figures in a document; everything else stays. Refused where the document has no such table.
pub fn replace_figures(path: &Path, report: &Report) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let absent = || Error::NoTable { path: path.to_owned() };
    let (before, rest) = text.split_once(HEAD).ok_or_else(absent)?;
    // The table ends with its last line that begins as one.
    let rows: usize = rest.split_inclusive('\n').take_while(|line| line.starts_with('|')).map(str::len).sum();
    let after = rest.get(rows..).ok_or_else(absent)?;
    let table: String = report.rows.iter().map(line).collect();
    std::fs::write(path, format!("{before}{HEAD}{table}{after}")).map_err(failed)
}

fn line(row: &Row) -> String {
    let (set, figure) = (row.parameters.split(':').next().unwrap_or_default(), row.ours);
    let ours = format!("{} {} / {}", number(figure.minimum), row.unit.symbol(), number(figure.median));
    let [name, theirs, ratio] = row.peer.as_ref().map_or_else(Default::default, |peer| {
        let figure = format!("{} / {}", number(peer.figure.minimum), number(peer.figure.median));
        [peer.name.clone(), figure, row.ratio.map(|ratio| format!("{}x", number(1.0 / ratio))).unwrap_or_default()]
    });
    let verdict = if row.met == Some(true) { "met" } else { "missed" };
    let goal = match row.goal {
        Some(Goal::AtMost(limit)) => format!("<= {} ({verdict})", number(limit)),
        Some(Goal::PartOfPeer(part)) => format!("<= {part:.2} of peer ({verdict})"),
        None => String::new(),
    };
    format!("| {} | {set} | {ours} | {name} | {theirs} | {ratio} | {goal} |\n", row.subject)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Machine;
    use crate::measure::Figure;
    use crate::report::{Peer, Unit};

    fn report() -> Report {
        let peer = Peer { name: "peer 1".into(), parameters: String::new(), figure: Figure::exact(30.0) };
        let row = |subject: &str, ours| Row::new(subject, "set: N=8", Unit::Microseconds, ours);
        let first = row("a job", Figure { minimum: 10.0, median: 12.0 }).beside(peer);
        let second = row("another", Figure::exact(5.0)).towards(Some(Goal::AtMost(4.0)));
        let machine = Machine::describe(blindrelay_kernels::Backend::Scalar);
        Report { machine, rounds: 1, rows: vec![first.towards(Some(Goal::PartOfPeer(0.5))), second] }
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
    fn a_document_without_the_table_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("document.md");
        std::fs::write(&path, "no table\n").unwrap();
        let error = replace_figures(&path, &report()).unwrap_err();
        assert!(error.to_string().contains("document.md"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "no table\n");
    }
}
