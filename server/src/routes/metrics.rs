//! The numbers of the service, for programs that collect them.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};

use crate::error::ApiError;
use crate::state::AppState;
use crate::telemetry::Reading;

/// `GET /metrics` of the telemetry listener.
pub(super) async fn show(State(state): State<AppState>) -> Result<([(HeaderName, &'static str); 2], String), ApiError> {
    let text = state.telemetry().text(&Reading::of(&state)).map_err(ApiError::internal)?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")], text))
}
