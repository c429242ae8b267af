//! Jobs: what takes longer than a request may. `new` makes them, this shows them and their answers.

pub(super) mod answers;
pub(super) mod new;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::to_the_end;
use crate::error::{ApiError, Resource};
use crate::extract::{Examiner, PageRequest, QueryParameters, Segments, Viewer, Worker, parse_id};
use crate::id::{JobId, TenantId};
use crate::openapi::codes::UnknownJob;
use crate::openapi::refusals::{Argument, Keyed, Named};
use crate::openapi::{AfterId, PageLimit, Refusals};
use crate::state::AppState;
use crate::store::{Role, StoredJob, Work};
use crate::time::UnixMillis;

impl Work {
    /// Whether a role may make such a job, and so see it.
    fn is_for(self, role: Role) -> bool {
        let makers: &[Role] = match self {
            Self::Match => Worker::ROLES,
            Self::Report(_) => Examiner::ROLES,
        };
        makers.contains(&role)
    }
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum JobState {
    /// Nobody has worked on it.
    Waiting,
    /// Somebody works on it, or did.
    Running,
    /// Every part is answered or refused.
    Finished,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(super) struct JobAnswer {
    #[schema(value_type = JobId)]
    job: String,
    /// `match`, `meter-reports` or `panel-reports`.
    #[schema(pattern = "^(match|meter-reports|panel-reports)$")]
    work: &'static str,
    state: JobState,
    /// Whether each answer comes with a receipt before it.
    receipts: bool,
    /// How many answers there will be at most.
    #[schema(format = "uint64")]
    parts: u64,
    /// How many there are.
    #[schema(format = "uint64")]
    answered: u64,
    /// How many there will never be, for a reason that the list of answers tells.
    #[schema(format = "uint64")]
    refused: u64,
    created: UnixMillis,
    #[schema(required)]
    begun: Option<UnixMillis>,
    #[schema(required)]
    finished: Option<UnixMillis>,
    /// Seconds after which to look again; `null` once it is finished.
    #[schema(required, minimum = 1, maximum = 60)]
    retry_after: Option<u32>,
}

/// A job as it is told. `ahead` jobs of all tenants are unfinished.
fn told(state: &AppState, job: &StoredJob, ahead: u64) -> JobAnswer {
    let stands = match (job.begun, job.finished) {
        (_, Some(_)) => JobState::Finished,
        (Some(_), None) => JobState::Running,
        (None, None) => JobState::Waiting,
    };
    let left = job.parts.saturating_sub(job.answered + job.refused);
    let waiting = left.saturating_add(ahead.saturating_sub(1));
    let retry_after = || state.pace().seconds(waiting, state.limits().job_workers);
    JobAnswer {
        job: job.id.to_string(),
        work: job.work.as_str(),
        state: stands,
        receipts: job.receipts,
        parts: job.parts,
        answered: job.answered,
        refused: job.refused,
        created: job.created,
        begun: job.begun,
        finished: job.finished,
        retry_after: job.finished.is_none().then(retry_after),
    }
}

/// A job that this role may see.
async fn find(state: &AppState, tenant: &TenantId, role: Role, job: JobId) -> Result<StoredJob, ApiError> {
    let found = state.store().job(tenant, job).await?.filter(|job| job.work.is_for(role));
    found.ok_or(ApiError::Unknown(Resource::Job))
}

/// How far a job is
#[utoipa::path(get, path = "/v1/jobs/{job}", tag = "jobs", operation_id = "showJob",
    params(("job" = JobId, Path, description = "The job.")),
    security(("bearer" = ["relay"]), ("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "The job.", body = JobAnswer),
        Refusals<(Keyed, Named, UnknownJob)>))]
pub(super) async fn show(
    Viewer { caller, role }: Viewer,
    State(state): State<AppState>,
    Segments(job): Segments<String>,
) -> Result<Json<JobAnswer>, ApiError> {
    let job = find(&state, &caller.tenant, role, parse_id(&job)?).await?;
    let ahead = state.store().unfinished().await?;
    Ok(Json(told(&state, &job, ahead)))
}

#[derive(Serialize, ToSchema)]
#[schema(as = JobPage)]
pub(super) struct Page {
    jobs: Vec<JobAnswer>,
    /// The `after` of the next page; `null` at the end.
    #[schema(value_type = Option<JobId>, required)]
    next: Option<String>,
}

/// Lists jobs, ascending
///
/// Those that the role of the key may make; a page may have fewer entries than it could.
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs", operation_id = "listJobs",
    params(("after" = Option<AfterId>, Query, description = "The last entry of the page before, its `next`."),
        ("limit" = Option<PageLimit>, Query, description = "Most entries.")),
    security(("bearer" = ["relay"]), ("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "A page.", body = Page),
        Refusals<(Keyed, Named, Argument)>))]
pub(super) async fn list(
    Viewer { caller, role }: Viewer,
    State(state): State<AppState>,
    QueryParameters(query): QueryParameters<PageRequest>,
) -> Result<Json<Page>, ApiError> {
    let (after, limit) = (query.after()?, query.limit()?);
    let mut found = state.store().jobs(&caller.tenant, after, limit + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|job| job.id.to_string());
    let ahead = state.store().unfinished().await?;
    let jobs = found.iter().filter(|job| job.work.is_for(role)).map(|job| told(&state, job, ahead)).collect();
    Ok(Json(Page { jobs, next }))
}

/// Removes a job with its answers
///
/// One that is not finished ends before its next part.
#[utoipa::path(delete, path = "/v1/jobs/{job}", tag = "jobs", operation_id = "removeJob",
    params(("job" = JobId, Path, description = "The job.")),
    security(("bearer" = ["relay"]), ("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 204, description = "It is gone."),
        Refusals<(Keyed, Named, UnknownJob)>))]
pub(super) async fn remove(
    Viewer { caller, role }: Viewer,
    State(state): State<AppState>,
    Segments(job): Segments<String>,
) -> Result<StatusCode, ApiError> {
    let job = find(&state, &caller.tenant, role, parse_id(&job)?).await?;
    to_the_end(async move { Ok(state.store().remove_job(&caller.tenant, job.id).await?) }).await?;
    Ok(StatusCode::NO_CONTENT)
}
