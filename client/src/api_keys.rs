//! API keys, for administrators.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ureq::http::Method;
use zeroize::Zeroizing;

use crate::exchange::{Expected, Payload, Request};
use crate::moment::UnixMillis;
use crate::{Client, Error, names};

/// What the holder of an API key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Enrols, asks and adds batches for a tenant.
    Relay,
    /// Everything of one tenant.
    Tenant,
    /// Looks at what a tenant has and asks for reports.
    Auditor,
    /// Tenants and API keys; nothing of what tenants keep.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Relay, Self::Tenant, Self::Auditor, Self::Admin];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Tenant => "tenant",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text is no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is relay, tenant, auditor or admin")]
pub struct RoleError;

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(RoleError)
    }
}

/// What the service says of an API key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ApiKey {
    /// What it is called where it is listed or revoked, 32 hexadecimal digits. Says nothing about the key.
    pub id: String,
    /// What its holder may do.
    pub role: Role,
    /// Whom it lets in; `None` for an administrator.
    #[serde(default)]
    pub tenant: Option<String>,
    /// What people call it.
    #[serde(default)]
    pub label: String,
    /// When it was made.
    pub created: UnixMillis,
    /// From this moment on it lets nobody in.
    #[serde(default)]
    pub expires: Option<UnixMillis>,
    /// From when on it is out of use; later than now for the former key of a rotation.
    #[serde(default)]
    pub revoked: Option<UnixMillis>,
}

/// A key that was just made. The service keeps its hash: it cannot be asked for again.
#[non_exhaustive]
pub struct NewApiKey {
    /// What the service says of it.
    pub api_key: ApiKey,
    /// The key.
    pub key: Zeroizing<String>,
}

impl fmt::Debug for NewApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NewApiKey").field("api_key", &self.api_key).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Wanted<'a> {
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    label: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<UnixMillis>,
}

#[derive(Deserialize)]
struct Secret {
    key: String,
}

impl Client {
    /// Makes a key for a role of a tenant, which is `None` for an administrator alone. `label` is for people, at most 64 characters. Sent once: after a lost
    /// reply there may be a key that nobody has; [`Client::api_keys`] finds it.
    pub fn create_api_key(
        &self,
        role: Role,
        tenant: Option<&str>,
        label: &str,
        expires: Option<UnixMillis>,
    ) -> Result<NewApiKey, Error> {
        if tenant.is_none() != (role == Role::Admin) {
            let fault = "every key but an administrator's belongs to a tenant".to_owned();
            return Err(Error::Argument { what: "the tenant of a key", fault });
        }
        let (tenant, label) = (tenant.map(names::tenant).transpose()?, names::label(label)?);
        let body = serde_json::json!(Wanted { role, tenant, label, expires }).to_string();
        let request = Request::new(Method::POST, "/v1/api-keys".to_owned());
        self.new_api_key(&request.payload(Payload::Json(&body)))
    }

    /// The keys of a tenant, or all, in ascending order of their ids; without the keys themselves.
    pub fn api_keys(&self, tenant: Option<&str>) -> Result<Vec<ApiKey>, Error> {
        let tenant = tenant.map(names::tenant).transpose()?;
        let of = tenant.map_or_else(String::new, |tenant| format!("&tenant={tenant}"));
        self.list(&format!("/v1/api-keys?limit=1000{of}"), |id| names::id(id).is_ok())
    }

    /// Takes a key out of use: it lets nobody in from now on.
    pub fn revoke_api_key(&self, id: &str) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, format!("/v1/api-keys/{}", names::id(id)?));
        self.perform(&request.expecting(Expected::Nothing)).map(drop)
    }

    /// Makes a new key for the same role, tenant, label and expiry. The former one lets its holder in for `grace` longer, counted in whole seconds, a day if
    /// nothing is said. Sent once, like [`Client::create_api_key`].
    pub fn rotate_api_key(&self, id: &str, grace: Option<Duration>) -> Result<NewApiKey, Error> {
        let grace = grace.map_or_else(String::new, |grace| format!("?grace_seconds={}", grace.as_secs()));
        self.new_api_key(&Request::new(Method::POST, format!("/v1/api-keys/{}/rotate{grace}", names::id(id)?)))
    }

    fn new_api_key(&self, request: &Request<'_>) -> Result<NewApiKey, Error> {
        let body = Zeroizing::new(self.perform(request)?);
        // What the reader says of a wrong text could quote the key.
        let foreign = || self.unexpected("JSON that is no new API key");
        let api_key: ApiKey = serde_json::from_slice(&body).map_err(|_| foreign())?;
        let secret: Secret = serde_json::from_slice(&body).map_err(|_| foreign())?;
        let key = Zeroizing::new(secret.key);
        let fits = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        if fits && names::id(&api_key.id).is_ok() { Ok(NewApiKey { api_key, key }) } else { Err(foreign()) }
    }
}
