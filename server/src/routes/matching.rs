//! Requests to a room's operator.

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HeaderName};

use crate::body::{Expected, read_object};
use crate::error::ApiError;
use crate::extract::{Segments, Worker, parse_id};
use crate::state::AppState;

/// `POST /v1/rooms/{room}/match`: the operator's answer from the room's last published snapshot.
pub(super) async fn evaluate(
    Worker(caller): Worker,
    State(state): State<AppState>,
    Segments(room): Segments<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<([(HeaderName, &'static str); 1], Vec<u8>), ApiError> {
    let (room, version) = state.room(&caller.tenant, parse_id(&room)?).await?;
    let operator = room.operator();
    let expected = Expected {
        kind: None,
        operator: Some((operator.card().id.as_str(), operator.parameters().digest())),
        limit: Some(operator.card().request_limit),
    };
    let request = read_object(body, &headers, &state, expected).await?;
    let place = state.enter(&caller)?;
    let keys = match room.stored().evaluation_keys {
        Some(digest) => Some(state.evaluation_keys(&caller.tenant, digest, &place).await?),
        None => None,
    };
    let before = room.byte_len();
    let snapshot = room.snapshot(version, state.store().as_ref(), &place).await?;
    if room.byte_len() != before {
        state.weigh_room(&caller.tenant, &room);
    }
    let answer = place.run(move || snapshot.evaluate(&request, keys.as_deref())).await??;
    Ok(([(CONTENT_TYPE, "application/octet-stream")], answer))
}
