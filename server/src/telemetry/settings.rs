//! The part of the configuration that speaks of telemetry.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::traces::TraceSettings;

/// What operators see of a service, and where. A field that is not known is refused.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// Where metrics and the operator's page are served, in plain HTTP and to everybody who can connect; left out, they are not served.
    pub listen: Option<SocketAddr>,
    /// Whether that may be another than a loopback address: a network where everybody may know the load of the service.
    pub allow_any_address: bool,
    /// How a line of the log looks.
    pub log_format: LogFormat,
    /// Which traces are sent, and where.
    pub traces: TraceSettings,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl TelemetrySettings {
    /// The address, if everybody who may connect to it would be a stranger.
    pub(crate) fn exposed(&self) -> Option<SocketAddr> {
        self.listen.filter(|listen| !self.allow_any_address && !listen.ip().is_loopback())
    }
}
