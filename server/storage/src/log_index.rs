//! Whether anybody has committed anything since, without a statement.
//!
//! SQLite's log has an index in memory that all connections of all processes share: the file `-shm` beside the database. At the end of every commit, and before it is acknowledged, its header is
//! written anew, with a counter of transactions (`WalIndexHdr`, <https://sqlite.org/walformat.html>, section 2.2). As long as the header is the same, so is every row.

use std::fs::File;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Bytes of the header, of which there are two copies.
const HEADER: usize = 48;
/// Where the header says that it is one.
const IS_INITIALISED: usize = 12;
/// Files that a process opens at most, because it never closes one.
const MOST_FILES: usize = 256;

static FILES: AtomicUsize = AtomicUsize::new(0);

/// A state of a database: two that are equal have the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark([u8; HEADER]);

/// The index of a database's log.
#[derive(Debug)]
pub(crate) struct LogIndex {
    path: PathBuf,
    file: Mutex<Option<&'static File>>,
}

impl LogIndex {
    /// The index of the database at this path, which is in WAL mode and open.
    pub(crate) fn of(database: &str) -> Self {
        Self { path: PathBuf::from(format!("{database}-shm")), file: Mutex::new(None) }
    }

    /// The state of the database as it is now; `None` where that cannot be told, as in the middle of a commit.
    pub(crate) fn mark(&self) -> Option<Mark> {
        let mut current = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // Once the last connection is closed SQLite removes the file, and makes another for the next.
        let known = current.filter(|file| file.metadata().is_ok_and(|file| file.nlink() > 0));
        *current = known.or_else(|| self.open());
        let mut headers = [0; 2 * HEADER];
        (*current)?.read_exact_at(&mut headers, 0).ok()?;
        let (first, second) = headers.split_first_chunk::<HEADER>()?;
        // Writers write the second copy before the first.
        let whole = first == second && first.get(IS_INITIALISED).is_some_and(|&flag| flag != 0);
        whole.then_some(Mark(*first))
    }

    /// Opens the file for as long as the process lives: closing any descriptor of it would give back the locks that SQLite has on it through another one (POSIX, `fcntl`).
    fn open(&self) -> Option<&'static File> {
        let free = |count: usize| (count < MOST_FILES).then_some(count + 1);
        FILES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, free).ok()?;
        let Ok(file) = File::open(&self.path) else {
            FILES.fetch_sub(1, Ordering::Relaxed);
            return None;
        };
        Some(Box::leak(Box::new(file)))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};

    use super::*;

    async fn open(path: &Path) -> AnyConnection {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&format!("sqlite:{}?mode=rwc", path.display())).await.unwrap();
        execute(&mut connection, "PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000").await;
        connection
    }

    async fn execute(connection: &mut AnyConnection, text: &str) {
        sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(connection).await.unwrap();
    }

    #[tokio::test]
    async fn a_mark_changes_with_every_commit_and_only_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let index = LogIndex::of(path.to_str().unwrap());
        assert_eq!(index.mark(), None);
        let (mut first, mut second) = (open(&path).await, open(&path).await);
        execute(&mut first, "CREATE TABLE rows (number)").await;
        let mut seen = vec![index.mark().expect("a log")];
        for turn in 0..50 {
            for connection in [&mut first, &mut second] {
                execute(connection, "INSERT INTO rows VALUES (7)").await;
                let now = index.mark().expect("a log");
                assert!(!seen.contains(&now), "turn {turn}");
                seen.push(now);
                execute(connection, "SELECT * FROM rows; BEGIN IMMEDIATE; INSERT INTO rows VALUES (8); ROLLBACK").await;
                assert_eq!(index.mark(), Some(now), "turn {turn}");
            }
            if turn % 10 == 9 {
                // Rows move from the log to the file, and the log begins anew with the next commit.
                execute(&mut first, "PRAGMA wal_checkpoint(RESTART)").await;
            }
        }
    }

    #[tokio::test]
    async fn a_mark_of_files_that_are_gone_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let index = LogIndex::of(path.to_str().unwrap());
        let mut connection = open(&path).await;
        execute(&mut connection, "CREATE TABLE rows (number)").await;
        let before = index.mark().expect("a log");
        connection.close().await.unwrap();
        assert_eq!(index.mark(), None);
        let mut connection = open(&path).await;
        execute(&mut connection, "INSERT INTO rows VALUES (7)").await;
        assert_ne!(index.mark().expect("another log"), before);
        // Nothing that the index has done took a lock from SQLite: somebody who changes rows keeps everybody else out.
        execute(&mut connection, "BEGIN IMMEDIATE").await;
        let another = LogIndex::of(path.to_str().unwrap());
        assert!(another.mark().is_some());
        drop(another);
        let held = std::process::Command::new("sqlite3").arg(&path).arg("BEGIN IMMEDIATE").output();
        if let Ok(held) = held {
            assert!(!held.status.success(), "the lock is gone");
        }
    }
}
