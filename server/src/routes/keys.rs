//! Evaluation keys, uploaded once and named by their digest.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use blindrelay_engine::wire::Kind;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::to_the_end;
use crate::body::{Expected, read_object};
use crate::error::{ApiError, KeysError, Resource};
use crate::extract::{Owner, QueryParameters, Reader, Segments, parse_id};
use crate::id::BodyDigest;
use crate::keys;
use crate::openapi::codes::{DigestMismatch, KeysExpired, KeysInUse, KeysRevoked, ParametersSunset, UnknownKeys};
use crate::openapi::refusals::{Account, Argument, Keyed, Named, Object, Stored};
use crate::openapi::{Octets, Refusals};
use crate::state::AppState;
use crate::store::{KeySet, KeyTerms, StoreError, Written};
use crate::time::UnixMillis;

#[derive(Serialize, ToSchema)]
#[schema(as = EvaluationKeys)]
pub(super) struct KeyAnswer {
    #[schema(value_type = BodyDigest)]
    digest: String,
    #[serde(flatten)]
    keys: KeySet,
}

fn answer(digest: BodyDigest, keys: KeySet) -> Json<KeyAnswer> {
    Json(KeyAnswer { digest: digest.to_string(), keys })
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Terms {
    /// Which of its owner's keys this is, counted from 0, which it is if this is left out.
    #[param(format = "uint64")]
    epoch: Option<u64>,
    /// From when on it must not be used.
    expires: Option<UnixMillis>,
}

/// Uploads a set of evaluation keys
///
/// Can be repeated. Epoch and expiry never change.
#[utoipa::path(put, path = "/v1/keys/{digest}", tag = "evaluation keys", operation_id = "uploadKeys",
    params(("digest" = BodyDigest, Path, description = "SHA-256 of the key set."), Terms),
    request_body(content = Octets, content_type = "application/octet-stream", description = "The key set, an object of the wire format."),
    security(("bearer" = ["tenant"])),
    responses((status = 200, description = "The keys were there already.", body = KeyAnswer),
        (status = 201, description = "The keys are new.", body = KeyAnswer),
        Refusals<(Keyed, Named, Argument, Object, Account, Stored, (DigestMismatch, KeysExpired, KeysRevoked, ParametersSunset))>))]
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
    let (bytes, memory) = read_object(body, &headers, &state, expected).await?;
    let bytes: Arc<[u8]> = bytes.into();
    let place = state.enter_in_turn(&caller).await?;
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
    state.check_sunset(decoded.parameters())?;
    let description = keys::describe(&decoded, bytes.len(), terms);
    drop(place);
    to_the_end(async move {
        let _memory = memory;
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

/// What is told about a set of evaluation keys
#[utoipa::path(get, path = "/v1/keys/{digest}", tag = "evaluation keys", operation_id = "showKeys",
    params(("digest" = BodyDigest, Path, description = "SHA-256 of the key set.")),
    security(("bearer" = ["relay"]), ("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "The keys.", body = KeyAnswer),
        Refusals<(Keyed, Named, UnknownKeys)>))]
pub(super) async fn show(
    Reader(caller): Reader,
    State(state): State<AppState>,
    Segments(digest): Segments<String>,
) -> Result<Json<KeyAnswer>, ApiError> {
    let digest = parse_id(&digest)?;
    let keys = state.store().keys(&caller.tenant, digest).await?;
    keys.map(|keys| answer(digest, keys)).ok_or(ApiError::Unknown(Resource::Keys))
}

/// Takes evaluation keys out of use
///
/// From now on no service computes with them. Cannot be undone; a second request changes nothing.
#[utoipa::path(post, path = "/v1/keys/{digest}/revoke", tag = "evaluation keys", operation_id = "revokeKeys",
    params(("digest" = BodyDigest, Path, description = "SHA-256 of the key set.")),
    security(("bearer" = ["tenant"])),
    responses((status = 200, description = "The keys, with the moment of their revocation.", body = KeyAnswer),
        Refusals<(Keyed, Named, UnknownKeys)>))]
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

/// Removes evaluation keys
#[utoipa::path(delete, path = "/v1/keys/{digest}", tag = "evaluation keys", operation_id = "removeKeys",
    params(("digest" = BodyDigest, Path, description = "SHA-256 of the key set.")),
    security(("bearer" = ["tenant"])),
    responses((status = 204, description = "They are gone."),
        Refusals<(Keyed, Named, UnknownKeys, KeysInUse)>))]
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
