//! Why a request to the service fails, and what to do about it.

use std::time::Duration;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("'{url}' is not a service address ({fault})")]
    Url { url: String, fault: &'static str },
    #[error("'{url}' asks for TLS, which this version does not speak")]
    NoTls { url: String },
    #[error("{url} did not answer ({reason})")]
    Unreachable { url: String, reason: String },
    #[error("{url} did not answer within {} s", .limit.as_secs_f32())]
    Timeout { url: String, limit: Duration },
    #[error("the service refused the request ({status}): {detail}")]
    Refused { status: u16, code: Option<String>, detail: String, retry_after: Option<u64> },
    #[error("{url} answered something that is not of the blindrelay API ({reason})")]
    Foreign { url: String, reason: String },
}

impl ClientError {
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Url { .. } => "give an address such as http://127.0.0.1:8437",
            Self::NoTls { .. } => {
                "put a TLS proxy in front of the service and give this command the proxy's http:// address on this host"
            }
            Self::Unreachable { .. } => {
                "check that the service runs there (`blindrelay serve`) and run the command again"
            }
            Self::Timeout { .. } => "try again later, or allow more time with --timeout",
            Self::Refused { status: 401, .. } => {
                "give the service's API key in BLINDRELAY_API_KEY or with --api-key-file"
            }
            Self::Refused { status: 404, .. } => "check the id; what it names may have been deleted",
            Self::Refused { status: 503, .. } => "the service is busy; try again in a moment",
            Self::Refused { status: 500..=599, .. } => "tell the service's operator, with the id if one is given",
            Self::Refused { .. } => "correct the request",
            Self::Foreign { .. } => "check that the address is that of a blindrelay service",
        }
    }

    /// The service's code for the problem.
    pub(crate) fn problem(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// Whether the request may have been carried out although no reply to it arrived.
    pub(crate) fn leaves_doubt(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Foreign { .. } => true,
            Self::Refused { status, .. } => *status >= 500 && *status != 503,
            Self::Url { .. } | Self::NoTls { .. } => false,
        }
    }
}
