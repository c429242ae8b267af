//! Receipts: what the service signs for an answer, and how both travel.
//!
//! Who asks with `Accept: application/vnd.blindrelay.receipted` gets the signed receipt before the answer; everybody else gets the answer alone.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use blindrelay_engine::operator::OperatorCard;
use blindrelay_engine::params::ParameterDigest;
use blindrelay_trust::{
    CollectionId, CollectionKind, CollectionState, ContentDigest, Identity, NoiseClaim, OperatorId, Receipt,
    SoftwareVersion, UnixMillis,
};

use crate::error::ApiError;
use crate::family::Family;
use crate::id::BodyDigest;
use crate::state::AppState;

/// The type of an answer with its receipt: the receipt's length in four bytes, lowest first, the signed receipt, the answer.
pub const RECEIPTED: &str = "application/vnd.blindrelay.receipted";
/// The type of an answer alone.
const ALONE: &str = "application/octet-stream";

/// An answer as it is sent.
pub(crate) type Sent = ([(HeaderName, &'static str); 1], Vec<u8>);

/// What a receipt says before there is an answer, and who signs it.
pub(crate) struct Draft {
    identity: Arc<Identity>,
    operator: String,
    parameters: ParameterDigest,
    evaluation_keys: Option<BodyDigest>,
    kind: CollectionKind,
    collection: [u8; 16],
    noise: (f64, f64),
    time: u64,
}

/// From what an answer was computed.
pub(crate) struct Source {
    /// The version of the room or of the sums.
    pub(crate) version: u64,
    /// SHA-256 of their content.
    pub(crate) content: [u8; 32],
}

/// What a receipt is about.
pub(crate) enum Subject {
    /// A room.
    Room([u8; 16]),
    /// A meter or panel.
    Ledger(Family, [u8; 16]),
}

/// Whether the client wants a receipt.
pub(crate) fn wanted(headers: &HeaderMap) -> bool {
    let accepts = |value: &str| value.split(',').any(|part| part.split(';').next().is_some_and(is_receipted));
    headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(accepts)
}

impl Draft {
    /// A draft for an answer of this operator.
    pub(crate) fn new(
        state: &AppState,
        card: &OperatorCard,
        parameters: ParameterDigest,
        evaluation_keys: Option<BodyDigest>,
        subject: &Subject,
    ) -> Self {
        let (kind, collection) = match *subject {
            Subject::Room(id) => (CollectionKind::Room, id),
            Subject::Ledger(Family::Meters, id) => (CollectionKind::Meter, id),
            Subject::Ledger(Family::Panels, id) => (CollectionKind::Panel, id),
        };
        Self {
            identity: Arc::clone(state.identity()),
            operator: card.id.clone(),
            parameters,
            evaluation_keys,
            kind,
            collection,
            noise: (card.noise.answer_bound_log2, card.noise.answer_limit_log2),
            time: state.clock().now().0,
        }
    }

    /// The signed receipt of an answer before the answer. Takes as long as two digests and a signature: done on a compute thread.
    fn sign(self, request: &[u8], answer: &[u8], source: &Source) -> Result<Vec<u8>, ApiError> {
        let Self { identity, operator, parameters, evaluation_keys, kind, collection, noise, time } = self;
        let receipt = Receipt {
            operator: OperatorId::new(&operator).map_err(ApiError::internal)?,
            software: SoftwareVersion::new(env!("CARGO_PKG_VERSION")).map_err(ApiError::internal)?,
            parameters,
            evaluation_keys: evaluation_keys.map(|digest| ContentDigest::from_bytes(*digest.as_bytes())),
            collection: CollectionState {
                kind,
                id: CollectionId::from_bytes(collection),
                version: source.version,
                content: Some(ContentDigest::from_bytes(source.content)),
            },
            request: ContentDigest::of(request),
            answer: ContentDigest::of(answer),
            noise: NoiseClaim::new(noise.0, noise.1).map_err(ApiError::internal)?,
            time: UnixMillis::new(time).unwrap_or(UnixMillis::MAX),
            key: identity.public().id(),
        };
        let signed = identity.sign(&receipt).map_err(ApiError::internal)?.to_bytes();
        let length = u32::try_from(signed.len()).map_err(ApiError::internal)?;
        Ok([&length.to_le_bytes(), signed.as_slice(), answer].concat())
    }
}

fn is_receipted(media: &str) -> bool {
    media.trim().eq_ignore_ascii_case(RECEIPTED)
}

/// Bytes that were sent before, or kept to be sent: an answer with its receipt, or alone.
pub(crate) fn as_sent(bytes: Vec<u8>, receipt: bool) -> Sent {
    ([(CONTENT_TYPE, if receipt { RECEIPTED } else { ALONE })], bytes)
}

/// An answer, with a receipt where one is wanted.
pub(crate) fn dress(
    draft: Option<Draft>,
    request: &[u8],
    answer: Vec<u8>,
    source: impl FnOnce() -> Source,
) -> Result<Sent, ApiError> {
    match draft {
        Some(draft) => Ok(as_sent(draft.sign(request, &answer, &source())?, true)),
        None => Ok(as_sent(answer, false)),
    }
}
