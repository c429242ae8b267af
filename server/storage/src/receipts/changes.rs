//! Receipts that come and go.

use blindrelay_server::id::TenantId;
use blindrelay_server::store::{NewReceipt, Quota, ReceiptSubject, StoreError};
use blindrelay_server::time::UnixMillis;
use blindrelay_trust::Receipt;

use super::bounded;
use crate::blobs::BlobName;
use crate::columns::{Columns, length, number};
use crate::database::{Change, Work};
use crate::error::Failure;
use crate::holdings::Delta;

/// Receipts that are dropped by one change.
const DROPPED_AT_ONCE: i64 = 1000;

/// Statements that drop what was set aside and no receipt needs any more.
const UNNEEDED: [&str; 4] = [
    "DELETE FROM kept_records WHERE tenant = $1 AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.tenant = $1 \
     AND r.kind = 'room' AND r.collection = kept_records.room AND r.version >= kept_records.version \
     AND r.version < kept_records.gone) RETURNING blob, charge",
    "DELETE FROM kept_sums WHERE tenant = $1 AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.tenant = $1 \
     AND r.kind <> 'room' AND r.collection = kept_sums.ledger AND r.version = kept_sums.version) \
     RETURNING blob, charge",
    "DELETE FROM kept_keys WHERE tenant = $1 AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.tenant = $1 \
     AND r.evaluation_keys = kept_keys.digest) RETURNING blob, charge",
    "DELETE FROM kept_ledgers WHERE tenant = $1 AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.tenant = $1 \
     AND r.kind <> 'room' AND r.collection = kept_ledgers.ledger) RETURNING '' AS blob, charge",
];

/// The same where nothing is charged.
const UNNEEDED_ROOMS: [&str; 2] = [
    "DELETE FROM kept_removals WHERE tenant = $1 AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.tenant = $1 \
     AND r.kind = 'room' AND r.collection = kept_removals.room)",
    "DELETE FROM kept_rooms WHERE tenant = $1 AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.tenant = $1 \
     AND r.kind = 'room' AND r.collection = kept_rooms.room)",
];

pub(super) struct KeepReceipt {
    pub(super) tenant: TenantId,
    pub(super) receipt: NewReceipt,
    pub(super) blob: BlobName,
    pub(super) quota: Quota,
}

impl Change for KeepReceipt {
    type Done = ();

    async fn make(&self, work: &mut Work<'_>) -> Result<(), Failure> {
        let Self { tenant, receipt, blob, quota } = self;
        work.hold(tenant, Delta::NONE).await?;
        let stated = receipt.signed.receipt();
        let text = "INSERT INTO receipts (tenant, receipt, day, until, kind, collection, version, evaluation_keys, \
            signed, blob, length, charge) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
            ON CONFLICT (tenant, receipt) DO NOTHING";
        let charge = number(receipt.charge())?;
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(receipt.signed.id().as_bytes().to_vec())
            .bind(number(receipt.day().number())?)
            .bind(bounded(receipt.until))
            .bind(stated.collection.kind.name())
            .bind(stated.collection.id.as_bytes().as_slice())
            .bind(number(stated.collection.version)?)
            .bind(stated.evaluation_keys.map(|digest| digest.as_bytes().to_vec()))
            .bind(receipt.signed.to_bytes())
            .bind(blob.as_str())
            .bind(length(receipt.request.len()))
            .bind(charge);
        if query.execute(work.connection()).await?.rows_affected() == 0 {
            work.unname(tenant, blob.clone());
            return Ok(());
        }
        check_source(work, tenant, stated).await?;
        work.hold(tenant, Delta { bytes: charge, ..Delta::NONE }).await?.bytes_within(*quota)
    }
}

/// Refuses a receipt of which something is gone already.
async fn check_source(work: &mut Work<'_>, tenant: &TenantId, receipt: &Receipt) -> Result<(), Failure> {
    let (subject, expected) = (ReceiptSubject::of(receipt), receipt.collection.version);
    let row = match subject {
        ReceiptSubject::Room(room) => {
            let text = "SELECT version, (SELECT COUNT(*) FROM removals m WHERE m.tenant = $1 AND m.room = $2 \
                AND m.version > $3 AND m.record <= $3 \
                AND NOT EXISTS (SELECT 1 FROM records c WHERE c.tenant = $1 AND c.room = $2 AND c.version = m.record) \
                AND NOT EXISTS (SELECT 1 FROM kept_records k \
                WHERE k.tenant = $1 AND k.room = $2 AND k.version = m.record)) AS missing \
                FROM rooms WHERE tenant = $1 AND room = $2";
            let query =
                sqlx::query(text).bind(tenant.as_str()).bind(room.as_bytes().as_slice()).bind(number(expected)?);
            query.fetch_optional(work.connection()).await?
        }
        ReceiptSubject::Ledger(name) => {
            let text = "SELECT version, CASE WHEN version = $3 OR EXISTS (SELECT 1 FROM kept_sums k \
                WHERE k.tenant = $1 AND k.ledger = $2 AND k.version = $3) THEN 0 ELSE 1 END AS missing \
                FROM ledgers WHERE tenant = $1 AND ledger = $2 AND family = $4";
            let query = sqlx::query(text)
                .bind(tenant.as_str())
                .bind(name.id.as_bytes().as_slice())
                .bind(number(expected)?)
                .bind(name.family.plural());
            query.fetch_optional(work.connection()).await?
        }
    };
    let row = row.ok_or_else(|| subject.unknown())?;
    let row = Columns(&row);
    let found = row.number("version")?;
    if found < expected || row.number("missing")? > 0 {
        return Err(StoreError::Outdated { expected, found }.into());
    }
    Ok(())
}

pub(super) struct DropReceipts {
    pub(super) tenant: TenantId,
    pub(super) now: UnixMillis,
}

impl Change for DropReceipts {
    type Done = u64;

    async fn make(&self, work: &mut Work<'_>) -> Result<u64, Failure> {
        let Self { tenant, now } = self;
        work.hold(tenant, Delta::NONE).await?;
        let text = "DELETE FROM receipts WHERE tenant = $1 AND receipt IN (SELECT receipt FROM receipts \
            WHERE tenant = $1 AND until <= $2 ORDER BY receipt LIMIT $3) RETURNING blob, charge";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(bounded(*now)).bind(DROPPED_AT_ONCE);
        let mut gone = query.fetch_all(work.connection()).await?;
        let count = gone.len() as u64;
        for text in UNNEEDED {
            gone.extend(sqlx::query(text).bind(tenant.as_str()).fetch_all(work.connection()).await?);
        }
        for text in UNNEEDED_ROOMS {
            sqlx::query(text).bind(tenant.as_str()).execute(work.connection()).await?;
        }
        let mut bytes = 0;
        for row in &gone {
            let row = Columns(row);
            bytes -= number(row.number("charge")?)?;
            if !row.text("blob")?.is_empty() {
                work.unname(tenant, row.blob("blob")?);
            }
        }
        work.hold(tenant, Delta { bytes, ..Delta::NONE }).await?;
        Ok(count)
    }
}
