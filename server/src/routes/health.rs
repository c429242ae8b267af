//! Whether the process runs, and whether it can serve requests.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::state::AppState;

#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
}

/// `GET /v1/health/live`
pub(super) async fn live() -> Json<Health> {
    Json(Health { status: "live" })
}

/// `GET /v1/health/ready`: 503 while the service is stopping or its store cannot be reached.
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
