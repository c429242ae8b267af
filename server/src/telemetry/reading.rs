//! A service at one moment.

use std::collections::{BTreeMap, BTreeSet};

use blindrelay_engine::operator::OperatorCard;
use serde::Serialize;

use super::{Process, VERSION};
use crate::id::TenantId;
use crate::state::AppState;
use crate::store::StoreError;

/// Most tenants of the store that are counted, as often as somebody looks.
const TENANTS: usize = 1000;

/// The numbers of a service at one moment, as its page shows them.
#[derive(Debug, Serialize)]
pub(crate) struct Reading {
    pub(crate) version: &'static str,
    pub(crate) backend: &'static str,
    pub(crate) started_unix_seconds: u64,
    pub(crate) uptime_seconds: u64,
    pub(crate) accepting: bool,
    pub(crate) operators: Vec<OfferedOperator>,
    pub(crate) requests_in_flight: u64,
    pub(crate) received_bytes: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) connections: Fill,
    pub(crate) compute: Compute,
    pub(crate) upload_bytes: u64,
    pub(crate) upload_limit_bytes: u64,
    pub(crate) key_cache: CacheFill,
    pub(crate) room_cache: CacheFill,
    pub(crate) refusals: BTreeMap<&'static str, u64>,
    pub(crate) store_failures: u64,
    pub(crate) process: Option<Process>,
}

/// An operator and what it computes with.
#[derive(Debug, Serialize)]
pub(crate) struct OfferedOperator {
    pub(crate) id: String,
    pub(crate) parameters: String,
    pub(crate) parameter_digest: String,
}

/// So many of so many.
#[derive(Debug, Serialize)]
pub(crate) struct Fill {
    pub(crate) open: u64,
    pub(crate) limit: u64,
}

/// Compute threads and their queue.
#[derive(Debug, Serialize)]
pub(crate) struct Compute {
    pub(crate) threads: u64,
    pub(crate) running: u64,
    pub(crate) waiting: u64,
    pub(crate) places_taken: u64,
    pub(crate) queue_length: u64,
}

/// What is kept at hand.
#[derive(Debug, Serialize)]
pub(crate) struct CacheFill {
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
    pub(crate) budget_bytes: u64,
}

/// How many tenants there are.
#[derive(Debug, Serialize)]
pub(crate) struct Tenants {
    pub(crate) count: u64,
    /// Whether there are more than were counted.
    pub(crate) more: bool,
}

impl Reading {
    /// The numbers as they are now, without asking the store.
    pub(crate) fn of(state: &AppState) -> Self {
        let (telemetry, limits, compute) = (state.telemetry(), state.limits(), state.compute());
        let traffic = telemetry.traffic();
        let since = telemetry.begun.0.duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
        let cache = |(bytes, entries): (usize, usize), budget: usize| CacheFill {
            bytes: bytes as u64,
            entries: entries as u64,
            budget_bytes: budget as u64,
        };
        let offered = |card: &OperatorCard| OfferedOperator {
            id: card.id.clone(),
            parameters: card.parameters.clone(),
            parameter_digest: card.parameter_digest.clone(),
        };
        Self {
            version: VERSION,
            backend: telemetry.backend.name(),
            started_unix_seconds: since.as_secs(),
            uptime_seconds: telemetry.begun.1.elapsed().as_secs(),
            accepting: !state.is_stopping(),
            operators: state.registry().cards().into_iter().map(offered).collect(),
            requests_in_flight: traffic.in_flight(),
            received_bytes: traffic.received().get(),
            sent_bytes: traffic.sent().get(),
            connections: Fill { open: telemetry.connections().open(), limit: limits.connections as u64 },
            compute: Compute {
                threads: compute.threads() as u64,
                running: compute.running() as u64,
                waiting: compute.meter().waiting(),
                places_taken: compute.places_taken() as u64,
                queue_length: limits.queue_length as u64,
            },
            upload_bytes: state.uploads().set_aside() as u64,
            upload_limit_bytes: limits.upload_bytes as u64,
            key_cache: cache((state.decoded().byte_len(), state.decoded().len()), limits.key_cache_bytes),
            room_cache: cache(state.rooms_at_hand(), limits.room_cache_bytes),
            refusals: traffic.refused(),
            store_failures: traffic.store_failures(),
            process: Process::read(),
        }
    }
}

impl Tenants {
    /// The tenants that the configuration or the store names.
    pub(crate) async fn of(state: &AppState) -> Result<Self, StoreError> {
        let stored = state.store().tenants(None, TENANTS + 1).await?;
        let more = stored.len() > TENANTS;
        let mut all: BTreeSet<&TenantId> = state.telemetry().configured().iter().collect();
        all.extend(stored.iter().take(TENANTS).map(|tenant| &tenant.id));
        Ok(Self { count: all.len() as u64, more })
    }
}
