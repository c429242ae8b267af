//! Meters and panels: an operator, its settings, and encrypted sums. Both families have the same routes.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use blindrelay_engine::wire::Kind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{object, to_the_end};
use crate::access::Caller;
use crate::body::{Expected, read_object, read_small};
use crate::error::{ApiError, RequestError, Resource};
use crate::extract::{
    Examiner, Owner, PageRequest, QueryParameters, Reader, Segments, Worker, idempotency_key, parse_id,
};
use crate::family::Family;
use crate::id::{BodyDigest, IdempotencyKey, LedgerId};
use crate::ledger::Ledger;
use crate::openapi::codes::{
    IdempotencyKeyRequired, Settings, TooFewContributions, UnfitBatch, UnfitMerge, UnfitRequest, UnknownMeter,
};
use crate::openapi::refusals::{
    Account, Argument, Body as BodyRefusals, Computation, KeptReceipt, Keyed, Named, Object, Operand, Repeatable,
    SmallJson, Stored, UsedKeys,
};
use crate::openapi::{AfterId, Octets, OperatorId, PageLimit, Receipted, Refusals};
use crate::receipts::{self, Sent};
use crate::state::AppState;
use crate::store::{Idempotency, LedgerName, LedgerUsage, StoredLedger};

/// Most bytes of the JSON that describes a ledger, settings included.
const REQUEST_BYTES: usize = 1 << 20;
/// Most bytes of the JSON that names a ledger to be merged.
const MERGE_BYTES: usize = 4096;

/// The routes of a family.
pub(super) fn routes(family: Family) -> Router<AppState> {
    let all = format!("/v1/{family}");
    let one = format!("{all}/{{id}}");
    Router::new()
        .route(&all, get(list).post(create))
        .route(&one, get(show).delete(remove))
        .route(&format!("{one}/batches"), post(append))
        .route(&format!("{one}/merge"), post(merge))
        .route(&format!("{one}/report"), post(report))
        .route(&format!("{all}/jobs"), post(super::jobs::new::report))
        .layer(Extension(family))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMeter)]
pub(super) struct NewLedger {
    #[schema(value_type = OperatorId)]
    operator: String,
    /// Public settings, as the operator says. They never change.
    #[schema(value_type = Option<Object>)]
    settings: Option<serde_json::Map<String, Value>>,
    /// Keys that were uploaded, where the operator needs any.
    #[schema(value_type = Option<BodyDigest>)]
    evaluation_keys: Option<String>,
}

/// The one spelling of settings: sorted fields, no white space.
fn canonical(settings: serde_json::Map<String, Value>) -> String {
    let mut settings = Value::Object(settings);
    settings.sort_all_objects();
    settings.to_string()
}

#[derive(Serialize, ToSchema)]
#[schema(as = MeterEntry)]
pub(super) struct Entry {
    #[schema(value_type = LedgerId)]
    id: String,
    #[schema(value_type = OperatorId)]
    operator: String,
    /// Name of the parameter set; `null` where the operator is not offered any more.
    #[schema(required)]
    parameters: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BodyDigest>)]
    evaluation_keys: Option<String>,
    /// How many batches are in the sums.
    batches: u64,
    /// Length of the encoded sums.
    bytes: u64,
}

impl Entry {
    fn new(state: &AppState, ledger: &StoredLedger, usage: LedgerUsage) -> Self {
        let operator = state.registry().accumulation(&ledger.operator);
        Self {
            id: ledger.name.id.to_string(),
            operator: ledger.operator.clone(),
            parameters: operator.map(|(_, operator)| operator.parameters().name().to_owned()),
            evaluation_keys: ledger.evaluation_keys.map(|digest| digest.to_string()),
            batches: usage.batches,
            bytes: usage.bytes,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Meter)]
pub(super) struct LedgerAnswer {
    #[serde(flatten)]
    entry: Entry,
    #[schema(value_type = Object)]
    settings: Value,
}

fn answer(state: &AppState, ledger: &StoredLedger, usage: LedgerUsage) -> Result<Json<LedgerAnswer>, ApiError> {
    let settings = serde_json::from_str(&ledger.settings).map_err(ApiError::internal)?;
    Ok(Json(LedgerAnswer { entry: Entry::new(state, ledger, usage), settings }))
}

/// Makes a meter
#[utoipa::path(post, path = "/v1/meters", tag = "meters", operation_id = "createMeter",
    request_body = NewLedger,
    security(("bearer" = ["tenant"])),
    responses((status = 201, description = "The meter.", body = LedgerAnswer),
        Refusals<(Keyed, SmallJson, Operand, Account, Stored, (Settings, UnfitRequest))>))]
pub(super) async fn create(
    Owner(caller): Owner,
    State(state): State<AppState>,
    Extension(family): Extension<Family>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<LedgerAnswer>), ApiError> {
    let body = read_small(body, &headers, &state, REQUEST_BYTES, "this service allows").await?;
    let request: NewLedger = object(&body)?;
    let operator = Arc::clone(state.registry().for_ledger(family, &request.operator)?);
    state.check_sunset(operator.parameters())?;
    let evaluation_keys = request.evaluation_keys.as_deref().map(parse_id).transpose()?;
    let settings: Arc<str> = canonical(request.settings.unwrap_or_default()).into();
    state.check_keys(&caller, operator.card(), operator.parameters().digest(), evaluation_keys).await?;
    let place = state.enter(&caller)?;
    let checked = Arc::clone(&settings);
    let first = move || operator.new_accumulator(&checked).map(|sums| Arc::from(sums.to_bytes()));
    let sums: Arc<[u8]> = place.run(first).await??;
    drop(place);
    let name = LedgerName { family, id: LedgerId::random()? };
    let ledger = StoredLedger { name, operator: request.operator, settings, evaluation_keys };
    to_the_end(async move {
        let usage = LedgerUsage { batches: 0, bytes: sums.len() as u64 };
        state.store().create_ledger(&caller.tenant, ledger.clone(), sums, state.quota(&caller)).await?;
        Ok((StatusCode::CREATED, answer(&state, &ledger, usage)?))
    })
    .await
}

#[derive(Serialize)]
pub(super) struct Page {
    #[serde(flatten)]
    entries: BTreeMap<&'static str, Vec<Entry>>,
    next: Option<String>,
}

/// The page of a family, as it is described.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the field of a page is called like the family")]
pub(super) struct MeterPage {
    meters: Vec<Entry>,
    /// The `after` of the next page; `null` at the end.
    #[schema(value_type = Option<LedgerId>, required)]
    next: Option<String>,
}

/// Lists meters, ascending
///
/// Without their settings.
#[utoipa::path(get, path = "/v1/meters", tag = "meters", operation_id = "listMeters",
    params(("after" = Option<AfterId>, Query, description = "The last entry of the page before, its `next`."),
        ("limit" = Option<PageLimit>, Query, description = "Most entries.")),
    security(("bearer" = ["relay"]), ("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "A page.", body = MeterPage),
        Refusals<(Keyed, Named, Argument)>))]
pub(super) async fn list(
    Reader(caller): Reader,
    State(state): State<AppState>,
    Extension(family): Extension<Family>,
    QueryParameters(query): QueryParameters<PageRequest>,
) -> Result<Json<Page>, ApiError> {
    let (after, limit) = (query.after()?, query.limit()?);
    let mut ledgers = state.store().ledgers(&caller.tenant, family, after, limit + 1).await?;
    let more = ledgers.len() > limit;
    ledgers.truncate(limit);
    let next = ledgers.last().filter(|_| more).map(|(ledger, _)| ledger.name.id.to_string());
    let entries = ledgers.iter().map(|(ledger, usage)| Entry::new(&state, ledger, *usage)).collect();
    Ok(Json(Page { entries: BTreeMap::from([(family.plural(), entries)]), next }))
}

/// What is in a meter
#[utoipa::path(get, path = "/v1/meters/{id}", tag = "meters", operation_id = "showMeter",
    params(("id" = LedgerId, Path, description = "The meter.")),
    security(("bearer" = ["relay"]), ("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "The meter.", body = LedgerAnswer),
        Refusals<(Keyed, Named, UnknownMeter)>))]
pub(super) async fn show(
    Reader(caller): Reader,
    State(state): State<AppState>,
    Extension(family): Extension<Family>,
    Segments(id): Segments<String>,
) -> Result<Json<LedgerAnswer>, ApiError> {
    let name = LedgerName { family, id: parse_id(&id)? };
    let found = state.store().ledger(&caller.tenant, name).await?;
    let (ledger, usage) = found.ok_or(ApiError::Unknown(Resource::Ledger(family)))?;
    answer(&state, &ledger, usage)
}

/// Removes a meter with its sums
#[utoipa::path(delete, path = "/v1/meters/{id}", tag = "meters", operation_id = "removeMeter",
    params(("id" = LedgerId, Path, description = "The meter.")),
    security(("bearer" = ["tenant"])),
    responses((status = 204, description = "It is gone."),
        Refusals<(Keyed, Named, UnknownMeter)>))]
pub(super) async fn remove(
    Owner(caller): Owner,
    State(state): State<AppState>,
    Extension(family): Extension<Family>,
    Segments(id): Segments<String>,
) -> Result<StatusCode, ApiError> {
    let name = LedgerName { family, id: parse_id(&id)? };
    to_the_end(async move { Ok(state.store().remove_ledger(&caller.tenant, name).await?) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The ledger of an address, and the name that a change of it has to have.
async fn to_change(
    state: &AppState,
    caller: Caller,
    family: Family,
    id: &str,
    headers: &HeaderMap,
) -> Result<(Ledger, IdempotencyKey), ApiError> {
    let name = LedgerName { family, id: parse_id(id)? };
    let key = idempotency_key(headers)?.ok_or(RequestError::Unnamed)?;
    Ok((Ledger::open(state, caller, name).await?, key))
}

#[derive(Serialize, ToSchema)]
#[schema(as = BatchCount)]
pub(super) struct Counted {
    /// How many batches are in the sums now.
    batches: u64,
}

/// Adds a batch to the sums
///
/// The sums with the batch are stored before the answer is sent, in one step with its name: however often it is sent under this name, it counts once.
#[utoipa::path(post, path = "/v1/meters/{id}/batches", tag = "meters", operation_id = "addMeterBatch",
    params(("id" = LedgerId, Path, description = "The meter."),
        ("Idempotency-Key" = IdempotencyKey, Header, description = "What the client calls this request. Repeated under the same name it counts once.")),
    request_body(content = Octets, content_type = "application/octet-stream", description = "The batch, a message of the wire format."),
    security(("bearer" = ["relay"]), ("bearer" = ["tenant"])),
    responses((status = 201, description = "It is in the sums.", body = Counted),
        Refusals<(Keyed, Named, Object, Account, Stored, Repeatable, UsedKeys, Computation, (UnknownMeter, IdempotencyKeyRequired, UnfitBatch))>))]
pub(super) async fn append(
    Worker(caller): Worker,
    State(state): State<AppState>,
    Extension(family): Extension<Family>,
    Segments(id): Segments<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Counted>), ApiError> {
    let (ledger, key) = to_change(&state, caller.clone(), family, &id, &headers).await?;
    let operator = ledger.operator();
    let expected = Expected {
        kind: Some(Kind::Message),
        operator: Some((operator.card().id.as_str(), operator.parameters().digest())),
        limit: Some(operator.card().record_limit),
    };
    let (batch, memory) = read_object(body, &headers, &state, expected).await?;
    let place = state.enter(&caller)?;
    let batches = to_the_end(async move {
        let _memory = memory;
        ledger.append(&state, batch, key, &place).await
    })
    .await?;
    Ok((StatusCode::CREATED, Json(Counted { batches })))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MeterMerge)]
pub(super) struct Merge {
    /// Whose present sums are added.
    #[schema(value_type = LedgerId)]
    from: String,
}

/// Adds the present sums of another meter
///
/// Both stay; batches that come to the other one later are not added by themselves.
#[utoipa::path(post, path = "/v1/meters/{id}/merge", tag = "meters", operation_id = "mergeMeter",
    params(("id" = LedgerId, Path, description = "The meter."),
        ("Idempotency-Key" = IdempotencyKey, Header, description = "What the client calls this request. Repeated under the same name it counts once.")),
    request_body = Merge,
    security(("bearer" = ["tenant"])),
    responses((status = 201, description = "They are in the sums.", body = Counted),
        Refusals<(Keyed, Named, SmallJson, Account, Stored, Repeatable, Computation, (UnknownMeter, IdempotencyKeyRequired, UnfitMerge))>))]
pub(super) async fn merge(
    Owner(caller): Owner,
    State(state): State<AppState>,
    Extension(family): Extension<Family>,
    Segments(id): Segments<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Counted>), ApiError> {
    let (ledger, key) = to_change(&state, caller.clone(), family, &id, &headers).await?;
    let body = read_small(body, &headers, &state, MERGE_BYTES, "this service allows").await?;
    let merge: Merge = object(&body)?;
    let from = LedgerName { family, id: parse_id(&merge.from)? };
    let request = Idempotency { key, body: BodyDigest::of(&body) };
    let place = state.enter(&caller)?;
    let batches = to_the_end(async move { ledger.merge(&state, from, request, &place).await }).await?;
    Ok((StatusCode::CREATED, Json(Counted { batches })))
}

/// Computes an answer from the sums
///
/// With `Accept: application/vnd.blindrelay.receipted` a signed receipt stands before the answer, which is kept with the request. The sums stay.
#[utoipa::path(post, path = "/v1/meters/{id}/report", tag = "meters", operation_id = "reportMeter",
    params(("id" = LedgerId, Path, description = "The meter.")),
    request_body(content = Option<Octets>, content_type = "application/octet-stream", description = "A request as the operator defines it, or nothing where it needs none."),
    security(("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "The operator's answer.", content((Octets = "application/octet-stream"), (Receipted = "application/vnd.blindrelay.receipted"))),
        Refusals<(Keyed, Named, BodyRefusals, Account, UsedKeys, Computation, KeptReceipt, (UnknownMeter, UnfitRequest, TooFewContributions))>))]
pub(super) async fn report(
    Examiner(caller): Examiner,
    State(state): State<AppState>,
    Extension(family): Extension<Family>,
    Segments(id): Segments<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Sent, ApiError> {
    let ledger = Ledger::open(&state, caller.clone(), LedgerName { family, id: parse_id(&id)? }).await?;
    let limit = ledger.operator().card().request_limit;
    let request = read_small(body, &headers, &state, limit, "the operator takes").await?;
    let place = state.enter(&caller)?;
    ledger.report(&state, receipts::wanted(&headers), request, &place).await
}
