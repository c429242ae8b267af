//! Why a request fails, and whether it may be sent again.

mod transport;

use std::time::Duration;

use ureq::http::StatusCode;

/// Why a client could not be made, or a request failed. Text that came from a service is on one line, without control characters.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be used.
    #[error("'{url}' is not a service address ({fault})")]
    Url {
        /// As it was given.
        url: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The address has no TLS and is not on this machine: keys and requests could be read on the way.
    #[error("'{url}' is on another machine and without TLS")]
    PlainHttp {
        /// As it was given.
        url: String,
    },
    /// The API key has characters that a header cannot carry.
    #[error("the API key has characters that no key has")]
    ApiKey,
    /// The addition to the user agent has characters that a header cannot carry.
    #[error("the user agent '{agent}' has characters other than printable ASCII")]
    UserAgent {
        /// The whole user agent.
        agent: String,
    },
    /// Root certificates cannot be used.
    #[error("the root certificates cannot be used ({fault})")]
    Certificates {
        /// What is wrong with them.
        fault: String,
    },
    /// No connection, or one that ended before an answer began.
    #[error("{url} did not answer ({reason})")]
    Unreachable {
        /// The node.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// TLS could not be agreed on, or the certificate is not trusted. Nothing of the request was sent.
    #[error("{url} cannot be spoken to over TLS ({reason})")]
    Tls {
        /// The node.
        url: String,
        /// A sentence.
        reason: String,
    },
    /// No whole answer within the time limit.
    #[error("{url} did not answer within {} s", .limit.as_secs_f32())]
    Timeout {
        /// The node.
        url: String,
        /// How long the request could take.
        limit: Duration,
    },
    /// The answer broke off, or is not HTTP.
    #[error("the answer of {url} broke off or is not HTTP ({reason})")]
    Broken {
        /// The node.
        url: String,
        /// What was wrong.
        reason: String,
    },
    /// The service answered with a problem document (RFC 9457).
    #[error("the service refused the request ({status}): {detail}{}", with_id(.id.as_deref()))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The service's name for the problem.
        code: Option<String>,
        /// A sentence for people.
        detail: String,
        /// The name of the problem in the service's log.
        id: Option<String>,
        /// How long the service asks to wait.
        retry_after: Option<Duration>,
        /// Whether an attempt before this one ended without a reply.
        doubt: bool,
    },
    /// A whole answer that the API does not have.
    #[error("{url} answered something that is not of the blindrelay API ({reason})")]
    Foreign {
        /// The node.
        url: String,
        /// The HTTP status, where it is that of a failure.
        status: Option<u16>,
        /// How long the service asks to wait.
        retry_after: Option<Duration>,
        /// What was unexpected.
        reason: String,
    },
    /// The caller gave something that cannot be sent.
    #[error("{what} cannot be sent ({fault})")]
    Argument {
        /// Which argument.
        what: &'static str,
        /// What is wrong with it.
        fault: String,
    },
}

fn with_id(id: Option<&str>) -> String {
    id.map_or_else(String::new, |id| format!(" (id {id})"))
}

impl Error {
    /// Whether the same request may succeed a moment later: no connection, a broken answer, or status 429, 502, 503 or 504. Whether it may be sent
    /// again depends on the request as well; [`Client`](crate::Client) repeats on its own what can be repeated.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } => true,
            Self::Refused { .. } | Self::Foreign { .. } => matches!(self.status(), Some(429 | 502 | 503 | 504)),
            _ => false,
        }
    }

    /// Whether the request may have been carried out although no reply to it arrived.
    pub fn leaves_doubt(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } | Self::Timeout { .. } | Self::Foreign { .. } => true,
            Self::Refused { status, doubt, .. } => *doubt || *status >= 500 && *status != 503,
            _ => false,
        }
    }

    /// Whether another node of the service may do better: this one cannot be reached, or is busy.
    pub(crate) fn is_of_the_node(&self) -> bool {
        matches!(self, Self::Unreachable { .. }) || self.status() == Some(503)
    }

    /// The HTTP status of the failure.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Foreign { status, .. } => *status,
            _ => None,
        }
    }

    /// The service's name for the problem, such as `room-empty`; `docs/http-api.md` lists them.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// What the service says of the problem, for people.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Refused { detail, .. } => Some(detail),
            _ => None,
        }
    }

    /// The name of the problem in the service's log, to be told to its operator.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Refused { id, .. } => id.as_deref(),
            _ => None,
        }
    }

    /// How long the service asks to wait (`Retry-After`), as it said.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } | Self::Foreign { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// An answer whose content is not of the API.
    pub(crate) fn unexpected(url: &str, reason: &str) -> Self {
        Self::Foreign { url: url.to_owned(), status: None, retry_after: None, reason: one_line(reason) }
    }

    /// A problem document's content.
    pub(crate) fn refused(
        status: StatusCode,
        code: Option<String>,
        detail: &str,
        id: Option<String>,
        retry_after: Option<Duration>,
    ) -> Self {
        let clean = |text: String| one_line(&text);
        let (code, id, detail) = (code.map(clean), id.map(clean), one_line(detail));
        Self::Refused { status: status.as_u16(), code, detail, id, retry_after, doubt: false }
    }

    /// The last error of a request of which an earlier attempt left doubt. Only a refusal for the moment leaves it: any other one is an answer to the
    /// question whether the request was carried out.
    pub(crate) fn after_doubt(mut self) -> Self {
        let retryable = self.is_retryable();
        if let Self::Refused { doubt, .. } = &mut self {
            *doubt = retryable;
        }
        self
    }

    /// The failure of something that is not the service, such as a proxy in between.
    pub(crate) fn failure(url: &str, status: StatusCode, retry_after: Option<Duration>, reason: &str) -> Self {
        let reason = one_line(&format!("status {status}, {reason}"));
        Self::Foreign { url: url.to_owned(), status: Some(status.as_u16()), retry_after, reason }
    }
}

/// The text on one line, with control characters and direction overrides written out: a message of a service moves no cursor.
pub(crate) fn one_line(text: &str) -> String {
    let written_out = |character: char| {
        character.is_control()
            || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().fold(String::with_capacity(text.len()), |mut line, character| {
        if written_out(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
        line
    })
}
