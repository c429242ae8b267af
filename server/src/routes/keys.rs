//! Evaluation keys, uploaded once and named by their digest.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use blindrelay_engine::wire::Kind;
use serde::{Deserialize, Serialize};

use super::to_the_end;
use crate::body::{Expected, read_object};
use crate::error::{ApiError, KeysError, Resource};
use crate::extract::{Owner, QueryParameters, Reader, Segments, parse_id};
use crate::id::BodyDigest;
use crate::keys;
use crate::state::AppState;
use crate::store::{KeySet, KeyTerms, StoreError, Written};
use crate::time::UnixMillis;

#[derive(Serialize)]
pub(super) struct KeyAnswer {
    digest: String,
    #[serde(flatten)]
    keys: KeySet,
}

fn answer(digest: BodyDigest, keys: KeySet) -> Json<KeyAnswer> {
    Json(KeyAnswer { digest: digest.to_string(), keys })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Terms {
    epoch: Option<u64>,
    expires: Option<UnixMillis>,
}

/// `PUT /v1/keys/{digest}?epoch=N&expires=MILLISECONDS`
pub(super) async fn upload(
    Owner(caller): Owner,
    State(state): State<AppState>,
    Segments(digest): Segments<String>,
    QueryParameters(terms): QueryParameters<Terms>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<KeyAnswer>), ApiError> {
    let digest: BodyDigest = parse_id(&digest)?;
    let terms = KeyTerms { epoch: terms.epoch.unwrap_or_default(), expires: terms.expires, revoked: None };
    let expected = Expected { kind: Some(Kind::EvaluationKeys), operator: None, limit: None };
    let bytes: Arc<[u8]> = read_object(body, &headers, &state, expected).await?.into();
    let place = state.enter(&caller)?;
    let hashed = Arc::clone(&bytes);
    let found = place.run(move || BodyDigest::of(&hashed)).await?;
    if found != digest {
        return Err(KeysError::Digest { expected: digest, found }.into());
    }
    if let Some(known) = state.store().keys(&caller.tenant, digest).await? {
        keys::check_terms(digest, known.terms, state.clock().now())?;
        return Ok((StatusCode::OK, answer(digest, known)));
    }
    keys::check_terms(digest, terms, state.clock().now())?;
    let decoded = state.decode_keys(Arc::clone(&bytes), &place).await?;
    let description = keys::describe(&decoded, bytes.len(), terms);
    to_the_end(async move {
        let written =
            state.store().put_keys(&caller.tenant, digest, description.clone(), bytes, state.quota(&caller)).await?;
        state.decoded().insert(&(caller.tenant, digest), keys::decoded_bytes(&decoded), decoded);
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
    Reader(caller): Reader,
    State(state): State<AppState>,
    Segments(digest): Segments<String>,
) -> Result<Json<KeyAnswer>, ApiError> {
    let digest = parse_id(&digest)?;
    let keys = state.store().keys(&caller.tenant, digest).await?;
    keys.map(|keys| answer(digest, keys)).ok_or(ApiError::Unknown(Resource::Keys))
}

/// `POST /v1/keys/{digest}/revoke`: from now on no service computes with the keys. Cannot be undone; a second request changes nothing.
pub(super) async fn revoke(
    Owner(caller): Owner,
    State(state): State<AppState>,
    Segments(digest): Segments<String>,
) -> Result<Json<KeyAnswer>, ApiError> {
    let digest = parse_id(&digest)?;
    to_the_end(async move {
        let revoked = match state.store().revoke_keys(&caller.tenant, digest, state.clock().now()).await {
            Err(StoreError::KeysMissing { .. }) => return Err(ApiError::Unknown(Resource::Keys)),
            other => other?,
        };
        state.decoded().remove(&(caller.tenant, digest));
        Ok(answer(digest, revoked))
    })
    .await
}

/// `DELETE /v1/keys/{digest}`
pub(super) async fn remove(
    Owner(caller): Owner,
    State(state): State<AppState>,
    Segments(digest): Segments<String>,
) -> Result<StatusCode, ApiError> {
    let digest = parse_id(&digest)?;
    to_the_end(async move {
        match state.store().remove_keys(&caller.tenant, digest).await {
            Err(StoreError::KeysMissing { .. }) => return Err(ApiError::Unknown(Resource::Keys)),
            other => other?,
        }
        state.decoded().remove(&(caller.tenant, digest));
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
