//! The addresses of the service. None of them names an operator.

mod api_keys;
mod description;
mod entity;
mod handles;
mod health;
mod identity;
mod jobs;
mod keys;
mod ledgers;
mod matching;
mod metrics;
mod operators;
mod page;
mod parameters;
mod receipts;
mod reference;
mod rooms;
mod tenants;

use std::future::Future;

use axum::Router;
use axum::routing::{delete, get, post};
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer};
use serde::{Deserialize, Deserializer};

use crate::error::{ApiError, RequestError, Resource};
use crate::family::Family;
use crate::state::AppState;

/// All routes.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/parameters", get(parameters::list))
        .route("/v1/operators", get(operators::list))
        .route("/v1/operators/{name}/{revision}", get(operators::card))
        .route("/v1/keys/{digest}", get(keys::show).put(keys::upload).delete(keys::remove))
        .route("/v1/keys/{digest}/revoke", post(keys::revoke))
        .route("/v1/rooms", post(rooms::create))
        .route("/v1/rooms/{room}", get(rooms::show).delete(rooms::remove))
        .route("/v1/rooms/{room}/handles", get(handles::list).post(handles::enrol))
        .route("/v1/rooms/{room}/handles/{handle}", delete(handles::remove))
        .route("/v1/rooms/{room}/match", post(matching::evaluate))
        .route("/v1/rooms/{room}/match/jobs", post(jobs::new::evaluate))
        .route("/v1/jobs", get(jobs::list))
        .route("/v1/jobs/{job}", get(jobs::show).delete(jobs::remove))
        .route("/v1/jobs/{job}/answers", get(jobs::answers::list))
        .route("/v1/jobs/{job}/answers/{number}", get(jobs::answers::show))
        .route("/v1/tenants", get(tenants::list))
        .route("/v1/tenants/{name}", get(tenants::show).put(tenants::put))
        .route("/v1/api-keys", get(api_keys::list).post(api_keys::create))
        .route("/v1/api-keys/{id}", delete(api_keys::revoke))
        .route("/v1/api-keys/{id}/rotate", post(api_keys::rotate))
        .route("/v1/identity", get(identity::show))
        .route("/v1/health/live", get(health::live))
        .route("/v1/health/ready", get(health::ready))
        .merge(receipts::routes())
        .merge(reference::routes())
        .merge(ledgers::routes(Family::Meters))
        .merge(ledgers::routes(Family::Panels))
        .method_not_allowed_fallback(async || ApiError::from(RequestError::Method))
        .fallback(async || ApiError::Unknown(Resource::Route))
}

/// The routes of the telemetry listener, none of which is among [`routes`].
pub(crate) fn telemetry(state: AppState) -> Router {
    Router::new().route("/metrics", get(metrics::show)).merge(page::routes()).with_state(state)
}

/// The JSON object of a body. Without the first look a list of the fields' values would do as well.
fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, RequestError> {
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(RequestError::Json("the body is a JSON object: it begins with {".to_owned()));
    }
    serde_json::from_slice(body).map_err(|error| RequestError::Json(error.to_string()))
}

/// The same inside a body.
fn fields<'de, D: Deserializer<'de>, T: DeserializeOwned>(object: D) -> Result<Option<T>, D::Error> {
    let fields = Option::<serde_json::Map<String, serde_json::Value>>::deserialize(object)?;
    fields.map(|fields| T::deserialize(fields.into_deserializer()).map_err(D::Error::custom)).transpose()
}

/// Runs a change to its end, even if the client goes away in the middle.
async fn to_the_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    use tracing::Instrument;
    match tokio::spawn(change.in_current_span()).await {
        Ok(result) => result,
        Err(error) => Err(ApiError::internal(format!("a change did not finish: {error}"))),
    }
}
