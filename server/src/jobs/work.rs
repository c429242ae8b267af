//! Working on a job: its parts one after the other, each through the same queue of computations that requests wait in.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{JobName, Unfinished};
use crate::access::{Caller, over};
use crate::error::{ApiError, RequestError};
use crate::id::{LedgerId, RoomId};
use crate::ledger::Ledger;
use crate::matching;
use crate::receipts::Sent;
use crate::state::AppState;
use crate::store::{LedgerName, Outcome, StoreError, StoredJob, Subject, Work};
use crate::telemetry::TRACES;

/// How often a part is tried again after a fault of the service.
const FAULTS: usize = 3;

/// How often a part is tried again that the store keeps from being done, before the job is given back.
const STORE_FAILURES: usize = 5;

/// Longest wait before a part is tried again.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Who a job works for, as it is now, and whether it is suspended.
async fn caller(state: &AppState, name: &JobName) -> Result<(Caller, bool), StoreError> {
    let stored = state.store().tenant(&name.tenant).await?;
    let suspended = stored.as_ref().is_some_and(|stored| over(stored.suspended, state.clock().now()));
    let limits = stored.map(|stored| stored.limits).unwrap_or_default();
    Ok((Caller { tenant: name.tenant.clone(), limits }, suspended))
}

/// Works on a job until it is finished.
pub(super) async fn work(state: &AppState, name: &JobName) -> Result<(), Unfinished> {
    let store = state.store();
    let Some(job) = store.begin_job(&name.tenant, name.job, state.clock().now()).await? else { return Ok(()) };
    if job.finished.is_some() {
        return Ok(());
    }
    let request = match store.job_request(&name.tenant, name.job).await {
        Err(StoreError::UnknownJob) => return Ok(()),
        other => other?,
    };
    tracing::info!(job = %name.job, work = job.work.as_str(), parts = job.parts, "a job is worked on");
    let mut from = 0;
    loop {
        let Some(part) = store.open_part(&name.tenant, name.job, from).await? else {
            // Somebody else may have left a part open below this one, and died.
            if std::mem::take(&mut from) == 0 {
                return Ok(());
            }
            continue;
        };
        let begun = Instant::now();
        let outcome = outcome(state, name, &job, part.subject, &request).await?;
        match keep(state, name, part.number, outcome).await {
            Err(StoreError::UnknownJob) => return Ok(()),
            other => other?,
        }
        state.pace().note(begun.elapsed());
        from = part.number + 1;
    }
}

/// Keeps what became of a part; an answer that the tenant has no room for becomes a refusal.
async fn keep(state: &AppState, name: &JobName, part: u64, outcome: Outcome) -> Result<(), StoreError> {
    let quota = state.quota(&caller(state, name).await?.0);
    let (store, now) = (state.store(), state.clock().now());
    match store.finish_part(&name.tenant, name.job, part, outcome, now, quota).await {
        Err(error @ StoreError::Quota { .. }) => {
            let refusal = Outcome::Refusal(ApiError::from(error).problem());
            store.finish_part(&name.tenant, name.job, part, refusal, now, quota).await.map(drop)
        }
        other => other.map(drop),
    }
}

/// Computes a part, again and again while what keeps it from being computed passes.
async fn outcome(
    state: &AppState,
    name: &JobName,
    job: &StoredJob,
    subject: Subject,
    request: &Arc<[u8]>,
) -> Result<Outcome, Unfinished> {
    let (mut faults, mut failures) = (0, 0);
    loop {
        if state.is_stopping() {
            return Err(Unfinished::Stopping);
        }
        let error = match compute(state, name, job, subject, request).await {
            Ok((_, answer)) => return Ok(Outcome::Answer(answer.into())),
            Err(error) => error,
        };
        let wait = match &error {
            ApiError::Busy { .. } | ApiError::Overdue { .. } | ApiError::Contended { .. } => Duration::from_millis(200),
            ApiError::Throttled { seconds, .. } => Duration::from_secs(u64::from(*seconds)),
            ApiError::StoreUnavailable if failures < STORE_FAILURES => {
                failures += 1;
                Duration::from_secs(1)
            }
            ApiError::StoreUnavailable => {
                return Err(StoreError::Unavailable("it cannot be reached".into()).into());
            }
            ApiError::Internal { .. } if faults < FAULTS => {
                faults += 1;
                Duration::from_secs(1)
            }
            _ => return Ok(Outcome::Refusal(error.problem())),
        };
        sleep(wait.min(LONGEST_WAIT)).await;
    }
}

#[tracing::instrument(target = TRACES, name = "part of a job", skip_all, fields(blindrelay.work = job.work.as_str()))]
async fn compute(
    state: &AppState,
    name: &JobName,
    job: &StoredJob,
    Subject(id): Subject,
    request: &Arc<[u8]>,
) -> Result<Sent, ApiError> {
    let (caller, suspended) = caller(state, name).await?;
    if suspended {
        return Err(RequestError::Suspended.into());
    }
    let place = state.enter(&caller)?;
    let request = request.to_vec();
    match job.work {
        Work::Match => {
            let (room, version) = state.room(&caller.tenant, RoomId::from_bytes(id)).await?;
            matching::evaluate(state, &caller, (&room, version), request, job.receipts, &place).await
        }
        Work::Report(family) => {
            let name = LedgerName { family, id: LedgerId::from_bytes(id) };
            let ledger = Ledger::open(state, caller, name).await?;
            ledger.report(state, job.receipts, request, &place).await
        }
    }
}
