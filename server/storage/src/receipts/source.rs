//! What receipts were computed from, wherever it is now.

use blindrelay_engine::operator::{Handle, Placement};
use blindrelay_server::id::{LedgerId, RoomId, TenantId};
use blindrelay_server::store::{Content, LedgerName, ReceiptSource, SourceChange, StoredLedger, StoredRoom};
use sqlx::Any;
use sqlx::any::AnyArguments;
use sqlx::query::Query;

use crate::columns::{Columns, length, number};
use crate::error::{Damage, Failure};
use crate::store::{Parts, Rereads};

fn change_of(row: &Columns<'_>) -> Result<SourceChange, Failure> {
    let version = row.number("version")?;
    if row.number("kind")? == 2 {
        return Ok(SourceChange::Removed { version, handle: Handle::from_bytes(row.array("handles")?) });
    }
    Ok(SourceChange::Added {
        version,
        digest: row.blob("blob")?.digest().ok_or(Damage::Column { column: "blob" })?,
        bytes: row.number("length")?,
        handles: row.handles("handles")?,
        placement: Placement { group: row.small("placed_group")?, place: row.small("placed_at")? },
    })
}

impl Parts {
    /// The blob that the first row of a query names, read again where it was replaced in between.
    pub(super) async fn first_blob(
        &self,
        tenant: &TenantId,
        query: impl Fn() -> Query<'static, Any, AnyArguments>,
    ) -> Result<Option<Content>, Failure> {
        let mut rereads = Rereads::default();
        loop {
            let Some(row) = query().fetch_optional(self.database.read()).await? else { return Ok(None) };
            let name = Columns(&row).blob("blob")?;
            if let Some(bytes) = self.blobs.read(tenant, &name).await? {
                let digest = name.digest().ok_or(Damage::Column { column: "blob" })?;
                return Ok(Some(Content { digest, bytes }));
            }
            rereads.again(tenant, name)?;
        }
    }

    pub(super) async fn find_room_source(
        &self,
        tenant: &TenantId,
        room: RoomId,
    ) -> Result<Option<ReceiptSource>, Failure> {
        let text = "SELECT operator, evaluation_keys FROM rooms WHERE tenant = $1 AND room = $2 \
            UNION ALL SELECT operator, evaluation_keys FROM kept_rooms WHERE tenant = $1 AND room = $2";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(room.as_bytes().as_slice());
        let Some(row) = query.fetch_optional(self.database.read()).await? else { return Ok(None) };
        let row = Columns(&row);
        let operator = row.text("operator")?.to_owned();
        Ok(Some(ReceiptSource::Room(StoredRoom {
            room,
            operator,
            evaluation_keys: row.digest_or_none("evaluation_keys")?,
        })))
    }

    pub(super) async fn find_ledger_source(
        &self,
        tenant: &TenantId,
        name: LedgerName,
    ) -> Result<Option<ReceiptSource>, Failure> {
        let text = "SELECT operator, settings, evaluation_keys FROM ledgers \
            WHERE tenant = $1 AND ledger = $2 AND family = $3 \
            UNION ALL SELECT operator, settings, evaluation_keys FROM kept_ledgers \
            WHERE tenant = $1 AND ledger = $2 AND family = $3";
        let query =
            sqlx::query(text).bind(tenant.as_str()).bind(name.id.as_bytes().as_slice()).bind(name.family.plural());
        let Some(row) = query.fetch_optional(self.database.read()).await? else { return Ok(None) };
        let row = Columns(&row);
        Ok(Some(ReceiptSource::Ledger(StoredLedger {
            name,
            operator: row.text("operator")?.to_owned(),
            settings: row.text("settings")?.into(),
            evaluation_keys: row.digest_or_none("evaluation_keys")?,
        })))
    }

    /// Records that the room of this version had, wherever they are now, and removals of handles of such records before it.
    pub(super) async fn source_changes(
        &self,
        tenant: &TenantId,
        room: RoomId,
        version: u64,
        after: u64,
        limit: usize,
    ) -> Result<Vec<SourceChange>, Failure> {
        let text = "SELECT 1 AS kind, version, blob, length, handles, placed_group, placed_at FROM records \
            WHERE tenant = $1 AND room = $2 AND version > $4 AND version <= $3 \
            UNION ALL SELECT 1, version, blob, length, handles, placed_group, placed_at FROM kept_records \
            WHERE tenant = $1 AND room = $2 AND version > $4 AND version <= $3 AND gone > $3 \
            UNION ALL SELECT 2, version, '', 0, handle, 0, 0 FROM \
            (SELECT version, handle, record FROM removals WHERE tenant = $1 AND room = $2 AND version > $4 \
            AND version <= $3 UNION ALL SELECT version, handle, record FROM kept_removals WHERE tenant = $1 \
            AND room = $2 AND version > $4 AND version <= $3) gone_handles \
            WHERE EXISTS (SELECT 1 FROM records c WHERE c.tenant = $1 AND c.room = $2 \
            AND c.version = gone_handles.record) \
            OR EXISTS (SELECT 1 FROM kept_records k WHERE k.tenant = $1 AND k.room = $2 \
            AND k.version = gone_handles.record AND k.gone > $3) \
            ORDER BY version LIMIT $5";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(room.as_bytes().as_slice())
            .bind(number(version)?)
            .bind(number(after)?)
            .bind(length(limit));
        let rows = query.fetch_all(self.database.read()).await?;
        rows.iter().map(|row| change_of(&Columns(row))).collect()
    }

    pub(super) async fn source_record(
        &self,
        tenant: &TenantId,
        room: RoomId,
        version: u64,
        record: u64,
    ) -> Result<Option<Content>, Failure> {
        if record > version {
            return Ok(None);
        }
        let text = "SELECT blob FROM records WHERE tenant = $1 AND room = $2 AND version = $3 \
            UNION ALL SELECT blob FROM kept_records WHERE tenant = $1 AND room = $2 AND version = $3 AND gone > $4";
        let (record, version) = (number(record)?, number(version)?);
        let query = || {
            let query = sqlx::query(text).bind(tenant.as_str().to_owned()).bind(room.as_bytes().to_vec());
            query.bind(record).bind(version)
        };
        self.first_blob(tenant, query).await
    }

    pub(super) async fn source_sums(
        &self,
        tenant: &TenantId,
        ledger: LedgerId,
        version: u64,
    ) -> Result<Option<Content>, Failure> {
        let text = "SELECT blob FROM ledgers WHERE tenant = $1 AND ledger = $2 AND version = $3 \
            UNION ALL SELECT blob FROM kept_sums WHERE tenant = $1 AND ledger = $2 AND version = $3";
        let version = number(version)?;
        let query =
            || sqlx::query(text).bind(tenant.as_str().to_owned()).bind(ledger.as_bytes().to_vec()).bind(version);
        self.first_blob(tenant, query).await
    }
}
