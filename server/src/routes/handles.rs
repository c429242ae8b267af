//! Handles: the opaque names under which values are enrolled in a room.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use blindrelay_engine::operator::Handle;
use serde::{Deserialize, Serialize};

use super::to_the_end;
use crate::body::{Expected, read_object};
use crate::error::ApiError;
use crate::extract::{PageRequest, QueryParameters, Reader, Segments, Worker, idempotency_key, parse_id};
use crate::id::BodyDigest;
use crate::state::AppState;
use crate::store::Idempotency;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Enrolment {
    count: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct Enrolled {
    handles: Vec<String>,
}

/// `POST /v1/rooms/{room}/handles?count=K`
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
    let bytes: Arc<[u8]> = read_object(body, &headers, &state, expected).await?.into();
    let place = state.enter(&caller)?;
    let handles = to_the_end(async move {
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

#[derive(Serialize)]
pub(super) struct Page {
    handles: Vec<String>,
    next: Option<String>,
}

/// `GET /v1/rooms/{room}/handles?after=&limit=`, ascending.
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

/// `DELETE /v1/rooms/{room}/handles/{handle}`
pub(super) async fn remove(
    Worker(caller): Worker,
    State(state): State<AppState>,
    Segments((room, handle)): Segments<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (room, handle) = (parse_id(&room)?, parse_id(&handle)?);
    let (room, _) = state.room(&caller.tenant, room).await?;
    let place = state.enter(&caller)?;
    to_the_end(async move { room.remove(handle, state.store().as_ref(), &place).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
