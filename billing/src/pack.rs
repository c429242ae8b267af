//! The relay's side: readings become encrypted batches, and are forgotten.

mod draft;
mod encrypt;
mod packer;

pub use draft::{Draft, Measurement, Reading};
pub use encrypt::{Batch, Encryptor};
pub(crate) use encrypt::{Lines, seal};
pub use packer::Packer;

use std::sync::Arc;

use blindrelay_engine::bfv::Context;
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::PublicKey;

use crate::error::MeterError;
use crate::layout::Layout;

/// How a meter batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterSettings {
    /// Name of the meter, in 1 to 64 bytes. Two meters of a tenant need two names or two seeds.
    pub name: String,
    /// Lines after which a batch is closed: at least 1, and at most the number of slots where the card has no calls. It is closed earlier where a line finds the
    /// slots of its item used up, or as many calls of its length as the card allows.
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

/// Takes plain readings, packs them into slots and encrypts full batches under the tenant's public key: a [`Packer`] with an [`Encryptor`].
///
/// The caller passes the time, in seconds; the crate reads no clock. The same readings at the same times give the same bytes, so that an upload that was
/// cut off can be repeated.
#[derive(Debug)]
pub struct Meter {
    encryptor: Arc<Encryptor>,
    packer: Packer,
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
        Ok(Self {
            packer: Packer::new(layout, settings)?,
            encryptor: Arc::new(Encryptor::new(layout, context, key, root, &settings.name)?),
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
        self.packer.next_sequence()
    }

    /// Lines that are in no closed batch yet.
    pub fn waiting(&self) -> usize {
        self.packer.waiting()
    }

    /// Counts a reading at the time `now`. An interval that spans a change of prices or the end of a month is divided there, to the second. Refused before
    /// anything is counted.
    pub fn record(&mut self, reading: &Reading, now: u64) -> Result<(), MeterError> {
        self.packer.record(reading, now)
    }

    /// Closes the batches that are older than the meter's age.
    pub fn poll(&mut self, now: u64) {
        self.packer.poll(now);
    }

    /// Closes every batch that has a line.
    pub fn flush(&mut self) {
        self.packer.flush();
    }

    /// The closed batches that were not taken yet, still in the clear, in the order of their numbers.
    pub fn drafts(&mut self) -> Vec<Draft> {
        self.closed.append(&mut self.packer.drafts());
        std::mem::take(&mut self.closed)
    }

    /// The closed batches that were not taken yet, encrypted, in the order of their numbers. On error none is lost.
    pub fn batches(&mut self) -> Result<Vec<Batch>, MeterError> {
        self.closed.append(&mut self.packer.drafts());
        let batches = self.closed.iter().map(|draft| self.encryptor.encrypt(draft)).collect::<Result<_, _>>()?;
        self.closed.drain(..).for_each(|draft| self.packer.recycle(draft));
        Ok(batches)
    }
}
