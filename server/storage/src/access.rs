//! Tenants and API keys.

mod changes;

use async_trait::async_trait;
use blindrelay_server::id::{ApiKeyId, BodyDigest, TenantId};
use blindrelay_server::store::{AccessStore, ApiKey, KeyHolder, StoreError, StoredTenant, TenantLimits, Written};
use blindrelay_server::time::UnixMillis;

use crate::access::changes::{AddApiKey, ChangeTenant, CreateTenant, RevokeApiKey};
use crate::columns::{Columns, length};
use crate::error::{Damage, Failure};
use crate::store::{DurableStore, Parts};

fn tenant_id(text: &str) -> Result<TenantId, Failure> {
    TenantId::new(text).ok_or_else(|| Damage::Column { column: "tenant" }.into())
}

fn tenant_of(row: &Columns<'_>) -> Result<StoredTenant, Failure> {
    Ok(StoredTenant {
        id: tenant_id(row.text("tenant")?)?,
        created: row.moment("created")?,
        suspended: row.moment_or_none("suspended")?,
        limits: limits_of(row)?,
    })
}

fn limits_of(row: &Columns<'_>) -> Result<TenantLimits, Failure> {
    serde_json::from_str(row.text("limits")?).map_err(|_| Damage::Column { column: "limits" }.into())
}

fn api_key_of(row: &Columns<'_>) -> Result<ApiKey, Failure> {
    Ok(ApiKey {
        id: ApiKeyId::from_bytes(row.array("id")?),
        digest: row.digest("digest")?,
        tenant: row.text_or_none("tenant")?.map(tenant_id).transpose()?,
        role: row.text("role")?.parse().map_err(|_| Damage::Column { column: "role" })?,
        label: row.text("label")?.to_owned(),
        created: row.moment("created")?,
        expires: row.moment_or_none("expires")?,
        revoked: row.moment_or_none("revoked")?,
    })
}

impl Parts {
    async fn find_tenant(&self, tenant: &TenantId) -> Result<Option<StoredTenant>, Failure> {
        let query = sqlx::query("SELECT tenant, created, suspended, limits FROM tenants WHERE tenant = $1");
        let row = query.bind(tenant.as_str()).fetch_optional(self.database.read()).await?;
        row.map(|row| tenant_of(&Columns(&row))).transpose()
    }

    async fn list_tenants(&self, after: Option<&TenantId>, limit: usize) -> Result<Vec<StoredTenant>, Failure> {
        let text = "SELECT tenant, created, suspended, limits FROM tenants WHERE tenant > $1 ORDER BY tenant LIMIT $2";
        let query = sqlx::query(text).bind(after.map_or("", TenantId::as_str)).bind(length(limit));
        let rows = query.fetch_all(self.database.read()).await?;
        rows.iter().map(|row| tenant_of(&Columns(row))).collect()
    }

    async fn count_bytes(&self, tenant: &TenantId) -> Result<u64, Failure> {
        let query = sqlx::query("SELECT bytes FROM holdings WHERE tenant = $1").bind(tenant.as_str());
        let row = query.fetch_optional(self.database.read()).await?;
        row.map_or(Ok(0), |row| Columns(&row).number("bytes"))
    }

    async fn find_key_holder(&self, digest: BodyDigest) -> Result<Option<KeyHolder>, Failure> {
        let text = "SELECT k.id, k.digest, k.tenant, k.role, k.label, k.created, k.expires, k.revoked, \
            t.created AS tenant_created, t.suspended, t.limits \
            FROM api_keys k LEFT JOIN tenants t ON t.tenant = k.tenant WHERE k.digest = $1";
        let query = sqlx::query(text).bind(digest.as_bytes().as_slice());
        let Some(row) = query.fetch_optional(self.database.read()).await? else { return Ok(None) };
        let row = Columns(&row);
        let key = api_key_of(&row)?;
        let tenant = key.tenant.clone().map(|id| {
            let (created, suspended) = (row.moment("tenant_created")?, row.moment_or_none("suspended")?);
            Ok::<_, Failure>(StoredTenant { id, created, suspended, limits: limits_of(&row)? })
        });
        Ok(Some(KeyHolder { key, tenant: tenant.transpose()? }))
    }

    async fn find_any_api_key(&self) -> Result<bool, Failure> {
        let query = sqlx::query("SELECT 1 FROM api_keys LIMIT 1");
        Ok(query.fetch_optional(self.database.read()).await?.is_some())
    }

    async fn find_api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, Failure> {
        let text = "SELECT id, digest, tenant, role, label, created, expires, revoked FROM api_keys WHERE id = $1";
        let query = sqlx::query(text).bind(id.as_bytes().as_slice());
        let row = query.fetch_optional(self.database.read()).await?;
        row.map(|row| api_key_of(&Columns(&row))).transpose()
    }

    async fn list_api_keys(
        &self,
        tenant: Option<&TenantId>,
        after: Option<ApiKeyId>,
        limit: usize,
    ) -> Result<Vec<ApiKey>, Failure> {
        // No id is below or equal to no bytes.
        let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
        let query = if let Some(tenant) = tenant {
            let text = "SELECT id, digest, tenant, role, label, created, expires, revoked FROM api_keys \
                WHERE id > $1 AND tenant = $3 ORDER BY id LIMIT $2";
            sqlx::query(text).bind(after).bind(length(limit)).bind(tenant.as_str())
        } else {
            let text = "SELECT id, digest, tenant, role, label, created, expires, revoked FROM api_keys \
                WHERE id > $1 ORDER BY id LIMIT $2";
            sqlx::query(text).bind(after).bind(length(limit))
        };
        let rows = query.fetch_all(self.database.read()).await?;
        rows.iter().map(|row| api_key_of(&Columns(row))).collect()
    }
}

#[async_trait]
impl AccessStore for DurableStore {
    async fn create_tenant(&self, tenant: StoredTenant) -> Result<Written, StoreError> {
        self.change(CreateTenant(tenant)).await
    }

    async fn tenant(&self, tenant: &TenantId) -> Result<Option<StoredTenant>, StoreError> {
        let parts = &self.parts;
        let asked = parts.find_tenant(tenant);
        Ok(parts.known.tenants.answer(parts.database.log_index(), tenant.clone(), asked).await?)
    }

    async fn tenants(&self, after: Option<&TenantId>, limit: usize) -> Result<Vec<StoredTenant>, StoreError> {
        Ok(self.parts.list_tenants(after, limit).await?)
    }

    async fn stored_bytes(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        Ok(self.parts.count_bytes(tenant).await?)
    }

    async fn change_tenant(
        &self,
        tenant: &TenantId,
        limits: TenantLimits,
        suspended: Option<UnixMillis>,
    ) -> Result<(), StoreError> {
        self.change(ChangeTenant { tenant: tenant.clone(), limits, suspended }).await
    }

    async fn add_api_key(&self, key: ApiKey) -> Result<(), StoreError> {
        self.change(AddApiKey(key)).await
    }

    async fn key_holder(&self, digest: BodyDigest) -> Result<Option<KeyHolder>, StoreError> {
        let parts = &self.parts;
        let asked = parts.find_key_holder(digest);
        Ok(parts.known.holders.answer(parts.database.log_index(), digest, asked).await?)
    }

    async fn has_api_key(&self) -> Result<bool, StoreError> {
        let parts = &self.parts;
        let asked = async { parts.find_any_api_key().await.map(Some) };
        let found = parts.known.any_api_key.answer(parts.database.log_index(), (), asked).await?;
        Ok(found.unwrap_or_default())
    }

    async fn api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        Ok(self.parts.find_api_key(id).await?)
    }

    async fn api_keys(
        &self,
        tenant: Option<&TenantId>,
        after: Option<ApiKeyId>,
        limit: usize,
    ) -> Result<Vec<ApiKey>, StoreError> {
        Ok(self.parts.list_api_keys(tenant, after, limit).await?)
    }

    async fn revoke_api_key(&self, id: ApiKeyId, at: UnixMillis) -> Result<(), StoreError> {
        self.change(RevokeApiKey { id, at }).await
    }
}
