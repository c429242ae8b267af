//! What a tenant keeps, as it is counted against its quota.

use blindrelay_server::id::TenantId;
use blindrelay_server::store::{Quota, StoreError};

use crate::columns::Columns;
use crate::database::Work;
use crate::error::Failure;

/// What a change adds, or takes away.
#[derive(Clone, Copy, Default)]
pub(crate) struct Delta {
    pub(crate) bytes: i64,
    pub(crate) rooms: i64,
    pub(crate) ledgers: i64,
    pub(crate) key_sets: i64,
}

impl Delta {
    /// Nothing: the change only takes its turn.
    pub(crate) const NONE: Self = Self { bytes: 0, rooms: 0, ledgers: 0, key_sets: 0 };
}

/// What a tenant keeps, the change included.
pub(crate) struct Holdings {
    bytes: u64,
    rooms: u64,
    ledgers: u64,
    key_sets: u64,
}

fn within(what: &'static str, found: u64, limit: u64) -> Result<(), Failure> {
    if found <= limit { Ok(()) } else { Err(StoreError::Quota { what, limit }.into()) }
}

impl Holdings {
    pub(crate) fn bytes_within(&self, quota: Quota) -> Result<(), Failure> {
        within("bytes", self.bytes, quota.bytes)
    }

    pub(crate) fn rooms_within(&self, quota: Quota) -> Result<(), Failure> {
        within("rooms", self.rooms, quota.rooms as u64)
    }

    pub(crate) fn ledgers_within(&self, quota: Quota) -> Result<(), Failure> {
        within("meters and panels", self.ledgers, quota.ledgers as u64)
    }

    pub(crate) fn key_sets_within(&self, quota: Quota) -> Result<(), Failure> {
        within("key sets", self.key_sets, quota.keys as u64)
    }
}

impl Work<'_> {
    /// Counts what changes, and lets no other change of the tenant happen until this one is done.
    pub(crate) async fn hold(&mut self, tenant: &TenantId, delta: Delta) -> Result<Holdings, Failure> {
        let text = "INSERT INTO holdings (tenant, bytes, rooms, ledgers, key_sets) VALUES ($1, $2, $3, $4, $5) \
            ON CONFLICT (tenant) DO UPDATE SET bytes = holdings.bytes + excluded.bytes, \
            rooms = holdings.rooms + excluded.rooms, ledgers = holdings.ledgers + excluded.ledgers, \
            key_sets = holdings.key_sets + excluded.key_sets RETURNING bytes, rooms, ledgers, key_sets";
        let Delta { bytes, rooms, ledgers, key_sets } = delta;
        let query = sqlx::query(text).bind(tenant.as_str()).bind(bytes).bind(rooms).bind(ledgers).bind(key_sets);
        let row = query.fetch_one(self.connection()).await?;
        let row = Columns(&row);
        Ok(Holdings {
            bytes: row.number("bytes")?,
            rooms: row.number("rooms")?,
            ledgers: row.number("ledgers")?,
            key_sets: row.number("key_sets")?,
        })
    }
}
