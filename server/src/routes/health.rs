//! Whether the process runs, and whether it can serve requests.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::Refusals;
use crate::openapi::refusals::Served;
use crate::state::AppState;

#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `live`, `ready`, `stopping` or `store-unavailable`.
    status: &'static str,
}

/// Whether the process runs
#[utoipa::path(get, path = "/v1/health/live", tag = "service", operation_id = "live",
    responses((status = 200, description = "It does: `live`.", body = Health),
        Refusals<(Served,)>))]
pub(super) async fn live() -> Json<Health> {
    Json(Health { status: "live" })
}

/// Whether the service takes requests
#[utoipa::path(get, path = "/v1/health/ready", tag = "service", operation_id = "ready",
    responses((status = 200, description = "It does: `ready`.", body = Health),
        (status = 503, description = "It does not: `stopping` once it was told to stop, `store-unavailable` while its store cannot be reached.", body = Health),
        Refusals<(Served,)>))]
pub(super) async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Health>) {
    if state.is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(Health { status: "stopping" }));
    }
    match state.store().ready().await {
        Ok(()) => (StatusCode::OK, Json(Health { status: "ready" })),
        Err(error) => {
            tracing::error!(%error, "the store is not ready");
            (StatusCode::SERVICE_UNAVAILABLE, Json(Health { status: "store-unavailable" }))
        }
    }
}
