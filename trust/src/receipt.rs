//! Receipts: what a service says of one answer, and its signature.

mod codec;
mod fields;
mod inclusion;
mod signed;
mod view;

pub use codec::{MAX_RECEIPT_BYTES, MIN_RECEIPT_BYTES};
pub use fields::{CollectionKind, CollectionState, MAX_NAME_BYTES, NoiseClaim, OperatorId, SoftwareVersion};
pub(crate) use inclusion::Tree;
pub use inclusion::{Inclusion, MAX_BATCH};
pub use signed::{SignedReceipt, Verified};

use blindrelay_engine::params::ParameterDigest;

use crate::error::ReceiptError;
use crate::id::{ContentDigest, KeyId, ReceiptId};
use crate::time::UnixMillis;

/// What a service says of one answer: what was asked, what came out, and with which operator, version, parameters, keys and records. Who asked is not in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// Name and revision of the operator.
    pub operator: OperatorId,
    /// Version of the service's software.
    pub software: SoftwareVersion,
    /// The parameter set.
    pub parameters: ParameterDigest,
    /// The evaluation keys that were used: SHA-256 of the bytes that were uploaded.
    pub evaluation_keys: Option<ContentDigest>,
    /// What it was computed from.
    pub collection: CollectionState,
    /// SHA-256 of the request's bytes.
    pub request: ContentDigest,
    /// SHA-256 of the answer's bytes.
    pub answer: ContentDigest,
    /// Noise of the result, as on the operator's card.
    pub noise: NoiseClaim,
    /// When it was computed.
    pub time: UnixMillis,
    /// The key that signs it.
    pub key: KeyId,
}

impl Receipt {
    /// SHA-256 of [`Receipt::to_bytes`]. Whoever has the receipt can compute it, and no other receipt has the same.
    pub fn id(&self) -> ReceiptId {
        ReceiptId::from_bytes(*ContentDigest::of(&self.to_bytes()).as_bytes())
    }

    /// Whether this is the request that the receipt names. Refused with both digests where it is another.
    pub fn matches_request(&self, request: &[u8]) -> Result<(), ReceiptError> {
        let found = ContentDigest::of(request);
        if found == self.request { Ok(()) } else { Err(ReceiptError::Request { receipt: self.request, found }) }
    }

    /// Whether this is the answer that the receipt names. Refused with both digests where it is another.
    pub fn matches_answer(&self, answer: &[u8]) -> Result<(), ReceiptError> {
        let found = ContentDigest::of(answer);
        if found == self.answer { Ok(()) } else { Err(ReceiptError::Answer { receipt: self.answer, found }) }
    }
}
