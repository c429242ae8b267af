//! Requests to a room's operator.

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;

use crate::body::{Expected, read_object};
use crate::error::ApiError;
use crate::extract::{Segments, Worker, parse_id};
use crate::id::RoomId;
use crate::matching::evaluate as evaluate_in;
use crate::openapi::codes::{RoomEmpty, UnfitRequest, UnknownRoom};
use crate::openapi::refusals::{Account, Computation, KeptReceipt, Keyed, Named, Object, UsedKeys};
use crate::openapi::{Octets, Receipted, Refusals};
use crate::receipts::{self, Sent};
use crate::state::AppState;

/// Evaluates a request
///
/// The answer is computed from the state of the room when the computation starts. With `Accept: application/vnd.blindrelay.receipted` a signed receipt stands before it, which is kept with the request.
#[utoipa::path(post, path = "/v1/rooms/{room}/match", tag = "rooms", operation_id = "match",
    params(("room" = RoomId, Path, description = "The room.")),
    request_body(content = Octets, content_type = "application/octet-stream", description = "A request of the room's operator."),
    security(("bearer" = ["relay"]), ("bearer" = ["tenant"])),
    responses((status = 200, description = "The operator's answer.", content((Octets = "application/octet-stream"), (Receipted = "application/vnd.blindrelay.receipted"))),
        Refusals<(Keyed, Named, Object, Account, UsedKeys, Computation, KeptReceipt, (UnknownRoom, RoomEmpty, UnfitRequest))>))]
pub(super) async fn evaluate(
    Worker(caller): Worker,
    State(state): State<AppState>,
    Segments(room): Segments<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Sent, ApiError> {
    let (room, version) = state.room(&caller.tenant, parse_id(&room)?).await?;
    let operator = room.operator();
    let expected = Expected {
        kind: None,
        operator: Some((operator.card().id.as_str(), operator.parameters().digest())),
        limit: Some(operator.card().request_limit),
    };
    let (request, _memory) = read_object(body, &headers, &state, expected).await?;
    let place = state.enter(&caller)?;
    evaluate_in(&state, &caller, (&room, version), request, receipts::wanted(&headers), &place).await
}
