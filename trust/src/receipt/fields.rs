//! The checked fields of a receipt.

use std::fmt;

use crate::error::FormatError;
use crate::id::{CollectionId, ContentDigest};

/// Longest name of an operator and longest version of the software, in bytes.
pub const MAX_NAME_BYTES: usize = 64;

/// 1 to 64 visible characters of ASCII, so that a receipt that is shown has one line a field.
fn checked(field: &'static str, text: &str) -> Result<String, FormatError> {
    if text.is_empty() || text.len() > MAX_NAME_BYTES {
        return Err(FormatError::TextLength { field, found: text.len() });
    }
    match text.bytes().position(|byte| !byte.is_ascii_graphic()) {
        Some(at) => Err(FormatError::Character { field, at }),
        None => Ok(text.to_owned()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $field:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// From its text. Refused where it is empty, longer than [`MAX_NAME_BYTES`], or has other than visible characters of ASCII.
            pub fn new(text: &str) -> Result<Self, FormatError> {
                checked($field, text).map(Self)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// Name and revision of an operator, for example `match-signs/1`.
    OperatorId, "operator"
}

name! {
    /// Version of the service's software, for example `0.1.0`.
    SoftwareVersion, "software"
}

/// What kind of collection an answer was computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CollectionKind {
    /// Records that are compared.
    Room,
    /// Sums of usage.
    Meter,
    /// Sums of contributions.
    Panel,
}

impl CollectionKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Room, Self::Meter, Self::Panel];

    /// `room`, `meter` or `panel`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::Meter => "meter",
            Self::Panel => "panel",
        }
    }

    pub(super) const fn to_byte(self) -> u8 {
        match self {
            Self::Room => 0,
            Self::Meter => 1,
            Self::Panel => 2,
        }
    }

    pub(super) fn from_byte(byte: u8) -> Result<Self, FormatError> {
        Self::ALL.into_iter().find(|kind| kind.to_byte() == byte).ok_or(FormatError::Kind { found: byte })
    }
}

/// The state of a collection that an answer was computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CollectionState {
    /// What kind it is.
    pub kind: CollectionKind,
    /// Its name.
    pub id: CollectionId,
    /// How often it was changed before. An auditor asks for the records of this version.
    pub version: u64,
    /// Digest of its content at that version, where the service has computed it.
    pub content: Option<ContentDigest>,
}

/// Bound on the noise of a result and the largest noise that opens, as base-2 logarithms. Both are finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoiseClaim {
    bound_log2: f64,
    limit_log2: f64,
}

impl NoiseClaim {
    /// From the operator's card. Refused where one is infinite or not a number.
    pub fn new(bound_log2: f64, limit_log2: f64) -> Result<Self, FormatError> {
        for (field, value) in [("noise bound", bound_log2), ("noise limit", limit_log2)] {
            if !value.is_finite() {
                return Err(FormatError::NotFinite { field });
            }
        }
        Ok(Self { bound_log2, limit_log2 })
    }

    /// Bound on the noise of the result.
    pub const fn bound_log2(self) -> f64 {
        self.bound_log2
    }

    /// The largest noise that opens.
    pub const fn limit_log2(self) -> f64 {
        self.limit_log2
    }
}
