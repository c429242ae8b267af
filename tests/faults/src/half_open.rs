//! Thousands of connections that never finish a request's head, while others match: all of them are closed in time, and nobody else waits for them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::attendance::Attendance;
use crate::figures::{Figures, Goal, millis, quantile};
use crate::http::Connection;
use crate::service::{Service, Setup};

/// Longer than this nobody waits for the end of a connection: whatever is open then counts as not closed.
const PATIENCE: Duration = Duration::from_mins(1);

/// How many of what.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Half-open connections.
    pub connections: usize,
    /// How long it takes to open them all.
    pub ramp: Duration,
    /// Matches a second, over connections of their own.
    pub matches: u32,
    /// Participants of the room that is asked.
    pub participants: usize,
    /// Further configuration of the service, TOML.
    pub configuration: &'static str,
}

/// How a connection stays half-open.
#[derive(Clone, Copy)]
enum Manner {
    /// It says nothing.
    Silent,
    /// It begins a head and stops.
    Stalled,
    /// It sends a byte of a header every second.
    Dripping,
}

/// Opens a connection, keeps it half-open, and tells how long it stayed so.
async fn hang(service: SocketAddr, number: usize, manner: Manner) -> Option<Duration> {
    let Connection { mut writer, mut reader } = Connection::open(service, number).await.ok()?;
    let begun = Instant::now();
    match manner {
        Manner::Silent => {}
        Manner::Stalled | Manner::Dripping => {
            writer.write_all(b"POST /v1/rooms HTTP/1.1\r\nhost: localhost\r\nx-slow: ").await.ok()?;
        }
    }
    let ended = async {
        let mut second = interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                () = reader.ended() => return,
                _ = second.tick(), if matches!(manner, Manner::Dripping) => {
                    if writer.write_all(b"x").await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    timeout(PATIENCE, ended).await.ok()?;
    Some(begun.elapsed())
}

/// Asks at a constant rate until it is told to stop; how long each answer took from the moment at which it was due.
fn ask(service: &Service, room: &Attendance, matches: u32, stop: &AtomicBool) -> (Vec<Duration>, u64) {
    let client = service.single(PATIENCE);
    let (mut times, mut failed) = (Vec::new(), 0);
    let begun = Instant::now();
    for number in 0.. {
        let due = Duration::from_secs(1) * number / matches;
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        if stop.load(Ordering::Relaxed) {
            break;
        }
        match room.ask(&client, "member-0") {
            Ok(found) if found.len() == 1 => times.push(begun.elapsed().saturating_sub(due)),
            _ => failed += 1,
        }
    }
    (times, failed)
}

/// Runs the plan.
pub fn run(program: &Path, plan: &Plan) -> Figures {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut setup = Setup::new(program, folder.path());
    plan.configuration.clone_into(&mut setup.configuration);
    let service = setup.start();
    let client = service.client();
    let room = Attendance::new(&client).expect("a room");
    for number in 0..plan.participants {
        let newcomer = room.newcomer(&format!("member-{number}"));
        room.enrol(&client, &newcomer).expect("an enrolment");
    }
    let stop = AtomicBool::new(false);
    let (mut open, (mut times, failed)) = std::thread::scope(|scope| {
        let asker = scope.spawn(|| ask(&service, &room, plan.matches, &stop));
        let open = hang_all(&service, plan);
        stop.store(true, Ordering::Relaxed);
        (open, asker.join().expect("the asker finishes"))
    });
    open.sort_unstable();
    let mut figures = Figures::default();
    figures.count("half-open connections", open.len() as u64, Goal::Is(plan.connections as f64));
    figures.measure("longest open", open.last().map_or(0.0, Duration::as_secs_f64), "s", Goal::Below(10.0));
    figures.count("matches", times.len() as u64, Goal::AtLeast(1.0));
    figures.count("matches that failed", failed, Goal::Is(0.0));
    times.sort_unstable();
    figures.tell("match p50", millis(quantile(&times, 500)), "ms");
    figures.measure("match p99", millis(quantile(&times, 990)), "ms", Goal::Below(100.0));
    figures.tell("match p99.9", millis(quantile(&times, 999)), "ms");
    // Afterwards the service is as it was.
    figures.count(
        "found afterwards",
        room.ask(&client, "member-0").map_or(0, |found| found.len() as u64),
        Goal::Is(1.0),
    );
    figures
}

/// How long each connection was open that the service has closed.
fn hang_all(service: &Service, plan: &Plan) -> Vec<Duration> {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let manners = [Manner::Silent, Manner::Stalled, Manner::Dripping];
    let opened = async {
        let mut all = JoinSet::new();
        let begun = tokio::time::Instant::now();
        let connections = (0..plan.connections).zip(manners.into_iter().cycle());
        for (number, manner) in connections {
            let start = begun + plan.ramp.mul_f64(number as f64 / plan.connections as f64);
            let address = service.setup().address;
            all.spawn(async move {
                tokio::time::sleep_until(start).await;
                hang(address, number, manner).await
            });
        }
        all.join_all().await
    };
    runtime.block_on(opened).into_iter().flatten().collect()
}
