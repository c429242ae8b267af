//! Requests and answers.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::Method;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry as Metrics;

use super::BOUNDS;

/// The code of the problem document that an answer is, among the extensions of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProblemCode(pub(crate) &'static str);

/// The code of a store that fails.
const STORE_FAILED: &str = "store-unavailable";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    route: String,
    method: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operator {
    operator: String,
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    code: &'static str,
}

#[derive(Clone)]
struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(BOUNDS)
    }
}

/// What was asked of one service, and how it was answered.
pub(crate) struct Traffic {
    answers: Family<Answer, Counter>,
    seconds: Family<Route, Histogram, Seconds>,
    operator_seconds: Family<Operator, Histogram, Seconds>,
    refusals: Family<Refusal, Counter>,
    refused: Mutex<BTreeMap<&'static str, u64>>,
    store_failures: Counter,
    abandoned: Counter,
    in_flight: Gauge,
    received: Counter,
    sent: Counter,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            answers: Family::default(),
            seconds: Family::new_with_constructor(Seconds),
            operator_seconds: Family::new_with_constructor(Seconds),
            refusals: Family::default(),
            refused: Mutex::default(),
            store_failures: Counter::default(),
            abandoned: Counter::default(),
            in_flight: Gauge::default(),
            received: Counter::default(),
            sent: Counter::default(),
        }
    }
}

/// A request that is being answered. Dropped before that, it was abandoned by its client.
pub(crate) struct Asked<'a>(Option<&'a Traffic>);

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if let Some(traffic) = self.0 {
            traffic.in_flight.dec();
            traffic.abandoned.inc();
        }
    }
}

/// How a request was answered.
pub(crate) struct Answered<'a> {
    pub(crate) route: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) status: u16,
    pub(crate) problem: Option<ProblemCode>,
    pub(crate) operator: Option<String>,
    pub(crate) time: Duration,
}

impl Traffic {
    /// A request arrived.
    pub(crate) fn asked(&self) -> Asked<'_> {
        self.in_flight.inc();
        Asked(Some(self))
    }

    /// The request was answered.
    pub(crate) fn answered(&self, mut asked: Asked<'_>, answer: Answered<'_>) {
        asked.0 = None;
        self.in_flight.dec();
        let (route, seconds) = (answer.route.to_owned(), answer.time.as_secs_f64());
        let (method, status) = (method(answer.method), class(answer.status));
        self.answers.get_or_create(&Answer { route: route.clone(), method, status }).inc();
        self.seconds.get_or_create(&Route { route: route.clone() }).observe(seconds);
        if let Some(operator) = answer.operator {
            self.operator_seconds.get_or_create(&Operator { operator, route }).observe(seconds);
        }
        if let Some(ProblemCode(code)) = answer.problem {
            self.refusals.get_or_create(&Refusal { code }).inc();
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
            if code == STORE_FAILED {
                self.store_failures.inc();
            }
        }
    }

    /// Bytes of bodies of requests.
    pub(crate) fn received(&self) -> &Counter {
        &self.received
    }

    /// Bytes of bodies of answers.
    pub(crate) fn sent(&self) -> &Counter {
        &self.sent
    }

    /// Requests that are being answered.
    pub(crate) fn in_flight(&self) -> u64 {
        u64::try_from(self.in_flight.get()).unwrap_or(0)
    }

    /// How often the store failed.
    pub(crate) fn store_failures(&self) -> u64 {
        self.store_failures.get()
    }

    /// Refusals by the code of the problem.
    pub(crate) fn refused(&self) -> BTreeMap<&'static str, u64> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn register(&self, metrics: &mut Metrics) {
        metrics.register("requests", "Requests that were answered", self.answers.clone());
        metrics.register("request_seconds", "How long requests took", self.seconds.clone());
        let help = "How long requests to an operator took";
        metrics.register("operator_request_seconds", help, self.operator_seconds.clone());
        metrics.register("refusals", "Problem documents that were sent, by their code", self.refusals.clone());
        metrics.register("store_failures", "Requests that the store failed", self.store_failures.clone());
        metrics.register("requests_abandoned", "Requests whose clients went away", self.abandoned.clone());
        metrics.register("requests_in_flight", "Requests that are being answered", self.in_flight.clone());
        metrics.register("received_bytes", "Bytes of bodies of requests", self.received.clone());
        metrics.register("sent_bytes", "Bytes of bodies of answers", self.sent.clone());
    }
}

/// A method of the service, or `other`: whoever asks can make up any.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

fn class(status: u16) -> &'static str {
    match status {
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        500..=599 => "5xx",
        _ => "other",
    }
}
