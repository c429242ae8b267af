//! The changes of a room, as a service reads them that keeps a copy of it.

use std::sync::Arc;

use blindrelay_engine::operator::{Handle, Placement};
use blindrelay_server::id::{RoomId, TenantId};
use blindrelay_server::store::{RoomChange, RoomChanges, StoreError, StoredRecord};
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::blobs::BlobName;
use crate::columns::{Columns, length, number};
use crate::error::{Damage, Failure};
use crate::store::{Parts, Rereads};

/// Blobs that are read at the same time.
const READS: usize = 8;

/// A change whose record is still to be read.
enum Entry {
    Added { version: u64, blob: BlobName, handles: Vec<Handle>, placement: Placement },
    Removed { version: u64, handle: Handle },
}

impl Entry {
    fn of(row: &Columns<'_>) -> Result<Self, Failure> {
        let version = row.number("version")?;
        match row.number("kind")? {
            1 => {
                let placement = Placement { group: row.small("placed_group")?, place: row.small("placed_at")? };
                Ok(Self::Added { version, blob: row.blob("blob")?, handles: row.handles("handles")?, placement })
            }
            2 => Ok(Self::Removed { version, handle: Handle::from_bytes(row.array("handles")?) }),
            _ => Err(Damage::Column { column: "kind" }.into()),
        }
    }
}

impl Parts {
    /// The room's version and rows of the changes, all of one moment.
    async fn entries(
        &self,
        tenant: &TenantId,
        room: RoomId,
        after: u64,
        limit: usize,
    ) -> Result<(u64, Vec<Entry>), Failure> {
        // The first row is that of the room.
        let text = "SELECT 0 AS kind, 0 AS version, '' AS blob, room AS handles, 0 AS placed_group, 0 AS placed_at, \
            version AS of_room FROM rooms WHERE tenant = $1 AND room = $2 \
            UNION ALL SELECT 1, version, blob, handles, placed_group, placed_at, 0 FROM records \
            WHERE tenant = $1 AND room = $2 AND version > $3 \
            UNION ALL SELECT 2, version, '', handle, 0, 0, 0 FROM removals \
            WHERE tenant = $1 AND room = $2 AND version > $3 AND (record <= $3 OR EXISTS (SELECT 1 FROM records \
            WHERE records.tenant = $1 AND records.room = $2 AND records.version = removals.record)) \
            ORDER BY version LIMIT $4";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(room.as_bytes().as_slice())
            .bind(number(after)?)
            .bind(length(limit).saturating_add(1));
        let rows = query.fetch_all(self.database.read()).await?;
        let (first, changes) = rows.split_first().ok_or(StoreError::UnknownRoom)?;
        let entries = changes.iter().map(|row| Entry::of(&Columns(row))).collect::<Result<_, _>>()?;
        Ok((Columns(first).number("of_room")?, entries))
    }

    /// The change with its record; the blob's name where that is not there any more.
    async fn load(&self, tenant: &TenantId, entry: Entry) -> Result<Result<RoomChange, BlobName>, Failure> {
        match entry {
            Entry::Removed { version, handle } => Ok(Ok(RoomChange::Removed { version, handle })),
            Entry::Added { version, blob, handles, placement } => {
                let found: Option<Arc<[u8]>> = self.blobs.read(tenant, &blob).await?;
                let record = |bytes| StoredRecord { bytes, handles, placement };
                Ok(found.map(|bytes| RoomChange::Added { version, record: record(bytes) }).ok_or(blob))
            }
        }
    }

    pub(super) async fn changes(
        &self,
        tenant: &TenantId,
        room: RoomId,
        after: u64,
        limit: usize,
    ) -> Result<RoomChanges, Failure> {
        let mut rereads = Rereads::default();
        loop {
            let (version, entries) = self.entries(tenant, room, after, limit).await?;
            let loads = entries.into_iter().map(|entry| self.load(tenant, entry));
            let loaded: Vec<_> = futures_util::stream::iter(loads).buffered(READS).try_collect().await?;
            match loaded.into_iter().collect::<Result<Vec<_>, BlobName>>() {
                Ok(changes) => return Ok(RoomChanges { version, changes }),
                Err(missing) => rereads.again(tenant, missing)?,
            }
        }
    }
}
