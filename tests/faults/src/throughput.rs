//! Matches over HTTP beside the bare operator on the same cores: what the service costs beyond what it computes.

use std::net::SocketAddr;
use std::ops::AddAssign;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::{Handle, Operator as _, Snapshot};
use blindrelay_engine::params::{Parameters, preset};
use blindrelay_routing::{MatchKind, Matching};
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::attendance::{Attendance, Members};
use crate::figures::{Figures, Goal, millis, quantile};
use crate::http::Connection;
use crate::process::processor_time;
use crate::service::{Service, Setup};

/// Tokens of a record.
const A_RECORD: usize = 16;
/// Different questions, encrypted before anything is measured.
const PROBES: usize = 64;
/// Before anything is measured, everything has run for so long.
const WARM_UP: Duration = Duration::from_millis(500);
/// The operator alone and the service take turns: what else the machine does falls on both.
const ROUNDS: u32 = 5;

/// How much of what.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Participants of the room.
    pub participants: usize,
    /// Connections that ask one question after the other.
    pub connections: usize,
    /// How long each of the three parts is measured: the operator alone, the service, the service at half load.
    pub duration: Duration,
}

/// Matches, the time that passed, and the processor time that they took.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    matches: u64,
    time: Duration,
    processor: Duration,
}

impl Work {
    fn a_second(self) -> f64 {
        self.matches as f64 / self.time.as_secs_f64()
    }

    fn a_processor_second(self) -> f64 {
        self.matches as f64 / self.processor.as_secs_f64()
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, more: Self) {
        self.matches += more.matches;
        self.time += more.time;
        self.processor += more.processor;
    }
}

/// Does work for a while and measures what comes after the beginning.
fn measure(process: u32, duration: Duration, matches: &AtomicU64) -> Work {
    std::thread::sleep(WARM_UP);
    let (counted, processor, begun) = (matches.load(Ordering::Relaxed), processor_time(process), Instant::now());
    std::thread::sleep(duration);
    Work {
        matches: matches.load(Ordering::Relaxed) - counted,
        time: begun.elapsed(),
        processor: processor_time(process).saturating_sub(processor),
    }
}

/// The room of the operator alone.
fn room_alone(members: &Members, plan: &Plan) -> Arc<dyn Snapshot> {
    let set = preset(MatchKind::Signs.parameters()).expect("a preset");
    let context = Context::new(&Parameters::new(set, Backend::detect()).expect("a valid set")).expect("tables");
    let mut room = Matching::new(MatchKind::Signs, &context).expect("the operator").new_collection();
    for record in records(members, plan) {
        let handles: Vec<Handle> = (0..record.1).map(|_| Handle::random().expect("randomness")).collect();
        room.append(&record.0, &handles).expect("a record");
    }
    room.snapshot()
}

/// The operator alone, on as many threads as the service computes on.
fn evaluated(snapshot: &Arc<dyn Snapshot>, probes: &[Vec<u8>], duration: Duration) -> Work {
    let (matches, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // The service's operators divide large work among idle threads, and the same pool does so here. This thread is none of the pool's: it only measures.
    rayon::in_place_scope(|scope| {
        for first in 0..threads {
            let (matches, stop) = (&matches, &stop);
            scope.spawn(move |_| {
                for probe in probes.iter().cycle().skip(first) {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    std::hint::black_box(snapshot.evaluate(probe, None).expect("an answer"));
                    matches.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let work = measure(std::process::id(), duration, &matches);
        stop.store(true, Ordering::Relaxed);
        work
    })
}

fn records(members: &Members, plan: &Plan) -> impl Iterator<Item = (Vec<u8>, usize)> {
    let names: Vec<String> = (0..plan.participants).map(|number| format!("member-{number}")).collect();
    let records: Vec<_> = names
        .chunks(A_RECORD)
        .map(|names| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            (members.record(&names), names.len())
        })
        .collect();
    records.into_iter()
}

/// What the connections share.
struct Load {
    service: SocketAddr,
    path: String,
    probes: Vec<Vec<u8>>,
    matches: AtomicU64,
    failed: AtomicU64,
    stop: AtomicBool,
}

impl Load {
    async fn ask(&self, connection: &mut Connection, number: usize) -> bool {
        let probe = &self.probes[number % self.probes.len()];
        match connection.ask("POST", &self.path, probe).await {
            Ok(answer) if answer.status == 200 => {
                self.matches.fetch_add(1, Ordering::Relaxed);
                true
            }
            _ => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }

    /// One question after the other on each connection, until it is told to stop.
    fn saturate(self: &Arc<Self>, connections: usize) {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut all = JoinSet::new();
            for first in 0..connections {
                let load = Arc::clone(self);
                all.spawn(async move {
                    let mut connection = Connection::open(load.service, first).await.expect("the service accepts");
                    for number in first.. {
                        if load.stop.load(Ordering::Relaxed) || !load.ask(&mut connection, number).await {
                            return;
                        }
                    }
                });
            }
            all.join_all().await;
        });
    }

    /// Questions at a constant rate, whether earlier ones are answered or not; how long each took from the moment at which it was due.
    fn at_a_rate(self: &Arc<Self>, connections: usize, rate: f64, duration: Duration) -> Vec<Duration> {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let all = (rate * duration.as_secs_f64()) as usize;
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            let begun = tokio::time::Instant::now() + Duration::from_millis(100);
            for first in 0..connections {
                let load = Arc::clone(self);
                tasks.spawn(async move {
                    let mut connection = Connection::open(load.service, first).await.expect("the service accepts");
                    let mut times = Vec::new();
                    for number in (first..all).step_by(connections) {
                        let due = begun + Duration::from_secs_f64(number as f64 / rate);
                        sleep_until(due).await;
                        if !load.ask(&mut connection, number).await {
                            break;
                        }
                        times.push(due.elapsed());
                    }
                    times
                });
            }
            tasks.join_all().await.into_iter().flatten().collect()
        })
    }
}

/// Runs the plan. `told` is told which part begins.
pub fn run(program: &Path, plan: &Plan, told: impl Fn(&'static str)) -> Figures {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let service = Setup::new(program, folder.path()).start();
    let client = service.client();
    let room = Attendance::new(&client).expect("a room");
    for (number, (record, count)) in records(room.members(), plan).enumerate() {
        client.enroll(room.room(), &record, count, &format!("record-{number}")).expect("an enrolment");
    }
    let probes: Vec<Vec<u8>> =
        (0..PROBES).map(|number| room.members().probe(&format!("member-{}", number % plan.participants))).collect();
    let right = (0..PROBES.min(plan.participants))
        .filter(|number| room.ask(&client, &format!("member-{number}")).is_ok_and(|found| found.len() == 1))
        .count();
    let mut figures = Figures::default();
    figures.count("questions answered rightly", right as u64, Goal::Is(PROBES.min(plan.participants) as f64));
    let alone = room_alone(room.members(), plan);
    let load = Arc::new(Load {
        service: service.setup().address,
        path: format!("/v1/rooms/{}/match", room.room()),
        probes,
        matches: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        stop: AtomicBool::new(false),
    });
    let (mut bare, mut http) = (Work::default(), Work::default());
    for _ in 0..ROUNDS {
        told("the operator alone");
        bare += evaluated(&alone, &load.probes, plan.duration / ROUNDS);
        told("over HTTP");
        http += saturated(&service, &load, plan.connections, plan.duration / ROUNDS);
    }
    told("over HTTP at half load");
    let mut times = load.at_a_rate(plan.connections, http.a_second() / 2.0, plan.duration);
    times.sort_unstable();
    figures.count("failed", load.failed.load(Ordering::Relaxed), Goal::Is(0.0));
    figures.tell("bare, a second", bare.a_second(), "matches");
    figures.tell("bare, a CPU second", bare.a_processor_second(), "matches");
    figures.tell("HTTP, a second with the clients on the same cores", http.a_second(), "matches");
    figures.tell("HTTP, a CPU second of the service", http.a_processor_second(), "matches");
    let ratio = 100.0 * http.a_processor_second() / bare.a_processor_second();
    figures.measure("of bare, a CPU second", ratio, "%", Goal::AtLeast(80.0));
    figures.tell("of bare, a second", 100.0 * http.a_second() / bare.a_second(), "%");
    for (name, thousandths) in [("p50 at half load", 500), ("p99 at half load", 990), ("p99.9 at half load", 999)] {
        figures.tell(name, millis(quantile(&times, thousandths)), "ms");
    }
    figures
}

fn saturated(service: &Service, load: &Arc<Load>, connections: usize, duration: Duration) -> Work {
    load.stop.store(false, Ordering::Relaxed);
    std::thread::scope(|scope| {
        scope.spawn(|| load.saturate(connections));
        let work = measure(service.process(), duration, &load.matches);
        load.stop.store(true, Ordering::Relaxed);
        work
    })
}
