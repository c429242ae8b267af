//! Readings into the slots of batches, without any key.

use std::sync::Arc;

use super::MeterSettings;
use super::draft::{Draft, Piece, Reading};
use crate::error::MeterError;
use crate::layout::Layout;
use crate::rates::Period;

/// Periods that are filled at once; where another one comes, the one that waited longest is closed.
const MAX_OPEN: usize = 16;

/// Collects the readings of one tenant in drafts, for whoever has no use for the tenant's key until a batch is full: a relay of many tenants keeps one of
/// these for each and an [`super::Encryptor`] for as long as it encrypts.
#[derive(Debug)]
pub struct Packer {
    layout: Arc<Layout>,
    size: usize,
    age: u64,
    sequence: u64,
    /// Drafts that are being filled, the one used last in front.
    open: Vec<Draft>,
    closed: Vec<Draft>,
    spare: Vec<Draft>,
}

impl Packer {
    /// Batches as the settings say.
    pub fn new(layout: &Arc<Layout>, settings: &MeterSettings) -> Result<Self, MeterError> {
        if settings.size == 0 {
            return Err(MeterError::Setting { setting: "size", reason: "a batch has at least one line" });
        }
        Ok(Self {
            layout: Arc::clone(layout),
            // Calls share slots, so that a batch has room for more of them than it has slots.
            size: if layout.card().has_calls() { settings.size } else { settings.size.min(layout.slot_count()) },
            age: settings.age,
            sequence: settings.first_sequence,
            open: Vec::new(),
            closed: Vec::new(),
            spare: Vec::new(),
        })
    }

    /// Number of the next batch to be closed.
    pub const fn next_sequence(&self) -> u64 {
        self.sequence
    }

    /// Lines that are in no closed batch yet.
    pub fn waiting(&self) -> usize {
        self.open.iter().map(Draft::lines).sum()
    }

    /// Counts a reading at the time `now`, in seconds. An interval that spans a change of prices or the end of a month is divided there, to the second.
    /// Refused before anything is counted.
    pub fn record(&mut self, reading: &Reading, now: u64) -> Result<(), MeterError> {
        // Most readings lie in the period of the one before, and need no look at the calendar.
        if self.open.first_mut().is_some_and(|draft| draft.count(&self.layout, reading)) {
            self.close_if_due(now);
            return Ok(());
        }
        for piece in Piece::of(&self.layout, reading)? {
            self.bring_to_front(piece.period, now);
            self.place(piece, now);
        }
        Ok(())
    }

    /// Closes the batches that are older than the age of the settings.
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

    /// The closed batches that were not taken yet, in the clear, in the order of their numbers.
    pub fn drafts(&mut self) -> Vec<Draft> {
        std::mem::take(&mut self.closed)
    }

    /// Wipes a draft of this packer that was encrypted and keeps its memory for the next one.
    pub fn recycle(&mut self, mut draft: Draft) {
        if self.spare.len() < MAX_OPEN && draft.fits(&self.layout) {
            draft.wipe();
            self.spare.push(draft);
        }
    }

    fn bring_to_front(&mut self, period: Period, now: u64) {
        if let Some(index) = self.open.iter().position(|draft| draft.period() == period) {
            if let Some(until) = self.open.get_mut(..=index) {
                until.rotate_right(1);
            }
            return;
        }
        if self.open.len() >= MAX_OPEN {
            self.close(self.open.len() - 1);
        }
        self.open.insert(0, Draft::new(&self.layout, period, now));
    }

    /// Puts a piece into the draft in front, which is of its period. Where that has no slot for it, it is closed and another one begun.
    fn place(&mut self, piece: Piece, now: u64) {
        if !self.open.first_mut().is_some_and(|draft| draft.place(&self.layout, piece)) {
            self.close(0);
            let mut draft = self.begin(piece.period, now);
            draft.place(&self.layout, piece);
            self.open.insert(0, draft);
        }
        self.close_if_due(now);
    }

    fn close_if_due(&mut self, now: u64) {
        let due = |draft: &Draft| draft.lines() >= self.size || now.saturating_sub(draft.since()) >= self.age;
        if self.open.first().is_some_and(due) {
            self.close(0);
        }
    }

    fn begin(&mut self, period: Period, now: u64) -> Draft {
        match self.spare.pop() {
            Some(draft) => draft.renewed(&self.layout, period, now),
            None => Draft::new(&self.layout, period, now),
        }
    }

    fn close(&mut self, index: usize) {
        let mut draft = self.open.remove(index);
        draft.number(self.sequence);
        self.sequence += 1;
        self.closed.push(draft);
    }
}
