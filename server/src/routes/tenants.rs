//! Tenants, for administrators.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{fields, object, to_the_end};
use crate::body::read_small;
use crate::error::{ApiError, Resource};
use crate::extract::{Administrator, PageRequest, QueryParameters, Segments, parse_id};
use crate::id::TenantId;
use crate::openapi::codes::UnknownTenant;
use crate::openapi::refusals::{Argument, Keyed, Named, SmallJson};
use crate::openapi::{AfterName, PageLimit, Refusals};
use crate::state::AppState;
use crate::store::{StoredTenant, TenantLimits, Written};
use crate::time::UnixMillis;

/// Most bytes of the JSON that describes a tenant.
const REQUEST_BYTES: usize = 4096;

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = TenantChange)]
pub(super) struct Wanted {
    /// Replaces all limits of the tenant.
    #[serde(deserialize_with = "fields")]
    limits: Option<TenantLimits>,
    /// Whether everybody with a key of the tenant is refused.
    suspended: Option<bool>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(super) struct TenantAnswer {
    #[schema(value_type = TenantId)]
    name: String,
    created: UnixMillis,
    /// Since when it is suspended.
    #[schema(required)]
    suspended: Option<UnixMillis>,
    limits: TenantLimits,
    /// Bytes of key sets, records and sums that it keeps.
    stored_bytes: u64,
}

async fn answer(state: &AppState, tenant: StoredTenant) -> Result<Json<TenantAnswer>, ApiError> {
    let stored_bytes = state.store().stored_bytes(&tenant.id).await?;
    let StoredTenant { id, created, suspended, limits } = tenant;
    Ok(Json(TenantAnswer { name: id.to_string(), created, suspended, limits, stored_bytes }))
}

/// Makes a tenant, or changes its limits and suspension
///
/// What the body leaves out stays as it is. An empty body changes nothing.
#[utoipa::path(put, path = "/v1/tenants/{name}", tag = "administration", operation_id = "putTenant",
    params(("name" = TenantId, Path, description = "The tenant.")),
    request_body(content = Option<Wanted>, content_type = "application/json"),
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "The tenant was there.", body = TenantAnswer),
        (status = 201, description = "The tenant is new.", body = TenantAnswer),
        Refusals<(Keyed, Named, SmallJson, UnknownTenant)>))]
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
        text => object(text)?,
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

/// What is known of a tenant
#[utoipa::path(get, path = "/v1/tenants/{name}", tag = "administration", operation_id = "showTenant",
    params(("name" = TenantId, Path, description = "The tenant.")),
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "The tenant.", body = TenantAnswer),
        Refusals<(Keyed, Named, UnknownTenant)>))]
pub(super) async fn show(
    _: Administrator,
    State(state): State<AppState>,
    Segments(name): Segments<String>,
) -> Result<Json<TenantAnswer>, ApiError> {
    let found = state.store().tenant(&parse_id(&name)?).await?;
    answer(&state, found.ok_or(ApiError::Unknown(Resource::Tenant))?).await
}

#[derive(Serialize, ToSchema)]
#[schema(as = TenantPage)]
pub(super) struct Page {
    tenants: Vec<TenantAnswer>,
    /// The `after` of the next page; `null` at the end.
    #[schema(value_type = Option<TenantId>, required)]
    next: Option<String>,
}

/// Lists tenants, ascending
#[utoipa::path(get, path = "/v1/tenants", tag = "administration", operation_id = "listTenants",
    params(("after" = Option<AfterName>, Query, description = "The last entry of the page before, its `next`."),
        ("limit" = Option<PageLimit>, Query, description = "Most entries.")),
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "A page.", body = Page),
        Refusals<(Keyed, Named, Argument)>))]
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
