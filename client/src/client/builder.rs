//! How a client is set up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use zeroize::Zeroizing;

use super::{Client, Shared};
use crate::address::Address;
use crate::nodes::Nodes;
use crate::retry::{Clock, SystemClock};
use crate::{Error, tls};

/// Time for one attempt at a short request.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// Time for a request with all its repetitions.
const DEADLINE: Duration = Duration::from_mins(10);
/// Time for a connection: a node that is gone is left long before a request is too late.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 4;
/// Connections that threads keep open between requests.
const MAX_CONNECTIONS: usize = 64;
const AGENT: &str = concat!("blindrelay-client/", env!("CARGO_PKG_VERSION"));

/// A client that is being set up.
pub struct Builder {
    url: String,
    others: Vec<String>,
    api_key: Option<Zeroizing<String>>,
    limit: Duration,
    deadline: Duration,
    attempts: u32,
    agent: String,
    roots: Vec<Vec<u8>>,
    plain_http: bool,
    clock: Box<dyn Clock>,
}

impl Builder {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            others: Vec::new(),
            api_key: None,
            limit: TIME_LIMIT,
            deadline: DEADLINE,
            attempts: ATTEMPTS,
            agent: AGENT.to_owned(),
            roots: Vec::new(),
            plain_http: false,
            clock: Box::new(SystemClock),
        }
    }

    /// Another node of the same service, which shares its store. A node that cannot be reached or answers 503 is left for the next one.
    #[must_use]
    pub fn node(mut self, url: impl Into<String>) -> Self {
        self.others.push(url.into());
        self
    }

    /// The tenant's API key. It goes to the named nodes and nowhere else: redirects are not followed, and no proxy is taken from the environment.
    #[must_use]
    pub fn api_key(self, key: &str) -> Self {
        Self { api_key: Some(Zeroizing::new(key.to_owned())), ..self }
    }

    /// How long one attempt may take, 30 s if nothing is said; a long body has a second more for every 128 KiB.
    #[must_use]
    pub fn time_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// How long a request may take with all its attempts and pauses, 10 minutes if nothing is said.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// How often a request is sent at most where it can be repeated, 4 times if nothing is said.
    #[must_use]
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// Names the program that uses the client, such as `relay/1.4`, after the client's own name in the header `User-Agent`.
    #[must_use]
    pub fn user_agent(self, program: &str) -> Self {
        Self { agent: format!("{AGENT} {program}"), ..self }
    }

    /// Trusts the certificates in `pem`, a text in PEM, beside the root certificates of this machine.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Allows addresses without TLS that are not on this machine, for networks that are protected in another way. The API key then travels in the clear.
    #[must_use]
    pub fn allow_plain_http(self, allow: bool) -> Self {
        Self { plain_http: allow, ..self }
    }

    /// The clock by which the client waits, that of the machine if nothing is said.
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Box::new(clock), ..self }
    }

    /// The client. No connection is made yet.
    pub fn build(self) -> Result<Client, Error> {
        if self.api_key.as_ref().is_some_and(|key| key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(Error::ApiKey);
        }
        if !self.agent.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Error::UserAgent { agent: self.agent.escape_default().to_string() });
        }
        let first = Address::parse(&self.url, self.plain_http)?;
        let others = self.others.iter().map(|url| Address::parse(url, self.plain_http));
        let others = others.collect::<Result<Vec<_>, _>>()?;
        let mut config = Agent::config_builder()
            .timeout_connect(Some(CONNECT_LIMIT))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .max_idle_connections(MAX_CONNECTIONS)
            .max_idle_connections_per_host(MAX_CONNECTIONS)
            .user_agent(self.agent);
        if first.is_tls() || others.iter().any(Address::is_tls) {
            config = config.tls_config(tls::configuration(&self.roots)?);
        }
        let shared = Shared {
            agent: Agent::new_with_config(config.build()),
            nodes: Nodes::new(first, others),
            authorization: self.api_key.map(|key| Zeroizing::new(format!("Bearer {}", key.as_str()))),
            limit: self.limit,
            deadline: self.deadline,
            clock: self.clock,
        };
        Ok(Client { shared: Arc::new(shared), attempts: self.attempts })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Builder").field("url", &self.url).finish_non_exhaustive()
    }
}
