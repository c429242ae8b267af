//! Measurements to be contributed: CSV with a header, checked to the last field before anything is sent.
//!
//! A line is a contribution. Where there is a column `contributor`, all lines of one contributor are one contribution (durations, concurrency, correlation), or
//! nobody may have a second line (attention, speaking).

mod columns;
mod fields;

use std::collections::HashMap;
use std::path::Path;

use blindrelay_analytics::{Collect, Contribution, ContributionError, Plan, Stay};
use blindrelay_engine::wire::content_digest;
use csv::{ReaderBuilder, StringRecord};
use zeroize::Zeroizing;

use self::columns::Columns;
use self::fields::Limits;
use crate::arguments::read_text;
use crate::failure::Failure;
use crate::printable::{count, one_line};

const CUT_OFF: &str = "the file may be cut off there, or a quotation mark may not be closed: export it again";

/// What one contributor measured. Wiped on drop.
#[derive(Clone)]
pub(crate) struct Measurement {
    /// The line of the file that it begins on.
    line: u64,
    /// Scores (not a number where there is none), seconds, joins and leaves by turns, or pairs by turns.
    values: Zeroizing<Vec<f64>>,
}

impl std::fmt::Debug for Measurement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Measurement(line {})", self.line)
    }
}

impl Measurement {
    /// Packed for a panel.
    pub(crate) fn pack(&self, plan: &Plan) -> Result<Contribution, ContributionError> {
        match plan.settings().collect {
            Collect::Attention { .. } => {
                let scores = self.values.iter().map(|&score| (!score.is_nan()).then_some(score));
                Contribution::attention(plan, &Zeroizing::new(scores.collect::<Vec<_>>()))
            }
            Collect::Speaking { .. } => Contribution::speaking(plan, &self.values),
            Collect::Durations { .. } => Contribution::durations(plan, &self.values),
            Collect::Concurrency { .. } => {
                let stays: Vec<Stay> = self.pairs().map(|(join, leave)| Stay { join, leave }).collect();
                Contribution::concurrency(plan, &stays)
            }
            Collect::Correlation { .. } => {
                Contribution::correlation(plan, &Zeroizing::new(self.pairs().collect::<Vec<_>>()))
            }
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (f64, f64)> {
        self.values.chunks_exact(2).filter_map(|pair| Some(<[f64; 2]>::try_from(pair).ok()?.into()))
    }
}

/// The content of a file.
#[derive(Debug)]
pub(crate) struct Measurements {
    /// One for each contribution.
    pub(crate) all: Vec<Measurement>,
    /// Lines besides the header.
    pub(crate) lines: u64,
    /// SHA-256 of the file.
    pub(crate) digest: [u8; 32],
}

impl Measurements {
    /// Reads a file and packs every contribution once, so that none is refused later. Every error names file, line and column.
    pub(crate) fn read(path: &Path, plan: &Plan) -> Result<Self, Failure> {
        let text = Zeroizing::new(read_text(path)?);
        let content = |fault: String, advice| Failure::Content { path: path.to_owned(), fault, advice };
        let mut reader =
            ReaderBuilder::new().flexible(true).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let unreadable = |error: csv::Error| content(error.to_string(), CUT_OFF);
        let header = reader.headers().map_err(unreadable)?.clone();
        let collect = &plan.settings().collect;
        let columns = Columns::of(&header, collect)
            .map_err(|fault| content(format!("line 1: {fault}"), columns::advice(collect)))?;
        let mut gathered = Gathered::new(collect);
        let mut record = StringRecord::new();
        let mut lines = 0;
        while reader.read_record(&mut record).map_err(unreadable)? {
            let line = record.position().map_or(1, csv::Position::line);
            if record.len() != header.len() {
                let what =
                    format!("line {line}: it has {}, the header has {}", count(record.len(), "field"), header.len());
                return Err(content(what, CUT_OFF));
            }
            gathered.take(&columns, &record, line).map_err(|fault| content(fault.describe(line), fault.advice))?;
            lines += 1;
        }
        if !text.ends_with(['\n', '\r']) {
            return Err(content("the last line does not end with a line break".to_owned(), CUT_OFF));
        }
        for measurement in &gathered.all {
            let packed = measurement.pack(plan).map(drop);
            packed.map_err(|error| content(format!("line {}: {error}", measurement.line), "correct the line"))?;
        }
        if gathered.all.is_empty() {
            return Err(content("it has no lines besides the header".to_owned(), "nothing was sent"));
        }
        Ok(Self { all: gathered.all, lines, digest: content_digest(text.as_bytes()) })
    }
}

/// What is wrong with a line.
struct Fault {
    column: Option<String>,
    what: String,
    advice: &'static str,
}

impl Fault {
    fn describe(&self, line: u64) -> String {
        let column = self.column.as_ref().map_or_else(String::new, |column| format!(", column {column}"));
        format!("line {line}{column}: {}", self.what)
    }
}

/// Lines put together by their contributors.
struct Gathered {
    all: Vec<Measurement>,
    contributors: HashMap<String, usize>,
    limits: Limits,
    /// Most values of a contribution that grows by lines; `None` where a contribution is one line.
    most: Option<usize>,
    per_line: usize,
}

impl Gathered {
    fn new(collect: &Collect) -> Self {
        let (per_line, most) = match collect {
            Collect::Attention { .. } | Collect::Speaking { .. } => (collect.width(), None),
            Collect::Durations { calls, .. } => (1, Some(*calls)),
            Collect::Concurrency { .. } => (2, Some(usize::MAX)),
            Collect::Correlation { pairs, .. } => (2, Some(2 * pairs)),
        };
        Self { all: Vec::new(), contributors: HashMap::new(), limits: Limits::of(collect), most, per_line }
    }

    fn take(&mut self, columns: &Columns, record: &StringRecord, line: u64) -> Result<(), Fault> {
        let mut values = Zeroizing::new(Vec::with_capacity(self.per_line));
        for (index, place) in columns.values().enumerate() {
            let text = record.get(place).unwrap_or_default().trim();
            let value = self.limits.read(index, text);
            values.push(value.map_err(|(what, advice)| Fault { column: Some(columns.name(place)), what, advice })?);
        }
        if self.limits.stays()
            && let [join, leave] = *values.as_slice()
            && leave < join
        {
            let column = columns.values().nth(1).map(|place| columns.name(place));
            let advice = "correct the line: a leave is not before its join";
            return Err(Fault { column, what: format!("it is {} s before join", join - leave), advice });
        }
        let Some(place) = columns.contributor() else {
            self.all.push(Measurement { line, values });
            return Ok(());
        };
        let contributor = record.get(place).unwrap_or_default().trim();
        let fault = |what, advice| Fault { column: Some(columns.name(place)), what, advice };
        if contributor.is_empty() {
            return Err(fault("it is empty".to_owned(), "name the contributor, or leave the column out"));
        }
        let known = self.contributors.get(contributor).and_then(|&index| self.all.get_mut(index));
        match (known, self.most) {
            (None, _) => {
                self.contributors.insert(contributor.to_owned(), self.all.len());
                self.all.push(Measurement { line, values });
                Ok(())
            }
            (Some(measurement), Some(most)) if measurement.values.len() + values.len() <= most => {
                // Grown by hand, so that no copy stays behind.
                let mut grown = Zeroizing::new(Vec::with_capacity(measurement.values.len() + values.len()));
                grown.extend_from_slice(&measurement.values);
                grown.extend_from_slice(&values);
                measurement.values = grown;
                Ok(())
            }
            (Some(measurement), most) => {
                let lines = most.map_or(1, |most| most / self.per_line.max(1));
                let what = format!(
                    "'{}' has more than {} since line {}, and one contribution has no room for more",
                    one_line(contributor),
                    count(lines, "line"),
                    measurement.line
                );
                Err(fault(what, "divide the lines, or leave the column out to make every line a contribution"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blindrelay_analytics::Settings;
    use blindrelay_engine::Backend;

    fn plan(collect: &str) -> Plan {
        let settings = format!(r#"{{"collect": {collect}, "minimum_contributions": 1}}"#);
        let context = super::super::context_of("statistics/1", Backend::Scalar).unwrap().unwrap();
        Plan::new(&Settings::from_json(&settings).unwrap(), &context).unwrap()
    }

    fn read(plan: &Plan, text: &str) -> Result<Vec<Vec<f64>>, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("m.csv");
        std::fs::write(&path, text).unwrap();
        let found = Measurements::read(&path, plan).map_err(|failure| failure.to_string())?;
        Ok(found.all.iter().map(|measurement| measurement.values.to_vec()).collect())
    }

    #[test]
    fn lines_are_contributions_and_contributors_put_them_together() {
        let calls = plan(r#"{"durations": {"limit_seconds": 7200, "edges": [0, 60], "calls": 2}}"#);
        assert_eq!(read(&calls, "seconds\n30\n1:30\n1:00:00\n").unwrap(), [[30.0], [90.0], [3600.0]]);
        let grouped = read(&calls, "\u{feff}Seconds, contributor\n30,b\n40,a\n50,b\n").unwrap();
        assert_eq!(grouped, [vec![30.0, 50.0], vec![40.0]]);
        let many = read(&calls, "contributor,seconds\na,1\na,2\na,3\n").unwrap_err();
        assert!(many.contains("line 4, column contributor: 'a' has more than 2 lines since line 2"), "{many}");
        let stays = plan(r#"{"concurrency": {"buckets": 4, "bucket_seconds": 60}}"#);
        let found = read(&stays, "contributor,join,leave\na,0,1:30\nb,60,240\na,2:00,2:10\n").unwrap();
        assert_eq!(found, [vec![0.0, 90.0, 120.0, 130.0], vec![60.0, 240.0]]);
        let scores = plan(r#"{"attention": {"slots": 3}}"#);
        let found = read(&scores, "Ada,Bo,Cy\n0.5,,1\n").unwrap();
        assert!(matches!(found[0][..], [0.5, none, 1.0] if none.is_nan()), "{found:?}");
        let twice = read(&scores, "contributor,a,b,c\nx,0,0,0\nx,1,1,1\n").unwrap_err();
        assert!(twice.contains("line 3, column contributor: 'x' has more than 1 line since line 2"), "{twice}");
        let pairs = plan(r#"{"correlation": {"x_limit": 1, "y_limit": 5}}"#);
        assert_eq!(read(&pairs, "y,x\n-5,1\n").unwrap(), [[1.0, -5.0]]);
    }
}
