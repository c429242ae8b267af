//! Spans on their way to the collector.

use std::time::Duration;

use axum::http::HeaderMap;
use opentelemetry::KeyValue;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::HeaderExtractor;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

use super::{TRACES, TraceSettings};
use crate::telemetry::VERSION;

/// How long the collector may take for a portion.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why nothing can be traced.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be sent: {0}")]
pub struct TraceError(String);

/// Traces that are being sent.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to send them in portions, from a thread of its own; `None` where nothing is to be traced. Headers that the collector wants are in the variable `OTEL_EXPORTER_OTLP_HEADERS`.
    pub fn start(settings: &TraceSettings) -> Result<Option<Self>, TraceError> {
        let Some(endpoint) = &settings.endpoint else { return Ok(None) };
        let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
        let exporter = exporter.with_endpoint(endpoint).with_timeout(PATIENCE).build();
        let resource = Resource::builder().with_service_name("blindrelay");
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter.map_err(|error| TraceError(error.to_string()))?)
            // Of a caller's trace only the id counts: whether the caller wants it sampled is not asked.
            .with_sampler(Sampler::TraceIdRatioBased(settings.share))
            .with_resource(resource.with_attribute(KeyValue::new("service.version", VERSION)).build());
        Ok(Some(Self(provider.build())))
    }

    /// What takes the spans of a subscriber.
    pub fn layer<S: Subscriber + for<'span> LookupSpan<'span>>(&self) -> impl Layer<S> + use<S> {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("blindrelay"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_filter(Targets::new().with_target(TRACES, LevelFilter::INFO))
    }

    /// Sends what is left. Waits for the collector, so it is no work for an asynchronous thread.
    pub fn end(self) -> Result<(), TraceError> {
        self.0.shutdown().map_err(|error| TraceError(error.to_string()))
    }
}

/// Puts a request's span into the trace that its caller names in `traceparent` (W3C Trace Context), if it names one.
pub(crate) fn follow(span: &Span, headers: &HeaderMap) {
    if !span.is_disabled() && headers.contains_key("traceparent") {
        let caller = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        // A subscriber that keeps no traces has nothing to put it into.
        let _ = span.set_parent(caller);
    }
}
