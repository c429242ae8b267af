//! Rooms: an operator, perhaps evaluation keys, and a collection of records.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::to_the_end;
use crate::body::read_small;
use crate::error::{ApiError, RequestError, Resource};
use crate::extract::{Owner, Reader, Segments, parse_id};
use crate::id::RoomId;
use crate::state::AppState;
use crate::store::{RoomUsage, StoredRoom};

/// Most bytes of the JSON that describes a room.
const REQUEST_BYTES: usize = 4096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRoom {
    operator: String,
    evaluation_keys: Option<String>,
}

#[derive(Serialize)]
pub(super) struct RoomAnswer {
    room: String,
    operator: String,
    parameters: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluation_keys: Option<String>,
    handles: usize,
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

/// `POST /v1/rooms`
pub(super) async fn create(
    Owner(caller): Owner,
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<RoomAnswer>), ApiError> {
    let body = read_small(body, &headers, &state, REQUEST_BYTES, "this service allows").await?;
    let request: NewRoom = serde_json::from_slice(&body).map_err(|error| RequestError::Json(error.to_string()))?;
    let operator = state.registry().for_room(&request.operator)?;
    let evaluation_keys = request.evaluation_keys.as_deref().map(parse_id).transpose()?;
    state.check_keys(&caller, operator.card(), operator.parameters().digest(), evaluation_keys).await?;
    let stored = StoredRoom { room: RoomId::random()?, operator: request.operator, evaluation_keys };
    to_the_end(async move {
        state.store().create_room(&caller.tenant, stored.clone(), state.quota(&caller)).await?;
        Ok((StatusCode::CREATED, answer(&state, &stored, RoomUsage::default())))
    })
    .await
}

/// `GET /v1/rooms/{room}`
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

/// `DELETE /v1/rooms/{room}`
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
