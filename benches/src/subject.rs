//! What is measured: for each subject the contestants, the check that they agree, and the goal.

mod charge;
mod ckks;
mod decisions;
mod encryption;
mod matching;
mod ntt;
mod products;
mod roster;
mod wire;

use std::hint::black_box;

use crate::measure::{Contestant, Effort, Figure, interleaved};
use crate::report::{Goal, Peer, Row, Unit};
use crate::{Error, Options};

/// A subject adds its rows to the recorder.
pub(crate) type Subject = fn(&mut Recorder<'_>) -> Result<(), Error>;

/// All subjects, in the order of the table.
pub(crate) const SUBJECTS: [(&str, Subject); 12] = [
    ("ntt", ntt::transforms),
    ("matching/signs", matching::signs),
    ("matching/embeddings", matching::embeddings),
    ("products", products::products),
    ("charge", charge::charge),
    ("meter", charge::meter),
    ("decisions", decisions::decisions),
    ("ckks", ckks::ckks),
    ("encryption", encryption::encryption),
    ("whole", matching::whole),
    ("wire", wire::wire),
    ("roster", roster::roster),
];

/// Our side of a comparison.
pub(crate) struct Ours<'a> {
    pub(crate) subject: &'a str,
    pub(crate) parameters: &'a str,
    pub(crate) goal: Option<Goal>,
    pub(crate) bytes: Option<usize>,
    pub(crate) call: Contestant<'a>,
}

/// The other side of a comparison.
pub(crate) struct Theirs<'a> {
    pub(crate) name: String,
    pub(crate) parameters: String,
    pub(crate) call: Contestant<'a>,
}

/// A contestant from a function; its result is not optimised away.
pub(crate) fn call<'a, T>(mut job: impl FnMut() -> T + 'a) -> Contestant<'a> {
    Box::new(move || {
        black_box(job());
    })
}

/// Collects rows.
pub(crate) struct Recorder<'a> {
    pub(crate) options: &'a Options,
    effort: Effort,
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(options: &'a Options, effort: Effort) -> Self {
        Self { options, effort, rows: Vec::new(), notes: Vec::new() }
    }

    pub(crate) fn into_rows(self) -> (Vec<Row>, Vec<String>) {
        (self.rows, self.notes)
    }

    /// Measures both sides in turns: a row for each peer, one without peers.
    pub(crate) fn compare(&mut self, ours: Ours<'_>, theirs: Vec<Theirs<'_>>) {
        self.compare_each(ours, 1, theirs);
    }

    /// [`Recorder::compare`] where a call of ours does the job `times` times, and one of a peer once.
    pub(crate) fn compare_each(&mut self, ours: Ours<'_>, times: usize, theirs: Vec<Theirs<'_>>) {
        let (mut calls, mut peers) = (vec![ours.call], Vec::new());
        for peer in theirs {
            calls.push(peer.call);
            peers.push((peer.name, peer.parameters));
        }
        let mut figures = interleaved(&mut calls, self.effort).into_iter();
        let Some(own) = figures.next() else { return };
        let own = Figure { minimum: own.minimum / times as f64, median: own.median / times as f64 };
        let row = || Row::new(ours.subject, ours.parameters, Unit::Microseconds, own);
        if peers.is_empty() {
            self.rows.push(row().towards(ours.goal).sized(ours.bytes));
        }
        for ((name, parameters), figure) in peers.into_iter().zip(figures) {
            self.rows.push(row().beside(Peer { name, parameters, figure }).towards(ours.goal).sized(ours.bytes));
        }
    }

    /// Adds a row that was not timed.
    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Says what was left out, and why.
    #[cfg(not(feature = "tfhe"))]
    pub(crate) fn note(&mut self, note: &str) {
        self.notes.push(note.to_owned());
    }
}
