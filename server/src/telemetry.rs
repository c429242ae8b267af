//! What operators of a service see of it: numbers, a page, and the settings of both. `docs/operations.md` says what each number means.
//!
//! Every service counts for itself: the numbers belong to its [`AppState`](crate::AppState), and nothing is installed for the process, so that several services in one
//! process count apart. No number carries the name of a tenant, room, ledger, handle or key.

mod bytes;
mod connections;
mod listener;
pub(crate) mod operator;
mod process;
mod queue;
mod reading;
mod settings;
pub(crate) mod traces;
mod traffic;

use std::collections::BTreeSet;
use std::time::{Instant, SystemTime};

use blindrelay_engine::Backend;
use prometheus_client::encoding::text;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry as Metrics;

use crate::config::Config;
use crate::id::TenantId;

pub use listener::{app, serve};
pub use settings::{LogFormat, TelemetrySettings};
pub use traces::{TRACES, TraceSettings, logged};
#[cfg(feature = "traces")]
pub use traces::{TraceError, Traces};

pub(crate) use bytes::Counted;
pub(crate) use connections::Connections;
pub(crate) use process::Process;
pub(crate) use queue::QueueMeter;
pub(crate) use reading::{Reading, Tenants};
pub(crate) use traffic::{Answered, ProblemCode, Traffic};

/// The version that is told to operators.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Upper bounds in seconds of what is counted together as lasting equally long.
const BOUNDS: [f64; 15] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Numbers that are read when somebody asks for them.
#[derive(Default)]
struct Gauges {
    places: Gauge,
    running: Gauge,
    threads: Gauge,
    key_bytes: Gauge,
    key_entries: Gauge,
    room_bytes: Gauge,
    room_entries: Gauge,
    upload_bytes: Gauge,
    ready: Gauge,
    resident: Gauge,
    descriptors: Gauge,
    descriptor_limit: Gauge,
}

/// The numbers of one service.
pub(crate) struct Telemetry {
    metrics: Metrics,
    gauges: Gauges,
    traffic: Traffic,
    connections: Connections,
    backend: Backend,
    begun: (SystemTime, Instant),
    configured: BTreeSet<TenantId>,
}

impl Telemetry {
    pub(crate) fn new(config: &Config, backend: Backend, queue: &QueueMeter) -> Self {
        let begun = (SystemTime::now(), Instant::now());
        let (gauges, traffic, connections) = (Gauges::default(), Traffic::default(), Connections::default());
        let mut metrics = Metrics::with_prefix("blindrelay");
        let build = Info::new([("version", VERSION), ("backend", backend.name())]);
        metrics.register("build", "Version of the service and backend of its arithmetic", build);
        traffic.register(&mut metrics);
        connections.register(&mut metrics);
        queue.register(&mut metrics);
        gauges.register(&mut metrics);
        let since = begun.0.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let start = Gauge::<i64>::default();
        start.set(since.as_secs() as i64);
        metrics.register("start_time_seconds", "When the service was opened, in seconds since 1970", start);
        let configured = config.tenants.iter().filter_map(|tenant| TenantId::new(&tenant.name)).collect();
        Self { metrics, gauges, traffic, connections, backend, begun, configured }
    }

    pub(crate) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    pub(crate) fn connections(&self) -> &Connections {
        &self.connections
    }

    /// The tenants that the configuration names.
    pub(crate) fn configured(&self) -> &BTreeSet<TenantId> {
        &self.configured
    }

    /// All numbers in the text format `OpenMetrics` 1.0.
    pub(crate) fn text(&self, reading: &Reading) -> Result<String, std::fmt::Error> {
        self.gauges.set(reading);
        let mut all = String::new();
        text::encode(&mut all, &self.metrics)?;
        Ok(all)
    }
}

impl Gauges {
    fn register(&self, metrics: &mut Metrics) {
        let mut add = |name: &str, help: &str, gauge: &Gauge| metrics.register(name, help, gauge.clone());
        add("compute_places_taken", "Requests that wait for a compute thread or compute", &self.places);
        add("compute_running", "Jobs that compute threads work on", &self.running);
        add("compute_threads", "Compute threads", &self.threads);
        add("key_cache_bytes", "Memory of decoded evaluation keys", &self.key_bytes);
        add("key_cache_entries", "Decoded evaluation key sets in memory", &self.key_entries);
        add("room_cache_bytes", "Memory of rooms", &self.room_bytes);
        add("room_cache_entries", "Rooms in memory", &self.room_entries);
        add("upload_bytes", "Memory set aside for bodies that are being received", &self.upload_bytes);
        add("accepting", "1 while the service takes requests, 0 once it was told to stop", &self.ready);
        if Process::read().is_some() {
            add("process_resident_memory_bytes", "Resident memory of the process", &self.resident);
            add("process_open_descriptors", "Open file descriptors of the process", &self.descriptors);
            add("process_descriptor_limit", "Most file descriptors that the process may open", &self.descriptor_limit);
        }
    }

    fn set(&self, reading: &Reading) {
        let set = |gauge: &Gauge, value: u64| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        set(&self.places, reading.compute.places_taken);
        set(&self.running, reading.compute.running);
        set(&self.threads, reading.compute.threads);
        set(&self.key_bytes, reading.key_cache.bytes);
        set(&self.key_entries, reading.key_cache.entries);
        set(&self.room_bytes, reading.room_cache.bytes);
        set(&self.room_entries, reading.room_cache.entries);
        set(&self.upload_bytes, reading.upload_bytes);
        set(&self.ready, u64::from(reading.accepting));
        if let Some(process) = &reading.process {
            set(&self.resident, process.resident_bytes);
            set(&self.descriptors, process.open_descriptors);
            set(&self.descriptor_limit, process.descriptor_limit.unwrap_or(u64::MAX));
        }
    }
}
