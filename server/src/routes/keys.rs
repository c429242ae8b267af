//! Evaluation keys, uploaded once and named by their digest.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use blindrelay_engine::wire::Kind;
use serde::Serialize;

use super::to_the_end;
use crate::body::{Expected, read_object};
use crate::error::{ApiError, KeysError, Resource};
use crate::extract::{Segments, Tenant, parse_id};
use crate::id::BodyDigest;
use crate::keys;
use crate::state::AppState;
use crate::store::{KeySet, StoreError, Written};

#[derive(Serialize)]
pub(super) struct KeyAnswer {
    digest: String,
    #[serde(flatten)]
    keys: KeySet,
}

fn answer(digest: BodyDigest, keys: KeySet) -> Json<KeyAnswer> {
    Json(KeyAnswer { digest: digest.to_string(), keys })
}

/// `PUT /v1/keys/{digest}`
pub(super) async fn upload(
    Tenant(tenant): Tenant,
    State(state): State<AppState>,
    Segments(digest): Segments<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<KeyAnswer>), ApiError> {
    let digest: BodyDigest = parse_id(&digest)?;
    let expected = Expected { kind: Some(Kind::EvaluationKeys), operator: None, limit: None };
    let bytes: Arc<[u8]> = read_object(body, &headers, &state, expected).await?.into();
    let place = state.compute().enter()?;
    let hashed = Arc::clone(&bytes);
    let found = place.run(move || BodyDigest::of(&hashed)).await?;
    if found != digest {
        return Err(KeysError::Digest { expected: digest, found }.into());
    }
    if let Some(known) = state.store().keys(&tenant, digest).await? {
        return Ok((StatusCode::OK, answer(digest, known)));
    }
    let decoded = state.decode_keys(Arc::clone(&bytes), &place).await?;
    let description = keys::describe(&decoded, bytes.len());
    to_the_end(async move {
        let written = state.store().put_keys(&tenant, digest, description.clone(), bytes, state.quota()).await?;
        state.decoded().insert(&tenant, digest, decoded);
        let status = match written {
            Written::New => StatusCode::CREATED,
            Written::Existing => StatusCode::OK,
        };
        Ok((status, answer(digest, description)))
    })
    .await
}

/// `GET /v1/keys/{digest}`
pub(super) async fn show(
    Tenant(tenant): Tenant,
    State(state): State<AppState>,
    Segments(digest): Segments<String>,
) -> Result<Json<KeyAnswer>, ApiError> {
    let digest = parse_id(&digest)?;
    let keys = state.store().keys(&tenant, digest).await?;
    keys.map(|keys| answer(digest, keys)).ok_or(ApiError::Unknown(Resource::Keys))
}

/// `DELETE /v1/keys/{digest}`
pub(super) async fn remove(
    Tenant(tenant): Tenant,
    State(state): State<AppState>,
    Segments(digest): Segments<String>,
) -> Result<StatusCode, ApiError> {
    let digest = parse_id(&digest)?;
    to_the_end(async move {
        match state.store().remove_keys(&tenant, digest).await {
            Err(StoreError::KeysMissing { .. }) => return Err(ApiError::Unknown(Resource::Keys)),
            other => other?,
        }
        state.decoded().remove(&tenant, digest);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
