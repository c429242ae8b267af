//! What is counted: units of time, of data, and pieces.

use serde::{Deserialize, Serialize};

/// A unit of quantities. Readings are whole numbers of one unit, prices may be per a larger one of the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Unit {
    /// One second.
    Second,
    /// 60 seconds.
    Minute,
    /// 3,600 seconds.
    Hour,
    /// One byte.
    Byte,
    /// 1,000 bytes.
    Kilobyte,
    /// 1,000,000 bytes.
    Megabyte,
    /// 1,000,000,000 bytes.
    Gigabyte,
    /// Pieces: participants, recordings, messages.
    Piece,
}

/// What a unit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Time.
    Time,
    /// Data.
    Data,
    /// Number.
    Number,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Self; 8] = [
        Self::Second,
        Self::Minute,
        Self::Hour,
        Self::Byte,
        Self::Kilobyte,
        Self::Megabyte,
        Self::Gigabyte,
        Self::Piece,
    ];

    /// What it measures.
    pub const fn dimension(self) -> Dimension {
        match self {
            Self::Second | Self::Minute | Self::Hour => Dimension::Time,
            Self::Byte | Self::Kilobyte | Self::Megabyte | Self::Gigabyte => Dimension::Data,
            Self::Piece => Dimension::Number,
        }
    }

    /// How many of the smallest unit of its kind it is.
    pub const fn size(self) -> u64 {
        match self {
            Self::Second | Self::Byte | Self::Piece => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Kilobyte => 1_000,
            Self::Megabyte => 1_000_000,
            Self::Gigabyte => 1_000_000_000,
        }
    }

    /// Its name, as rate cards write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Byte => "byte",
            Self::Kilobyte => "kilobyte",
            Self::Megabyte => "megabyte",
            Self::Gigabyte => "gigabyte",
            Self::Piece => "piece",
        }
    }

    /// Its symbol, as tables write it.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "min",
            Self::Hour => "h",
            Self::Byte => "B",
            Self::Kilobyte => "kB",
            Self::Megabyte => "MB",
            Self::Gigabyte => "GB",
            Self::Piece => "",
        }
    }
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
