//! Which value stands in which slot.
//!
//! ```text
//! residue i of keyword k of participant p   slot 64 p + 8 k + i
//! query, residue i                          every slot that is i modulo 8
//! ```
//!
//! A record carries `c` participants and repeats them with a period of the next power of two, over all slots: it says nothing of the places that the service will give
//! it. The service multiplies it by a plaintext that is 1 in the slots of those participants at the chosen places and 0 elsewhere. So whatever a member encrypts, it reaches no
//! other participants' slots.
//!
//! A residue `v` of a keyword is held as `1 + v`, never as 0: a place that nobody has filled holds 0 and equals no query.

use std::ops::Range;

/// Residues of a keyword.
pub const KEYWORD_RESIDUES: usize = 8;
/// Most keywords of a participant.
pub const KEYWORDS: usize = 8;

const PARTICIPANT_SLOTS: usize = KEYWORD_RESIDUES * KEYWORDS;

/// The layout of keywords in the slots of one ring degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchLayout {
    degree: usize,
}

impl SearchLayout {
    /// The layout for a ring degree, a power of two of at least 64.
    pub const fn new(degree: usize) -> Self {
        Self { degree }
    }

    /// How many participants share a ciphertext.
    pub const fn capacity(self) -> usize {
        self.degree / PARTICIPANT_SLOTS
    }

    /// How many slots there are.
    pub const fn slots(self) -> usize {
        self.degree
    }

    /// The slots of a participant.
    pub const fn participant(self, participant: usize) -> Range<usize> {
        PARTICIPANT_SLOTS * participant..PARTICIPANT_SLOTS * (participant + 1)
    }

    /// After how many participants a record of `count` repeats itself: it is placed at multiples of this.
    pub const fn period(self, count: usize) -> usize {
        count.next_power_of_two()
    }
}
