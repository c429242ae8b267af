//! Rooms: an operator, perhaps evaluation keys, and a collection of records.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{object, to_the_end};
use crate::body::read_small;
use crate::error::{ApiError, Resource};
use crate::extract::{Owner, Reader, Segments, parse_id};
use crate::id::{BodyDigest, RoomId};
use crate::openapi::codes::UnknownRoom;
use crate::openapi::refusals::{Account, Keyed, Named, Operand, SmallJson, Stored};
use crate::openapi::{OperatorId, Refusals};
use crate::state::AppState;
use crate::store::{RoomUsage, StoredRoom};

/// Most bytes of the JSON that describes a room.
const REQUEST_BYTES: usize = 4096;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRoom {
    #[schema(value_type = OperatorId)]
    operator: String,
    /// Keys that were uploaded, where the operator needs any.
    #[schema(value_type = Option<BodyDigest>)]
    evaluation_keys: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Room)]
pub(super) struct RoomAnswer {
    #[schema(value_type = RoomId)]
    room: String,
    #[schema(value_type = OperatorId)]
    operator: String,
    /// Name of the parameter set; `null` where the operator is not offered any more.
    #[schema(required)]
    parameters: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BodyDigest>)]
    evaluation_keys: Option<String>,
    /// How many values are enrolled.
    handles: usize,
    /// Bytes of its records.
    bytes: u64,
}

fn answer(state: &AppState, room: &StoredRoom, usage: RoomUsage) -> Json<RoomAnswer> {
    let operator = state.registry().operator(&room.operator);
    Json(RoomAnswer {
        room: room.room.to_string(),
        operator: room.operator.clone(),
        parameters: operator.map(|operator| operator.parameters().name().to_owned()),
        evaluation_keys: room.evaluation_keys.map(|digest| digest.to_string()),
        handles: usage.handles,
        bytes: usage.bytes,
    })
}

/// Makes a room
#[utoipa::path(post, path = "/v1/rooms", tag = "rooms", operation_id = "createRoom",
    request_body = NewRoom,
    security(("bearer" = ["tenant"])),
    responses((status = 201, description = "The room.", body = RoomAnswer),
        Refusals<(Keyed, SmallJson, Operand, Account, Stored)>))]
pub(super) async fn create(
    Owner(caller): Owner,
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<RoomAnswer>), ApiError> {
    let body = read_small(body, &headers, &state, REQUEST_BYTES, "this service allows").await?;
    let request: NewRoom = object(&body)?;
    let operator = state.registry().for_room(&request.operator)?;
    state.check_sunset(operator.parameters())?;
    let evaluation_keys = request.evaluation_keys.as_deref().map(parse_id).transpose()?;
    state.check_keys(&caller, operator.card(), operator.parameters().digest(), evaluation_keys).await?;
    let stored = StoredRoom { room: RoomId::random()?, operator: request.operator, evaluation_keys };
    to_the_end(async move {
        state.store().create_room(&caller.tenant, stored.clone(), state.quota(&caller)).await?;
        Ok((StatusCode::CREATED, answer(&state, &stored, RoomUsage::default())))
    })
    .await
}

/// What is in a room
#[utoipa::path(get, path = "/v1/rooms/{room}", tag = "rooms", operation_id = "showRoom",
    params(("room" = RoomId, Path, description = "The room.")),
    security(("bearer" = ["relay"]), ("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "The room.", body = RoomAnswer),
        Refusals<(Keyed, Named, UnknownRoom)>))]
pub(super) async fn show(
    Reader(caller): Reader,
    State(state): State<AppState>,
    Segments(room): Segments<String>,
) -> Result<Json<RoomAnswer>, ApiError> {
    let room = parse_id(&room)?;
    let found = state.store().room(&caller.tenant, room).await?.ok_or(ApiError::Unknown(Resource::Room))?;
    let usage = state.store().usage(&caller.tenant, room).await?;
    Ok(answer(&state, &found.room, usage))
}

/// Removes a room with everything in it
#[utoipa::path(delete, path = "/v1/rooms/{room}", tag = "rooms", operation_id = "removeRoom",
    params(("room" = RoomId, Path, description = "The room.")),
    security(("bearer" = ["tenant"])),
    responses((status = 204, description = "It is gone."),
        Refusals<(Keyed, Named, UnknownRoom)>))]
pub(super) async fn remove(
    Owner(caller): Owner,
    State(state): State<AppState>,
    Segments(room): Segments<String>,
) -> Result<StatusCode, ApiError> {
    let room = parse_id(&room)?;
    to_the_end(async move {
        state.store().remove_room(&caller.tenant, room).await?;
        state.forget_room(&caller.tenant, room);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
