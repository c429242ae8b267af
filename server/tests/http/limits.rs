//! Many requests at once, and more than fit.

use std::sync::Arc;
use std::time::Duration;

use blindrelay_server::Limits;

use crate::operators::{Evaluation, Gate, Scripted};
use crate::party::Party;
use crate::rig::Setup;

#[tokio::test]
async fn a_full_queue_is_told_at_once_and_empties_again() {
    let gate = Arc::new(Gate::default());
    let limits = Limits { compute_threads: 1, queue_length: 1, ..Setup::default().limits };
    let waiting = Arc::new(Scripted::new("test-wait/1", Evaluation::Wait(Arc::clone(&gate))));
    let rig = Setup { limits, operators: vec![waiting], ..Setup::default() }.start().await;
    let (room, probe) = (rig.room("test-wait/1").await, Party::signs().probe("ada"));
    let path = format!("{room}/match");
    let ask = || {
        let (rig, path, probe) = (rig.clone(), path.clone(), probe.clone());
        tokio::spawn(async move { rig.post(&path, probe).await })
    };
    let running = ask();
    gate.arrivals(1).await;
    let queued = ask();
    // Until the second request has taken the only place in the queue.
    while rig.state.compute().enter().is_ok() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let refused = rig.post(&path, probe.clone()).await;
    assert_eq!(refused.headers.get("retry-after").unwrap(), "1");
    refused.refused(503, "queue-full");
    let enrolment = rig.post(&format!("{room}/handles"), Party::signs().record(&["ada"])).await;
    enrolment.refused(503, "queue-full");
    gate.open();
    running.await.unwrap().expect(200);
    queued.await.unwrap().expect(200);
    rig.post(&path, probe).await.expect(200);
    assert_eq!(rig.get(&room).await.json()["handles"], 0);
}

#[tokio::test]
async fn a_client_that_leaves_the_queue_makes_room() {
    let gate = Arc::new(Gate::default());
    let limits = Limits { compute_threads: 1, queue_length: 1, ..Setup::default().limits };
    let waiting = Arc::new(Scripted::new("test-wait/1", Evaluation::Wait(Arc::clone(&gate))));
    let rig = Setup { limits, operators: vec![waiting], ..Setup::default() }.start().await;
    let (room, probe) = (rig.room("test-wait/1").await, Party::signs().probe("ada"));
    let path = format!("{room}/match");
    let ask = || {
        let (rig, path, probe) = (rig.clone(), path.clone(), probe.clone());
        tokio::spawn(async move { rig.post(&path, probe).await })
    };
    let running = ask();
    gate.arrivals(1).await;
    for _ in 0..20 {
        let impatient = tokio::time::timeout(Duration::from_millis(5), rig.post(&path, probe.clone())).await;
        assert!(impatient.is_err(), "there was a place in the queue, and nothing to answer yet");
    }
    gate.open();
    running.await.unwrap().expect(200);
    gate.arrivals(1).await;
}
