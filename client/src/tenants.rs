//! Tenants, for administrators.

use serde::{Deserialize, Serialize};
use ureq::http::Method;

use crate::exchange::{Payload, Request};
use crate::moment::UnixMillis;
use crate::{Client, Error, names};

/// What a tenant may keep and use; `None` is as the service's configuration says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TenantLimits {
    /// Rooms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rooms: Option<u64>,
    /// Meters and panels together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledgers: Option<u64>,
    /// Batches and merges in the life of a meter or panel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<u64>,
    /// Sets of evaluation keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<u64>,
    /// Bytes of key sets, records and sums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Jobs that are not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<u64>,
    /// Milliseconds of computation in a minute, in each service by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute_millis_per_minute: Option<u64>,
    /// Requests that wait or compute at the same time, in each service by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent_requests: Option<u64>,
}

/// What the service says of a tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tenant {
    /// 1 to 64 characters of `a-z`, `0-9` and `-`.
    pub name: String,
    /// When it was made.
    pub created: UnixMillis,
    /// Since when nobody is let in for it.
    #[serde(default)]
    pub suspended: Option<UnixMillis>,
    /// Its own limits.
    #[serde(default)]
    pub limits: TenantLimits,
    /// Bytes of key sets, records and sums, as they are counted against its limit.
    #[serde(default)]
    pub stored_bytes: u64,
}

impl Client {
    /// All tenants, in ascending order of their names.
    pub fn tenants(&self) -> Result<Vec<Tenant>, Error> {
        self.list("/v1/tenants?limit=1000", |name| names::tenant(name).is_ok())
    }

    /// Looks at a tenant.
    pub fn tenant(&self, name: &str) -> Result<Tenant, Error> {
        self.json(&Request::new(Method::GET, format!("/v1/tenants/{}", names::tenant(name)?)))
    }

    /// Makes a tenant with these limits. One that is there already takes the limits and is otherwise left as it is, so that a lost reply is asked for again.
    pub fn create_tenant(&self, name: &str, limits: &TenantLimits) -> Result<Tenant, Error> {
        self.put_tenant(name, &serde_json::json!({ "limits": limits }))
    }

    /// Replaces all limits of a tenant.
    pub fn limit_tenant(&self, name: &str, limits: &TenantLimits) -> Result<Tenant, Error> {
        self.change_tenant(name, &serde_json::json!({ "limits": limits }))
    }

    /// Lets nobody in for a tenant any more; nothing of what it keeps is deleted.
    pub fn suspend_tenant(&self, name: &str) -> Result<Tenant, Error> {
        self.change_tenant(name, &serde_json::json!({ "suspended": true }))
    }

    /// Lets those in again who have a key of a tenant that was suspended.
    pub fn resume_tenant(&self, name: &str) -> Result<Tenant, Error> {
        self.change_tenant(name, &serde_json::json!({ "suspended": false }))
    }

    /// The service makes a tenant that it does not know: a name is looked up first, so that a misspelt one is not made. No tenant goes away in between.
    fn change_tenant(&self, name: &str, change: &serde_json::Value) -> Result<Tenant, Error> {
        self.tenant(name)?;
        self.put_tenant(name, change)
    }

    fn put_tenant(&self, name: &str, change: &serde_json::Value) -> Result<Tenant, Error> {
        let body = change.to_string();
        let request = Request::new(Method::PUT, format!("/v1/tenants/{}", names::tenant(name)?));
        self.json(&request.payload(Payload::Json(&body)))
    }
}
