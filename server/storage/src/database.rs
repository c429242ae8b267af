//! The database: connections, and changes as transactions.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use blindrelay_server::id::TenantId;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions as _, Connection as _, Transaction};

use crate::blobs::{BlobName, Staged};
use crate::columns::Columns;
use crate::error::{Failure, Late, OpenError};
use crate::folder;
use crate::log_index::LogIndex;
use crate::migrations::{self, Dialect};
use crate::settings::{DatabaseAddress, Settings};

/// How often a change is tried again that the database gave up in favour of another one.
const RETRIES: usize = 8;

/// From this age on a blob is not given a name any more: a sweep may take it for one that nobody names.
pub(crate) const WRITE_DEADLINE: Duration = Duration::from_mins(30);

/// A change of the rows, made as a whole or not at all. It may be tried several times.
pub(crate) trait Change: Send + Sync + 'static {
    /// What it answers.
    type Done: Send + 'static;

    /// Its statements.
    fn make(&self, work: &mut Work<'_>) -> impl Future<Output = Result<Self::Done, Failure>> + Send;
}

/// A change that is being made.
pub(crate) struct Work<'c> {
    transaction: Transaction<'c, Any>,
    unnamed: Vec<(TenantId, BlobName)>,
}

impl Work<'_> {
    /// Where its statements run.
    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }

    /// After this change no row names the blob.
    pub(crate) fn unname(&mut self, tenant: &TenantId, blob: BlobName) {
        self.unnamed.push((tenant.clone(), blob));
    }
}

/// All rows of a store.
pub(crate) struct Database {
    readers: AnyPool,
    /// SQLite has one writer at a time: here they wait in a queue, in the file they would wait by polling.
    writers: AnyPool,
    begin: &'static str,
    dialect: Dialect,
    /// Of a database in a file that has one.
    log_index: Option<LogIndex>,
}

impl Database {
    /// Connects, and brings the tables to their newest form.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, OpenError> {
        let database = Self::connect(settings).await?;
        database.prepare().await?;
        Ok(database)
    }

    /// Connects, and leaves the tables as they are.
    pub(crate) async fn connect(settings: &Settings) -> Result<Self, OpenError> {
        sqlx::any::install_default_drivers();
        let database = match &settings.database {
            DatabaseAddress::Sqlite(path) => Self::sqlite(path, settings).await?,
            DatabaseAddress::Postgres(address) => Self::postgres(address, settings).await?,
        };
        Ok(database)
    }

    async fn sqlite(path: &Path, settings: &Settings) -> Result<Self, OpenError> {
        let path = folder::create_file(path)?;
        let Some(text) = path.to_str() else { return Err(OpenError::PathText { path }) };
        let address = format!("sqlite:{}?mode=rw", percent_encoded(text));
        // The wait comes first: whoever opens the file while another process writes waits for it.
        let setup = format!(
            "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
            settings.wait().as_millis()
        );
        // The file is there and nobody restarts it: a connection that was good is good.
        let options = || pool(settings, setup.clone()).test_before_acquire(false).idle_timeout(None).max_lifetime(None);
        let readers = connect(options(), &address).await?;
        let writers = connect(options().max_connections(1), &address).await?;
        let mode = sqlx::query("PRAGMA journal_mode").fetch_one(&readers).await.map_err(OpenError::Database)?;
        let has_log = Columns(&mode).text("journal_mode").is_ok_and(|mode| mode == "wal");
        let log_index = has_log.then(|| LogIndex::of(text));
        Ok(Self { readers, writers, begin: "BEGIN IMMEDIATE", dialect: Dialect::Sqlite, log_index })
    }

    async fn prepare(&self) -> Result<(), OpenError> {
        if self.dialect == Dialect::Postgres {
            let mut connection = self.readers.acquire().await.map_err(OpenError::Database)?;
            return migrations::run(self.dialect, &mut connection, None).await;
        }
        let mut transaction = self.begin().await.map_err(OpenError::Database)?;
        migrations::run(self.dialect, &mut transaction, None).await?;
        transaction.commit().await.map_err(OpenError::Database)?;
        // From its first read on a connection holds the log. So one always does, and nothing is moved out of it when the writer's connection has to be closed on a full disk.
        let first = sqlx::query("SELECT 1 FROM holdings LIMIT 1").fetch_optional(&self.readers);
        first.await.map_err(OpenError::Database)?;
        Ok(())
    }

    async fn postgres(address: &str, settings: &Settings) -> Result<Self, OpenError> {
        // What is acknowledged is on the server's disk, whatever it is set to do by default.
        let setup = format!(
            "SET lock_timeout = {wait}; SET idle_in_transaction_session_timeout = 60000; \
             SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';",
            wait = settings.wait().as_millis()
        );
        let readers = connect(pool(settings, setup), address).await?;
        let begin = "BEGIN ISOLATION LEVEL READ COMMITTED";
        Ok(Self { writers: readers.clone(), readers, begin, dialect: Dialect::Postgres, log_index: None })
    }

    /// Where statements run that only read. Each is of one moment.
    pub(crate) fn read(&self) -> &AnyPool {
        &self.readers
    }

    /// What tells whether anybody has committed anything, where that can be told without a statement.
    pub(crate) const fn log_index(&self) -> Option<&LogIndex> {
        self.log_index.as_ref()
    }

    /// Everything as it is at one moment.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        self.readers
            .begin_with(match self.dialect {
                Dialect::Sqlite => "BEGIN",
                Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            })
            .await
    }

    /// A transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        self.writers.begin_with(self.begin).await
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether there is no table.
    pub(crate) async fn is_empty(&self) -> Result<bool, sqlx::Error> {
        let text = match self.dialect {
            Dialect::Sqlite => "SELECT name FROM sqlite_master LIMIT 1",
            Dialect::Postgres => {
                "SELECT CAST(tablename AS TEXT) AS name FROM pg_tables WHERE schemaname = current_schema() LIMIT 1"
            }
        };
        Ok(sqlx::query(text).fetch_optional(&self.readers).await?.is_none())
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }

    /// Makes a change; afterwards, the blobs that no row names any more.
    pub(crate) async fn change<C: Change>(
        &self,
        change: &C,
        staged: Option<&Staged>,
    ) -> Result<(C::Done, Vec<(TenantId, BlobName)>), Failure> {
        let mut tries = 0;
        loop {
            match self.attempt(change, staged).await {
                Err(Failure::Database(error)) if tries < RETRIES && gave_way(&error) => tries += 1,
                outcome => return outcome,
            }
        }
    }

    async fn attempt<C: Change>(
        &self,
        change: &C,
        staged: Option<&Staged>,
    ) -> Result<(C::Done, Vec<(TenantId, BlobName)>), Failure> {
        let mut connection = self.writers.acquire().await?;
        let (outcome, ended) = self.attempt_on(&mut connection, change, staged).await;
        if !ended {
            // Its transaction is in no known state, as after a write to a full disk: the next change has a new connection.
            drop(connection.detach());
        }
        outcome
    }

    /// Also says whether the transaction is known to have ended.
    async fn attempt_on<C: Change>(
        &self,
        connection: &mut AnyConnection,
        change: &C,
        staged: Option<&Staged>,
    ) -> (Result<(C::Done, Vec<(TenantId, BlobName)>), Failure>, bool) {
        let transaction = match connection.begin_with(self.begin).await {
            Ok(transaction) => transaction,
            Err(error) => return (Err(error.into()), false),
        };
        let mut work = Work { transaction, unnamed: Vec::new() };
        let made = change.make(&mut work).await.and_then(|done| in_time(staged).map(|()| done));
        let Work { transaction, unnamed } = work;
        match made {
            Ok(done) => match transaction.commit().await {
                Ok(()) => (Ok((done, unnamed)), true),
                Err(error) => (Err(error.into()), false),
            },
            Err(failure) => {
                let ended = transaction.rollback().await.is_ok();
                (Err(failure), ended)
            }
        }
    }
}

/// While a change holds its tenant's row no sweep looks at the names, so that this is the moment to ask how old the blob is.
fn in_time(staged: Option<&Staged>) -> Result<(), Failure> {
    let age = staged.map_or(Duration::ZERO, |staged| staged.begun.elapsed());
    if age < WRITE_DEADLINE {
        return Ok(());
    }
    Err(Failure::other(Late { seconds: age.as_secs(), limit: WRITE_DEADLINE.as_secs() }))
}

fn pool(settings: &Settings, setup: String) -> AnyPoolOptions {
    AnyPoolOptions::new().max_connections(settings.connections.max(1)).acquire_timeout(settings.wait()).after_connect(
        move |connection, _| {
            let setup = setup.clone();
            Box::pin(async move { sqlx::raw_sql(AssertSqlSafe(setup)).execute(connection).await.map(drop) })
        },
    )
}

async fn connect(options: AnyPoolOptions, address: &str) -> Result<AnyPool, OpenError> {
    let connection: AnyConnectOptions = address.parse().map_err(OpenError::Database)?;
    options.connect_with(connection.disable_statement_logging()).await.map_err(OpenError::Database)
}

/// Whether the database took a change back because of another one: `serialization_failure` and `deadlock_detected` of PostgreSQL.
fn gave_way(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| matches!(&*code, "40001" | "40P01"))
}

/// A path as part of an address: everything else than letters, digits and `/._-` as percent signs and digits.
fn percent_encoded(path: &str) -> String {
    path.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            text.push(byte.into());
        } else {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}
