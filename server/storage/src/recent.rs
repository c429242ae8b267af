//! Rows that every request asks for, kept for as long as nobody has committed anything.
//!
//! Who may come in, which room there is and whether keys are revoked is asked of the database every time, because it may have changed in any process. With SQLite, waking the thread of a connection and
//! being woken by it costs more than the statement, and whether anything has changed can be told without: see `log_index`.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use blindrelay_server::telemetry::TRACES;
use tokio::sync::OnceCell;
use tracing::Instrument as _;

use crate::error::Failure;
use crate::log_index::{LogIndex, Mark};

/// Answers that are kept of one kind of question.
const MOST: usize = 4096;

/// An answer, or the place where those who ask wait for it; an error where whoever asked was refused.
type Slot<A> = Arc<OnceCell<Result<Option<A>, Refused>>>;

#[derive(Clone, Copy, Debug)]
struct Refused;

/// Answers to one kind of question, of one state of the database.
#[derive(Debug)]
pub(crate) struct Recent<Q, A>(Mutex<Answers<Q, A>>);

#[derive(Debug)]
struct Answers<Q, A> {
    mark: Option<Mark>,
    known: HashMap<Q, Slot<A>>,
}

impl<Q, A> Default for Recent<Q, A> {
    fn default() -> Self {
        Self(Mutex::new(Answers { mark: None, known: HashMap::new() }))
    }
}

impl<Q: Eq + Hash, A: Clone> Recent<Q, A> {
    fn answers(&self) -> MutexGuard<'_, Answers<Q, A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the answer to a question is that is asked when the database is in this state.
    fn slot(&self, mark: Mark, question: Q) -> Slot<A> {
        let mut answers = self.answers();
        if answers.mark != Some(mark) || answers.known.len() >= MOST {
            answers.known.clear();
            answers.mark = Some(mark);
        }
        Arc::clone(answers.known.entry(question).or_default())
    }

    /// Drops an answer that is none, if it is still known.
    fn forget(&self, slot: &Slot<A>) {
        self.answers().known.retain(|_, known| !Arc::ptr_eq(known, slot));
    }

    /// The answer as the database has it now: the one that is known, where nothing was committed since, or else that of `ask`. Of several that ask the same at the same time one does, and the others
    /// wait: whoever asks later, with nothing committed in between, would be told the same.
    pub(crate) async fn answer(
        &self,
        index: Option<&LogIndex>,
        question: Q,
        ask: impl Future<Output = Result<Option<A>, Failure>>,
    ) -> Result<Option<A>, Failure> {
        let ask = ask.instrument(tracing::info_span!(target: TRACES, "read rows"));
        // What is asked after the mark was taken may be newer than the mark. That does no harm: whoever finds it under the mark has seen the database in that state later.
        let Some(mark) = index.and_then(LogIndex::mark) else { return ask.await };
        let slot = self.slot(mark, question);
        let (mut ask, mut failure) = (Some(ask), None);
        let asking = async || match ask.take() {
            Some(ask) => ask.await.map_err(|error| {
                failure = Some(error);
                Refused
            }),
            None => Err(Refused),
        };
        if let Ok(answer) = slot.get_or_init(asking).await {
            return Ok(answer.clone());
        }
        self.forget(&slot);
        match (failure, ask) {
            (Some(failure), _) => Err(failure),
            // Somebody else was refused: everybody who waited for that asks, at the same time.
            (None, Some(ask)) => ask.await,
            (None, None) => Err(Failure::other(std::io::Error::other("a question was asked by nobody"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use futures_util::future::join_all;
    use sqlx::{AnyConnection, Connection as _};
    use tempfile::TempDir;

    use super::*;

    /// A database in a file, with a log.
    async fn database() -> (TempDir, AnyConnection, LogIndex) {
        sqlx::any::install_default_drivers();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let mut connection = AnyConnection::connect(&format!("sqlite:{}?mode=rwc", path.display())).await.unwrap();
        sqlx::raw_sql("PRAGMA journal_mode = WAL; CREATE TABLE rows (number)").execute(&mut connection).await.unwrap();
        (folder, connection, LogIndex::of(path.to_str().unwrap()))
    }

    #[tokio::test]
    async fn of_many_that_ask_the_same_one_does_until_something_is_committed() {
        let (_folder, mut connection, index) = database().await;
        let (recent, asked) = (Recent::default(), AtomicUsize::new(0));
        let ask = async |question: u8| {
            let ask = async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                asked.fetch_add(1, Ordering::Relaxed);
                Ok((question < 9).then_some(question))
            };
            recent.answer(Some(&index), question, ask).await.unwrap()
        };
        assert_eq!(join_all((0..50).map(|_| ask(7))).await, [Some(7); 50]);
        assert_eq!((ask(7).await, asked.load(Ordering::Relaxed)), (Some(7), 1));
        assert_eq!((ask(9).await, ask(9).await, asked.load(Ordering::Relaxed)), (None, None, 2));
        sqlx::raw_sql("INSERT INTO rows VALUES (1)").execute(&mut connection).await.unwrap();
        assert_eq!((ask(7).await, asked.load(Ordering::Relaxed)), (Some(7), 3));
        // Where nothing tells what was committed, everybody asks.
        let direct = recent.answer(None, 7, async { Ok(Some(8)) }).await.unwrap();
        assert_eq!(direct, Some(8));
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_waited_for_a_failure_ask_at_the_same_time() {
        let (_folder, _connection, index) = database().await;
        let recent = Recent::default();
        let asked = AtomicUsize::new(0);
        let ask = async || {
            let ask = async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                match asked.fetch_add(1, Ordering::Relaxed) {
                    0 => Err(Failure::other(std::io::Error::other("the disk is gone"))),
                    _ => Ok(Some(1)),
                }
            };
            recent.answer(Some(&index), (), ask).await
        };
        let begun = tokio::time::Instant::now();
        let answers = join_all((0..50).map(|_| ask())).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1);
        assert_eq!(asked.load(Ordering::Relaxed), 50);
        assert_eq!(begun.elapsed(), Duration::from_millis(400));
        assert_eq!(ask().await.unwrap(), Some(1));
    }
}
