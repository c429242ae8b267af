//! Changes of ledgers.

use blindrelay_server::id::TenantId;
use blindrelay_server::store::{LedgerChange, LedgerName, Quota, StoreError, StoredLedger};

use super::unknown;
use crate::blobs::BlobName;
use crate::columns::{Columns, length, number};
use crate::database::{Change, Work};
use crate::error::Failure;
use crate::holdings::Delta;

pub(super) struct CreateLedger {
    pub(super) tenant: TenantId,
    pub(super) ledger: StoredLedger,
    pub(super) blob: BlobName,
    pub(super) length: usize,
    pub(super) quota: Quota,
}

impl Change for CreateLedger {
    type Done = ();

    async fn make(&self, work: &mut Work<'_>) -> Result<(), Failure> {
        let Self { tenant, ledger, quota, .. } = self;
        let charge = number(ledger.charge() + self.length as u64)?;
        let holdings = work.hold(tenant, Delta { bytes: charge, ledgers: 1, ..Delta::NONE }).await?;
        work.need_keys(tenant, ledger.evaluation_keys).await?;
        let text = "INSERT INTO ledgers (tenant, ledger, family, operator, settings, evaluation_keys, \
            version, blob, length, batches, changes, charge) \
            VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, 0, 0, $9) ON CONFLICT (tenant, ledger) DO NOTHING";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(ledger.name.id.as_bytes().as_slice())
            .bind(ledger.name.family.plural())
            .bind(ledger.operator.as_str())
            .bind(&*ledger.settings)
            .bind(ledger.evaluation_keys.map(|digest| digest.as_bytes().to_vec()))
            .bind(self.blob.as_str())
            .bind(length(self.length))
            .bind(charge);
        if query.execute(work.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::RepeatedId.into());
        }
        holdings.ledgers_within(*quota)?;
        holdings.bytes_within(*quota)
    }
}

pub(super) struct RemoveLedger {
    pub(super) tenant: TenantId,
    pub(super) name: LedgerName,
}

impl Change for RemoveLedger {
    type Done = ();

    async fn make(&self, work: &mut Work<'_>) -> Result<(), Failure> {
        let Self { tenant, name } = self;
        work.hold(tenant, Delta::NONE).await?;
        let aside = work.set_ledger_aside(tenant, *name).await?;
        let text = "DELETE FROM ledgers WHERE tenant = $1 AND ledger = $2 AND family = $3 RETURNING blob, charge";
        let query =
            sqlx::query(text).bind(tenant.as_str()).bind(name.id.as_bytes().as_slice()).bind(name.family.plural());
        let row = query.fetch_optional(work.connection()).await?.ok_or_else(|| unknown(*name))?;
        let row = Columns(&row);
        let bytes = number(aside.charge)? - number(row.number("charge")?)?;
        work.hold(tenant, Delta { bytes, ledgers: -1, ..Delta::NONE }).await?;
        if !aside.sums {
            work.unname(tenant, row.blob("blob")?);
        }
        Ok(())
    }
}

pub(super) struct ChangeLedger {
    pub(super) tenant: TenantId,
    pub(super) name: LedgerName,
    pub(super) change: LedgerChange,
    pub(super) blob: BlobName,
    pub(super) quota: Quota,
}

impl ChangeLedger {
    async fn keep_request(&self, work: &mut Work<'_>) -> Result<(), Failure> {
        let LedgerChange { batches, request, .. } = &self.change;
        let text = "INSERT INTO ledger_requests (tenant, ledger, name, body, batches) VALUES ($1, $2, $3, $4, $5) \
            ON CONFLICT (tenant, ledger, name) DO NOTHING";
        let query = sqlx::query(text)
            .bind(self.tenant.as_str())
            .bind(self.name.id.as_bytes().as_slice())
            .bind(request.key.as_str())
            .bind(request.body.as_bytes().as_slice())
            .bind(number(*batches)?);
        match query.execute(work.connection()).await?.rows_affected() {
            0 => Err(StoreError::IdempotencyConflict.into()),
            _ => Ok(()),
        }
    }
}

impl Change for ChangeLedger {
    type Done = ();

    async fn make(&self, work: &mut Work<'_>) -> Result<(), Failure> {
        let Self { tenant, name, change, blob, quota } = self;
        work.hold(tenant, Delta::NONE).await?;
        let text = "SELECT version, blob, length, changes FROM ledgers \
            WHERE tenant = $1 AND ledger = $2 AND family = $3";
        let query =
            sqlx::query(text).bind(tenant.as_str()).bind(name.id.as_bytes().as_slice()).bind(name.family.plural());
        let row = query.fetch_optional(work.connection()).await?.ok_or_else(|| unknown(*name))?;
        let row = Columns(&row);
        let found = row.number("version")?;
        if found != change.version {
            return Err(StoreError::Outdated { expected: change.version, found }.into());
        }
        self.keep_request(work).await?;
        if row.number("changes")? >= quota.changes as u64 {
            let what = "changes of this meter or panel";
            return Err(StoreError::Quota { what, limit: quota.changes as u64 }.into());
        }
        let (sums, record) = change.charge();
        let former = number(row.number("length")?)?;
        let bytes = number(sums + record)? - former;
        let kept = work.set_sums_aside(tenant, *name).await?;
        let aside = if kept { former } else { 0 };
        work.hold(tenant, Delta { bytes: bytes + aside, ..Delta::NONE }).await?.bytes_within(*quota)?;
        let text = "UPDATE ledgers SET version = version + 1, blob = $3, length = $4, batches = $5, \
            changes = changes + 1, charge = charge + $6 WHERE tenant = $1 AND ledger = $2";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(name.id.as_bytes().as_slice())
            .bind(blob.as_str())
            .bind(length(change.sums.len()))
            .bind(number(change.batches)?)
            .bind(bytes);
        query.execute(work.connection()).await?;
        if !kept {
            work.unname(tenant, row.blob("blob")?);
        }
        Ok(())
    }
}
