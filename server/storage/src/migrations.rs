//! The tables' forms, in both databases, and the steps from each to the next.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, SqlSafeStr as _};

use crate::error::OpenError;

/// A form's number, its name, and the text that makes it from the one before.
type Step = (i64, &'static str, &'static str);

const SQLITE: [Step; 4] = [
    (1, "tables", include_str!("../migrations/sqlite/1_tables.sql")),
    (2, "receipts", include_str!("../migrations/sqlite/2_receipts.sql")),
    (3, "jobs", include_str!("../migrations/sqlite/3_jobs.sql")),
    (4, "backups", include_str!("../migrations/sqlite/4_backups.sql")),
];
const POSTGRES: [Step; 4] = [
    (1, "tables", include_str!("../migrations/postgres/1_tables.sql")),
    (2, "receipts", include_str!("../migrations/postgres/2_receipts.sql")),
    (3, "jobs", include_str!("../migrations/postgres/3_jobs.sql")),
    (4, "backups", include_str!("../migrations/postgres/4_backups.sql")),
];

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    fn steps(self) -> &'static [Step] {
        match self {
            Self::Sqlite => &SQLITE,
            Self::Postgres => &POSTGRES,
        }
    }
}

/// The newest form.
pub(crate) fn newest() -> i64 {
    SQLITE.last().map_or(0, |(form, ..)| *form)
}

/// Brings the tables to the newest form, or to another one that is not older than theirs; refuses those of a newer program.
pub(crate) async fn run(dialect: Dialect, connection: &mut AnyConnection, to: Option<i64>) -> Result<(), OpenError> {
    let known = to.unwrap_or_else(newest);
    let steps = dialect.steps().iter().filter(|(form, ..)| *form <= known);
    let migration = |&(form, name, text): &Step| {
        Migration::new(form, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    };
    let migrator = Migrator::with_migrations(steps.map(migration).collect());
    migrator.run(connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => OpenError::Newer { found, known },
        MigrateError::VersionMismatch(form) => OpenError::Foreign { form },
        source => OpenError::Migration { known, source },
    })
}
