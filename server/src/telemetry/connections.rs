//! Connections of the public listener.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry as Metrics;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

/// The connections of one service.
#[derive(Default)]
pub(crate) struct Connections {
    open: Gauge,
    accepted: Counter,
    refused: Family<Reason, Counter>,
}

/// A connection, until it is dropped.
pub(crate) struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Connections {
    /// A connection was accepted.
    pub(crate) fn accepted(&self) -> Open {
        self.accepted.inc();
        self.open.inc();
        Open(self.open.clone())
    }

    /// A connection came to nothing: `accept` where the system gave none, `handshake` where TLS failed or took too long.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&Reason { reason }).inc();
    }

    /// How many are open.
    pub(crate) fn open(&self) -> u64 {
        u64::try_from(self.open.get()).unwrap_or(0)
    }

    pub(super) fn register(&self, metrics: &mut Metrics) {
        metrics.register("connections_open", "Open connections", self.open.clone());
        metrics.register("connections_accepted", "Connections that were accepted", self.accepted.clone());
        // Present from the start, so that an alert sees the first one as a change.
        for reason in ["accept", "handshake"] {
            let _ = self.refused.get_or_create(&Reason { reason });
        }
        metrics.register("connections_refused", "Connections that came to nothing", self.refused.clone());
    }
}
