//! The answers of a job.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::find;
use crate::error::{ApiError, Conflict, RequestError, Resource};
use crate::extract::{MAX_PAGE, PageRequest, QueryParameters, Segments, Viewer, parse_id};
use crate::id::JobId;
use crate::openapi::codes::{AnswerOpen, AnswerRefused, UnknownAnswer, UnknownJob};
use crate::openapi::refusals::{Argument, Keyed, Named};
use crate::openapi::{AfterNumber, Octets, PageLimit, Problem, Receipted, Refusals, SubjectId};
use crate::receipts::{Sent, as_sent};
use crate::state::AppState;
use crate::store::{Part, PartResult, Subject};

/// What became of a part of a job.
#[derive(Serialize, ToSchema)]
#[schema(as = JobPart)]
pub(in crate::routes) struct PartAnswer {
    /// Its number.
    #[schema(format = "uint64")]
    answer: u64,
    /// The room, meter or panel that it is about.
    #[schema(value_type = SubjectId)]
    subject: String,
    /// Length of the answer; `null` where there is none.
    #[schema(format = "uint64", required)]
    bytes: Option<u64>,
    /// Why there will be none; `null` where there is one or will be.
    #[schema(value_type = Option<Problem>, required)]
    problem: Option<Value>,
}

fn hexadecimal(Subject(id): Subject) -> String {
    JobId::from_bytes(id).to_string()
}

fn told(part: Part) -> Result<PartAnswer, ApiError> {
    let (bytes, problem) = match part.result {
        None => (None, None),
        Some(PartResult::Answer(bytes)) => (Some(bytes), None),
        // What is stored was written by the service: a text that is no JSON is a fault of its own.
        Some(PartResult::Refusal(text)) => (None, Some(serde_json::from_str(&text).map_err(ApiError::internal)?)),
    };
    Ok(PartAnswer { answer: part.number, subject: hexadecimal(part.subject), bytes, problem })
}

#[derive(Serialize, ToSchema)]
#[schema(as = JobPartPage)]
pub(in crate::routes) struct Page {
    answers: Vec<PartAnswer>,
    /// The `after` of the next page; `null` at the end.
    #[schema(value_type = Option<AfterNumber>, required)]
    next: Option<String>,
}

/// What became of each part of a job
#[utoipa::path(get, path = "/v1/jobs/{job}/answers", tag = "jobs", operation_id = "listAnswers",
    params(("job" = JobId, Path, description = "The job."),
        ("after" = Option<AfterNumber>, Query, description = "The last entry of the page before, its `next`."),
        ("limit" = Option<PageLimit>, Query, description = "Most entries.")),
    security(("bearer" = ["relay"]), ("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "A page, by number.", body = Page),
        Refusals<(Keyed, Named, Argument, UnknownJob)>))]
pub(in crate::routes) async fn list(
    Viewer { caller, role }: Viewer,
    State(state): State<AppState>,
    Segments(job): Segments<String>,
    QueryParameters(query): QueryParameters<PageRequest>,
) -> Result<Json<Page>, ApiError> {
    let job = find(&state, &caller.tenant, role, parse_id(&job)?).await?;
    let after = query.after::<Number>()?.map_or(0, |Number(after)| after.saturating_add(1));
    let limit = query.limit()?;
    let mut parts = state.store().parts(&caller.tenant, job.id, after, limit.min(MAX_PAGE) + 1).await?;
    let more = parts.len() > limit;
    parts.truncate(limit);
    let next = parts.last().filter(|_| more).map(|part| part.number.to_string());
    let answers = parts.into_iter().map(told).collect::<Result<_, _>>()?;
    Ok(Json(Page { answers, next }))
}

/// The number of an answer: decimal digits.
struct Number(u64);

impl std::str::FromStr for Number {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        number.map(Self).ok_or("the number of an answer is decimal digits, less than 2^64")
    }
}

/// An answer of a job
///
/// The same bytes that a request would have been answered with, with a receipt before them if the job was made so.
#[utoipa::path(get, path = "/v1/jobs/{job}/answers/{number}", tag = "jobs", operation_id = "showAnswer",
    params(("job" = JobId, Path, description = "The job."),
        ("number" = u64, Path, description = "The number of the answer, from 0.")),
    security(("bearer" = ["relay"]), ("bearer" = ["tenant"]), ("bearer" = ["auditor"])),
    responses((status = 200, description = "The operator's answer.", content((Octets = "application/octet-stream"), (Receipted = "application/vnd.blindrelay.receipted"))),
        Refusals<(Keyed, Named, (UnknownJob, UnknownAnswer, AnswerOpen, AnswerRefused))>))]
pub(in crate::routes) async fn show(
    Viewer { caller, role }: Viewer,
    State(state): State<AppState>,
    Segments((job, number)): Segments<(String, String)>,
) -> Result<Sent, ApiError> {
    let Number(number) = number.parse().map_err(|error: &str| RequestError::Id(error.to_owned()))?;
    let job = find(&state, &caller.tenant, role, parse_id(&job)?).await?;
    let part = state.store().parts(&caller.tenant, job.id, number, 1).await?.pop();
    match part.ok_or(ApiError::Unknown(Resource::Answer))?.result {
        None => Err(Conflict::Open { number }.into()),
        Some(PartResult::Refusal(text)) => {
            let problem: Value = serde_json::from_str(&text).map_err(ApiError::internal)?;
            let field = |name| problem.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            Err(Conflict::Refused { code: field("code"), detail: field("detail") }.into())
        }
        Some(PartResult::Answer(_)) => {
            let answer = state.store().part_answer(&caller.tenant, job.id, number).await?;
            Ok(as_sent(answer.ok_or(ApiError::Unknown(Resource::Job))?.to_vec(), job.receipts))
        }
    }
}
