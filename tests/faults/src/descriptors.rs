//! A service without descriptors: first with few of them and many connections, then with none at all for a while.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Resource;
use tokio::time::timeout;

use crate::attendance::Attendance;
use crate::course::{self, Fault};
use crate::figures::{Figures, Goal};
use crate::http::Connection;
use crate::process;
use crate::service::{Service, Setup};

/// Longer than this a service does not let anybody wait whom it has no place for.
const PATIENCE: Duration = Duration::from_mins(1);

/// How few and how many.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Descriptors that the service may have.
    pub descriptors: u64,
    /// Connections that want something at the same time, more than there are descriptors.
    pub connections: usize,
    /// How long nothing more can be opened.
    pub duration: Duration,
    /// Further configuration of the service, TOML.
    pub configuration: &'static str,
}

/// Runs the plan.
pub fn run(program: &Path, plan: &Plan) -> Figures {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut setup = Setup::new(program, folder.path());
    plan.configuration.clone_into(&mut setup.configuration);
    setup.before = format!("ulimit -n {}", plan.descriptors);
    let service = setup.start();
    let mut crowded = crowd(&service, plan);
    let before = RefillLimit(std::cell::Cell::new(None));
    let fault = Fault {
        begin: |service: &Service| before.0.set(process::limit(service.process(), Resource::Nofile, Some(0))),
        end: |service: &Service| {
            process::limit(service.process(), Resource::Nofile, before.0.get());
        },
        duration: plan.duration,
        code: "store-unavailable",
        // Nobody new is heard while there is no descriptor for them.
        ready: None,
        limit: Duration::from_secs(10),
    };
    crowded.extend(course::run(service, fault));
    crowded
}

/// The soft limit that a service had.
struct RefillLimit(std::cell::Cell<Option<u64>>);

/// More connections than descriptors: those that were there first are served as ever, and the others once there is a place.
fn crowd(service: &Service, plan: &Plan) -> Figures {
    let client = service.single(PATIENCE);
    let room = Attendance::new(&client).expect("a room");
    let stop = AtomicBool::new(false);
    let (mut enrolled, mut failed) = (0_u64, Vec::new());
    let served = std::thread::scope(|scope| {
        let crowd = scope.spawn(|| {
            let served = together(service, plan.connections);
            stop.store(true, Ordering::Relaxed);
            served
        });
        while !stop.load(Ordering::Relaxed) {
            // Every record is a file of its own.
            match room.enrol(&client, &room.newcomer(&format!("crowd-{enrolled}"))) {
                Ok(()) => enrolled += 1,
                Err(error) => failed.push(error.to_string()),
            }
        }
        crowd.join().expect("the crowd is served")
    });
    let mut figures = Figures::default();
    if let Some(first) = failed.first() {
        figures.remark(format!("the first enrolment that failed: {first}"));
    }
    figures.count("descriptors allowed", plan.descriptors, Goal::Below(plan.connections as f64));
    figures.count("connections served", served as u64, Goal::Is(plan.connections as f64));
    figures.count("enrolments meanwhile", enrolled, Goal::AtLeast(1.0));
    figures.count("enrolments that failed", failed.len() as u64, Goal::Is(0.0));
    figures
}

/// Connections that are all open before the first of them asks; how many were answered.
fn together(service: &Service, connections: usize) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut all = Vec::new();
        for number in 0..connections {
            all.push(Connection::open(service.setup().address, number).await);
        }
        let mut tasks = tokio::task::JoinSet::new();
        for connection in all {
            let address = service.setup().address;
            tasks.spawn(async move {
                let begun = Instant::now();
                let mut connection = connection;
                // A connection that has waited too long for its turn is closed: whoever wants something comes again.
                while begun.elapsed() < PATIENCE {
                    if let Ok(open) = &mut connection
                        && let Ok(Ok(answer)) = timeout(PATIENCE, open.ask("GET", "/v1/health/live", &[])).await
                        && answer.status == 200
                    {
                        return true;
                    }
                    connection = Connection::open(address, 0).await;
                }
                false
            });
        }
        tasks.join_all().await.into_iter().filter(|served| *served).count()
    })
}
