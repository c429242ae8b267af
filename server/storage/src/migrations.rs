//! The tables' forms, in both databases, and the steps from each to the next.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, SqlSafeStr as _};

use crate::error::OpenError;

/// A form's number, its name, and the text that makes it from the one before.
type Step = (i64, &'static str, &'static str);

const SQLITE: [Step; 2] = [
    (1, "tables", include_str!("../migrations/sqlite/1_tables.sql")),
    (3, "jobs", include_str!("../migrations/sqlite/3_jobs.sql")),
];
const POSTGRES: [Step; 2] = [
    (1, "tables", include_str!("../migrations/postgres/1_tables.sql")),
    (3, "jobs", include_str!("../migrations/postgres/3_jobs.sql")),
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

/// Brings the tables to the newest form; refuses those of a newer program.
pub(crate) async fn run(dialect: Dialect, connection: &mut AnyConnection) -> Result<(), OpenError> {
    let steps = dialect.steps();
    let known = steps.last().map_or(0, |(form, ..)| *form);
    let migration = |&(form, name, text): &Step| {
        Migration::new(form, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    };
    let migrator = Migrator::with_migrations(steps.iter().map(migration).collect());
    migrator.run(connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => OpenError::Newer { found, known },
        MigrateError::VersionMismatch(form) => OpenError::Foreign { form },
        source => OpenError::Migration { known, source },
    })
}
