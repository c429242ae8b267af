//! The header of a file of measurements: which column is where.

use blindrelay_analytics::Collect;
use csv::StringRecord;

use crate::printable::{count, one_line};

const CONTRIBUTOR: &str = "contributor";
/// Longest name in an error.
const SHOWN: usize = 40;

/// Where the columns are.
pub(super) struct Columns {
    names: Vec<String>,
    contributor: Option<usize>,
    /// In the order in which a contribution has its values.
    values: Vec<usize>,
}

impl Columns {
    /// Reads a header. Columns with names of their own may come in any order; scores and speaking times are taken in the order of the file. The error says what is
    /// wrong.
    pub(super) fn of(header: &StringRecord, collect: &Collect) -> Result<Self, String> {
        let names: Vec<String> =
            header.iter().map(|name| one_line(name.trim()).chars().take(SHOWN).collect()).collect();
        if let ([only], true) = (names.as_slice(), header.iter().any(|name| name.contains([';', '\t'])))
            && !only.contains(',')
        {
            return Err("the columns are not separated by commas".to_owned());
        }
        let find = |name: &str| {
            let mut found = names.iter().enumerate().filter(|(_, other)| other.eq_ignore_ascii_case(name));
            match (found.next(), found.next()) {
                (_, Some(_)) => Err(format!("the column {name} is there twice")),
                (first, None) => Ok(first.map(|(index, _)| index)),
            }
        };
        let contributor = find(CONTRIBUTOR)?;
        let others = (0..names.len()).filter(|&index| Some(index) != contributor);
        let values: Vec<usize> = match needed(collect) {
            [] => {
                let values: Vec<usize> = others.collect();
                if values.len() != collect.width() {
                    let (found, width) = (count(values.len(), "column"), collect.width());
                    return Err(format!(
                        "it has {found} of values, but a contribution of {} has {width}",
                        collect.name()
                    ));
                }
                values
            }
            needed => {
                let known = |index: &usize| {
                    names.get(*index).is_some_and(|name| needed.iter().any(|needed| needed.eq_ignore_ascii_case(name)))
                };
                if let Some(name) = others.clone().find(|index| !known(index)).and_then(|index| names.get(index)) {
                    return Err(format!("no column is called '{name}'"));
                }
                let place = |name: &&str| find(name)?.ok_or_else(|| format!("the column {name} is missing"));
                needed.iter().map(place).collect::<Result<_, _>>()?
            }
        };
        Ok(Self { names, contributor, values })
    }

    /// Places of the values.
    pub(super) fn values(&self) -> impl Iterator<Item = usize> + '_ {
        self.values.iter().copied()
    }

    /// Place of the contributor.
    pub(super) const fn contributor(&self) -> Option<usize> {
        self.contributor
    }

    /// How a column is called in an error: by its number and its name.
    pub(super) fn name(&self, place: usize) -> String {
        match self.names.get(place).map(String::as_str) {
            None | Some("") => (place + 1).to_string(),
            Some(name) => name.to_owned(),
        }
    }
}

/// The columns that have names of their own; empty where every column is one of many values.
const fn needed(collect: &Collect) -> &'static [&'static str] {
    match collect {
        Collect::Attention { .. } | Collect::Speaking { .. } => &[],
        Collect::Durations { .. } => &["seconds"],
        Collect::Concurrency { .. } => &["join", "leave"],
        Collect::Correlation { .. } => &["x", "y"],
    }
}

/// How a header is written.
pub(super) const fn advice(collect: &Collect) -> &'static str {
    match collect {
        Collect::Attention { .. } => "begin with a line of names, one a score, and contributor before them if you like",
        Collect::Speaking { .. } => {
            "begin with a line of names, one a participant, and contributor before them if you like"
        }
        Collect::Durations { .. } => "begin with the line seconds, or contributor,seconds",
        Collect::Concurrency { .. } => "begin with the line join,leave or contributor,join,leave",
        Collect::Correlation { .. } => "begin with the line x,y or contributor,x,y",
    }
}
