//! The queue of jobs, where workers die.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use blindrelay_server::id::JobId;
use blindrelay_server::jobs::{JobName, JobQueue as _, Unfinished, Worker};
use blindrelay_storage::DurableQueue;
use tokio::sync::{mpsc, oneshot};

use crate::material::tenant;
use crate::places::Places;

fn job() -> JobName {
    JobName { tenant: tenant(), job: JobId::random().unwrap() }
}

/// A worker that tells which jobs it gets; `Err` gives the job back, `None` never ends.
fn worker(
    outcome: impl Fn(&JobName) -> Option<bool> + Send + Sync + 'static,
) -> (Worker, mpsc::UnboundedReceiver<JobName>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let worker: Worker = Arc::new(move |job| {
        let (outcome, sender) = (outcome(&job), sender.clone());
        Box::pin(async move {
            sender.send(job).unwrap();
            match outcome {
                Some(true) => Ok(()),
                Some(false) => Err(Unfinished::Stopping),
                None => std::future::pending().await,
            }
        })
    });
    (worker, receiver)
}

/// Every job is given to one worker, again if that gives it back or dies, and not again once it is done.
pub(crate) async fn jobs_survive_their_workers(places: &Places) {
    let queue = Arc::new(DurableQueue::open(&places.settings()).await.unwrap());
    let (done, stuck) = (job(), job());
    for _ in 0..2 {
        queue.push(done.clone()).await.unwrap();
    }
    // The first worker takes one job at a time, gives it back once, and never ends the second.
    let (given_back, never_ends) = (AtomicUsize::new(0), stuck.clone());
    let (first, mut given) = worker(move |job| {
        if *job == never_ends {
            return None;
        }
        Some(given_back.fetch_add(1, Ordering::SeqCst) > 0)
    });
    let running = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move { queue.run(first, 1, Box::pin(std::future::pending())).await }
    });
    assert_eq!(given.recv().await, Some(done.clone()));
    assert_eq!(given.recv().await, Some(done.clone()), "it was given back");
    queue.push(stuck.clone()).await.unwrap();
    assert_eq!(given.recv().await, Some(stuck.clone()));
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());

    // Another service with the same queue gets what the dead worker had, and nothing else.
    let other = Arc::new(DurableQueue::open(&places.settings()).await.unwrap());
    let (second, mut given) = worker(|_| Some(true));
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn({
        let other = Arc::clone(&other);
        async move { other.run(second, 2, Box::pin(async { drop(stopped.await) })).await }
    });
    assert_eq!(given.recv().await, Some(stuck.clone()));
    let third = job();
    queue.push(third.clone()).await.unwrap();
    assert_eq!(given.recv().await, Some(third));
    // What is done is not waiting any more, whoever pushes it.
    for again in [done, stuck] {
        other.push(again).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(given.try_recv().ok(), None);
    drop(stop);
    running.await.unwrap();
    queue.close().await;
    other.close().await;
}
