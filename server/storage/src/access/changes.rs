//! Changes of tenants and API keys.

use blindrelay_server::id::{ApiKeyId, TenantId};
use blindrelay_server::store::{ApiKey, StoreError, StoredTenant, TenantLimits, Written};
use blindrelay_server::time::UnixMillis;

use crate::columns::moment;
use crate::database::{Change, Work};
use crate::error::Failure;

pub(super) struct CreateTenant(pub(super) StoredTenant);

impl Change for CreateTenant {
    type Done = Written;

    async fn make(&self, work: &mut Work<'_>) -> Result<Written, Failure> {
        let StoredTenant { id, created, suspended, limits } = &self.0;
        let limits = serde_json::to_string(limits).map_err(Failure::other)?;
        let text = "INSERT INTO tenants (tenant, created, suspended, limits) VALUES ($1, $2, $3, $4) \
            ON CONFLICT (tenant) DO NOTHING";
        let query = sqlx::query(text).bind(id.as_str()).bind(moment(*created)).bind(suspended.map(moment)).bind(limits);
        let made = query.execute(work.connection()).await?.rows_affected();
        Ok(if made == 0 { Written::Existing } else { Written::New })
    }
}

pub(super) struct ChangeTenant {
    pub(super) tenant: TenantId,
    pub(super) limits: TenantLimits,
    pub(super) suspended: Option<UnixMillis>,
}

impl Change for ChangeTenant {
    type Done = ();

    async fn make(&self, work: &mut Work<'_>) -> Result<(), Failure> {
        let limits = serde_json::to_string(&self.limits).map_err(Failure::other)?;
        let query = sqlx::query("UPDATE tenants SET limits = $2, suspended = $3 WHERE tenant = $1")
            .bind(self.tenant.as_str())
            .bind(limits)
            .bind(self.suspended.map(moment));
        match query.execute(work.connection()).await?.rows_affected() {
            0 => Err(StoreError::UnknownTenant.into()),
            _ => Ok(()),
        }
    }
}

pub(super) struct AddApiKey(pub(super) ApiKey);

impl Change for AddApiKey {
    type Done = ();

    async fn make(&self, work: &mut Work<'_>) -> Result<(), Failure> {
        let ApiKey { id, digest, tenant, role, label, created, expires, revoked } = &self.0;
        if let Some(tenant) = tenant {
            let query = sqlx::query("SELECT 1 FROM tenants WHERE tenant = $1").bind(tenant.as_str());
            query.fetch_optional(work.connection()).await?.ok_or(StoreError::UnknownTenant)?;
        }
        let text = "INSERT INTO api_keys (id, digest, tenant, role, label, created, expires, revoked) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
        let query = sqlx::query(text)
            .bind(id.as_bytes().as_slice())
            .bind(digest.as_bytes().as_slice())
            .bind(tenant.as_ref().map(TenantId::as_str))
            .bind(role.as_str())
            .bind(label.as_str())
            .bind(moment(*created))
            .bind(expires.map(moment))
            .bind(revoked.map(moment));
        match query.execute(work.connection()).await?.rows_affected() {
            0 => Err(StoreError::RepeatedId.into()),
            _ => Ok(()),
        }
    }
}

pub(super) struct RevokeApiKey {
    pub(super) id: ApiKeyId,
    pub(super) at: UnixMillis,
}

impl Change for RevokeApiKey {
    type Done = ();

    async fn make(&self, work: &mut Work<'_>) -> Result<(), Failure> {
        // Moments beyond half of 64 bits are negative in the column, and later than all others.
        let text = "UPDATE api_keys SET revoked = CASE WHEN revoked IS NULL OR (revoked < 0 AND $2 >= 0) \
            OR ((revoked < 0) = ($2 < 0) AND $2 < revoked) THEN $2 ELSE revoked END WHERE id = $1";
        let query = sqlx::query(text).bind(self.id.as_bytes().as_slice()).bind(moment(self.at));
        match query.execute(work.connection()).await?.rows_affected() {
            0 => Err(StoreError::UnknownApiKey.into()),
            _ => Ok(()),
        }
    }
}
