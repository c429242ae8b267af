//! The client: nodes, time limits and repetition around every request.

mod builder;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use ureq::Agent;
use ureq::http::Method;
use zeroize::Zeroizing;

pub use self::builder::Builder;
use crate::Error;
use crate::exchange::{Attempt, Request};
use crate::nodes::Nodes;
use crate::retry::{Clock, Schedule};

/// A client of one service, on one node or several that share a store. A copy shares connections with the original, and threads may share either.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    attempts: u32,
}

struct Shared {
    agent: Agent,
    nodes: Nodes,
    authorization: Option<Zeroizing<String>>,
    limit: Duration,
    deadline: Duration,
    clock: Box<dyn Clock>,
}

impl Client {
    /// Begins a client of the service at `url`, such as `https://relay.example`.
    pub fn builder(url: impl Into<String>) -> Builder {
        Builder::new(url.into())
    }

    /// This client with another number of attempts, at least one, for each request that can be repeated.
    #[must_use]
    pub fn with_attempts(&self, attempts: u32) -> Self {
        Self { shared: Arc::clone(&self.shared), attempts }
    }

    /// The answer to a request as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, request: &Request<'_>) -> Result<T, Error> {
        let body = self.perform(request)?;
        serde_json::from_slice(&body).map_err(|error| self.unexpected(&format!("JSON: {error}")))
    }

    /// The body of the answer to a request, which is repeated as far as it can be.
    pub(crate) fn perform(&self, request: &Request<'_>) -> Result<Vec<u8>, Error> {
        let shared = &*self.shared;
        let mut schedule = Schedule::new(&*shared.clock, self.attempts, shared.deadline);
        let (mut failures, mut doubt) = (0, false);
        loop {
            let (number, node) = shared.nodes.current();
            let error = match self.attempt(node, schedule.grant(request.limit(shared.limit)), request) {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            // What an attempt without a reply has removed is not there for the next one.
            if doubt && request.method == Method::DELETE && error.status() == Some(404) {
                return Ok(Vec::new());
            }
            failures += 1;
            if error.is_of_the_node() {
                shared.nodes.leave(number);
            }
            // A node's wish to be left alone says nothing of nodes that were not asked yet.
            let asked = error.retry_after().filter(|_| failures >= shared.nodes.count());
            if !request.repeatable || !error.is_retryable() || !schedule.wait(asked) {
                return Err(if doubt { error.after_doubt() } else { error });
            }
            doubt |= error.leaves_doubt();
        }
    }

    fn attempt(&self, node: &str, limit: Duration, request: &Request<'_>) -> Result<Vec<u8>, Error> {
        let Shared { agent, authorization, .. } = &*self.shared;
        let authorization = authorization.as_ref().map(|value| value.as_str());
        Attempt { agent, node, authorization, limit }.run(request)
    }

    /// Waits.
    pub(crate) fn pause(&self, time: Duration) {
        self.shared.clock.sleep(time);
    }

    /// The error of an answer whose content is not of the API.
    pub(crate) fn unexpected(&self, reason: &str) -> Error {
        Error::unexpected(self.shared.nodes.current().1, reason)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("node", &self.shared.nodes.current().1).finish_non_exhaustive()
    }
}
