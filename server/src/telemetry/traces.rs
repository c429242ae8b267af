//! Traces: which request took how long where, sent to a collector of the operator's (OpenTelemetry, OTLP over HTTP).
//!
//! Only spans of the target [`TRACES`] are sent, with the fields that they are made with: a request's method, the template of its route, its status and id, and the name of its operator. Nothing that is
//! logged gets into a trace, and no span of a trace into the log.

#[cfg(feature = "traces")]
mod sender;

use serde::{Deserialize, Serialize};
use tracing_subscriber::filter::{LevelFilter, Targets};

#[cfg(feature = "traces")]
pub(crate) use sender::follow;
#[cfg(feature = "traces")]
pub use sender::{TraceError, Traces};

/// The target of spans that traces are made of.
pub const TRACES: &str = "blindrelay::traces";

/// Where traces go, and how many. A field that is not known is refused.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TraceSettings {
    /// Address of a collector that speaks OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`; left out, nothing is traced.
    pub endpoint: Option<String>,
    /// The share of requests that are traced, from 0 to 1.
    pub share: f64,
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self { endpoint: None, share: 1.0 }
    }
}

impl TraceSettings {
    /// What is wrong with the settings, in words.
    pub(crate) fn fault(&self) -> Option<String> {
        if !(0.0..=1.0).contains(&self.share) {
            return Some(format!("share is {}, not from 0 to 1", self.share));
        }
        let endpoint = self.endpoint.as_deref()?;
        let uri = endpoint.parse::<axum::http::Uri>().ok();
        let fits = uri.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
        if !fits {
            return Some("endpoint is an address such as http://127.0.0.1:4318/v1/traces".to_owned());
        }
        cfg!(not(feature = "traces")).then(|| "this program was built without the part that sends traces".to_owned())
    }
}

/// What a log takes at this level: everything but what traces are made of.
pub fn logged(level: LevelFilter) -> Targets {
    Targets::new().with_default(level).with_target(TRACES, LevelFilter::OFF)
}

/// Without the part that sends traces there is none to follow.
#[cfg(not(feature = "traces"))]
pub(crate) fn follow(_: &tracing::Span, _: &axum::http::HeaderMap) {}
