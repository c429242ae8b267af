//! Which value stands in which slot.
//!
//! ```text
//! places     p = r w + j     row r of 2, place j of w = n / 256 in the row
//! entries    d of 128        slot r n / 2 + w d + j   holds entry d of the token of place p, and chunk d of its payload
//! ```
//!
//! At `n` = 32,768 there are 256 places. Rotating a row by `w` brings the next entry of every token to the slots of the first, so the sum of 128 rotations puts each score into all slots
//! of its place. Probes and records say nothing of a place: they hold entry `d` in every slot `w d + j` of both rows. The service chooses the place and multiplies by the place's *mask*, 1 in its
//! slots and 0 elsewhere, before it adds a record to others.

use blindrelay_engine::Error;
use blindrelay_engine::bfv::{Context, Plaintext};
use blindrelay_engine::circuit::{RotationSum, Score};
use zeroize::Zeroizing;

use super::payload::CHUNK_MODULUS;
use crate::layout::TOKEN_ENTRIES;

/// The layout of places in the slots of one ring degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindLayout {
    width: usize,
}

impl FindLayout {
    /// The layout for a plaintext modulus of 65,537 and at least 256 slots; other parameters are refused.
    pub fn new(context: &Context) -> Result<Self, Error> {
        let name = || context.parameters().name().to_owned();
        if context.plaintext_modulus().value() != CHUNK_MODULUS {
            let reason = "payloads are cut into chunks of 16 bits, which need the plaintext modulus 65,537";
            return Err(Error::Unsupported { name: name(), operation: "oblivious selection", reason });
        }
        let found = context.slot_count().ok_or(Error::NoSlots {
            plaintext: context.plaintext_modulus().value(),
            order: 2 * context.parameters().degree() as u64,
        })?;
        let needed = 2 * TOKEN_ENTRIES;
        if found < needed {
            let reason = "two rows of 128 slots are needed";
            return Err(Error::Unsupported { name: name(), operation: "oblivious selection", reason });
        }
        Ok(Self { width: found / needed })
    }

    /// How many places share a ciphertext: 256 at `n` = 32,768.
    pub const fn capacity(self) -> usize {
        2 * self.width
    }

    /// How many slots there are.
    pub const fn slots(self) -> usize {
        self.capacity() * TOKEN_ENTRIES
    }

    /// The slot of entry or chunk `entry` of a place.
    pub const fn slot(self, place: usize, entry: usize) -> usize {
        let (row, column) = (place / self.width, place % self.width);
        row * self.width * TOKEN_ENTRIES + self.width * entry + column
    }

    /// The place of a slot, and which entry or chunk it holds.
    pub const fn place(self, slot: usize) -> (usize, usize) {
        let row_slots = self.width * TOKEN_ENTRIES;
        let (row, within) = (slot / row_slots, slot % row_slots);
        (row * self.width + within % self.width, within / self.width)
    }

    /// Entry `d` in all slots of entry `d`, at every place.
    pub(super) fn spread(self, entries: &[i64; TOKEN_ENTRIES]) -> Zeroizing<Vec<i64>> {
        let entry = |slot| entries.get(self.place(slot).1).copied().unwrap_or_default();
        Zeroizing::new((0..self.slots()).map(entry).collect())
    }

    /// 1 in the slots of a place, 0 elsewhere.
    pub(super) fn mask(self, context: &Context, place: usize) -> Result<Plaintext, Error> {
        let values: Vec<i64> = (0..self.slots()).map(|slot| i64::from(self.place(slot).0 == place)).collect();
        context.encode_slots(&values)
    }

    /// The sum over a token's entries. Four images a stage take four keys instead of seven.
    pub(super) const fn score(self) -> Score {
        Score { sum: RotationSum { stride: self.width, count: TOKEN_ENTRIES, radix: 4 } }
    }
}
