//! Where a record stands in a collection.

use std::fmt;

/// Where the values of a record stand: a group of the collection, and the first of neighbouring places in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Placement {
    /// The group, counted from 0.
    pub group: u32,
    /// The place of the record's first value in the group, counted from 0.
    pub place: u32,
}

impl Placement {
    /// From positions in memory; `None` where one of them has more than 32 bits.
    pub fn new(group: usize, place: usize) -> Option<Self> {
        Some(Self { group: group.try_into().ok()?, place: place.try_into().ok()? })
    }

    /// Group and place as positions in memory.
    pub const fn indices(self) -> (usize, usize) {
        (self.group as usize, self.place as usize)
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "place {} of group {}", self.place, self.group)
    }
}
