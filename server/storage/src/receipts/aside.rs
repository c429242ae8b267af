//! What a change would delete and a kept receipt was computed from: set aside in the same transaction.

use blindrelay_server::id::{BodyDigest, RoomId, TenantId};
use blindrelay_server::store::LedgerName;

use crate::columns::{Columns, number};
use crate::database::Work;
use crate::error::Failure;

/// What was set aside of a ledger.
#[derive(Clone, Copy, Default)]
pub(crate) struct LedgerAside {
    /// What it is charged.
    pub(crate) charge: u64,
    /// Whether its sums are part of it.
    pub(crate) sums: bool,
}

impl Work<'_> {
    /// Sets a record aside that its room does not have from version `gone` on, if a receipt needs it; whether one does.
    pub(crate) async fn set_record_aside(
        &mut self,
        tenant: &TenantId,
        room: RoomId,
        record: u64,
        gone: u64,
    ) -> Result<bool, Failure> {
        let text = "INSERT INTO kept_records \
            (tenant, room, version, gone, blob, length, handles, placed_group, placed_at, charge) \
            SELECT tenant, room, version, $4, blob, length, handles, placed_group, placed_at, charge FROM records \
            WHERE tenant = $1 AND room = $2 AND version = $3 AND EXISTS (SELECT 1 FROM receipts r \
            WHERE r.tenant = $1 AND r.kind = 'room' AND r.collection = $2 AND r.version >= $3 AND r.version < $4)";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(room.as_bytes().as_slice())
            .bind(number(record)?)
            .bind(number(gone)?);
        Ok(query.execute(self.connection()).await?.rows_affected() > 0)
    }

    /// Sets aside what receipts need of a room that goes with version `gone`; what that is charged.
    pub(crate) async fn set_room_aside(&mut self, tenant: &TenantId, room: RoomId, gone: u64) -> Result<u64, Failure> {
        let text = "INSERT INTO kept_rooms (tenant, room, operator, evaluation_keys) \
            SELECT tenant, room, operator, evaluation_keys FROM rooms WHERE tenant = $1 AND room = $2 \
            AND EXISTS (SELECT 1 FROM receipts r WHERE r.tenant = $1 AND r.kind = 'room' AND r.collection = $2)";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(room.as_bytes().as_slice());
        if query.execute(self.connection()).await?.rows_affected() == 0 {
            return Ok(0);
        }
        let text = "INSERT INTO kept_removals (tenant, room, version, handle, record) \
            SELECT tenant, room, version, handle, record FROM removals WHERE tenant = $1 AND room = $2 \
            AND EXISTS (SELECT 1 FROM receipts r WHERE r.tenant = $1 AND r.kind = 'room' AND r.collection = $2 \
            AND r.version >= removals.version)";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(room.as_bytes().as_slice());
        query.execute(self.connection()).await?;
        let text = "INSERT INTO kept_records \
            (tenant, room, version, gone, blob, length, handles, placed_group, placed_at, charge) \
            SELECT tenant, room, version, $3, blob, length, handles, placed_group, placed_at, charge FROM records \
            WHERE tenant = $1 AND room = $2 AND EXISTS (SELECT 1 FROM receipts r \
            WHERE r.tenant = $1 AND r.kind = 'room' AND r.collection = $2 AND r.version >= records.version) \
            RETURNING charge";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(room.as_bytes().as_slice()).bind(number(gone)?);
        let rows = query.fetch_all(self.connection()).await?;
        rows.iter().map(|row| Columns(row).number("charge")).sum()
    }

    /// Sets the present sums of a ledger aside, if a receipt needs them; whether one does.
    pub(crate) async fn set_sums_aside(&mut self, tenant: &TenantId, name: LedgerName) -> Result<bool, Failure> {
        let text = "INSERT INTO kept_sums (tenant, ledger, version, blob, charge) \
            SELECT tenant, ledger, version, blob, length FROM ledgers \
            WHERE tenant = $1 AND ledger = $2 AND family = $3 AND EXISTS (SELECT 1 FROM receipts r \
            WHERE r.tenant = $1 AND r.kind = $4 AND r.collection = $2 AND r.version = ledgers.version)";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(name.id.as_bytes().as_slice())
            .bind(name.family.plural())
            .bind(name.family.singular());
        Ok(query.execute(self.connection()).await?.rows_affected() > 0)
    }

    /// Sets aside what receipts need of a ledger that goes.
    pub(crate) async fn set_ledger_aside(
        &mut self,
        tenant: &TenantId,
        name: LedgerName,
    ) -> Result<LedgerAside, Failure> {
        // A text's length in bytes: `length` of both databases counts characters.
        let text = "INSERT INTO kept_ledgers (tenant, ledger, family, operator, settings, evaluation_keys, charge) \
            SELECT tenant, ledger, family, operator, settings, evaluation_keys, octet_length(settings) FROM ledgers \
            WHERE tenant = $1 AND ledger = $2 AND family = $3 AND EXISTS (SELECT 1 FROM receipts r \
            WHERE r.tenant = $1 AND r.kind = $4 AND r.collection = $2) RETURNING charge";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(name.id.as_bytes().as_slice())
            .bind(name.family.plural())
            .bind(name.family.singular());
        let Some(row) = query.fetch_optional(self.connection()).await? else { return Ok(LedgerAside::default()) };
        let charge = Columns(&row).number("charge")?;
        if !self.set_sums_aside(tenant, name).await? {
            return Ok(LedgerAside { charge, sums: false });
        }
        let query = sqlx::query("SELECT length FROM ledgers WHERE tenant = $1 AND ledger = $2")
            .bind(tenant.as_str())
            .bind(name.id.as_bytes().as_slice());
        let sums = Columns(&query.fetch_one(self.connection()).await?).number("length")?;
        Ok(LedgerAside { charge: charge + sums, sums: true })
    }

    /// Sets keys aside that go, if a receipt needs them and they are not there already; whether that was done.
    pub(crate) async fn set_keys_aside(&mut self, tenant: &TenantId, digest: BodyDigest) -> Result<bool, Failure> {
        let text = "INSERT INTO kept_keys (tenant, digest, blob, charge) \
            SELECT tenant, digest, blob, length FROM key_sets WHERE tenant = $1 AND digest = $2 \
            AND EXISTS (SELECT 1 FROM receipts r WHERE r.tenant = $1 AND r.evaluation_keys = $2) \
            ON CONFLICT (tenant, digest) DO NOTHING";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(digest.as_bytes().as_slice());
        Ok(query.execute(self.connection()).await?.rows_affected() > 0)
    }
}
