//! New jobs.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{HeaderName, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::Deserialize;

use super::{JobAnswer, told};
use crate::access::Caller;
use crate::body::{Expected, read_object, read_small};
use crate::error::{ApiError, Conflict, RequestError, Resource};
use crate::extract::{Examiner, QueryParameters, Segments, Worker, idempotency_key, parse_id};
use crate::family::Family;
use crate::id::{BodyDigest, IdempotencyKey, JobId, RoomId};
use crate::jobs::JobName;
use crate::openapi::codes::{IdempotencyKeyRequired, UnknownOperator, UnknownRoom, WrongResource};
use crate::openapi::refusals::{
    Argument, Body as BodyRefusals, Keyed, Named, Object, Repeatable, Retired, Stored as StoredRefusals,
};
use crate::openapi::{Octets, OperatorId, Refusals};
use crate::receipts;
use crate::routes::to_the_end;
use crate::state::AppState;
use crate::store::{Idempotency, NewJob, Subject, Work};

/// Where a new job is, and when to look at it.
type Accepted = (StatusCode, [(HeaderName, String); 2], Json<JobAnswer>);

/// What is asked, and how.
struct Asked {
    work: Work,
    request: Vec<u8>,
    receipts: bool,
    key: IdempotencyKey,
    /// What tells two jobs with the same request from each other.
    about: String,
}

impl Asked {
    /// A digest of everything that was asked: a repeated request has the same.
    fn digest(&self) -> BodyDigest {
        let told = format!("{} {} {}\n", self.work.as_str(), self.receipts, self.about);
        BodyDigest::of(&[told.as_bytes(), &self.request].concat())
    }
}

fn required_key(headers: &HeaderMap) -> Result<IdempotencyKey, RequestError> {
    idempotency_key(headers)?.ok_or(RequestError::Unnamed)
}

/// Keeps a job and puts it into the queue.
async fn accept(state: AppState, caller: Caller, asked: Asked, subjects: Vec<Subject>) -> Result<Accepted, ApiError> {
    let limit = state.limits().parts_per_job;
    if subjects.len() > limit {
        return Err(Conflict::Quota { what: "meters or panels of one job", limit: limit as u64 }.into());
    }
    let idempotency = Idempotency { body: asked.digest(), key: asked.key };
    let job = NewJob {
        id: JobId::random()?,
        work: asked.work,
        subjects,
        request: Arc::from(asked.request),
        receipts: asked.receipts,
        created: state.clock().now(),
        idempotency,
    };
    to_the_end(async move {
        let (_, id) = state.store().create_job(&caller.tenant, job, state.quota(&caller)).await?;
        let stored = state.store().job(&caller.tenant, id).await?.ok_or(ApiError::Unknown(Resource::Job))?;
        if stored.finished.is_none()
            && let Err(error) = state.jobs().push(JobName { tenant: caller.tenant.clone(), job: id }).await
        {
            // It is in the store: services that look for unfinished jobs find it.
            tracing::warn!(%error, job = %id, "a job waits to be looked for");
        }
        let ahead = state.store().unfinished().await?;
        let answer = told(&state, &stored, ahead);
        let seconds = answer.retry_after.unwrap_or(1);
        let headers = [(LOCATION, format!("/v1/jobs/{id}")), (RETRY_AFTER, seconds.to_string())];
        Ok((StatusCode::ACCEPTED, headers, Json(answer)))
    })
    .await
}

/// Evaluates a request as a job
///
/// The answer is computed from the state of the room when its turn comes, and kept until the job is removed. With `Accept: application/vnd.blindrelay.receipted` it comes with a signed receipt.
#[utoipa::path(post, path = "/v1/rooms/{room}/match/jobs", tag = "jobs", operation_id = "startMatch",
    params(("room" = RoomId, Path, description = "The room."),
        ("Idempotency-Key" = IdempotencyKey, Header, description = "What the client calls this request. Repeated under the same name it makes one job.")),
    request_body(content = Octets, content_type = "application/octet-stream", description = "A request of the room's operator."),
    security(("bearer" = ["relay"]), ("bearer" = ["tenant"])),
    responses((status = 202, description = "The job.", body = JobAnswer),
        Refusals<(Keyed, Named, Object, StoredRefusals, Repeatable, Retired, (UnknownRoom, IdempotencyKeyRequired))>))]
pub(in crate::routes) async fn evaluate(
    Worker(caller): Worker,
    State(state): State<AppState>,
    Segments(room): Segments<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Accepted, ApiError> {
    let key = required_key(&headers)?;
    let id: RoomId = parse_id(&room)?;
    let (room, _) = state.room(&caller.tenant, id).await?;
    let operator = room.operator();
    let expected = Expected {
        kind: None,
        operator: Some((operator.card().id.as_str(), operator.parameters().digest())),
        limit: Some(operator.card().request_limit),
    };
    let (request, _memory) = read_object(body, &headers, &state, expected).await?;
    let receipts = receipts::wanted(&headers);
    let asked = Asked { work: Work::Match, request, receipts, key, about: id.to_string() };
    accept(state, caller, asked, vec![id.into()]).await
}

/// Which meters or panels a job reports on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct Selection {
    operator: String,
}

/// Ledgers that are looked at together.
const PAGE: usize = 1000;

/// All ledgers of a family that have this operator.
async fn ledgers_of(
    state: &AppState,
    caller: &Caller,
    family: Family,
    operator: &str,
) -> Result<Vec<Subject>, ApiError> {
    let (mut subjects, mut after) = (Vec::new(), None);
    loop {
        let page = state.store().ledgers(&caller.tenant, family, after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(subjects) };
        after = Some(last.name.id);
        let of_operator = page.iter().filter(|(ledger, _)| ledger.operator == operator);
        subjects.extend(of_operator.map(|(ledger, _)| Subject::from(ledger.name.id)));
    }
}

/// Reports on all meters of an operator, as a job
///
/// Every meter that the tenant has now gets the same request, as at the end of a month. Each answer is computed from the sums when its turn comes, and kept until the job is removed. With
/// `Accept: application/vnd.blindrelay.receipted` each comes with a signed receipt.
#[utoipa::path(post, path = "/v1/meters/jobs", tag = "jobs", operation_id = "reportMeters",
    params(("operator" = OperatorId, Query, description = "The operator of the meters."),
        ("Idempotency-Key" = IdempotencyKey, Header, description = "What the client calls this request. Repeated under the same name it makes one job.")),
    request_body(content = Option<Octets>, content_type = "application/octet-stream", description = "A request as the operator defines it, or nothing where it needs none."),
    security(("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 202, description = "The job.", body = JobAnswer),
        Refusals<(Keyed, BodyRefusals, Argument, StoredRefusals, Repeatable, (UnknownOperator, WrongResource, IdempotencyKeyRequired))>))]
pub(in crate::routes) async fn report(
    Examiner(caller): Examiner,
    State(state): State<AppState>,
    Extension(family): Extension<Family>,
    QueryParameters(Selection { operator }): QueryParameters<Selection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Accepted, ApiError> {
    let key = required_key(&headers)?;
    let limit = state.registry().for_ledger(family, &operator)?.card().request_limit;
    let request = read_small(body, &headers, &state, limit, "the operator takes").await?;
    let subjects = ledgers_of(&state, &caller, family, &operator).await?;
    let receipts = receipts::wanted(&headers);
    let asked = Asked { work: Work::Report(family), request, receipts, key, about: operator };
    accept(state, caller, asked, subjects).await
}
