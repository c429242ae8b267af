//! Who asks, and for what: the tenant of a bearer key, ids in addresses, query parameters.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::header::{AUTHORIZATION, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::access::{self, Caller, Rights};
use crate::error::{ApiError, RequestError};
use crate::id::{IdempotencyKey, TenantId};
use crate::state::AppState;
use crate::store::{Role, TenantLimits};

/// The rights that come with a request.
async fn rights(parts: &Parts, state: &AppState) -> Result<Rights, ApiError> {
    let found = access::rights(state, bearer(&parts.headers)).await?;
    // A browser sends this header with every request of a page that could change something here.
    if matches!(found, Rights::Open) && parts.headers.contains_key(ORIGIN) {
        return Err(RequestError::Origin.into());
    }
    Ok(found)
}

/// The caller and its role, if that is among `roles`; whoever needs no key has the role of a tenant.
async fn caller(
    parts: &Parts,
    state: &AppState,
    roles: &[Role],
    needed: &'static str,
) -> Result<(Caller, Role), ApiError> {
    match rights(parts, state).await? {
        Rights::Open => Ok((Caller { tenant: TenantId::only(), limits: TenantLimits::default() }, Role::Tenant)),
        Rights::Tenant(role, caller) if roles.contains(&role) => Ok((caller, role)),
        Rights::Tenant(role, _) => Err(RequestError::Role { role, needed }.into()),
        Rights::Administration => Err(RequestError::Role { role: Role::Admin, needed }.into()),
    }
}

macro_rules! callers {
    ($($(#[$doc:meta])* $name:ident: [$($role:path),*], $needed:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub(crate) struct $name(pub(crate) Caller);

        impl $name {
            /// The roles that do.
            pub(crate) const ROLES: &'static [Role] = &[$($role),*];
            /// Whose key it takes.
            const NEEDED: &'static str = $needed;
        }

        impl FromRequestParts<AppState> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
                caller(parts, state, Self::ROLES, Self::NEEDED).await.map(|(caller, _)| Self(caller))
            }
        }
    )*};
}

callers! {
    /// Somebody who may look at what a tenant has.
    Reader: [Role::Tenant, Role::Relay, Role::Auditor], "a key of the tenant, of a relay or of an auditor";
    /// Somebody who may enrol, ask and add.
    Worker: [Role::Tenant, Role::Relay], "a key of the tenant or of a relay";
    /// Somebody who may read reports.
    Examiner: [Role::Tenant, Role::Auditor], "a key of the tenant or of an auditor";
    /// Somebody who may make and delete.
    Owner: [Role::Tenant], "a key of the tenant";
}

/// Somebody who may look at what a tenant has, and with which role.
pub(crate) struct Viewer {
    pub(crate) caller: Caller,
    pub(crate) role: Role,
}

impl FromRequestParts<AppState> for Viewer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let (caller, role) = caller(parts, state, Reader::ROLES, Reader::NEEDED).await?;
        Ok(Self { caller, role })
    }
}

/// Somebody who may change tenants and keys.
pub(crate) struct Administrator;

impl FromRequestParts<AppState> for Administrator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        match rights(parts, state).await? {
            Rights::Open | Rights::Administration => Ok(Self),
            Rights::Tenant(role, _) => Err(RequestError::Role { role, needed: "a key of role admin" }.into()),
        }
    }
}

/// The key of an `Authorization: Bearer KEY` header, of which there must be exactly one.
fn bearer(headers: &HeaderMap<HeaderValue>) -> Option<&[u8]> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (all.next()?.as_bytes(), all.next()) else { return None };
    let (scheme, key) = value.split_at_checked("Bearer ".len())?;
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !key.is_empty()).then_some(key)
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

/// Entries of a page, where the request does not say.
pub(crate) const DEFAULT_PAGE: usize = 100;
/// Most entries of a page.
pub(crate) const MAX_PAGE: usize = 1000;

impl PageRequest {
    /// From its parts.
    pub(crate) fn new(after: Option<String>, limit: Option<usize>) -> Self {
        Self { after, limit }
    }

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
