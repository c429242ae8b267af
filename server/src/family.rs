//! Families of ledgers: resources that keep encrypted sums. They differ in their addresses and in which operators they take, and in nothing else.

use std::fmt;

use blindrelay_engine::operator::Resource;

/// Which kind of ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Encrypted usage and charges.
    Meters,
    /// Encrypted statistics.
    Panels,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Meters, Self::Panels];

    /// The family that operators of a resource belong to; `None` where the resource keeps no sums.
    pub fn of(resource: Resource) -> Option<Self> {
        match resource {
            Resource::Meters => Some(Self::Meters),
            Resource::Panels => Some(Self::Panels),
            _ => None,
        }
    }

    /// The word for many, as in addresses.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Meters => "meters",
            Self::Panels => "panels",
        }
    }

    /// The word for one.
    pub const fn singular(self) -> &'static str {
        match self {
            Self::Meters => "meter",
            Self::Panels => "panel",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.plural())
    }
}
