//! The names of keys, receipts, collections and contents.

use std::fmt;
use std::str::FromStr;

use blindrelay_engine::wire::content_digest;
use serde::{Serialize, Serializer};

use crate::hex::{from_hex, write_hex};

/// The text is not an id of the wanted form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {digits} lower-case hexadecimal digits")]
pub struct IdParseError {
    /// What was wanted.
    pub what: &'static str,
    /// How many digits it has.
    pub digits: usize,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// From its bytes.
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// Its bytes.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(f, &self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdParseError;

            fn from_str(text: &str) -> Result<Self, IdParseError> {
                from_hex(text).map(Self).ok_or(IdParseError { what: $what, digits: 2 * $bytes })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

id! {
    /// The identity of a signing key: SHA-256 of its public key. Written as 64 hexadecimal digits.
    KeyId, 32, "the identity of a key"
}

id! {
    /// The name of a receipt: SHA-256 of the receipt's bytes. The signature is not part of it.
    ReceiptId, 32, "the id of a receipt"
}

id! {
    /// SHA-256 of a content: a request, an answer, a set of evaluation keys, the records of a collection.
    ContentDigest, 32, "a digest"
}

id! {
    /// A room, meter or panel: 16 bytes, written as 32 hexadecimal digits.
    CollectionId, 16, "a collection"
}

impl ContentDigest {
    /// The digest of these bytes.
    pub fn of(content: &[u8]) -> Self {
        Self(content_digest(content))
    }
}
