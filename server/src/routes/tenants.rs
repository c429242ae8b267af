//! Tenants, for administrators.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use super::to_the_end;
use crate::body::read_small;
use crate::error::{ApiError, RequestError, Resource};
use crate::extract::{Administrator, PageRequest, QueryParameters, Segments, parse_id};
use crate::id::TenantId;
use crate::state::AppState;
use crate::store::{StoredTenant, TenantLimits, Written};
use crate::time::UnixMillis;

/// Most bytes of the JSON that describes a tenant.
const REQUEST_BYTES: usize = 4096;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    limits: Option<TenantLimits>,
    suspended: Option<bool>,
}

#[derive(Serialize)]
pub(super) struct TenantAnswer {
    name: String,
    created: UnixMillis,
    suspended: Option<UnixMillis>,
    limits: TenantLimits,
    stored_bytes: u64,
}

async fn answer(state: &AppState, tenant: StoredTenant) -> Result<Json<TenantAnswer>, ApiError> {
    let stored_bytes = state.store().stored_bytes(&tenant.id).await?;
    let StoredTenant { id, created, suspended, limits } = tenant;
    Ok(Json(TenantAnswer { name: id.to_string(), created, suspended, limits, stored_bytes }))
}

/// `PUT /v1/tenants/{name}`: makes a tenant, or changes limits and suspension of one that is there; what the body leaves out stays.
pub(super) async fn put(
    _: Administrator,
    State(state): State<AppState>,
    Segments(name): Segments<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<TenantAnswer>), ApiError> {
    let id: TenantId = parse_id(&name)?;
    let body = read_small(body, &headers, &state, REQUEST_BYTES, "this service allows").await?;
    let wanted: Wanted = match body.as_slice() {
        [] => Wanted::default(),
        text => serde_json::from_slice(text).map_err(|error| RequestError::Json(error.to_string()))?,
    };
    to_the_end(async move {
        let now = state.clock().now();
        let moment = wanted.suspended.unwrap_or_default().then_some(now);
        let made =
            StoredTenant { id: id.clone(), created: now, suspended: moment, limits: wanted.limits.unwrap_or_default() };
        if state.store().create_tenant(made.clone()).await? == Written::New {
            return Ok((StatusCode::CREATED, answer(&state, made).await?));
        }
        let known = state.store().tenant(&id).await?.ok_or(ApiError::Unknown(Resource::Tenant))?;
        let suspended = match wanted.suspended {
            None => known.suspended,
            Some(false) => None,
            Some(true) => known.suspended.or(Some(now)),
        };
        let changed = StoredTenant { suspended, limits: wanted.limits.unwrap_or(known.limits), ..known };
        state.store().change_tenant(&id, changed.limits, suspended).await?;
        Ok((StatusCode::OK, answer(&state, changed).await?))
    })
    .await
}

/// `GET /v1/tenants/{name}`
pub(super) async fn show(
    _: Administrator,
    State(state): State<AppState>,
    Segments(name): Segments<String>,
) -> Result<Json<TenantAnswer>, ApiError> {
    let found = state.store().tenant(&parse_id(&name)?).await?;
    answer(&state, found.ok_or(ApiError::Unknown(Resource::Tenant))?).await
}

#[derive(Serialize)]
pub(super) struct Page {
    tenants: Vec<TenantAnswer>,
    next: Option<String>,
}

/// `GET /v1/tenants?after=&limit=`, ascending.
pub(super) async fn list(
    _: Administrator,
    State(state): State<AppState>,
    QueryParameters(query): QueryParameters<PageRequest>,
) -> Result<Json<Page>, ApiError> {
    let (after, limit) = (query.after::<TenantId>()?, query.limit()?);
    let mut found = state.store().tenants(after.as_ref(), limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|tenant| tenant.id.to_string());
    let mut tenants = Vec::with_capacity(found.len());
    for tenant in found {
        tenants.push(answer(&state, tenant).await?.0);
    }
    Ok(Json(Page { tenants, next }))
}
