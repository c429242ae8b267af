//! Receipts that are kept, with everything that is needed to compute their answers again.

pub(super) mod source;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use blindrelay_trust::{CollectionKind, ReceiptId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::entity::Entity;
use crate::access::Caller;
use crate::error::{ApiError, RequestError, Resource};
use crate::extract::{Examiner, PageRequest, QueryParameters, Segments, parse_id};
use crate::id::BodyDigest;
use crate::openapi::codes::UnknownReceipt;
use crate::openapi::refusals::{Argument, Keyed, Named};
use crate::openapi::{AfterDigest, CollectionName, DayText, Octets, OperatorId, PageLimit, Refusals};
use crate::state::AppState;
use crate::store::{Content, StoredReceipt};
use crate::time::{Day, UnixMillis};

/// The routes.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/receipts", get(list))
        .route("/v1/receipts/{receipt}", get(show))
        .route("/v1/receipts/{receipt}/request", get(request))
        .merge(source::routes())
}

/// A receipt that the caller's tenant was given and that is still kept.
async fn find(state: &AppState, caller: &Caller, id: &str) -> Result<StoredReceipt, ApiError> {
    let id: ReceiptId = parse_id(id)?;
    let found = state.store().receipt(&caller.tenant, id, state.clock().now()).await?;
    found.ok_or(ApiError::Unknown(Resource::Receipt))
}

/// Bytes that never change.
fn bytes(found: Option<Content>, headers: &HeaderMap) -> Result<Response, ApiError> {
    let content = found.ok_or(ApiError::Unknown(Resource::Receipt))?;
    Ok(Entity::of_digest("application/octet-stream", content.digest, content.bytes).answer(headers))
}

/// What a receipt was computed from.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CollectionKind)]
pub(super) enum Kind {
    Room,
    Meter,
    Panel,
}

impl From<CollectionKind> for Kind {
    fn from(kind: CollectionKind) -> Self {
        match kind {
            CollectionKind::Room => Self::Room,
            CollectionKind::Meter => Self::Meter,
            CollectionKind::Panel => Self::Panel,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = ReceiptEntry)]
pub(super) struct Entry {
    /// SHA-256 of the receipt without its signature.
    #[schema(value_type = BodyDigest)]
    id: String,
    #[schema(value_type = OperatorId)]
    operator: String,
    kind: Kind,
    /// The room, meter or panel.
    #[schema(value_type = CollectionName)]
    collection: String,
    /// Its version.
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BodyDigest>)]
    evaluation_keys: Option<String>,
    /// When the answer was computed.
    time: UnixMillis,
    /// Length of the request.
    request_bytes: u64,
    /// From when on it is not kept any more.
    until: UnixMillis,
}

impl From<StoredReceipt> for Entry {
    fn from(stored: StoredReceipt) -> Self {
        let receipt = stored.signed.receipt();
        Self {
            id: stored.signed.id().to_string(),
            operator: receipt.operator.to_string(),
            kind: receipt.collection.kind.into(),
            collection: receipt.collection.id.to_string(),
            version: receipt.collection.version,
            evaluation_keys: receipt.evaluation_keys.map(|digest| digest.to_string()),
            time: UnixMillis(receipt.time.get()),
            request_bytes: stored.request_bytes,
            until: stored.until,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Listed {
    /// The day of the computation, in UTC.
    #[param(value_type = DayText)]
    day: String,
    /// The last entry of the page before, its `next`.
    #[param(value_type = Option<AfterDigest>)]
    after: Option<String>,
    /// Most entries.
    #[param(value_type = Option<PageLimit>)]
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ReceiptPage)]
pub(super) struct Page {
    receipts: Vec<Entry>,
    /// The `after` of the next page; `null` at the end.
    #[schema(value_type = Option<BodyDigest>, required)]
    next: Option<String>,
}

/// Lists the receipts of a day, ascending by id
#[utoipa::path(get, path = "/v1/receipts", tag = "receipts", operation_id = "listReceipts",
    params(Listed),
    security(("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "A page.", body = Page),
        Refusals<(Keyed, Named, Argument)>))]
pub(super) async fn list(
    Examiner(caller): Examiner,
    State(state): State<AppState>,
    QueryParameters(Listed { day, after, limit }): QueryParameters<Listed>,
) -> Result<Json<Page>, ApiError> {
    let page = PageRequest::new(after, limit);
    let (after, limit) = (page.after()?, page.limit()?);
    let day: Day = day.parse().map_err(|error| RequestError::Query(format!("day: {error}")))?;
    let mut found = state.store().receipts(&caller.tenant, day, after, limit + 1, state.clock().now()).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|stored| stored.signed.id().to_string());
    Ok(Json(Page { receipts: found.into_iter().map(Entry::from).collect(), next }))
}

/// A signed receipt
#[utoipa::path(get, path = "/v1/receipts/{receipt}", tag = "receipts", operation_id = "showReceipt",
    params(("receipt" = BodyDigest, Path, description = "Id of the receipt.")),
    security(("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "The signed receipt (docs/receipts.md).", body = Octets, content_type = "application/octet-stream"),
        (status = 304, description = "It is what `If-None-Match` names."),
        Refusals<(Keyed, Named, UnknownReceipt)>))]
pub(super) async fn show(
    Examiner(caller): Examiner,
    State(state): State<AppState>,
    Segments(receipt): Segments<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let stored = find(&state, &caller, &receipt).await?;
    Ok(Entity::new("application/octet-stream", stored.signed.to_bytes()).unchanging().answer(&headers))
}

/// The request of a receipt
#[utoipa::path(get, path = "/v1/receipts/{receipt}/request", tag = "receipts", operation_id = "showReceiptRequest",
    params(("receipt" = BodyDigest, Path, description = "Id of the receipt.")),
    security(("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "The body of the request.", body = Octets, content_type = "application/octet-stream"),
        (status = 304, description = "It is what `If-None-Match` names."),
        Refusals<(Keyed, Named, UnknownReceipt)>))]
pub(super) async fn request(
    Examiner(caller): Examiner,
    State(state): State<AppState>,
    Segments(receipt): Segments<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let stored = find(&state, &caller, &receipt).await?;
    bytes(state.store().receipt_request(&caller.tenant, stored.signed.id()).await?, &headers)
}
