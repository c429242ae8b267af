//! What a receipt was computed from, at its version, whatever has become of it since.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use blindrelay_engine::operator::Handle;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Kind, bytes, find};
use crate::error::{ApiError, RequestError, Resource};
use crate::extract::{Examiner, PageRequest, QueryParameters, Segments};
use crate::id::BodyDigest;
use crate::openapi::codes::UnknownReceipt;
use crate::openapi::refusals::{Argument, Keyed, Named};
use crate::openapi::{CollectionName, HandleId, Octets, OperatorId, PageLimit, Refusals};
use crate::state::AppState;
use crate::store::{ReceiptSource, SourceChange};

/// The routes.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/receipts/{receipt}/source", get(show))
        .route("/v1/receipts/{receipt}/changes", get(changes))
        .route("/v1/receipts/{receipt}/records/{version}", get(record))
        .route("/v1/receipts/{receipt}/sums", get(sums))
        .route("/v1/receipts/{receipt}/keys", get(keys))
}

/// The room, meter or panel as it was made.
#[derive(Serialize, ToSchema)]
#[schema(as = ReceiptSource)]
pub(in crate::routes) struct Source {
    kind: Kind,
    #[schema(value_type = CollectionName)]
    collection: String,
    /// The version that the answer was computed from.
    version: u64,
    #[schema(value_type = OperatorId)]
    operator: String,
    /// The operator's settings as text, as they are given to it; of a meter or panel only.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BodyDigest>)]
    evaluation_keys: Option<String>,
}

/// What a receipt was computed from
///
/// A room is made again from its changes and their records; of a meter or panel there are the sums. Both are as they were at the receipt's version.
#[utoipa::path(get, path = "/v1/receipts/{receipt}/source", tag = "receipts", operation_id = "showReceiptSource",
    params(("receipt" = BodyDigest, Path, description = "Id of the receipt.")),
    security(("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "The room, meter or panel.", body = Source),
        Refusals<(Keyed, Named, UnknownReceipt)>))]
pub(in crate::routes) async fn show(
    Examiner(caller): Examiner,
    State(state): State<AppState>,
    Segments(receipt): Segments<String>,
) -> Result<Json<Source>, ApiError> {
    let stored = find(&state, &caller, &receipt).await?;
    let receipt = stored.signed.receipt();
    let found = state.store().receipt_source(&caller.tenant, receipt).await?;
    let (operator, settings, keys) = match found.ok_or(ApiError::Unknown(Resource::Receipt))? {
        ReceiptSource::Room(room) => (room.operator, None, room.evaluation_keys),
        ReceiptSource::Ledger(ledger) => {
            (ledger.operator, Some(ledger.settings.as_ref().to_owned()), ledger.evaluation_keys)
        }
    };
    Ok(Json(Source {
        kind: receipt.collection.kind.into(),
        collection: receipt.collection.id.to_string(),
        version: receipt.collection.version,
        operator,
        settings,
        evaluation_keys: keys.map(|digest| digest.to_string()),
    }))
}

#[derive(Serialize, ToSchema)]
#[schema(as = SourceRecord)]
pub(in crate::routes) struct Record {
    /// SHA-256 of the record.
    #[schema(value_type = BodyDigest)]
    digest: String,
    /// Its length.
    bytes: u64,
    /// All its handles in the order of its values.
    #[schema(value_type = Vec<HandleId>)]
    handles: Vec<String>,
    /// The group of values in which it stood.
    group: u32,
    /// Its place in the group.
    place: u32,
}

/// Either of the two.
#[derive(Serialize, ToSchema)]
#[schema(as = SourceChange)]
pub(in crate::routes) struct Change {
    /// The version of the room that this made.
    version: u64,
    /// A record was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<Record>,
    /// A handle was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<HandleId>)]
    removed: Option<String>,
}

impl From<SourceChange> for Change {
    fn from(change: SourceChange) -> Self {
        match change {
            SourceChange::Added { version, digest, bytes, handles, placement } => {
                let record = Record {
                    digest: digest.to_string(),
                    bytes,
                    handles: handles.iter().map(Handle::to_string).collect(),
                    group: placement.group,
                    place: placement.place,
                };
                Self { version, added: Some(record), removed: None }
            }
            SourceChange::Removed { version, handle } => {
                Self { version, added: None, removed: Some(handle.to_string()) }
            }
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::routes) struct Listed {
    /// The version of the last entry of the page before, its `next`; 0 if it is left out.
    #[param(value_type = Option<u64>)]
    after: Option<String>,
    /// Most entries.
    #[param(value_type = Option<PageLimit>)]
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SourceChangePage)]
pub(in crate::routes) struct Page {
    changes: Vec<Change>,
    /// The `after` of the next page; `null` at the end.
    #[schema(required)]
    next: Option<u64>,
}

/// The changes that lead from an empty room to that of a receipt, ascending
///
/// Records that were there, and handles of them that had been removed. None of a meter or panel.
#[utoipa::path(get, path = "/v1/receipts/{receipt}/changes", tag = "receipts", operation_id = "listReceiptChanges",
    params(("receipt" = BodyDigest, Path, description = "Id of the receipt."), Listed),
    security(("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "A page.", body = Page),
        Refusals<(Keyed, Named, Argument, UnknownReceipt)>))]
pub(in crate::routes) async fn changes(
    Examiner(caller): Examiner,
    State(state): State<AppState>,
    Segments(receipt): Segments<String>,
    QueryParameters(Listed { after, limit }): QueryParameters<Listed>,
) -> Result<Json<Page>, ApiError> {
    let limit = PageRequest::new(None, limit).limit()?;
    let after = version(after.as_deref().unwrap_or("0")).map_err(RequestError::Query)?;
    let stored = find(&state, &caller, &receipt).await?;
    let mut found = state.store().receipt_changes(&caller.tenant, stored.signed.receipt(), after, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(SourceChange::version);
    Ok(Json(Page { changes: found.into_iter().map(Change::from).collect(), next }))
}

/// A version in an address or a query: versions are at most half of what 64 bits hold.
fn version(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| i64::try_from(*number).is_ok());
    number.ok_or_else(|| "a version is a whole number from 0 to 9223372036854775807".to_owned())
}

/// A record of the room of a receipt
#[utoipa::path(get, path = "/v1/receipts/{receipt}/records/{version}", tag = "receipts", operation_id = "showReceiptRecord",
    params(("receipt" = BodyDigest, Path, description = "Id of the receipt."),
        ("version" = u64, Path, description = "The version that added the record.")),
    security(("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "The record, an object of the wire format.", body = Octets, content_type = "application/octet-stream"),
        (status = 304, description = "It is what `If-None-Match` names."),
        Refusals<(Keyed, Named, UnknownReceipt)>))]
pub(in crate::routes) async fn record(
    Examiner(caller): Examiner,
    State(state): State<AppState>,
    Segments((receipt, number)): Segments<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let number = version(&number).map_err(RequestError::Id)?;
    let stored = find(&state, &caller, &receipt).await?;
    bytes(state.store().receipt_record(&caller.tenant, stored.signed.receipt(), number).await?, &headers)
}

/// The sums of a receipt of a meter or panel
#[utoipa::path(get, path = "/v1/receipts/{receipt}/sums", tag = "receipts", operation_id = "showReceiptSums",
    params(("receipt" = BodyDigest, Path, description = "Id of the receipt.")),
    security(("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "The encoded sums.", body = Octets, content_type = "application/octet-stream"),
        (status = 304, description = "It is what `If-None-Match` names."),
        Refusals<(Keyed, Named, UnknownReceipt)>))]
pub(in crate::routes) async fn sums(
    Examiner(caller): Examiner,
    State(state): State<AppState>,
    Segments(receipt): Segments<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let stored = find(&state, &caller, &receipt).await?;
    bytes(state.store().receipt_sums(&caller.tenant, stored.signed.receipt()).await?, &headers)
}

/// The evaluation keys of a receipt
///
/// Also after they were revoked, expired or removed.
#[utoipa::path(get, path = "/v1/receipts/{receipt}/keys", tag = "receipts", operation_id = "showReceiptKeys",
    params(("receipt" = BodyDigest, Path, description = "Id of the receipt.")),
    security(("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "The key set, an object of the wire format.", body = Octets, content_type = "application/octet-stream"),
        (status = 304, description = "It is what `If-None-Match` names."),
        Refusals<(Keyed, Named, UnknownReceipt)>))]
pub(in crate::routes) async fn keys(
    Examiner(caller): Examiner,
    State(state): State<AppState>,
    Segments(receipt): Segments<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let stored = find(&state, &caller, &receipt).await?;
    let found = match stored.signed.receipt().evaluation_keys {
        Some(digest) => {
            let digest = BodyDigest::from_bytes(*digest.as_bytes());
            state.store().receipt_keys(&caller.tenant, digest).await?
        }
        None => None,
    };
    bytes(found, &headers)
}
