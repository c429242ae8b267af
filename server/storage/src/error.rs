//! Why a store cannot be opened, and what goes wrong in an open one.

use std::path::PathBuf;

use blindrelay_server::store::StoreError;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A folder or file cannot be made or used.
    #[error("{path} cannot be used: {source}", path = path.display())]
    Path {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The path of a SQLite file is not UTF-8.
    #[error("the path {path} is not UTF-8", path = path.display())]
    PathText {
        /// The path.
        path: PathBuf,
    },
    /// The database cannot be reached or refuses its work.
    #[error("the database cannot be used: {0}")]
    Database(#[source] sqlx::Error),
    /// A newer program has changed the database's tables.
    #[error("the database has tables of form {found}, this program knows forms up to {known}: use a newer program")]
    Newer {
        /// The form of the database.
        found: i64,
        /// The newest form that this program knows.
        known: i64,
    },
    /// The tables were made by another text than this program's for the same form.
    #[error("form {form} of the database's tables is not the one that this program knows")]
    Foreign {
        /// The form.
        form: i64,
    },
    /// The tables cannot be brought to their newest form.
    #[error("the database's tables cannot be brought to form {known}: {source}")]
    Migration {
        /// The newest form.
        known: i64,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// The tables of the queue of jobs cannot be made or brought to their newest form.
    #[error("the tables of the queue of jobs cannot be made: {0}")]
    Queue(#[source] sqlx::migrate::MigrateError),
    /// The place of the blobs cannot be used.
    #[error("the blobs' place cannot be used: {0}")]
    Blobs(#[source] object_store::Error),
}

/// Something stored is not as it was written. Carries names, never content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// A row names a blob that is not there.
    #[error("blob {blob} is missing")]
    Missing {
        /// Tenant and name.
        blob: String,
    },
    /// A blob has another digest than the one it was written under.
    #[error("blob {blob} is damaged: its {bytes} bytes have another digest")]
    Digest {
        /// Tenant and name.
        blob: String,
        /// How long it is.
        bytes: usize,
    },
    /// A column has a value that is never written to it.
    #[error("column {column} has a value that is never written")]
    Column {
        /// Its name.
        column: &'static str,
    },
}

/// A number that does not fit into the database's 64-bit columns.
#[derive(Debug, thiserror::Error)]
#[error("{0} does not fit into a column")]
pub(crate) struct TooLarge(pub(crate) u64);

/// The blob was written so long ago that a sweep may have taken it for one that nobody names.
#[derive(Debug, thiserror::Error)]
#[error("the change took {seconds} seconds, {limit} are allowed")]
pub(crate) struct Late {
    pub(crate) seconds: u64,
    pub(crate) limit: u64,
}

/// Why a step inside the store fails. What is refused has not happened; of everything else that is not known.
#[derive(Debug)]
pub(crate) enum Failure {
    Refused(StoreError),
    Database(sqlx::Error),
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl Failure {
    pub(crate) fn other(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Other(Box::new(error))
    }
}

impl From<StoreError> for Failure {
    fn from(refused: StoreError) -> Self {
        Self::Refused(refused)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Damage> for Failure {
    fn from(damage: Damage) -> Self {
        Self::other(damage)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refused) => refused,
            Failure::Database(error) => Self::Unavailable(Box::new(error)),
            Failure::Other(error) => Self::Unavailable(error),
        }
    }
}
