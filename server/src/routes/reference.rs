//! The description of the API, for programs and for people.

use std::sync::Arc;

use axum::Router;
use axum::extract::Extension;
use axum::http::HeaderMap;
use axum::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::description;
use super::entity::Entity;
use super::page::POLICY;
use crate::error::ApiError;
use crate::openapi::Refusals;
use crate::openapi::refusals::Served;
use crate::state::AppState;

const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
];

type Document = Arc<Result<Entity, serde_json::Error>>;

/// The description, made once, and the page that shows it.
pub(super) fn routes() -> Router<AppState> {
    let document: Document = Arc::new(description::document().map(|text| Entity::new("application/json", text)));
    Router::new()
        .route("/v1/openapi.json", get(show))
        .route("/v1/reference", get(page))
        .route("/v1/reference.js", get(script))
        .route("/v1/reference.css", get(style))
        .layer(Extension(document))
}

/// This description
#[utoipa::path(get, path = "/v1/openapi.json", tag = "service", operation_id = "description",
    responses((status = 200, description = "The description, OpenAPI 3.1.", body = serde_json::Value, content_type = "application/json"),
        (status = 304, description = "It is what `If-None-Match` names."), Refusals<(Served,)>))]
pub(super) async fn show(Extension(document): Extension<Document>, headers: HeaderMap) -> Result<Response, ApiError> {
    let entity = document.as_ref().as_ref().map_err(ApiError::internal)?;
    Ok(entity.clone().answer(&headers))
}

fn file(kind: &'static str, text: &'static str, headers: &HeaderMap) -> Response {
    (HEADERS, Entity::new(kind, text).answer(headers)).into_response()
}

/// This description as a page
#[utoipa::path(get, path = "/v1/reference", tag = "service", operation_id = "reference",
    responses((status = 200, description = "The page.", body = String, content_type = "text/html"),
        (status = 304, description = "It is what `If-None-Match` names."), Refusals<(Served,)>))]
pub(super) async fn page(headers: HeaderMap) -> Response {
    file("text/html; charset=utf-8", include_str!("reference/reference.html"), &headers)
}

/// The page's script
#[utoipa::path(get, path = "/v1/reference.js", tag = "service", operation_id = "referenceScript",
    responses((status = 200, description = "The script.", body = String, content_type = "text/javascript"),
        (status = 304, description = "It is what `If-None-Match` names."), Refusals<(Served,)>))]
pub(super) async fn script(headers: HeaderMap) -> Response {
    file("text/javascript; charset=utf-8", include_str!("reference/reference.js"), &headers)
}

/// The page's style
#[utoipa::path(get, path = "/v1/reference.css", tag = "service", operation_id = "referenceStyle",
    responses((status = 200, description = "The style.", body = String, content_type = "text/css"),
        (status = 304, description = "It is what `If-None-Match` names."), Refusals<(Served,)>))]
pub(super) async fn style(headers: HeaderMap) -> Response {
    file("text/css; charset=utf-8", include_str!("reference/reference.css"), &headers)
}
