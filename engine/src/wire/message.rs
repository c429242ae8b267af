//! Messages: requests to operators and their replies, lists of byte strings under the name of an operator.

use serde::{Deserialize, Serialize};

use super::codec::{self, List, MAX_TYPED_BYTES};
use super::error::{HeaderFault, WireError};
use super::header::{Frame, HEADER_BYTES, Kind, prefix};
use crate::params::ParameterDigest;

/// Longest name of an operator, in bytes of UTF-8.
pub const MAX_OPERATOR_BYTES: usize = 64;
/// Most items of a message.
pub const MAX_ITEMS: usize = 1 << 20;

/// A request to an operator or its reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The parameters that the items belong to.
    pub parameters: ParameterDigest,
    /// Name of the operator, at most [`MAX_OPERATOR_BYTES`] bytes.
    pub operator: String,
    /// Which of the operator's messages this is; the operator gives the numbers their meaning.
    pub part: u8,
    /// The items, at most [`MAX_ITEMS`]: usually encoded objects.
    pub items: Vec<Vec<u8>>,
}

/// Operator, part, and the lengths of the items as runs of `(length, how many in a row)`.
#[derive(Serialize, Deserialize)]
pub(super) struct MessageHeader {
    pub(super) operator: String,
    pub(super) part: u8,
    pub(super) runs: List<(u32, u32)>,
}

fn too_many(what: &'static str, found: usize, limit: usize) -> WireError {
    WireError::TypedHeader { reason: HeaderFault::TooMany { what, found, limit } }
}

impl MessageHeader {
    /// Number of items and bytes of all of them. Refused above the limits and where runs could be joined or are empty.
    fn totals(&self, max_items: usize, max_item_len: usize) -> Result<(usize, usize), WireError> {
        if self.operator.len() > MAX_OPERATOR_BYTES {
            return Err(too_many("bytes in the name of the operator", self.operator.len(), MAX_OPERATOR_BYTES));
        }
        let mut before = None;
        let (mut items, mut bytes) = (0_usize, 0_usize);
        for &(length, count) in &self.runs.0 {
            if count == 0 || before.replace(length) == Some(length) {
                return Err(WireError::NotCanonical { what: "the runs of item lengths" });
            }
            let (length, count) = (length as usize, count as usize);
            if length > max_item_len {
                return Err(too_many("bytes in one item", length, max_item_len));
            }
            items = items.saturating_add(count);
            bytes = bytes.saturating_add(length.saturating_mul(count));
        }
        let limit = max_items.min(MAX_ITEMS);
        if items > limit { Err(too_many("items", items, limit)) } else { Ok((items, bytes)) }
    }

    /// Length of the whole message by its headers.
    pub(super) fn total_len(frame: &Frame<'_>) -> Result<usize, WireError> {
        let typed: Self = frame.typed(MAX_TYPED_BYTES)?;
        let (_, bytes) = typed.totals(MAX_ITEMS, usize::MAX)?;
        Ok(frame.header().prefix_len().saturating_add(bytes))
    }
}

impl Message {
    /// No message of so many items of so many bytes is longer.
    pub fn max_len(max_items: usize, max_item_len: usize) -> usize {
        (HEADER_BYTES + MAX_TYPED_BYTES).saturating_add(max_items.min(MAX_ITEMS).saturating_mul(max_item_len))
    }

    /// The encoding. Refused where the operator's name or the list of items is above its limit, where an item has 2^32 bytes
    /// or more, and where the lengths change so often that their runs do not fit the typed header (10,000 changes always fit).
    pub fn to_bytes(&self) -> Result<Vec<u8>, WireError> {
        let mut bytes = Self::begin(self.parameters, &self.operator, self.part, self.items.iter().map(Vec::len))?;
        self.items.iter().for_each(|item| bytes.extend_from_slice(item));
        Ok(bytes)
    }

    /// The headers of a message whose items have these lengths, with room for the items: the caller appends them in their order. Refused where
    /// [`Message::to_bytes`] is.
    pub fn begin(
        parameters: ParameterDigest,
        operator: &str,
        part: u8,
        lengths: impl ExactSizeIterator<Item = usize>,
    ) -> Result<Vec<u8>, WireError> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        if lengths.len() > MAX_ITEMS {
            return Err(too_many("items", lengths.len(), MAX_ITEMS));
        }
        for length in lengths {
            let length = u32::try_from(length).map_err(|_| too_many("bytes in one item", length, u32::MAX as usize))?;
            match runs.last_mut() {
                Some((last, count)) if *last == length => *count += 1,
                _ => runs.push((length, 1)),
            }
        }
        let header = MessageHeader { operator: operator.to_owned(), part, runs: List(runs) };
        let (_, payload_len) = header.totals(MAX_ITEMS, usize::MAX)?;
        let typed = codec::encode(&header);
        if typed.len() > MAX_TYPED_BYTES {
            let reason = HeaderFault::TooLong { found: typed.len(), limit: MAX_TYPED_BYTES };
            return Err(WireError::TypedHeader { reason });
        }
        Ok(prefix(Kind::Message, parameters, &typed, payload_len))
    }

    /// The message that these bytes encode, of at most `max_items` items of at most `max_item_len` bytes each. The items are not looked into.
    pub fn from_bytes(
        bytes: &[u8],
        expected: ParameterDigest,
        max_items: usize,
        max_item_len: usize,
    ) -> Result<Self, WireError> {
        let frame = Frame::open_as(bytes, Kind::Message, expected)?;
        let typed: MessageHeader = frame.typed(MAX_TYPED_BYTES)?;
        let (count, payload_len) = typed.totals(max_items, max_item_len)?;
        let mut payload = frame.payload(payload_len)?;
        let mut items = Vec::with_capacity(count);
        for &(length, count) in &typed.runs.0 {
            for _ in 0..count {
                items.push(payload.take(length as usize)?.to_vec());
            }
        }
        Ok(Self { parameters: expected, operator: typed.operator, part: typed.part, items })
    }
}
