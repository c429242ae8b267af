//! The relay's side: readings become encrypted batches, and are forgotten.

mod draft;
mod encrypt;

pub use draft::{Draft, Measurement, Reading};
pub use encrypt::{Batch, Encryptor};
pub(crate) use encrypt::{Lines, seal};

use std::sync::Arc;

use blindrelay_engine::bfv::Context;
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::PublicKey;

use crate::error::MeterError;
use crate::layout::Layout;
use crate::rates::Period;
use draft::Piece;

/// Periods that a meter fills at once; where another one comes, the one that waited longest is closed.
const MAX_OPEN: usize = 16;

/// How a meter batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterSettings {
    /// Name of the meter, in 1 to 64 bytes. Two meters of a tenant need two names or two seeds.
    pub name: String,
    /// Lines after which a batch is closed, 1 to the number of slots. It is closed earlier where the slots of an item are used up.
    pub size: usize,
    /// Seconds after which a batch is closed although it is not full.
    pub age: u64,
    /// Number of the first batch.
    pub first_sequence: u64,
}

impl MeterSettings {
    /// Full batches, closed after a minute.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), size: usize::MAX, age: 60, first_sequence: 0 }
    }
}

/// Takes plain readings, packs them into slots and encrypts full batches under the tenant's public key.
///
/// The caller passes the time, in seconds; the crate reads no clock. The same readings at the same times give the same bytes, so that an upload that was
/// cut off can be repeated.
#[derive(Debug)]
pub struct Meter {
    encryptor: Arc<Encryptor>,
    size: usize,
    age: u64,
    sequence: u64,
    /// Drafts that are being filled, the one used last in front.
    open: Vec<Draft>,
    closed: Vec<Draft>,
}

impl Meter {
    /// A meter for one tenant. `root` is the meter's secret seed, from which the randomness of every batch is derived.
    pub fn new(
        layout: &Arc<Layout>,
        context: &Arc<Context>,
        key: PublicKey,
        root: Seed,
        settings: &MeterSettings,
    ) -> Result<Self, MeterError> {
        if settings.size == 0 {
            return Err(MeterError::Setting { setting: "size", reason: "a batch has at least one line" });
        }
        Ok(Self {
            encryptor: Arc::new(Encryptor::new(layout, context, key, root, &settings.name)?),
            size: settings.size.min(layout.slot_count()),
            age: settings.age,
            sequence: settings.first_sequence,
            open: Vec::with_capacity(MAX_OPEN),
            closed: Vec::new(),
        })
    }

    /// Encrypts drafts, on any thread.
    pub const fn encryptor(&self) -> &Arc<Encryptor> {
        &self.encryptor
    }

    /// The layout.
    pub fn layout(&self) -> &Arc<Layout> {
        self.encryptor.layout()
    }

    /// Number of the next batch to be closed.
    pub const fn next_sequence(&self) -> u64 {
        self.sequence
    }

    /// Lines that are in no closed batch yet.
    pub fn waiting(&self) -> usize {
        self.open.iter().map(Draft::lines).sum()
    }

    /// Counts a reading at the time `now`. An interval that spans a change of prices or the end of a month is divided there, to the second. Refused before
    /// anything is counted.
    pub fn record(&mut self, reading: &Reading, now: u64) -> Result<(), MeterError> {
        let encryptor = Arc::clone(&self.encryptor);
        let layout = encryptor.layout();
        let last_used = self.open.first().map(Draft::period);
        // Most readings lie in the period of the one before, and need no look at the calendar.
        if let Some(piece) = last_used.and_then(|period| Piece::within(layout, reading, period)) {
            self.place(layout, piece, now);
            return Ok(());
        }
        for piece in Piece::of(layout, reading)? {
            self.bring_to_front(layout, piece.period, now);
            self.place(layout, piece, now);
        }
        Ok(())
    }

    /// Closes the batches that are older than the meter's age.
    pub fn poll(&mut self, now: u64) {
        while let Some(index) = self.open.iter().position(|draft| now.saturating_sub(draft.since()) >= self.age) {
            self.close(index);
        }
    }

    /// Closes every batch that has a line.
    pub fn flush(&mut self) {
        while !self.open.is_empty() {
            self.close(0);
        }
    }

    /// The closed batches that were not taken yet, still in the clear, in the order of their numbers.
    pub fn drafts(&mut self) -> Vec<Draft> {
        std::mem::take(&mut self.closed)
    }

    /// The closed batches that were not taken yet, encrypted, in the order of their numbers. On error none is lost.
    pub fn batches(&mut self) -> Result<Vec<Batch>, MeterError> {
        let batches = self.closed.iter().map(|draft| self.encryptor.encrypt(draft)).collect::<Result<_, _>>()?;
        self.closed.clear();
        Ok(batches)
    }

    fn bring_to_front(&mut self, layout: &Layout, period: Period, now: u64) {
        match self.open.iter().position(|draft| draft.period() == period) {
            Some(index) => {
                if let Some(until) = self.open.get_mut(..=index) {
                    until.rotate_right(1);
                }
            }
            None => {
                if self.open.len() >= MAX_OPEN {
                    self.close(self.open.len() - 1);
                }
                self.open.insert(0, Draft::new(layout, period, now));
            }
        }
    }

    /// Puts a piece into the draft in front, which is of its period, and closes the draft where it is full or old.
    fn place(&mut self, layout: &Layout, piece: Piece, now: u64) {
        let Some(draft) = self.open.first_mut() else { return };
        let item_is_full = draft.place(layout, piece);
        if item_is_full || draft.lines() >= self.size || now.saturating_sub(draft.since()) >= self.age {
            self.close(0);
        }
    }

    fn close(&mut self, index: usize) {
        let mut draft = self.open.remove(index);
        draft.number(self.sequence);
        self.sequence += 1;
        self.closed.push(draft);
    }
}
