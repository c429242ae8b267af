//! API keys, for administrators. The service keeps a key's hash: the key itself is in the one answer that makes it.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{object, to_the_end};
use crate::body::read_small;
use crate::error::{ApiError, RequestError, Resource};
use crate::extract::{Administrator, PageRequest, QueryParameters, Segments, parse_id};
use crate::id::{ApiKeyId, ApiKeySecret, TenantId};
use crate::openapi::codes::{ApiKeyRevoked, FirstKey, UnknownApiKey, UnknownTenant};
use crate::openapi::refusals::{Argument, Keyed, Named, SmallJson};
use crate::openapi::{AfterId, PageLimit, Refusals};
use crate::state::AppState;
use crate::store::{ApiKey, Role};
use crate::time::UnixMillis;

/// Most bytes of the JSON that describes a key.
const REQUEST_BYTES: usize = 4096;
/// Most characters of a label.
const LABEL_CHARACTERS: usize = 64;
/// How long the former key of a rotation may still be used, where the request does not say.
const GRACE_SECONDS: u64 = 24 * 60 * 60;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewApiKey)]
pub(super) struct Wanted {
    role: Role,
    /// Of every key but an administrator's.
    #[schema(value_type = Option<TenantId>)]
    tenant: Option<String>,
    /// What people call it; no control characters.
    #[serde(default)]
    #[schema(max_length = 64, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    label: String,
    /// From when on it lets nobody in.
    expires: Option<UnixMillis>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct KeyAnswer {
    #[schema(value_type = ApiKeyId)]
    id: String,
    /// The key itself, in the one answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^br1-[0-9a-f]{64}$")]
    key: Option<String>,
    role: Role,
    #[schema(value_type = Option<TenantId>, required)]
    tenant: Option<String>,
    label: String,
    created: UnixMillis,
    #[schema(required)]
    expires: Option<UnixMillis>,
    #[schema(required)]
    revoked: Option<UnixMillis>,
}

impl From<ApiKey> for KeyAnswer {
    fn from(key: ApiKey) -> Self {
        let ApiKey { id, tenant, role, label, created, expires, revoked, .. } = key;
        let tenant = tenant.map(|tenant| tenant.to_string());
        Self { id: id.to_string(), key: None, role, tenant, label, created, expires, revoked }
    }
}

/// A new key for whom an entry describes; its answer is the only place where the key can be read.
async fn make(state: &AppState, described: Described) -> Result<KeyAnswer, ApiError> {
    let Described { role, tenant, label, expires } = described;
    let secret = ApiKeySecret::random()?;
    let (id, digest, created) = (ApiKeyId::random()?, secret.digest(), state.clock().now());
    let key = ApiKey { id, digest, tenant, role, label, created, expires, revoked: None };
    state.store().add_api_key(key.clone()).await?;
    state.door().close();
    Ok(KeyAnswer { key: Some(secret.as_str().to_owned()), ..key.into() })
}

/// What is to be known of a new key.
struct Described {
    role: Role,
    tenant: Option<TenantId>,
    label: String,
    expires: Option<UnixMillis>,
}

impl Described {
    fn check(wanted: Wanted) -> Result<Self, ApiError> {
        let Wanted { role, tenant, label, expires } = wanted;
        let refused = |reason: &str| RequestError::Json(reason.to_owned());
        if label.chars().count() > LABEL_CHARACTERS || label.chars().any(char::is_control) {
            return Err(refused("label has at most 64 characters, none of them a control character").into());
        }
        let tenant = tenant.as_deref().map(parse_id).transpose()?;
        if tenant.is_none() != (role == Role::Admin) {
            return Err(refused("every key but an administrator's belongs to a tenant").into());
        }
        Ok(Self { role, tenant, label, expires })
    }
}

/// Makes an API key
///
/// The key is in this answer and nowhere else.
#[utoipa::path(post, path = "/v1/api-keys", tag = "administration", operation_id = "createApiKey",
    request_body = Wanted,
    security(("bearer" = ["admin"])),
    responses((status = 201, description = "The key.", body = KeyAnswer),
        Refusals<(Keyed, SmallJson, Named, (UnknownTenant, FirstKey))>))]
pub(super) async fn create(
    _: Administrator,
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<KeyAnswer>), ApiError> {
    let body = read_small(body, &headers, &state, REQUEST_BYTES, "this service allows").await?;
    let wanted = object(&body)?;
    let described = Described::check(wanted)?;
    // A first key for somebody else would shut the administrator out.
    if described.role != Role::Admin && state.asks_no_key().await? {
        return Err(RequestError::FirstKey.into());
    }
    to_the_end(async move { Ok((StatusCode::CREATED, Json(make(&state, described).await?))) }).await
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Listed {
    /// Keys of this tenant only.
    #[param(value_type = Option<TenantId>)]
    tenant: Option<String>,
    /// The last entry of the page before, its `next`.
    #[param(value_type = Option<AfterId>)]
    after: Option<String>,
    /// Most entries.
    #[param(value_type = Option<PageLimit>)]
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeyPage)]
pub(super) struct Page {
    api_keys: Vec<KeyAnswer>,
    /// The `after` of the next page; `null` at the end.
    #[schema(value_type = Option<ApiKeyId>, required)]
    next: Option<String>,
}

/// Lists API keys, ascending by id
#[utoipa::path(get, path = "/v1/api-keys", tag = "administration", operation_id = "listApiKeys",
    params(Listed),
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "A page.", body = Page),
        Refusals<(Keyed, Named, Argument)>))]
pub(super) async fn list(
    _: Administrator,
    State(state): State<AppState>,
    QueryParameters(Listed { tenant, after, limit }): QueryParameters<Listed>,
) -> Result<Json<Page>, ApiError> {
    let page = PageRequest::new(after, limit);
    let (after, limit) = (page.after()?, page.limit()?);
    let tenant: Option<TenantId> = tenant.as_deref().map(parse_id).transpose()?;
    let mut found = state.store().api_keys(tenant.as_ref(), after, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|key| key.id.to_string());
    Ok(Json(Page { api_keys: found.into_iter().map(KeyAnswer::from).collect(), next }))
}

/// Revokes an API key
///
/// From now on the key lets nobody in.
#[utoipa::path(delete, path = "/v1/api-keys/{id}", tag = "administration", operation_id = "revokeApiKey",
    params(("id" = ApiKeyId, Path, description = "The key's id.")),
    security(("bearer" = ["admin"])),
    responses((status = 204, description = "It is revoked."),
        Refusals<(Keyed, Named, UnknownApiKey)>))]
pub(super) async fn revoke(
    _: Administrator,
    State(state): State<AppState>,
    Segments(id): Segments<String>,
) -> Result<StatusCode, ApiError> {
    let id = parse_id(&id)?;
    to_the_end(async move { Ok(state.store().revoke_api_key(id, state.clock().now()).await?) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Grace {
    /// How long the former key still lets its holder in; a day if this is left out.
    #[param(format = "uint64")]
    grace_seconds: Option<u64>,
}

/// Makes a new API key for the holder of another
///
/// Tenant, role, label and expiry are the same; the former key lets its holder in for a while longer.
#[utoipa::path(post, path = "/v1/api-keys/{id}/rotate", tag = "administration", operation_id = "rotateApiKey",
    params(("id" = ApiKeyId, Path, description = "The key's id."), Grace),
    security(("bearer" = ["admin"])),
    responses((status = 201, description = "The new key.", body = KeyAnswer),
        Refusals<(Keyed, Named, Argument, (UnknownApiKey, UnknownTenant, ApiKeyRevoked))>))]
pub(super) async fn rotate(
    _: Administrator,
    State(state): State<AppState>,
    Segments(id): Segments<String>,
    QueryParameters(grace): QueryParameters<Grace>,
) -> Result<(StatusCode, Json<KeyAnswer>), ApiError> {
    let id: ApiKeyId = parse_id(&id)?;
    let millis = grace.grace_seconds.unwrap_or(GRACE_SECONDS).saturating_mul(1000);
    to_the_end(async move {
        let former = state.store().api_key(id).await?.ok_or(ApiError::Unknown(Resource::ApiKey))?;
        let now = state.clock().now();
        if former.revoked.is_some_and(|revoked| revoked <= now) {
            return Err(RequestError::RevokedKey.into());
        }
        let ApiKey { tenant, role, label, expires, .. } = former;
        let made = make(&state, Described { role, tenant, label, expires }).await?;
        state.store().revoke_api_key(id, UnixMillis(now.0.saturating_add(millis))).await?;
        Ok((StatusCode::CREATED, Json(made)))
    })
    .await
}
