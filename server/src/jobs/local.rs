//! A queue for one service with a store in memory: it ends with the process, as the jobs do.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinSet;

use super::{JobName, JobQueue, QueueError, Worker};

/// When a job that was given back is given again.
const AGAIN: Duration = Duration::from_secs(1);

/// The queue.
pub struct LocalQueue {
    sender: mpsc::UnboundedSender<JobName>,
    receiver: tokio::sync::Mutex<mpsc::UnboundedReceiver<JobName>>,
    /// Jobs that wait or are worked on.
    known: Arc<Mutex<HashSet<JobName>>>,
}

impl Default for LocalQueue {
    fn default() -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self { sender, receiver: tokio::sync::Mutex::new(receiver), known: Arc::default() }
    }
}

#[async_trait]
impl JobQueue for LocalQueue {
    async fn push(&self, job: JobName) -> Result<(), QueueError> {
        if self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(job.clone()) {
            self.sender.send(job).map_err(|error| QueueError(Box::new(error)))?;
        }
        Ok(())
    }

    async fn run(&self, worker: Worker, at_once: usize, stop: BoxFuture<'static, ()>) {
        let mut receiver = self.receiver.lock().await;
        let free = Arc::new(Semaphore::new(at_once));
        let stopped = Arc::new(Notify::new());
        let mut running = JoinSet::new();
        let mut stop = stop;
        loop {
            let next = async {
                // The semaphore is never closed.
                let permit = Arc::clone(&free).acquire_owned().await.ok()?;
                Some((receiver.recv().await?, permit))
            };
            let (job, permit) = tokio::select! {
                () = &mut stop => break,
                Some(_) = running.join_next() => continue,
                next = next => match next {
                    Some(next) => next,
                    None => break,
                },
            };
            let (worker, known, sender, stopped) =
                (Arc::clone(&worker), Arc::clone(&self.known), self.sender.clone(), Arc::clone(&stopped));
            running.spawn(async move {
                let outcome = worker(job.clone()).await;
                drop(permit);
                match outcome {
                    Ok(()) => _ = known.lock().unwrap_or_else(PoisonError::into_inner).remove(&job),
                    Err(reason) => {
                        tracing::warn!(job = %job.job, %reason, "a job was given back");
                        tokio::select! {
                            () = tokio::time::sleep(AGAIN) => {}
                            () = stopped.notified() => {}
                        }
                        // Nobody receives it any more if the service stops.
                        let _ = sender.send(job);
                    }
                }
            });
        }
        stopped.notify_waiters();
        while running.join_next().await.is_some() {}
    }
}
