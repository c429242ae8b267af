//! Whose signatures stand under receipts.

use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderName};

use crate::error::ApiError;
use crate::state::AppState;

/// `GET /v1/identity`: the history of the service's signing keys, oldest first.
pub(super) async fn show(State(state): State<AppState>) -> Result<([(HeaderName, &'static str); 1], String), ApiError> {
    let history = state.identity().history().to_json().map_err(ApiError::internal)?;
    Ok(([(CONTENT_TYPE, "application/json")], history))
}
