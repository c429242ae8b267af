//! Handles: the opaque names under which values are enrolled in a room.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use blindrelay_engine::operator::Handle;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::to_the_end;
use crate::body::{Expected, read_object};
use crate::error::ApiError;
use crate::extract::{PageRequest, QueryParameters, Reader, Segments, Worker, idempotency_key, parse_id};
use crate::id::{BodyDigest, IdempotencyKey, RoomId};
use crate::openapi::codes::{Contended, OperatorRetired, UnknownHandle, UnknownRoom, ValueCount};
use crate::openapi::refusals::{Account, Argument, Computation, Keyed, Named, Object, Repeatable, Stored};
use crate::openapi::{AfterId, HandleId, Octets, PageLimit, Refusals};
use crate::state::AppState;
use crate::store::Idempotency;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Enrolment {
    /// How many values the record carries, from 1 to what the operator's card says; 1 if this is left out.
    #[param(minimum = 1, maximum = 4_294_967_295_u32)]
    count: Option<usize>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Enrolled {
    /// One for each value, in the order of the values.
    #[schema(value_type = Vec<HandleId>)]
    handles: Vec<String>,
}

/// Enrols a record
///
/// The record is stored before the answer is sent. Handles are random and made by the service.
#[utoipa::path(post, path = "/v1/rooms/{room}/handles", tag = "rooms", operation_id = "enrol",
    params(("room" = RoomId, Path, description = "The room."), Enrolment,
        ("Idempotency-Key" = Option<IdempotencyKey>, Header, description = "What the client calls this request. Repeated under the same name it counts once.")),
    request_body(content = Octets, content_type = "application/octet-stream", description = "The record, an object of the wire format."),
    security(("bearer" = ["relay"]), ("bearer" = ["tenant"])),
    responses((status = 201, description = "The handles of the values.", body = Enrolled),
        Refusals<(Keyed, Named, Argument, Object, Repeatable, Account, Stored, Computation, (UnknownRoom, ValueCount))>))]
pub(super) async fn enrol(
    Worker(caller): Worker,
    State(state): State<AppState>,
    Segments(room): Segments<String>,
    QueryParameters(query): QueryParameters<Enrolment>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Enrolled>), ApiError> {
    let (room, _) = state.room(&caller.tenant, parse_id(&room)?).await?;
    let key = idempotency_key(&headers)?;
    let operator = room.operator();
    let expected = Expected {
        kind: None,
        operator: Some((operator.card().id.as_str(), operator.parameters().digest())),
        limit: Some(operator.card().record_limit),
    };
    let (bytes, memory) = read_object(body, &headers, &state, expected).await?;
    let bytes: Arc<[u8]> = bytes.into();
    let place = state.enter(&caller)?;
    let handles = to_the_end(async move {
        let _memory = memory;
        let idempotency = match key {
            Some(key) => {
                let hashed = Arc::clone(&bytes);
                Some(Idempotency { key, body: place.run(move || BodyDigest::of(&hashed)).await? })
            }
            None => None,
        };
        let count = query.count.unwrap_or(1);
        let enrolled =
            room.append(bytes, count, idempotency, state.store().as_ref(), state.quota(&caller), &place).await?;
        state.weigh_room(&caller.tenant, &room);
        Ok(enrolled)
    })
    .await?;
    Ok((StatusCode::CREATED, Json(Enrolled { handles: handles.iter().map(Handle::to_string).collect() })))
}

#[derive(Serialize, ToSchema)]
#[schema(as = HandlePage)]
pub(super) struct Page {
    #[schema(value_type = Vec<HandleId>)]
    handles: Vec<String>,
    /// The `after` of the next page; `null` at the end.
    #[schema(value_type = Option<HandleId>, required)]
    next: Option<String>,
}

/// Lists handles, ascending
#[utoipa::path(get, path = "/v1/rooms/{room}/handles", tag = "rooms", operation_id = "listHandles",
    params(("room" = RoomId, Path, description = "The room."),
        ("after" = Option<AfterId>, Query, description = "The last entry of the page before, its `next`."),
        ("limit" = Option<PageLimit>, Query, description = "Most entries.")),
    security(("bearer" = ["relay"]), ("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "A page.", body = Page),
        Refusals<(Keyed, Named, Argument, UnknownRoom)>))]
pub(super) async fn list(
    Reader(caller): Reader,
    State(state): State<AppState>,
    Segments(room): Segments<String>,
    QueryParameters(query): QueryParameters<PageRequest>,
) -> Result<Json<Page>, ApiError> {
    let room = parse_id(&room)?;
    let (after, limit) = (query.after()?, query.limit()?);
    let mut handles = state.store().handles(&caller.tenant, room, after, limit + 1).await?;
    let more = handles.len() > limit;
    handles.truncate(limit);
    let handles: Vec<String> = handles.iter().map(Handle::to_string).collect();
    let next = handles.last().filter(|_| more).cloned();
    Ok(Json(Page { handles, next }))
}

/// Removes a handle
///
/// From now on no request is answered from its value.
#[utoipa::path(delete, path = "/v1/rooms/{room}/handles/{handle}", tag = "rooms", operation_id = "removeHandle",
    params(("room" = RoomId, Path, description = "The room."),
        ("handle" = HandleId, Path, description = "The handle.")),
    security(("bearer" = ["relay"]), ("bearer" = ["tenant"])),
    responses((status = 204, description = "It is gone."),
        Refusals<(Keyed, Named, Account, (UnknownRoom, UnknownHandle, OperatorRetired, Contended))>))]
pub(super) async fn remove(
    Worker(caller): Worker,
    State(state): State<AppState>,
    Segments((room, handle)): Segments<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (room, handle) = (parse_id(&room)?, parse_id(&handle)?);
    let (room, _) = state.room(&caller.tenant, room).await?;
    let place = state.enter(&caller)?;
    to_the_end(async move {
        let removed = room.remove(handle, state.store().as_ref(), &place).await;
        state.weigh_room(&caller.tenant, &room);
        removed
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
