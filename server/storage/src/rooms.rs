//! Rooms, their records and their handles.

mod changes;
mod history;

use std::sync::Arc;

use async_trait::async_trait;
use blindrelay_engine::operator::Handle;
use blindrelay_server::id::{RoomId, TenantId};
use blindrelay_server::store::{
    Idempotency, NewRecord, Quota, RoomChanges, RoomState, RoomStore, RoomUsage, StoreError, StoredRoom,
};

use crate::columns::{Columns, length};
use crate::error::Failure;
use crate::rooms::changes::{AddRecord, CreateRoom, RemoveHandle, RemoveRoom};
use crate::store::{DurableStore, Parts};

fn state_of(row: &Columns<'_>) -> Result<RoomState, Failure> {
    let room = StoredRoom {
        room: RoomId::from_bytes(row.array("room")?),
        operator: row.text("operator")?.to_owned(),
        evaluation_keys: row.digest_or_none("evaluation_keys")?,
    };
    Ok(RoomState { room, version: row.number("version")? })
}

impl Parts {
    async fn find_room(&self, tenant: &TenantId, room: RoomId) -> Result<Option<RoomState>, Failure> {
        let text = "SELECT room, operator, evaluation_keys, version FROM rooms WHERE tenant = $1 AND room = $2";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(room.as_bytes().as_slice());
        let row = query.fetch_optional(self.database.read()).await?;
        row.map(|row| state_of(&Columns(&row))).transpose()
    }

    async fn list_rooms(
        &self,
        tenant: &TenantId,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<Vec<RoomState>, Failure> {
        let text = "SELECT room, operator, evaluation_keys, version FROM rooms WHERE tenant = $1 AND room > $2 \
            ORDER BY room LIMIT $3";
        // No id is below or equal to no bytes.
        let after = after.map_or_else(Vec::new, |room| room.as_bytes().to_vec());
        let query = sqlx::query(text).bind(tenant.as_str()).bind(after).bind(length(limit));
        let rows = query.fetch_all(self.database.read()).await?;
        rows.iter().map(|row| state_of(&Columns(row))).collect()
    }

    async fn room_usage(&self, tenant: &TenantId, room: RoomId) -> Result<RoomUsage, Failure> {
        let query = sqlx::query("SELECT handles, bytes FROM rooms WHERE tenant = $1 AND room = $2");
        let query = query.bind(tenant.as_str()).bind(room.as_bytes().as_slice());
        let row = query.fetch_optional(self.database.read()).await?.ok_or(StoreError::UnknownRoom)?;
        let row = Columns(&row);
        Ok(RoomUsage { handles: row.length("handles")?, bytes: row.number("bytes")? })
    }

    async fn find_answer(
        &self,
        tenant: &TenantId,
        room: RoomId,
        request: &Idempotency,
        count: usize,
    ) -> Result<Option<Vec<Handle>>, Failure> {
        let text = "SELECT q.body, q.handles FROM rooms r \
            LEFT JOIN room_requests q ON q.tenant = r.tenant AND q.room = r.room AND q.name = $3 \
            WHERE r.tenant = $1 AND r.room = $2";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(room.as_bytes().as_slice()).bind(request.key.as_str());
        let row = query.fetch_optional(self.database.read()).await?.ok_or(StoreError::UnknownRoom)?;
        let row = Columns(&row);
        let Some(body) = row.digest_or_none("body")? else { return Ok(None) };
        let handles = row.handles("handles")?;
        if body != request.body || handles.len() != count {
            return Err(StoreError::IdempotencyConflict.into());
        }
        Ok(Some(handles))
    }

    async fn list_handles(
        &self,
        tenant: &TenantId,
        room: RoomId,
        after: Option<Handle>,
        limit: usize,
    ) -> Result<Vec<Handle>, Failure> {
        // The first row says that the room is there; no handle is below or equal to no bytes.
        let text = "SELECT 0 AS kind, room AS handle FROM rooms WHERE tenant = $1 AND room = $2 \
            UNION ALL SELECT 1, handle FROM handles WHERE tenant = $1 AND room = $2 AND handle > $3 \
            ORDER BY kind, handle LIMIT $4";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(room.as_bytes().as_slice())
            .bind(after.map_or_else(Vec::new, |handle| handle.as_bytes().to_vec()))
            .bind(length(limit).saturating_add(1));
        let rows = query.fetch_all(self.database.read()).await?;
        let (_, handles) = rows.split_first().ok_or(StoreError::UnknownRoom)?;
        handles.iter().map(|row| Columns(row).array("handle").map(Handle::from_bytes)).collect()
    }
}

#[async_trait]
impl RoomStore for DurableStore {
    async fn create_room(&self, tenant: &TenantId, room: StoredRoom, quota: Quota) -> Result<(), StoreError> {
        self.change(CreateRoom { tenant: tenant.clone(), room, quota }).await
    }

    async fn room(&self, tenant: &TenantId, room: RoomId) -> Result<Option<RoomState>, StoreError> {
        let (parts, name) = (&self.parts, (tenant.clone(), room));
        Ok(parts.known.rooms.answer(parts.database.log_index(), name, parts.find_room(tenant, room)).await?)
    }

    async fn rooms(
        &self,
        tenant: &TenantId,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<Vec<RoomState>, StoreError> {
        Ok(self.parts.list_rooms(tenant, after, limit).await?)
    }

    async fn usage(&self, tenant: &TenantId, room: RoomId) -> Result<RoomUsage, StoreError> {
        Ok(self.parts.room_usage(tenant, room).await?)
    }

    async fn remove_room(&self, tenant: &TenantId, room: RoomId) -> Result<(), StoreError> {
        self.change(RemoveRoom { tenant: tenant.clone(), room }).await
    }

    async fn replay(
        &self,
        tenant: &TenantId,
        room: RoomId,
        request: &Idempotency,
        count: usize,
    ) -> Result<Option<Vec<Handle>>, StoreError> {
        Ok(self.parts.find_answer(tenant, room, request, count).await?)
    }

    async fn add_record(
        &self,
        tenant: &TenantId,
        room: RoomId,
        record: NewRecord,
        quota: Quota,
    ) -> Result<u64, StoreError> {
        let (parts, tenant) = (Arc::clone(&self.parts), tenant.clone());
        self.run(async move {
            let staged = parts.blobs.write_new(&tenant, Arc::clone(&record.bytes)).await?;
            let change = AddRecord { tenant, room, record, blob: staged.name.clone(), quota };
            parts.change(&change, Some(&staged)).await
        })
        .await
    }

    async fn remove_handle(&self, tenant: &TenantId, room: RoomId, handle: Handle) -> Result<u64, StoreError> {
        self.change(RemoveHandle { tenant: tenant.clone(), room, handle }).await
    }

    async fn handles(
        &self,
        tenant: &TenantId,
        room: RoomId,
        after: Option<Handle>,
        limit: usize,
    ) -> Result<Vec<Handle>, StoreError> {
        Ok(self.parts.list_handles(tenant, room, after, limit).await?)
    }

    async fn changes(
        &self,
        tenant: &TenantId,
        room: RoomId,
        after: u64,
        limit: usize,
    ) -> Result<RoomChanges, StoreError> {
        Ok(self.parts.changes(tenant, room, after, limit).await?)
    }
}
