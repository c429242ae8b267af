//! Receipts, and what they were computed from.

mod aside;
mod changes;
mod source;

use std::sync::Arc;

use async_trait::async_trait;
use blindrelay_server::id::{BodyDigest, TenantId};
use blindrelay_server::store::{
    Content, NewReceipt, Quota, ReceiptSource, ReceiptStore, ReceiptSubject, SourceChange, StoreError, StoredReceipt,
};
use blindrelay_server::time::{Day, UnixMillis};
use blindrelay_trust::{Receipt, ReceiptId, SignedReceipt};

use crate::columns::{Columns, length, number};
use crate::error::{Damage, Failure};
use crate::receipts::changes::{DropReceipts, KeepReceipt};
use crate::store::{DurableStore, Parts};

/// A moment that is compared in the database.
fn bounded(at: UnixMillis) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

fn receipt_of(row: &Columns<'_>) -> Result<StoredReceipt, Failure> {
    let signed = SignedReceipt::from_bytes(row.bytes("signed")?).map_err(|_| Damage::Column { column: "signed" })?;
    Ok(StoredReceipt { signed, request_bytes: row.number("length")?, until: UnixMillis(row.number("until")?) })
}

impl Parts {
    async fn find_receipt(
        &self,
        tenant: &TenantId,
        receipt: ReceiptId,
        now: UnixMillis,
    ) -> Result<Option<StoredReceipt>, Failure> {
        let text = "SELECT signed, length, until FROM receipts WHERE tenant = $1 AND receipt = $2 AND until > $3";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(receipt.as_bytes().as_slice()).bind(bounded(now));
        let row = query.fetch_optional(self.database.read()).await?;
        row.map(|row| receipt_of(&Columns(&row))).transpose()
    }

    async fn list_receipts(
        &self,
        tenant: &TenantId,
        day: Day,
        after: Option<ReceiptId>,
        limit: usize,
        now: UnixMillis,
    ) -> Result<Vec<StoredReceipt>, Failure> {
        let text = "SELECT signed, length, until FROM receipts WHERE tenant = $1 AND day = $2 AND receipt > $3 \
            AND until > $4 ORDER BY receipt LIMIT $5";
        // No id is below or equal to no bytes.
        let after = after.map_or_else(Vec::new, |receipt| receipt.as_bytes().to_vec());
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(number(day.number())?)
            .bind(after)
            .bind(bounded(now))
            .bind(length(limit));
        let rows = query.fetch_all(self.database.read()).await?;
        rows.iter().map(|row| receipt_of(&Columns(row))).collect()
    }

    async fn drop_receipts(&self, now: UnixMillis) -> Result<u64, Failure> {
        let query = sqlx::query("SELECT DISTINCT tenant FROM receipts WHERE until <= $1").bind(bounded(now));
        let mut dropped = 0;
        for row in query.fetch_all(self.database.read()).await? {
            let name = Columns(&row).text("tenant")?.to_owned();
            let tenant = TenantId::new(&name).ok_or(Damage::Column { column: "tenant" })?;
            let change = DropReceipts { tenant, now };
            loop {
                let count = self.change(&change, None).await?;
                dropped += count;
                if count == 0 {
                    break;
                }
            }
        }
        Ok(dropped)
    }
}

#[async_trait]
impl ReceiptStore for DurableStore {
    async fn keep_receipt(&self, tenant: &TenantId, receipt: NewReceipt, quota: Quota) -> Result<(), StoreError> {
        let (parts, tenant) = (Arc::clone(&self.parts), tenant.clone());
        self.run(async move {
            let staged = parts.blobs.write_new(&tenant, Arc::clone(&receipt.request)).await?;
            let change = KeepReceipt { tenant, receipt, blob: staged.name.clone(), quota };
            parts.change(&change, Some(&staged)).await
        })
        .await
    }

    async fn receipt(
        &self,
        tenant: &TenantId,
        receipt: ReceiptId,
        now: UnixMillis,
    ) -> Result<Option<StoredReceipt>, StoreError> {
        Ok(self.parts.find_receipt(tenant, receipt, now).await?)
    }

    async fn receipts(
        &self,
        tenant: &TenantId,
        day: Day,
        after: Option<ReceiptId>,
        limit: usize,
        now: UnixMillis,
    ) -> Result<Vec<StoredReceipt>, StoreError> {
        Ok(self.parts.list_receipts(tenant, day, after, limit, now).await?)
    }

    async fn receipt_request(&self, tenant: &TenantId, receipt: ReceiptId) -> Result<Option<Content>, StoreError> {
        let text = "SELECT blob FROM receipts WHERE tenant = $1 AND receipt = $2";
        let query = || sqlx::query(text).bind(tenant.as_str().to_owned()).bind(receipt.as_bytes().to_vec());
        Ok(self.parts.first_blob(tenant, query).await?)
    }

    async fn receipt_source(&self, tenant: &TenantId, receipt: &Receipt) -> Result<Option<ReceiptSource>, StoreError> {
        let found = match ReceiptSubject::of(receipt) {
            ReceiptSubject::Room(room) => self.parts.find_room_source(tenant, room).await?,
            ReceiptSubject::Ledger(name) => self.parts.find_ledger_source(tenant, name).await?,
        };
        Ok(found)
    }

    async fn receipt_changes(
        &self,
        tenant: &TenantId,
        receipt: &Receipt,
        after: u64,
        limit: usize,
    ) -> Result<Vec<SourceChange>, StoreError> {
        let ReceiptSubject::Room(room) = ReceiptSubject::of(receipt) else { return Ok(Vec::new()) };
        Ok(self.parts.source_changes(tenant, room, receipt.collection.version, after, limit).await?)
    }

    async fn receipt_record(
        &self,
        tenant: &TenantId,
        receipt: &Receipt,
        version: u64,
    ) -> Result<Option<Content>, StoreError> {
        let ReceiptSubject::Room(room) = ReceiptSubject::of(receipt) else { return Ok(None) };
        Ok(self.parts.source_record(tenant, room, receipt.collection.version, version).await?)
    }

    async fn receipt_sums(&self, tenant: &TenantId, receipt: &Receipt) -> Result<Option<Content>, StoreError> {
        let ReceiptSubject::Ledger(name) = ReceiptSubject::of(receipt) else { return Ok(None) };
        Ok(self.parts.source_sums(tenant, name.id, receipt.collection.version).await?)
    }

    async fn receipt_keys(&self, tenant: &TenantId, digest: BodyDigest) -> Result<Option<Content>, StoreError> {
        let text = "SELECT blob FROM key_sets WHERE tenant = $1 AND digest = $2 \
            UNION ALL SELECT blob FROM kept_keys WHERE tenant = $1 AND digest = $2";
        let query = || sqlx::query(text).bind(tenant.as_str().to_owned()).bind(digest.as_bytes().to_vec());
        Ok(self.parts.first_blob(tenant, query).await?)
    }

    async fn drop_receipts(&self, now: UnixMillis) -> Result<u64, StoreError> {
        let parts = Arc::clone(&self.parts);
        self.run(async move { parts.drop_receipts(now).await }).await
    }
}
