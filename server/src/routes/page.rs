//! A page for whoever runs the service: what it is and how it does, without a name of a tenant, room or handle.

use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::error::ApiError;
use crate::state::AppState;
use crate::telemetry::{Reading, Tenants};

/// Nothing from elsewhere, nothing inline, and no frame around it.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
];

/// The page, and what it is made of.
pub(super) fn routes() -> Router<AppState> {
    let file = |kind: &'static str, text: &'static str| get(async move || (HEADERS, [(CONTENT_TYPE, kind)], text));
    Router::new()
        .route("/", file("text/html; charset=utf-8", include_str!("page/page.html")))
        .route("/page.js", file("text/javascript; charset=utf-8", include_str!("page/page.js")))
        .route("/page.css", file("text/css; charset=utf-8", include_str!("page/page.css")))
        .route("/status.json", get(status))
}

#[derive(Serialize)]
struct Status {
    #[serde(flatten)]
    reading: Reading,
    /// `null` where the store does not answer.
    tenants: Option<Tenants>,
}

/// `GET /status.json`: what the page shows.
async fn status(State(state): State<AppState>) -> Result<impl IntoResponse, ApiError> {
    let tenants = Tenants::of(&state).await.inspect_err(|error| tracing::warn!(%error, "tenants were not counted"));
    Ok((HEADERS, Json(Status { reading: Reading::of(&state), tenants: tenants.ok() })))
}
