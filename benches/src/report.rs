//! The table of a run.

use std::fmt;

use serde::Serialize;

use crate::machine::Machine;
use crate::measure::Figure;

/// What a row counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Microseconds of processor time a call.
    Microseconds,
    /// Bytes.
    Bytes,
}

impl Unit {
    pub(crate) const fn symbol(self) -> &'static str {
        match self {
            Self::Microseconds => "us",
            Self::Bytes => "B",
        }
    }
}

/// What a row should reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum Goal {
    /// At most this much, in the row's unit.
    AtMost(f64),
    /// At most this part of the peer's minimum.
    PartOfPeer(f64),
}

/// The other side of a row.
#[derive(Clone, Debug, Serialize)]
pub struct Peer {
    /// Who, in which version, doing the job in which way.
    pub name: String,
    /// Its parameters.
    pub parameters: String,
    /// What was measured.
    pub figure: Figure,
}

/// One subject against one peer, or alone.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What was measured.
    pub subject: String,
    /// Our parameters.
    pub parameters: String,
    /// In which unit.
    pub unit: Unit,
    /// Our side.
    pub ours: Figure,
    /// The other side.
    pub peer: Option<Peer>,
    /// Our minimum as a part of the peer's.
    pub ratio: Option<f64>,
    /// The goal.
    pub goal: Option<Goal>,
    /// Whether our minimum reaches it.
    pub met: Option<bool>,
    /// Bytes of the result, where it is sent or stored.
    pub bytes: Option<usize>,
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(limit) => write!(f, "<= {}", number(*limit)),
            Self::PartOfPeer(part) if *part < 0.01 => write!(f, "<= 1/{} of peer", number(1.0 / part)),
            Self::PartOfPeer(part) => write!(f, "<= {part:.2} of peer"),
        }
    }
}

impl Row {
    /// A row; ratio and verdict follow from the figures.
    pub fn new(subject: &str, parameters: &str, unit: Unit, ours: Figure) -> Self {
        let (subject, parameters) = (subject.to_owned(), parameters.to_owned());
        Self { subject, parameters, unit, ours, peer: None, ratio: None, goal: None, met: None, bytes: None }
    }

    /// With a peer.
    #[must_use]
    pub fn beside(mut self, peer: Peer) -> Self {
        self.ratio = Some(self.ours.minimum / peer.figure.minimum);
        self.peer = Some(peer);
        self
    }

    /// With a goal, if there is one. Call it after [`Row::beside`].
    #[must_use]
    pub fn towards(mut self, goal: Option<Goal>) -> Self {
        self.goal = goal;
        self.met = match goal {
            Some(Goal::AtMost(limit)) => Some(self.ours.minimum <= limit),
            Some(Goal::PartOfPeer(part)) => self.ratio.map(|ratio| ratio <= part),
            None => None,
        };
        self
    }

    /// With the bytes of the result.
    #[must_use]
    pub fn sized(mut self, bytes: Option<usize>) -> Self {
        self.bytes = bytes;
        self
    }

    fn cells(&self) -> [String; 11] {
        let peer = |cell: &dyn Fn(&Peer) -> String| self.peer.as_ref().map(cell).unwrap_or_default();
        [
            self.subject.clone(),
            self.parameters.clone(),
            format!("{} {}", number(self.ours.minimum), self.unit.symbol()),
            number(self.ours.median),
            peer(&|peer| peer.name.clone()),
            peer(&|peer| number(peer.figure.minimum)),
            peer(&|peer| number(peer.figure.median)),
            self.ratio.map(|ratio| format!("{}x", number(1.0 / ratio))).unwrap_or_default(),
            self.goal.map(|goal| goal.to_string()).unwrap_or_default(),
            match self.met {
                Some(true) => "yes".to_owned(),
                Some(false) => "NO".to_owned(),
                None => String::new(),
            },
            self.bytes.map(|bytes| number(bytes as f64)).unwrap_or_default(),
        ]
    }
}

const HEADS: [&str; 11] =
    ["subject", "parameters", "ours min", "median", "peer", "min", "median", "peer / ours", "goal", "met", "bytes"];

/// Everything a run measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where.
    pub machine: Machine,
    /// Rounds at most.
    pub rounds: usize,
    /// One row a subject and peer.
    pub rows: Vec<Row>,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

impl fmt::Display for Report {
    /// The machine, and the table in Markdown with aligned columns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        writeln!(f, "{} ({}), {}", machine.cpu, machine.features.join(" "), machine.system)?;
        writeln!(
            f,
            "backend {}, {} thread of {}, up to {} rounds in turns; minimum and median, us of processor time a call unless marked B (bytes)\n",
            machine.backend, machine.threads, machine.available_threads, self.rounds
        )?;
        let rows: Vec<[String; 11]> =
            std::iter::once(HEADS.map(str::to_owned)).chain(self.rows.iter().map(Row::cells)).collect();
        let mut widths = [3; 11];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for (index, row) in rows.iter().enumerate() {
            for (cell, &width) in row.iter().zip(&widths) {
                write!(f, "| {cell:width$} ")?;
            }
            writeln!(f, "|")?;
            if index == 0 {
                for width in widths {
                    write!(f, "|{:-<1$}", "", width + 2)?;
                }
                writeln!(f, "|")?;
            }
        }
        for peer in self.peers() {
            writeln!(f, "\n{peer}")?;
        }
        for note in &self.notes {
            writeln!(f, "\n{note}")?;
        }
        Ok(())
    }
}

impl Report {
    /// Every peer with its parameters, once.
    fn peers(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for peer in self.rows.iter().filter_map(|row| row.peer.as_ref()).filter(|peer| !peer.parameters.is_empty()) {
            let line = format!("{}: {}", peer.name, peer.parameters);
            if !all.contains(&line) {
                all.push(line);
            }
        }
        all
    }
}

/// Three significant digits below a hundred, integers with separators above.
pub(crate) fn number(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.2}");
    }
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_or_separators() {
        let texts = [0.284, 5.2, 30.04, 99.94, 100.0, 999.6, 12_345.6, 1_234_567.0].map(number);
        assert_eq!(texts, ["0.28", "5.20", "30.0", "99.9", "100", "1,000", "12,346", "1,234,567"]);
    }

    #[test]
    fn goals_are_judged_by_the_minimum() {
        let figure = Figure { minimum: 7.0, median: 9.0 };
        let peer = || Peer { name: "peer".into(), parameters: String::new(), figure: Figure::exact(10.0) };
        let row = || Row::new("subject", "set", Unit::Microseconds, figure).beside(peer());
        assert_eq!(row().towards(Some(Goal::PartOfPeer(0.7))).met, Some(true));
        assert_eq!(row().towards(Some(Goal::PartOfPeer(0.69))).met, Some(false));
        assert_eq!(row().towards(Some(Goal::AtMost(7.0))).met, Some(true));
        assert_eq!(row().towards(Some(Goal::AtMost(6.9))).met, Some(false));
        assert_eq!(row().towards(None).met, None);
    }

    #[test]
    fn goals_far_below_a_peer_are_fractions() {
        let texts = [Goal::AtMost(500_000.0), Goal::PartOfPeer(0.7), Goal::PartOfPeer(1.0 / 3000.0)];
        assert_eq!(texts.map(|goal| goal.to_string()), ["<= 500,000", "<= 0.70 of peer", "<= 1/3,000 of peer"]);
    }
}
