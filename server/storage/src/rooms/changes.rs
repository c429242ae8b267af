//! Changes of rooms.

use blindrelay_engine::operator::Handle;
use blindrelay_server::id::{RoomId, TenantId};
use blindrelay_server::store::{NewRecord, Quota, StoreError, StoredRoom};
use sqlx::AssertSqlSafe;

use crate::blobs::BlobName;
use crate::columns::{Columns, handles, length, number};
use crate::database::{Change, Work};
use crate::error::Failure;
use crate::holdings::Delta;

/// Handles that are written by one statement.
const HANDLES_AT_ONCE: usize = 32;

pub(super) struct CreateRoom {
    pub(super) tenant: TenantId,
    pub(super) room: StoredRoom,
    pub(super) quota: Quota,
}

impl Change for CreateRoom {
    type Done = ();

    async fn make(&self, work: &mut Work<'_>) -> Result<(), Failure> {
        let Self { tenant, room: StoredRoom { room, operator, evaluation_keys }, quota } = self;
        let holdings = work.hold(tenant, Delta { rooms: 1, ..Delta::NONE }).await?;
        work.need_keys(tenant, *evaluation_keys).await?;
        let text = "INSERT INTO rooms (tenant, room, operator, evaluation_keys, version, handles, bytes, charge) \
            VALUES ($1, $2, $3, $4, 0, 0, 0, 0) ON CONFLICT (tenant, room) DO NOTHING";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(room.as_bytes().as_slice())
            .bind(operator.as_str())
            .bind(evaluation_keys.map(|digest| digest.as_bytes().to_vec()));
        if query.execute(work.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::RepeatedId.into());
        }
        holdings.rooms_within(*quota)
    }
}

pub(super) struct RemoveRoom {
    pub(super) tenant: TenantId,
    pub(super) room: RoomId,
}

impl Change for RemoveRoom {
    type Done = ();

    async fn make(&self, work: &mut Work<'_>) -> Result<(), Failure> {
        let Self { tenant, room } = self;
        work.hold(tenant, Delta::NONE).await?;
        let gone = room_version(work, tenant, *room).await? + 1;
        let aside = work.set_room_aside(tenant, *room, gone).await?;
        let text = "SELECT blob FROM records WHERE tenant = $1 AND room = $2 AND NOT EXISTS (SELECT 1 FROM kept_records k \
            WHERE k.tenant = $1 AND k.room = $2 AND k.version = records.version)";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(room.as_bytes().as_slice());
        for row in query.fetch_all(work.connection()).await? {
            work.unname(tenant, Columns(&row).blob("blob")?);
        }
        let query = sqlx::query("DELETE FROM rooms WHERE tenant = $1 AND room = $2 RETURNING charge");
        let query = query.bind(tenant.as_str()).bind(room.as_bytes().as_slice());
        let row = query.fetch_optional(work.connection()).await?.ok_or(StoreError::UnknownRoom)?;
        let bytes = number(aside)? - number(Columns(&row).number("charge")?)?;
        work.hold(tenant, Delta { bytes, rooms: -1, ..Delta::NONE }).await?;
        Ok(())
    }
}

pub(super) struct AddRecord {
    pub(super) tenant: TenantId,
    pub(super) room: RoomId,
    pub(super) record: NewRecord,
    pub(super) blob: BlobName,
    pub(super) quota: Quota,
}

impl AddRecord {
    /// Makes the room's next version, or says why it cannot be.
    async fn next_version(&self, work: &mut Work<'_>) -> Result<u64, Failure> {
        let Self { tenant, room, record, .. } = self;
        let (charge, lasting) = record.charge();
        let text = "UPDATE rooms SET version = version + 1, handles = handles + $4, bytes = bytes + $5, \
            charge = charge + $6 WHERE tenant = $1 AND room = $2 AND version = $3 RETURNING version";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(room.as_bytes().as_slice())
            .bind(number(record.version)?)
            .bind(length(record.handles.len()))
            .bind(length(record.bytes.len()))
            .bind(number(charge + lasting)?);
        if let Some(row) = query.fetch_optional(work.connection()).await? {
            return Columns(&row).number("version");
        }
        let found = room_version(work, tenant, *room).await?;
        Err(StoreError::Outdated { expected: record.version, found }.into())
    }

    async fn keep_request(&self, work: &mut Work<'_>) -> Result<(), Failure> {
        let Some(request) = &self.record.idempotency else { return Ok(()) };
        let text = "INSERT INTO room_requests (tenant, room, name, body, handles) VALUES ($1, $2, $3, $4, $5) \
            ON CONFLICT (tenant, room, name) DO NOTHING";
        let query = sqlx::query(text)
            .bind(self.tenant.as_str())
            .bind(self.room.as_bytes().as_slice())
            .bind(request.key.as_str())
            .bind(request.body.as_bytes().as_slice())
            .bind(handles(&self.record.handles));
        match query.execute(work.connection()).await?.rows_affected() {
            0 => Err(StoreError::IdempotencyConflict.into()),
            _ => Ok(()),
        }
    }

    async fn keep_handles(&self, work: &mut Work<'_>, version: u64) -> Result<(), Failure> {
        for some in self.record.handles.chunks(HANDLES_AT_ONCE) {
            let rows: Vec<String> = (0..some.len()).map(|number| format!("($1, $2, ${}, $3)", 4 + number)).collect();
            let text = format!(
                "INSERT INTO handles (tenant, room, handle, record) VALUES {} ON CONFLICT DO NOTHING",
                rows.join(", ")
            );
            let mut query = sqlx::query(AssertSqlSafe(text))
                .bind(self.tenant.as_str())
                .bind(self.room.as_bytes().as_slice())
                .bind(number(version)?);
            for handle in some {
                query = query.bind(handle.as_bytes().as_slice());
            }
            if query.execute(work.connection()).await?.rows_affected() != some.len() as u64 {
                return Err(StoreError::RepeatedId.into());
            }
        }
        Ok(())
    }

    async fn keep_record(&self, work: &mut Work<'_>, version: u64) -> Result<(), Failure> {
        let NewRecord { bytes, placement, .. } = &self.record;
        let text = "INSERT INTO records \
            (tenant, room, version, blob, length, handles, present, placed_group, placed_at, charge) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let query = sqlx::query(text)
            .bind(self.tenant.as_str())
            .bind(self.room.as_bytes().as_slice())
            .bind(number(version)?)
            .bind(self.blob.as_str())
            .bind(length(bytes.len()))
            .bind(handles(&self.record.handles))
            .bind(length(self.record.handles.len()))
            .bind(i64::from(placement.group))
            .bind(i64::from(placement.place))
            .bind(number(self.record.charge().0)?);
        query.execute(work.connection()).await?;
        Ok(())
    }
}

impl Change for AddRecord {
    type Done = u64;

    async fn make(&self, work: &mut Work<'_>) -> Result<u64, Failure> {
        let (charge, lasting) = self.record.charge();
        let bytes = number(charge + lasting)?;
        let holdings = work.hold(&self.tenant, Delta { bytes, ..Delta::NONE }).await?;
        let version = self.next_version(work).await?;
        self.keep_request(work).await?;
        self.keep_handles(work, version).await?;
        holdings.bytes_within(self.quota)?;
        self.keep_record(work, version).await?;
        Ok(version)
    }
}

pub(super) struct RemoveHandle {
    pub(super) tenant: TenantId,
    pub(super) room: RoomId,
    pub(super) handle: Handle,
}

impl RemoveHandle {
    /// Takes one handle from a record, and the record with its last one, which makes this version.
    async fn leave_record(&self, work: &mut Work<'_>, record: u64, version: u64) -> Result<(), Failure> {
        let Self { tenant, room, .. } = self;
        let text = "UPDATE records SET present = present - 1 WHERE tenant = $1 AND room = $2 AND version = $3 \
            RETURNING present, blob, length, charge";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(room.as_bytes().as_slice()).bind(number(record)?);
        let row = query.fetch_one(work.connection()).await?;
        let row = Columns(&row);
        if row.number("present")? > 0 {
            return Ok(());
        }
        let (bytes, charge) = (number(row.number("length")?)?, number(row.number("charge")?)?);
        let kept = work.set_record_aside(tenant, *room, record, version).await?;
        if !kept {
            work.unname(tenant, row.blob("blob")?);
        }
        let query = sqlx::query("DELETE FROM records WHERE tenant = $1 AND room = $2 AND version = $3");
        let query = query.bind(tenant.as_str()).bind(room.as_bytes().as_slice()).bind(number(record)?);
        query.execute(work.connection()).await?;
        let text = "UPDATE rooms SET bytes = bytes - $3, charge = charge - $4 WHERE tenant = $1 AND room = $2";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(room.as_bytes().as_slice()).bind(bytes).bind(charge);
        query.execute(work.connection()).await?;
        if !kept {
            work.hold(tenant, Delta { bytes: -charge, ..Delta::NONE }).await?;
        }
        Ok(())
    }
}

impl Change for RemoveHandle {
    type Done = u64;

    async fn make(&self, work: &mut Work<'_>) -> Result<u64, Failure> {
        let Self { tenant, room, handle } = self;
        work.hold(tenant, Delta::NONE).await?;
        let text = "DELETE FROM handles WHERE tenant = $1 AND room = $2 AND handle = $3 RETURNING record";
        let query =
            sqlx::query(text).bind(tenant.as_str()).bind(room.as_bytes().as_slice()).bind(handle.as_bytes().as_slice());
        let Some(row) = query.fetch_optional(work.connection()).await? else {
            room_version(work, tenant, *room).await?;
            return Err(StoreError::UnknownHandle.into());
        };
        let record = Columns(&row).number("record")?;
        let text = "UPDATE rooms SET version = version + 1, handles = handles - 1 WHERE tenant = $1 AND room = $2 \
            RETURNING version";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(room.as_bytes().as_slice());
        let version = Columns(&query.fetch_one(work.connection()).await?).number("version")?;
        let text = "INSERT INTO removals (tenant, room, version, handle, record) VALUES ($1, $2, $3, $4, $5)";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(room.as_bytes().as_slice())
            .bind(number(version)?)
            .bind(handle.as_bytes().as_slice())
            .bind(number(record)?);
        query.execute(work.connection()).await?;
        self.leave_record(work, record, version).await?;
        Ok(version)
    }
}

/// The version of a room that is there.
async fn room_version(work: &mut Work<'_>, tenant: &TenantId, room: RoomId) -> Result<u64, Failure> {
    let query = sqlx::query("SELECT version FROM rooms WHERE tenant = $1 AND room = $2");
    let query = query.bind(tenant.as_str()).bind(room.as_bytes().as_slice());
    let row = query.fetch_optional(work.connection()).await?.ok_or(StoreError::UnknownRoom)?;
    Columns(&row).number("version")
}
