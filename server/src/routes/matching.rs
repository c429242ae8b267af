//! Requests to a room's operator.

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HeaderName};

use crate::body::{Expected, read_object};
use crate::error::ApiError;
use crate::extract::{Segments, Tenant, parse_id};
use crate::state::AppState;

/// `POST /v1/rooms/{room}/match`: the operator's answer from the room's last published snapshot.
pub(super) async fn evaluate(
    Tenant(tenant): Tenant,
    State(state): State<AppState>,
    Segments(room): Segments<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<([(HeaderName, &'static str); 1], Vec<u8>), ApiError> {
    let room = state.room(&tenant, parse_id(&room)?).await?;
    let operator = room.operator();
    let expected = Expected {
        kind: None,
        operator: Some((operator.card().id.as_str(), operator.parameters().digest())),
        limit: Some(operator.card().request_limit),
    };
    let request = read_object(body, &headers, &state, expected).await?;
    let place = state.compute().enter()?;
    let keys = match room.stored().evaluation_keys {
        Some(digest) => Some(state.evaluation_keys(&tenant, digest, &place).await?),
        None => None,
    };
    let snapshot = room.snapshot(state.store().as_ref(), &place).await?;
    let answer = place.run(move || snapshot.evaluate(&request, keys.as_deref())).await??;
    Ok(([(CONTENT_TYPE, "application/octet-stream")], answer))
}
