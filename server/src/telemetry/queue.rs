//! How long requests wait for a compute thread, and how long they keep it.

use std::time::{Duration, Instant};

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry as Metrics;

use super::BOUNDS;

/// The meter of a pool of compute threads; clones share it.
#[derive(Clone)]
pub(crate) struct QueueMeter {
    waiting: Gauge,
    waited: Histogram,
    computed: Histogram,
}

/// A request that waits, until it is dropped.
pub(crate) struct Waiting {
    meter: QueueMeter,
    since: Instant,
}

impl Default for QueueMeter {
    fn default() -> Self {
        Self { waiting: Gauge::default(), waited: Histogram::new(BOUNDS), computed: Histogram::new(BOUNDS) }
    }
}

impl QueueMeter {
    /// From now on a request waits.
    pub(crate) fn wait(&self) -> Waiting {
        self.waiting.inc();
        Waiting { meter: self.clone(), since: Instant::now() }
    }

    /// A job took so long.
    pub(crate) fn computed(&self, time: Duration) {
        self.computed.observe(time.as_secs_f64());
    }

    /// How many requests wait.
    pub(crate) fn waiting(&self) -> u64 {
        u64::try_from(self.waiting.get()).unwrap_or(0)
    }

    pub(super) fn register(&self, metrics: &mut Metrics) {
        metrics.register("compute_waiting", "Requests that wait for a compute thread", self.waiting.clone());
        metrics.register("compute_wait_seconds", "How long requests waited for a thread", self.waited.clone());
        metrics.register("compute_job_seconds", "How long jobs kept a compute thread", self.computed.clone());
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.meter.waiting.dec();
        self.meter.waited.observe(self.since.elapsed().as_secs_f64());
    }
}
