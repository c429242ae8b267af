//! Around every request: an id, a span for the log, what is counted of it, and an answer where a handler panics. Neither headers nor bodies nor queries are logged.

use std::any::Any;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;
use tracing::field::Empty;

use crate::compute;
use crate::error::ApiError;
use crate::state::AppState;
use crate::telemetry::{Answered, Counted, ProblemCode, TRACES, operator, traces};

/// The header with the id of a request, in every answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts the layers around the routes.
pub(crate) fn around(routes: Router, state: AppState) -> Router {
    routes
        .layer(CatchPanicLayer::custom(|panic: Box<dyn Any + Send>| {
            ApiError::internal(format!("a handler panicked: {}", compute::message(panic.as_ref()))).into_response()
        }))
        .layer(from_fn_with_state(state, trace))
}

async fn trace(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mut bytes = [0; 8];
    // Without random bytes the id is all zeros, which is no reason to refuse the request.
    let _ = getrandom::fill(&mut bytes);
    let id = format!("{:016x}", u64::from_be_bytes(bytes));
    let path = request.extensions().get::<MatchedPath>().cloned();
    let (route, method) = (path.as_ref().map_or("-", MatchedPath::as_str), request.method().clone());
    let span = tracing::info_span!("request", id, %method, route);
    let traced = tracing::info_span!(
        target: TRACES, parent: &span, "request",
        otel.name = format!("{method} {route}"), otel.kind = "server", otel.status_code = Empty,
        http.request.method = %method, http.route = route, http.response.status_code = Empty,
        blindrelay.request = id, blindrelay.operator = Empty,
    );
    traces::follow(&traced, request.headers());
    let started = Instant::now();
    let traffic = state.telemetry().traffic();
    let asked = traffic.asked();
    let request = request.map(|body| Counted::body(body, traffic.received().clone()));
    let answer = async {
        let (response, operator) = operator::noted(next.run(request).instrument(traced.clone())).await;
        let (time, status) = (started.elapsed(), response.status().as_u16());
        tracing::info!(status, micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX), "answered");
        traced.record("http.response.status_code", status);
        if response.status().is_server_error() {
            traced.record("otel.status_code", "ERROR");
        }
        if let Some(operator) = &operator {
            traced.record("blindrelay.operator", operator.as_str());
        }
        let problem = response.extensions().get::<ProblemCode>().copied();
        traffic.answered(asked, Answered { route, method: &method, status, problem, operator, time });
        response.map(|body| Counted::body(body, traffic.sent().clone()))
    };
    let mut response = answer.instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
