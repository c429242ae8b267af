//! Receipts: what the service signs for an answer, and how both travel.
//!
//! Who asks with `Accept: application/vnd.blindrelay.receipted` gets the signed receipt before the answer; everybody else gets the answer alone. A receipt that is given is in the store first, with
//! the request, so that somebody else can compute the answer again.

mod settings;

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE, HeaderName};
use blindrelay_engine::operator::OperatorCard;
use blindrelay_engine::params::ParameterDigest;
use blindrelay_trust::{
    CollectionId, CollectionKind, CollectionState, ContentDigest, Identity, NoiseClaim, OperatorId, Receipt,
    SignedReceipt, SoftwareVersion, UnixMillis,
};

pub use settings::ReceiptSettings;

use crate::access::Caller;
use crate::error::ApiError;
use crate::family::Family;
use crate::id::BodyDigest;
use crate::state::AppState;
use crate::store::{NewReceipt, StoreError};
use crate::time;

/// The type of an answer with its receipt: the receipt's length in four bytes, lowest first, the signed receipt, the answer.
pub const RECEIPTED: &str = "application/vnd.blindrelay.receipted";
/// The type of an answer alone.
const ALONE: &str = "application/octet-stream";

/// An answer as it is sent.
pub(crate) type Sent = ([(HeaderName, &'static str); 1], Vec<u8>);

/// How often an answer is computed again because what it came from was deleted before its receipt was kept.
pub(crate) const ATTEMPTS: usize = 8;

/// An answer, and the receipt that has to be kept before it is sent.
pub(crate) struct Dressed {
    sent: Sent,
    receipt: Option<SignedReceipt>,
}

/// What became of an answer.
pub(crate) enum Outcome {
    /// It can be sent.
    Ready(Sent),
    /// What it came from has changed and is not there any more: it is to be computed again, from this version or a later one.
    Changed(u64),
}

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

    /// The signed receipt of an answer. Takes as long as two digests and a signature: done on a compute thread.
    fn sign(self, request: &[u8], answer: &[u8], source: &Source) -> Result<SignedReceipt, ApiError> {
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
        identity.sign(&receipt).map_err(ApiError::internal)
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
) -> Result<Dressed, ApiError> {
    let Some(draft) = draft else { return Ok(Dressed { sent: as_sent(answer, false), receipt: None }) };
    let receipt = draft.sign(request, &answer, &source())?;
    let signed = receipt.to_bytes();
    let length = u32::try_from(signed.len()).map_err(ApiError::internal)?;
    let body = [&length.to_le_bytes(), signed.as_slice(), &answer].concat();
    Ok(Dressed { sent: as_sent(body, true), receipt: Some(receipt) })
}

impl Dressed {
    /// Keeps the receipt with the request, where receipts are kept.
    pub(crate) async fn keep(
        self,
        state: &AppState,
        caller: &Caller,
        request: &Arc<[u8]>,
    ) -> Result<Outcome, ApiError> {
        let until =
            self.receipt.as_ref().and_then(|signed| state.kept_until(time::UnixMillis(signed.receipt().time.get())));
        if let (Some(signed), Some(until)) = (self.receipt, until) {
            let receipt = NewReceipt { signed, request: Arc::clone(request), until };
            match state.store().keep_receipt(&caller.tenant, receipt, state.quota(caller)).await {
                Err(StoreError::Outdated { found, .. }) => return Ok(Outcome::Changed(found)),
                other => other?,
            }
        }
        Ok(Outcome::Ready(self.sent))
    }
}
