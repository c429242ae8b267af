//! Typed headers by `bincode`: the only file that names it.
//!
//! Standard configuration: variable-length little-endian integers, lists and strings prefixed with their length. A header that is not
//! what the encoder would write is refused, so integers have one form only and nothing can follow the last field.

use std::fmt;
use std::marker::PhantomData;

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::error::DecodeError;
use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::{HeaderFault, WireError};

/// Longest typed header, in bytes.
pub(super) const MAX_TYPED_BYTES: usize = u16::MAX as usize;

/// The decoder counts decoded integers, of which one byte holds at most four bytes, plus the lengths of lists.
const LIMIT: usize = 4 * MAX_TYPED_BYTES + 64;

const CONFIG: Configuration<LittleEndian, Varint, Limit<LIMIT>> = bincode::config::standard().with_limit::<LIMIT>();

/// The bytes of a typed header.
#[expect(
    clippy::expect_used,
    reason = "typed headers are integers, strings and lists of known length, which always encode"
)]
pub(super) fn encode<T: Serialize>(header: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(header, CONFIG).expect("a typed header has an encoding")
}

/// The typed header that these bytes are, all of them.
pub(super) fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    let (header, _) = bincode::serde::decode_from_slice::<T, _>(bytes, CONFIG).map_err(|error| match error {
        DecodeError::UnexpectedEnd { .. } | DecodeError::LimitExceeded => {
            WireError::TypedHeader { reason: HeaderFault::Ends }
        }
        _ => WireError::TypedHeader { reason: HeaderFault::Malformed },
    })?;
    if encode(&header) == bytes { Ok(header) } else { Err(WireError::NotCanonical { what: "the typed header" }) }
}

/// A list that grows only by entries that are really there: the length that foreign bytes claim reserves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Entries(PhantomData))
    }
}

struct Entries<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            list.push(entry);
        }
        Ok(List(list))
    }
}
