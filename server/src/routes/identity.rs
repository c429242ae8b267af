//! Whose signatures stand under receipts.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::entity::Entity;
use crate::error::ApiError;
use crate::openapi::refusals::Served;
use crate::openapi::{History, Refusals};
use crate::state::AppState;

/// The history of the keys that sign receipts
#[utoipa::path(get, path = "/v1/identity", tag = "service", operation_id = "showIdentity",
    responses((status = 200, description = "The history, oldest key first, as canonical JSON.", body = History),
        (status = 304, description = "It is what `If-None-Match` names."),
        Refusals<(Served,)>))]
pub(super) async fn show(State(state): State<AppState>, headers: HeaderMap) -> Result<Response, ApiError> {
    let history = state.identity().history().to_json().map_err(ApiError::internal)?;
    Ok(Entity::new("application/json", history).answer(&headers))
}
