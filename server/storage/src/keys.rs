//! Evaluation keys.

use std::sync::Arc;

use async_trait::async_trait;
use blindrelay_server::id::{BodyDigest, TenantId};
use blindrelay_server::store::{KeySet, KeyStore, KeyTerms, Quota, StoreError, Written};
use blindrelay_server::time::UnixMillis;

use crate::blobs::BlobName;
use crate::columns::{Columns, moment, number, opaque};
use crate::database::{Change, Work};
use crate::error::{Damage, Failure};
use crate::holdings::Delta;
use crate::store::{DurableStore, Parts, Rereads};

fn key_set_of(row: &Columns<'_>) -> Result<KeySet, Failure> {
    let (elements, rest) = row.bytes("galois_elements")?.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Damage::Column { column: "galois_elements" }.into());
    }
    Ok(KeySet {
        parameters: row.text("parameters")?.to_owned(),
        bytes: row.length("length")?,
        relinearization: row.flag("relinearization")?,
        galois_elements: elements.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect(),
        terms: KeyTerms {
            epoch: row.opaque("epoch")?,
            expires: row.moment_or_none("expires")?,
            revoked: row.moment_or_none("revoked")?,
        },
    })
}

impl Work<'_> {
    /// Refuses a change that needs keys which are not there.
    pub(crate) async fn need_keys(&mut self, tenant: &TenantId, keys: Option<BodyDigest>) -> Result<(), Failure> {
        let Some(digest) = keys else { return Ok(()) };
        let query = sqlx::query("SELECT 1 FROM key_sets WHERE tenant = $1 AND digest = $2")
            .bind(tenant.as_str())
            .bind(digest.as_bytes().as_slice());
        query.fetch_optional(self.connection()).await?.ok_or(StoreError::KeysMissing { digest })?;
        Ok(())
    }
}

struct PutKeys {
    tenant: TenantId,
    digest: BodyDigest,
    keys: KeySet,
    blob: BlobName,
    quota: Quota,
}

impl Change for PutKeys {
    type Done = Written;

    async fn make(&self, work: &mut Work<'_>) -> Result<Written, Failure> {
        let Self { tenant, digest, keys, blob, quota } = self;
        work.hold(tenant, Delta::NONE).await?;
        let text = "INSERT INTO key_sets \
            (tenant, digest, blob, length, parameters, relinearization, galois_elements, epoch, expires, revoked) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (tenant, digest) DO NOTHING";
        let elements: Vec<u8> = keys.galois_elements.iter().flat_map(|element| element.to_le_bytes()).collect();
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(digest.as_bytes().as_slice())
            .bind(blob.as_str())
            .bind(number(keys.charge())?)
            .bind(keys.parameters.as_str())
            .bind(i64::from(keys.relinearization))
            .bind(elements)
            .bind(opaque(keys.terms.epoch))
            .bind(keys.terms.expires.map(moment))
            .bind(keys.terms.revoked.map(moment));
        if query.execute(work.connection()).await?.rows_affected() == 0 {
            work.unname(tenant, blob.clone());
            return Ok(Written::Existing);
        }
        let holdings = work.hold(tenant, Delta { bytes: number(keys.charge())?, key_sets: 1, ..Delta::NONE }).await?;
        holdings.key_sets_within(*quota)?;
        holdings.bytes_within(*quota)?;
        Ok(Written::New)
    }
}

struct RevokeKeys {
    tenant: TenantId,
    digest: BodyDigest,
    at: UnixMillis,
}

impl Change for RevokeKeys {
    type Done = KeySet;

    async fn make(&self, work: &mut Work<'_>) -> Result<KeySet, Failure> {
        let text = "UPDATE key_sets SET revoked = COALESCE(revoked, $3) WHERE tenant = $1 AND digest = $2 \
            RETURNING length, parameters, relinearization, galois_elements, epoch, expires, revoked";
        let query =
            sqlx::query(text).bind(self.tenant.as_str()).bind(self.digest.as_bytes().as_slice()).bind(moment(self.at));
        let row = query.fetch_optional(work.connection()).await?;
        key_set_of(&Columns(&row.ok_or(StoreError::KeysMissing { digest: self.digest })?))
    }
}

struct RemoveKeys {
    tenant: TenantId,
    digest: BodyDigest,
}

impl Change for RemoveKeys {
    type Done = ();

    async fn make(&self, work: &mut Work<'_>) -> Result<(), Failure> {
        let Self { tenant, digest } = self;
        work.hold(tenant, Delta::NONE).await?;
        let text = "SELECT 1 FROM rooms WHERE tenant = $1 AND evaluation_keys = $2 \
            UNION ALL SELECT 1 FROM ledgers WHERE tenant = $1 AND evaluation_keys = $2 LIMIT 1";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(digest.as_bytes().as_slice());
        if query.fetch_optional(work.connection()).await?.is_some() {
            return Err(StoreError::KeysInUse { digest: *digest }.into());
        }
        let kept = work.set_keys_aside(tenant, *digest).await?;
        let query = sqlx::query("DELETE FROM key_sets WHERE tenant = $1 AND digest = $2 RETURNING blob, length")
            .bind(tenant.as_str())
            .bind(digest.as_bytes().as_slice());
        let row = query.fetch_optional(work.connection()).await?;
        let row = row.ok_or(StoreError::KeysMissing { digest: *digest })?;
        let row = Columns(&row);
        let bytes = if kept { 0 } else { -number(row.number("length")?)? };
        work.hold(tenant, Delta { bytes, key_sets: -1, ..Delta::NONE }).await?;
        if !kept {
            work.unname(tenant, row.blob("blob")?);
        }
        Ok(())
    }
}

impl Parts {
    async fn find_keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<Option<KeySet>, Failure> {
        let text = "SELECT length, parameters, relinearization, galois_elements, epoch, expires, revoked \
            FROM key_sets WHERE tenant = $1 AND digest = $2";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(digest.as_bytes().as_slice());
        let row = query.fetch_optional(self.database.read()).await?;
        row.map(|row| key_set_of(&Columns(&row))).transpose()
    }

    async fn read_keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<Option<Arc<[u8]>>, Failure> {
        let mut rereads = Rereads::default();
        loop {
            let query = sqlx::query("SELECT blob FROM key_sets WHERE tenant = $1 AND digest = $2")
                .bind(tenant.as_str())
                .bind(digest.as_bytes().as_slice());
            let Some(row) = query.fetch_optional(self.database.read()).await? else { return Ok(None) };
            let name = Columns(&row).blob("blob")?;
            if let Some(bytes) = self.blobs.read(tenant, &name).await? {
                return Ok(Some(bytes));
            }
            rereads.again(tenant, name)?;
        }
    }
}

#[async_trait]
impl KeyStore for DurableStore {
    async fn put_keys(
        &self,
        tenant: &TenantId,
        digest: BodyDigest,
        keys: KeySet,
        bytes: Arc<[u8]>,
        quota: Quota,
    ) -> Result<Written, StoreError> {
        // Tens of megabytes are not written to be thrown away.
        if self.parts.find_keys(tenant, digest).await?.is_some() {
            return Ok(Written::Existing);
        }
        let (parts, tenant) = (Arc::clone(&self.parts), tenant.clone());
        self.run(async move {
            let staged = parts.blobs.write(&tenant, digest, bytes).await?;
            let change = PutKeys { tenant, digest, keys, blob: staged.name.clone(), quota };
            parts.change(&change, Some(&staged)).await
        })
        .await
    }

    async fn keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<Option<KeySet>, StoreError> {
        let (parts, name) = (&self.parts, (tenant.clone(), digest));
        Ok(parts.known.keys.answer(parts.database.log_index(), name, parts.find_keys(tenant, digest)).await?)
    }

    async fn key_bytes(&self, tenant: &TenantId, digest: BodyDigest) -> Result<Option<Arc<[u8]>>, StoreError> {
        Ok(self.parts.read_keys(tenant, digest).await?)
    }

    async fn revoke_keys(&self, tenant: &TenantId, digest: BodyDigest, at: UnixMillis) -> Result<KeySet, StoreError> {
        self.change(RevokeKeys { tenant: tenant.clone(), digest, at }).await
    }

    async fn remove_keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<(), StoreError> {
        self.change(RemoveKeys { tenant: tenant.clone(), digest }).await
    }
}
