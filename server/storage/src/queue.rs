//! Who works on which job, kept beside the store: workers of `apalis`, in a SQLite file of their own or in the schema `apalis` of the store's PostgreSQL database.
//!
//! The queue holds names of jobs and nothing else. What it forgets is found again in the store, and what it gives twice is kept once there (`blindrelay_server::jobs`), so that
//! its writes need not be as durable as the store's.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use apalis_core::backend::TaskSink as _;
use apalis_core::error::{BoxDynError, WorkerError};
use apalis_core::task::builder::TaskBuilder;
use apalis_core::worker::builder::WorkerBuilder;
use apalis_core::worker::context::WorkerContext;
use apalis_core::worker::event::Event;
use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use async_trait::async_trait;
use blindrelay_server::id::{JobId, TenantId};
use blindrelay_server::jobs::{JobName, JobQueue, QueueError, Worker};
use futures_util::future::{BoxFuture, FutureExt as _, Shared};
use futures_util::stream::{BoxStream, StreamExt as _};
use serde::{Deserialize, Serialize};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use tower::limit::ConcurrencyLimitLayer;

use crate::error::OpenError;
use crate::folder;
use crate::settings::{DatabaseAddress, Settings};

/// Name of the queue.
const QUEUE: &str = "blindrelay-jobs";

/// How often a worker says that it lives, and looks for jobs.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// After so many missed heartbeats its jobs are given to others.
const MISSED: usize = 10;

/// How long a worker waits before it gives a job back, or begins again after the database was gone.
const PAUSE: Duration = Duration::from_secs(1);

/// A job is given again however often it was given back.
const ATTEMPTS: usize = i32::MAX as usize;

/// A job as the queue keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    tenant: String,
    job: String,
}

impl Waiting {
    /// `None` where somebody else has written it.
    fn name(&self) -> Option<JobName> {
        Some(JobName { tenant: TenantId::new(&self.tenant)?, job: self.job.parse::<JobId>().ok()? })
    }
}

/// A queue that survives restarts. Clones are the same queue.
#[derive(Clone)]
pub struct DurableQueue(Database);

#[derive(Clone)]
enum Database {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// The queue's file beside the rows' one.
fn beside(rows: &Path) -> PathBuf {
    rows.with_extension("queue.sqlite")
}

impl DurableQueue {
    /// Opens the queue of a store at these places, and makes what is not there.
    pub async fn open(settings: &Settings) -> Result<Self, OpenError> {
        let database = match &settings.database {
            DatabaseAddress::Sqlite(rows) => Self::sqlite(&beside(rows), settings).await?,
            DatabaseAddress::Postgres(address) => Self::postgres(address, settings).await?,
        };
        Ok(Self(database))
    }

    async fn sqlite(path: &Path, settings: &Settings) -> Result<Database, OpenError> {
        let path = folder::create_file(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(settings.wait())
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new().max_connections(2).acquire_timeout(settings.wait());
        let pool = pool.connect_with(options).await.map_err(OpenError::Database)?;
        SqliteStorage::migrations().run(&pool).await.map_err(OpenError::Queue)?;
        Ok(Database::Sqlite(pool))
    }

    async fn postgres(address: &str, settings: &Settings) -> Result<Database, OpenError> {
        let options: PgConnectOptions = address.parse().map_err(OpenError::Database)?;
        let pool = PgPoolOptions::new().max_connections(3).acquire_timeout(settings.wait());
        let pool = pool.connect_with(options.disable_statement_logging()).await.map_err(OpenError::Database)?;
        PostgresStorage::migrations().run(&pool).await.map_err(OpenError::Queue)?;
        Ok(Database::Postgres(pool))
    }

    /// Waits for what is being read and changed, and closes the database.
    pub async fn close(&self) {
        match &self.0 {
            Database::Sqlite(pool) => pool.close().await,
            Database::Postgres(pool) => pool.close().await,
        }
    }
}

fn on_sqlite(pool: &SqlitePool) -> SqliteStorage<Waiting> {
    let config = apalis_sqlite::Config::default().queue(QUEUE).batch_size(1).heartbeat_interval(HEARTBEAT);
    SqliteStorage::new(pool).with_config(config.missed_heartbeats(MISSED))
}

fn on_postgres(pool: &PgPool) -> PostgresStorage<Waiting> {
    let config = apalis_postgres::Config::default().queue(QUEUE).batch_size(1).heartbeat_interval(HEARTBEAT);
    PostgresStorage::new(pool).with_config(config.missed_heartbeats(MISSED))
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> QueueError {
    QueueError(Box::new(error))
}

/// Whether the queue has the job already.
fn is_there(error: &apalis_postgres::Error) -> bool {
    matches!(error, apalis_postgres::Error::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
}

/// Gives a job to the worker.
fn given(worker: Worker, waiting: Waiting) -> BoxFuture<'static, Result<(), BoxDynError>> {
    Box::pin(async move {
        let Some(name) = waiting.name() else { return Ok(()) };
        let Err(reason) = worker(name).await else { return Ok(()) };
        tracing::warn!(job = waiting.job, %reason, "a job is given back");
        tokio::time::sleep(PAUSE).await;
        let reason: BoxDynError = Box::new(reason);
        Err(reason)
    })
}

/// What workers of a backend tell, as long as they are asked.
macro_rules! events {
    ($backend:expr, $worker:expr, $at_once:expr, $context:expr) => {{
        let worker = Arc::clone($worker);
        let job = move |waiting: Waiting| given(Arc::clone(&worker), waiting);
        let limit = ConcurrencyLimitLayer::new($at_once);
        WorkerBuilder::new($context.clone()).backend($backend).layer(limit).build(job).stream().boxed()
    }};
}

type Events = BoxStream<'static, Result<Event, WorkerError>>;

impl DurableQueue {
    fn events(&self, worker: &Worker, at_once: usize, context: &WorkerContext) -> Events {
        match &self.0 {
            Database::Sqlite(pool) => events!(on_sqlite(pool), worker, at_once, context),
            Database::Postgres(pool) => events!(on_postgres(pool), worker, at_once, context),
        }
    }

    /// Gives jobs to the worker until `stop` ends, or the database fails.
    async fn attempt(&self, worker: &Worker, at_once: usize, stop: Stop) -> Result<(), QueueError> {
        let name = JobId::random().map_err(failed)?.to_string();
        let context = WorkerContext::new(&name);
        let mut events = self.events(worker, at_once, &context);
        let mut stopping = false;
        loop {
            tokio::select! {
                () = stop.clone(), if !stopping => {
                    stopping = true;
                    if context.stop().is_err() {
                        // It has not begun.
                        return Ok(());
                    }
                }
                event = events.next() => match event {
                    None => return Ok(()),
                    Some(event) => drop(event.map_err(failed)?),
                },
            }
        }
    }
}

type Stop = Shared<BoxFuture<'static, ()>>;

#[async_trait]
impl JobQueue for DurableQueue {
    async fn push(&self, JobName { tenant, job }: JobName) -> Result<(), QueueError> {
        let waiting = Waiting { tenant: tenant.to_string(), job: job.to_string() };
        let key = format!("{tenant}/{job}");
        let task = TaskBuilder::new(waiting).idempotency_key(key).max_attempts(ATTEMPTS).build();
        match &self.0 {
            Database::Sqlite(pool) => on_sqlite(pool).push_task(task).await.map_err(failed),
            Database::Postgres(pool) => match on_postgres(pool).push_task(task).await {
                Err(apalis_core::backend::TaskSinkError::PushError(error)) if is_there(&error) => Ok(()),
                other => other.map_err(failed),
            },
        }
    }

    async fn run(&self, worker: Worker, at_once: usize, stop: BoxFuture<'static, ()>) {
        let stop = stop.shared();
        while stop.peek().is_none() {
            if let Err(error) = self.attempt(&worker, at_once, stop.clone()).await {
                tracing::warn!(%error, "the workers of the queue of jobs begin again");
                tokio::select! {
                    () = stop.clone() => {}
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
    }
}
