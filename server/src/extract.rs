//! Who asks, and for what: the tenant of a bearer key, ids in addresses, query parameters.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::header::{AUTHORIZATION, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::error::{ApiError, RequestError};
use crate::id::{BodyDigest, IdempotencyKey, TenantId};
use crate::state::AppState;

/// The tenant whose key came with the request.
#[derive(Clone, Debug)]
pub(crate) struct Tenant(pub(crate) TenantId);

impl FromRequestParts<AppState> for Tenant {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        if state.keys().is_empty() {
            // A browser sends this header with every request of a page that could change something here.
            if parts.headers.contains_key(ORIGIN) {
                return Err(RequestError::Origin.into());
            }
            return Ok(Self(TenantId::only()));
        }
        let key = bearer(&parts.headers).ok_or(RequestError::Unauthorized)?;
        let tenant = tenant_of(key, state).ok_or(RequestError::Unauthorized)?;
        Ok(Self(tenant.clone()))
    }
}

/// The key of an `Authorization: Bearer KEY` header, of which there must be exactly one.
fn bearer(headers: &HeaderMap<HeaderValue>) -> Option<&[u8]> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (all.next()?.as_bytes(), all.next()) else { return None };
    let (scheme, key) = value.split_at_checked("Bearer ".len())?;
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !key.is_empty()).then_some(key)
}

/// Hashes of keys are compared, all of them and in constant time: how long it takes says nothing about any key.
fn tenant_of<'a>(key: &[u8], state: &'a AppState) -> Option<&'a TenantId> {
    let digest = BodyDigest::of(key);
    let mut found = u32::MAX;
    for (index, (known, _)) in (0_u32..).zip(state.keys()) {
        found.conditional_assign(&index, known.as_bytes().ct_eq(digest.as_bytes()));
    }
    state.keys().get(found as usize).map(|(_, tenant)| tenant)
}

/// The variable parts of an address.
pub(crate) struct Segments<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<AppState> for Segments<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        let Path(segments) = path.map_err(|rejection| RequestError::Id(rejection.body_text()))?;
        Ok(Self(segments))
    }
}

/// The query parameters.
pub(crate) struct QueryParameters<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<AppState> for QueryParameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        let Query(parameters) = query.map_err(|rejection| RequestError::Query(rejection.body_text()))?;
        Ok(Self(parameters))
    }
}

/// An id that stands in an address or a query.
pub(crate) fn parse_id<T: FromStr<Err: Display>>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|error: T::Err| RequestError::Id(error.to_string()).into())
}

/// Which part of a list is wanted: `after` an id, `limit` entries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageRequest {
    after: Option<String>,
    limit: Option<usize>,
}

const DEFAULT_PAGE: usize = 100;
const MAX_PAGE: usize = 1000;

impl PageRequest {
    /// The id after which the page begins.
    pub(crate) fn after<T: FromStr<Err: Display>>(&self) -> Result<Option<T>, ApiError> {
        self.after.as_deref().filter(|text| !text.is_empty()).map(parse_id).transpose()
    }

    /// Most entries of the page.
    pub(crate) fn limit(&self) -> Result<usize, RequestError> {
        let limit = self.limit.unwrap_or(DEFAULT_PAGE);
        let fits = (1..=MAX_PAGE).contains(&limit);
        fits.then_some(limit).ok_or_else(|| RequestError::Query(format!("limit is from 1 to {MAX_PAGE}, not {limit}")))
    }
}

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// What the client calls its request, if it does.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, RequestError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().ok().filter(|_| values.next().is_none()).and_then(IdempotencyKey::new);
    let reason = "Idempotency-Key is 1 to 64 characters of A-Z a-z 0-9 . _ -, once";
    key.map(Some).ok_or_else(|| RequestError::Header(reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_bearer_key_is_a_key() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_static(value));
            }
            bearer(&headers).map(<[u8]>::to_vec)
        };
        assert_eq!(of(&["Bearer k e y"]), Some(b"k e y".to_vec()));
        assert_eq!(of(&["bearer key"]), Some(b"key".to_vec()));
        for values in [&[][..], &["Bearer "], &["Bearer"], &["Basic key"], &["key"], &["Bearer a", "Bearer b"]] {
            assert_eq!(of(values), None, "{values:?}");
        }
    }
}
