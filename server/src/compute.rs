//! Computation beside the asynchronous threads: a fixed number of threads and a queue of fixed length.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;
use tracing::Span;

use crate::accounts::Entry;
use crate::error::ApiError;
use crate::telemetry::{QueueMeter, TRACES};

/// Threads that compute for all requests. As many requests as there are threads compute at a time, each helped by the threads that have
/// nothing else to do; a fixed number wait, in the order in which they came, and none longer than is allowed.
#[derive(Clone)]
pub struct ComputePool(Arc<Inner>);

struct Inner {
    pool: ThreadPool,
    line: Mutex<Line>,
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    threads: usize,
    queue_length: usize,
    patience: Duration,
    meter: QueueMeter,
}

/// What tells whoever waits for a job that it is done.
type Tell = Box<dyn FnOnce()>;

type Job = Box<dyn FnOnce() -> Tell + Send>;

/// Jobs that run, and those that wait. A thread that is done with a job begins the next one by itself: nobody has to be woken in between.
#[derive(Default)]
struct Line {
    running: usize,
    waiting: BTreeMap<u64, Job>,
    next: u64,
}

/// A job that waits, until it is dropped.
struct Waits {
    inner: Arc<Inner>,
    number: u64,
}

/// A place in the queue. Dropping it, for example with the request of a client that went away, gives the place to somebody else.
pub struct Place {
    compute: ComputePool,
    permit: Arc<OwnedSemaphorePermit>,
    _turn: Option<OwnedSemaphorePermit>,
    account: Option<Arc<Entry>>,
}

impl Inner {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a job, or puts it at the end of the line, where it has a number.
    fn begin(self: &Arc<Self>, job: Job) -> Option<Waits> {
        let mut line = self.line();
        if line.running < self.threads {
            line.running += 1;
            drop(line);
            self.spawn(job);
            return None;
        }
        let number = line.next;
        line.next += 1;
        line.waiting.insert(number, job);
        Some(Waits { inner: Arc::clone(self), number })
    }

    /// Runs a job on a thread of the pool, and then the next one that waits. From there the next one is at the head of the thread's own work, but not nested into this one: a
    /// thread that runs it while it waits for the parts of a third job goes back to that afterwards.
    fn spawn(self: &Arc<Self>, job: Job) {
        let inner = Arc::clone(self);
        self.pool.spawn(move || {
            let tell = job();
            let mut line = inner.line();
            let next = line.waiting.pop_first();
            if next.is_none() {
                line.running -= 1;
            }
            drop(line);
            if let Some((_, next)) = next {
                inner.spawn(next);
            }
            tell();
        });
    }
}

impl Waits {
    /// Takes the job out of the line; `false` where it has begun.
    fn leave(&self) -> bool {
        let job = self.inner.line().waiting.remove(&self.number);
        job.is_some()
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.leave();
    }
}

impl ComputePool {
    /// A pool of `threads` threads, 0 for as many as the CPU has, and a queue of `queue_length` requests, each of which waits for a thread no longer than
    /// `patience`: how long a queue takes depends on what the requests in it compute, from microseconds to half a second each.
    pub fn new(threads: usize, queue_length: usize, patience: Duration) -> Result<Self, ThreadPoolBuildError> {
        let threads = if threads == 0 { thread::available_parallelism().map_or(1, usize::from) } else { threads };
        let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|i| format!("compute-{i}")).build()?;
        let places = threads.saturating_add(queue_length).min(Semaphore::MAX_PERMITS);
        Ok(Self(Arc::new(Inner {
            pool,
            line: Mutex::default(),
            places: Arc::new(Semaphore::new(places)),
            turns: Arc::new(Semaphore::new(threads)),
            threads,
            queue_length,
            patience,
            meter: QueueMeter::default(),
        })))
    }

    /// A place in the queue, or [`ApiError::Busy`] at once where there is none.
    pub fn enter(&self) -> Result<Place, ApiError> {
        let permit = Arc::clone(&self.0.places).try_acquire_owned();
        let permit = permit.map_err(|_| ApiError::Busy { waiting: self.0.queue_length })?;
        Ok(Place { compute: self.clone(), permit: Arc::new(permit), _turn: None, account: None })
    }

    /// A place for a request with a long body that is in memory already. Such requests wait for each other, no longer than any request waits, and as many as there are threads have places at the same
    /// time: they do not fill the queue, and what was received is not thrown away because it is full.
    pub async fn enter_in_turn(&self) -> Result<Place, ApiError> {
        let patience = self.0.patience;
        let turn = timeout(patience, Arc::clone(&self.0.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| ApiError::Overdue { seconds: patience.as_secs() })?;
        Ok(Place { _turn: Some(turn.map_err(ApiError::internal)?), ..self.enter()? })
    }

    /// How many threads there are.
    pub(crate) fn threads(&self) -> usize {
        self.0.threads
    }

    /// How many jobs run.
    pub(crate) fn running(&self) -> usize {
        self.0.line().running
    }

    /// How many places are taken, whether their requests wait, compute, or do something else in between.
    pub(crate) fn places_taken(&self) -> usize {
        self.0.threads.saturating_add(self.0.queue_length).saturating_sub(self.0.places.available_permits())
    }

    /// What the queue tells.
    pub(crate) fn meter(&self) -> &QueueMeter {
        &self.0.meter
    }
}

impl Place {
    /// The same place, whose computations are charged to an account.
    pub(crate) fn charged_to(self, entry: Entry) -> Self {
        Self { account: Some(Arc::new(entry)), ..self }
    }

    /// Waits for a thread and runs the job on it; [`ApiError::Overdue`] where none becomes free in time, [`ApiError::Internal`] where the job panics. A job that has begun is finished even if nobody
    /// waits for it any more, and keeps its place until then.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let inner = &self.compute.0;
        let (place, account, meter) = (Arc::clone(&self.permit), self.account.clone(), inner.meter.clone());
        let (sender, mut receiver) = oneshot::channel();
        let waiting = (inner.meter.wait(), tracing::info_span!(target: TRACES, "wait"));
        let request = Span::current();
        let waits = inner.begin(Box::new(move || {
            drop(waiting);
            let traced = tracing::info_span!(target: TRACES, parent: &request, "compute").entered();
            // Whatever a job changes is moved into it, so a panic leaves nothing behind that somebody could see half-changed.
            let begun = Instant::now();
            let result = catch_unwind(AssertUnwindSafe(job));
            let time = begun.elapsed();
            drop((traced, request));
            meter.computed(time);
            if let Some(account) = &account {
                account.spend(time);
            }
            drop((place, account));
            // Nobody may be waiting any more.
            Box::new(move || drop(sender.send(result)))
        }));
        let result = match waits {
            None => receiver.await,
            Some(waits) => match timeout(inner.patience, &mut receiver).await {
                Ok(result) => result,
                Err(_) if waits.leave() => return Err(ApiError::Overdue { seconds: inner.patience.as_secs() }),
                // It has begun in time.
                Err(_) => receiver.await,
            },
        };
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(panic)) => Err(ApiError::internal(format!("a job panicked: {}", message(panic.as_ref())))),
            Err(_) => Err(ApiError::internal("a job disappeared")),
        }
    }
}

/// What a panic says.
pub(crate) fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_full_queue_refuses_and_a_panic_passes() {
        let compute = ComputePool::new(1, 1, Duration::from_mins(1)).unwrap();
        let (release, wait) = mpsc::channel::<()>();
        let first = compute.enter().unwrap();
        let first = tokio::spawn(async move { first.run(move || wait.recv().is_ok()).await });
        let second = compute.enter().unwrap();
        assert!(matches!(compute.enter(), Err(ApiError::Busy { waiting: 1 })));
        release.send(()).unwrap();
        assert!(first.await.unwrap().unwrap());
        let panicked = second.run(|| panic!("on purpose")).await;
        assert!(matches!(panicked, Err::<(), _>(ApiError::Internal { .. })));
        assert_eq!(second.run(|| 7).await.unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn long_bodies_wait_for_each_other_and_leave_the_queue_to_others() {
        let compute = ComputePool::new(1, 1, Duration::from_secs(7)).unwrap();
        let first = compute.enter_in_turn().await.unwrap();
        let asked = tokio::time::Instant::now();
        let refused = compute.enter_in_turn().await;
        assert!(matches!(refused, Err(ApiError::Overdue { seconds: 7 })) && asked.elapsed() == Duration::from_secs(7));
        let other = compute.enter().unwrap();
        let second = tokio::spawn({
            let compute = compute.clone();
            async move { compute.enter_in_turn().await.map(drop) }
        });
        tokio::task::yield_now().await;
        drop(first);
        second.await.unwrap().unwrap();
        drop(other);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_is_allowed() {
        let compute = ComputePool::new(1, 1, Duration::from_secs(7)).unwrap();
        let (release, wait) = mpsc::channel::<()>();
        let (started, begun) = oneshot::channel();
        let first = compute.enter().unwrap();
        let job = move || (started.send(()), wait.recv().is_ok()).1;
        let first = tokio::spawn(async move { first.run(job).await });
        begun.await.unwrap();
        let second = compute.enter().unwrap();
        let asked = tokio::time::Instant::now();
        assert!(matches!(second.run(|| ()).await, Err(ApiError::Overdue { seconds: 7 })));
        assert_eq!(asked.elapsed(), Duration::from_secs(7));
        release.send(()).unwrap();
        assert!(first.await.unwrap().unwrap());
        second.run(|| ()).await.unwrap();
    }

    #[tokio::test]
    async fn a_dropped_place_is_free_again_but_a_running_job_keeps_its_own() {
        let compute = ComputePool::new(1, 0, Duration::from_mins(1)).unwrap();
        drop(compute.enter().unwrap());
        let place = compute.enter().unwrap();
        let (release, wait) = mpsc::channel::<()>();
        let (started, begun) = oneshot::channel();
        let job = tokio::spawn(async move {
            place
                .run(move || {
                    started.send(()).unwrap();
                    wait.recv().is_ok()
                })
                .await
        });
        begun.await.unwrap();
        job.abort();
        assert!(job.await.unwrap_err().is_cancelled());
        assert!(matches!(compute.enter(), Err(ApiError::Busy { .. })));
        release.send(()).unwrap();
        while compute.enter().is_err() {
            tokio::task::yield_now().await;
        }
    }
}
