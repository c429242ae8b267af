//! Jobs: what takes longer than a request may, such as the reports of all meters at the end of a month.
//!
//! What is to be done, and what is done of it, is in the store ([`crate::store::JobStore`]). A [`JobQueue`] only says whose turn it is: it gives each job to a service that has a free worker,
//! and to another one if that service dies. It may give a job twice, to two services at the same time, or too late; all that costs is time, since the store keeps the first
//! answer of each part. A queue may even forget: every service looks for unfinished jobs when it starts and from time to time.

mod local;
mod pace;
mod work;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::time::sleep;

pub use local::LocalQueue;
pub(crate) use pace::Pace;

use crate::id::{JobId, TenantId};
use crate::state::AppState;
use crate::store::StoreError;

/// A job of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobName {
    /// The tenant.
    pub tenant: TenantId,
    /// The job.
    pub job: JobId,
}

/// Why a queue does not take a job.
#[derive(Debug, thiserror::Error)]
#[error("the queue of jobs failed: {0}")]
pub struct QueueError(#[source] pub Box<dyn Error + Send + Sync>);

/// A worker gave a job back before its end; somebody else, or the same worker later, goes on with it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unfinished {
    /// The service stops.
    #[error("the service stops")]
    Stopping,
    /// The store cannot be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Works on a job until it is finished or given back.
pub type Worker = Arc<dyn Fn(JobName) -> BoxFuture<'static, Result<(), Unfinished>> + Send + Sync>;

/// Who has which job. Several services may share one queue.
#[async_trait]
pub trait JobQueue: Send + Sync + 'static {
    /// Adds a job; one that is waiting already is not added again.
    async fn push(&self, job: JobName) -> Result<(), QueueError>;

    /// Gives jobs to the worker, at most `at_once` at the same time, until `stop` ends; then waits for those that it has given. A job that was given back is given again.
    async fn run(&self, worker: Worker, at_once: usize, stop: BoxFuture<'static, ()>);
}

/// How often unfinished jobs are looked for that the queue may have forgotten, and finished ones that are too old.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Jobs that are looked at together.
const PAGE: usize = 256;

/// Works on jobs until `stop` ends, and gives back what is not finished by then. [`crate::serve()`] calls it; who uses [`crate::app`] alone has to, for jobs to be done.
pub async fn run_jobs(state: AppState, stop: impl Future<Output = ()> + Send + 'static) {
    let at_once = state.limits().job_workers;
    let looking = tokio::spawn(look(state.clone()));
    if at_once == 0 {
        stop.await;
    } else {
        let queue = Arc::clone(state.jobs());
        let working = state.clone();
        let worker: Worker = Arc::new(move |job| {
            let state = working.clone();
            Box::pin(async move { work::work(&state, &job).await })
        });
        queue.run(worker, at_once, Box::pin(stop)).await;
    }
    looking.abort();
}

async fn look(state: AppState) {
    loop {
        if let Err(error) = push_unfinished(&state).await {
            tracing::warn!(%error, "unfinished jobs were not looked for");
        }
        if let Err(error) = remove_old(&state).await {
            tracing::warn!(%error, "old jobs were not removed");
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn push_unfinished(state: &AppState) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = state.store().unfinished_jobs(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.clone());
        for (tenant, job) in page {
            if let Err(error) = state.jobs().push(JobName { tenant, job }).await {
                tracing::warn!(%error, "a job waits to be looked for again");
            }
        }
    }
}

async fn remove_old(state: &AppState) -> Result<(), StoreError> {
    let age = u64::try_from(state.limits().job_age().as_millis()).unwrap_or(u64::MAX);
    let before = crate::time::UnixMillis(state.clock().now().0.saturating_sub(age));
    loop {
        let page = state.store().finished_jobs(before, PAGE).await?;
        if page.is_empty() {
            return Ok(());
        }
        for (tenant, job) in page {
            match state.store().remove_job(&tenant, job).await {
                // Another service was faster.
                Ok(()) | Err(StoreError::UnknownJob) => {}
                Err(error) => return Err(error),
            }
        }
    }
}
