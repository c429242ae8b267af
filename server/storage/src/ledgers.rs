//! Ledgers and their sums.

mod changes;

use std::sync::Arc;

use async_trait::async_trait;
use blindrelay_server::family::Family;
use blindrelay_server::id::{LedgerId, TenantId};
use blindrelay_server::store::{
    Idempotency, LedgerChange, LedgerName, LedgerState, LedgerStore, LedgerUsage, Quota, StoreError, StoredLedger, Turn,
};
use sqlx::any::AnyRow;

use crate::columns::{Columns, length};
use crate::error::{Damage, Failure};
use crate::ledgers::changes::{ChangeLedger, CreateLedger, RemoveLedger};
use crate::store::{DurableStore, Parts, Rereads};

fn unknown(name: LedgerName) -> StoreError {
    StoreError::UnknownLedger { family: name.family }
}

fn ledger_of(row: &Columns<'_>) -> Result<(StoredLedger, LedgerUsage), Failure> {
    let family = row.text("family")?;
    let family = Family::ALL.into_iter().find(|known| known.plural() == family);
    let stored = StoredLedger {
        name: LedgerName {
            family: family.ok_or(Damage::Column { column: "family" })?,
            id: LedgerId::from_bytes(row.array("ledger")?),
        },
        operator: row.text("operator")?.to_owned(),
        settings: row.text("settings")?.into(),
        evaluation_keys: row.digest_or_none("evaluation_keys")?,
    };
    Ok((stored, LedgerUsage { batches: row.number("batches")?, bytes: row.number("length")? }))
}

impl Parts {
    async fn find_ledger(
        &self,
        tenant: &TenantId,
        name: LedgerName,
    ) -> Result<Option<(StoredLedger, LedgerUsage)>, Failure> {
        let text = "SELECT ledger, family, operator, settings, evaluation_keys, batches, length FROM ledgers \
            WHERE tenant = $1 AND ledger = $2 AND family = $3";
        let query =
            sqlx::query(text).bind(tenant.as_str()).bind(name.id.as_bytes().as_slice()).bind(name.family.plural());
        let row = query.fetch_optional(self.database.read()).await?;
        row.map(|row| ledger_of(&Columns(&row))).transpose()
    }

    async fn list_ledgers(
        &self,
        tenant: &TenantId,
        family: Family,
        after: Option<LedgerId>,
        limit: usize,
    ) -> Result<Vec<(StoredLedger, LedgerUsage)>, Failure> {
        let text = "SELECT ledger, family, operator, settings, evaluation_keys, batches, length FROM ledgers \
            WHERE tenant = $1 AND family = $2 AND ledger > $3 ORDER BY ledger LIMIT $4";
        // No id is below or equal to no bytes.
        let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
        let query = sqlx::query(text).bind(tenant.as_str()).bind(family.plural()).bind(after).bind(length(limit));
        let rows = query.fetch_all(self.database.read()).await?;
        rows.iter().map(|row| ledger_of(&Columns(row))).collect()
    }

    /// A ledger's sums and the answer to a request of this name, of one moment. No request has no name.
    async fn turn_row(&self, tenant: &TenantId, name: LedgerName, request: &str) -> Result<AnyRow, Failure> {
        let text = "SELECT l.version, l.blob, q.body, q.batches FROM ledgers l \
            LEFT JOIN ledger_requests q ON q.tenant = l.tenant AND q.ledger = l.ledger AND q.name = $4 \
            WHERE l.tenant = $1 AND l.ledger = $2 AND l.family = $3";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(name.id.as_bytes().as_slice())
            .bind(name.family.plural())
            .bind(request);
        let row = query.fetch_optional(self.database.read()).await?;
        Ok(row.ok_or_else(|| unknown(name))?)
    }

    /// The sums of a row; `None` where they were replaced since.
    async fn open_sums(
        &self,
        tenant: &TenantId,
        row: &Columns<'_>,
        rereads: &mut Rereads,
    ) -> Result<Option<LedgerState>, Failure> {
        let blob = row.blob("blob")?;
        match self.blobs.read(tenant, &blob).await? {
            Some(sums) => Ok(Some(LedgerState { version: row.number("version")?, sums })),
            None => rereads.again(tenant, blob).map(|()| None),
        }
    }

    async fn find_sums(&self, tenant: &TenantId, name: LedgerName) -> Result<LedgerState, Failure> {
        let mut rereads = Rereads::default();
        loop {
            let row = self.turn_row(tenant, name, "").await?;
            if let Some(state) = self.open_sums(tenant, &Columns(&row), &mut rereads).await? {
                return Ok(state);
            }
        }
    }

    async fn find_turn(&self, tenant: &TenantId, name: LedgerName, request: &Idempotency) -> Result<Turn, Failure> {
        let mut rereads = Rereads::default();
        loop {
            let row = self.turn_row(tenant, name, request.key.as_str()).await?;
            let row = Columns(&row);
            match row.digest_or_none("body")? {
                Some(body) if body == request.body => return row.number("batches").map(Turn::Answered),
                Some(_) => return Err(StoreError::IdempotencyConflict.into()),
                None => {}
            }
            if let Some(state) = self.open_sums(tenant, &row, &mut rereads).await? {
                return Ok(Turn::Open(state));
            }
        }
    }
}

#[async_trait]
impl LedgerStore for DurableStore {
    async fn create_ledger(
        &self,
        tenant: &TenantId,
        ledger: StoredLedger,
        sums: Arc<[u8]>,
        quota: Quota,
    ) -> Result<(), StoreError> {
        let (parts, tenant) = (Arc::clone(&self.parts), tenant.clone());
        self.run(async move {
            let length = sums.len();
            let staged = parts.blobs.write_new(&tenant, sums).await?;
            let change = CreateLedger { tenant, ledger, blob: staged.name.clone(), length, quota };
            parts.change(&change, Some(&staged)).await
        })
        .await
    }

    async fn ledger(
        &self,
        tenant: &TenantId,
        name: LedgerName,
    ) -> Result<Option<(StoredLedger, LedgerUsage)>, StoreError> {
        Ok(self.parts.find_ledger(tenant, name).await?)
    }

    async fn ledgers(
        &self,
        tenant: &TenantId,
        family: Family,
        after: Option<LedgerId>,
        limit: usize,
    ) -> Result<Vec<(StoredLedger, LedgerUsage)>, StoreError> {
        Ok(self.parts.list_ledgers(tenant, family, after, limit).await?)
    }

    async fn remove_ledger(&self, tenant: &TenantId, name: LedgerName) -> Result<(), StoreError> {
        self.change(RemoveLedger { tenant: tenant.clone(), name }).await
    }

    async fn sums(&self, tenant: &TenantId, name: LedgerName) -> Result<LedgerState, StoreError> {
        Ok(self.parts.find_sums(tenant, name).await?)
    }

    async fn turn(&self, tenant: &TenantId, name: LedgerName, request: &Idempotency) -> Result<Turn, StoreError> {
        Ok(self.parts.find_turn(tenant, name, request).await?)
    }

    async fn change_ledger(
        &self,
        tenant: &TenantId,
        name: LedgerName,
        change: LedgerChange,
        quota: Quota,
    ) -> Result<(), StoreError> {
        let (parts, tenant) = (Arc::clone(&self.parts), tenant.clone());
        self.run(async move {
            let staged = parts.blobs.write_new(&tenant, Arc::clone(&change.sums)).await?;
            let change = ChangeLedger { tenant, name, change, blob: staged.name.clone(), quota };
            parts.change(&change, Some(&staged)).await
        })
        .await
    }
}
