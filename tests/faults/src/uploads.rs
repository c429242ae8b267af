//! Thousands of connections in the middle of an upload at the same time: what does not fit into memory is refused at once, what was acknowledged is there, and in the end everything is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::params::{DECIDE_32768, Level, Parameters, preset};
use blindrelay_engine::ring::{GaloisElement, Seed};
use blindrelay_engine::rlwe::KeyPlan;
use blindrelay_engine::wire::{Wire, content_digest};
use blindrelay_keyholder::SecretKey;
use tokio::io::AsyncWriteExt;
use tokio::sync::Barrier;
use tokio::time::{sleep, sleep_until, timeout};

use crate::figures::{Figures, Goal, millis, quantile};
use crate::http::{Connection, head};
use crate::process::peak_memory;
use crate::service::{Service, Setup, free_address};

/// Bytes by which a service can tell what a body will be.
const FIRST: usize = 1 << 10;
/// Bytes that are sent at once.
const PIECE: usize = 32 << 10;
/// Nothing takes this long: an upload that does is given up.
const PATIENCE: Duration = Duration::from_mins(10);
/// An automorphism that keys of `find-signs/1` may be for.
const ELEMENT: u32 = 31_233;

/// How many of what.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Connections.
    pub connections: usize,
    /// Different key sets that they upload, in turn; at most as many as a tenant may have.
    pub key_sets: usize,
    /// How long it takes until all connections are open, and then until all of them send.
    pub ramp: Duration,
    /// How long a body takes that is taken.
    pub pace: Duration,
    /// Further configuration of the service, TOML.
    pub configuration: &'static str,
}

/// An object to upload: evaluation keys of about 1 MiB.
struct Object {
    path: String,
    bytes: Vec<u8>,
}

/// Different keys of one automorphism of `decide-32768`, for the lowest level at which they have 1 MiB or more.
fn objects(count: usize) -> Vec<Object> {
    let parameters = Parameters::new(preset(DECIDE_32768).expect("a preset"), Backend::detect());
    let context = Context::new(&parameters.expect("a valid set")).expect("tables");
    let element = GaloisElement::new(ELEMENT, context.parameters().degree()).expect("an automorphism");
    let keys = |number: usize, level: usize| {
        let mut seed = [44; 32];
        seed.iter_mut().zip(number.to_le_bytes()).for_each(|(byte, digit)| *byte = digit);
        let mut plan = KeyPlan::default();
        plan.apply_at(element, Level(level));
        SecretKey::from_seed(&context, Seed::from_bytes(seed)).planned_keys(&plan).to_bytes()
    };
    let mut levels = 0..=context.parameters().top_level().0;
    let level = levels.find(|&level| keys(0, level).len() >= 1 << 20).expect("keys of the top level are larger");
    let object = |number| {
        let bytes = keys(number, level);
        let digest = content_digest(&bytes).iter().fold(String::new(), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        Object { path: format!("/v1/keys/{digest}"), bytes }
    };
    (0..count).map(object).collect()
}

/// What all connections share.
struct World {
    service: SocketAddr,
    objects: Vec<Object>,
    plan: Plan,
    /// Everybody and the one who counts.
    open: Barrier,
    counted: Barrier,
    refusals: Mutex<BTreeMap<String, Vec<Duration>>>,
    broken: AtomicUsize,
    acknowledged: AtomicUsize,
}

/// How an attempt ended: acknowledged, or refused with a code so long after the service could know, and when to come back.
enum Attempt {
    Acknowledged,
    Refused { code: String, after: Duration, pause: Duration },
}

impl World {
    /// Sends the body of a request whose head is sent, until it is answered.
    async fn send(&self, connection: &mut Connection, body: &[u8]) -> io::Result<Attempt> {
        let Connection { writer, reader } = connection;
        let (first, rest) = body.split_at(FIRST.min(body.len()));
        writer.write_all(first).await?;
        let mut known = Instant::now();
        let pause = self.plan.pace / (rest.len() / PIECE).max(1) as u32;
        let write = async {
            for piece in rest.chunks(PIECE) {
                sleep(pause).await;
                writer.write_all(piece).await?;
            }
            Ok::<_, io::Error>(Instant::now())
        };
        let mut answer = std::pin::pin!(reader.next());
        let answer = tokio::select! {
            answer = &mut answer => answer?,
            // Whoever cannot write any more has been answered, or never will be.
            sent = write => {
                known = sent.unwrap_or(known);
                answer.await?
            }
        };
        if matches!(answer.status, 200 | 201) {
            return Ok(Attempt::Acknowledged);
        }
        let pause = Duration::from_secs(answer.retry_after.unwrap_or_default());
        Ok(Attempt::Refused { code: format!("{} {}", answer.status, answer.code()), after: known.elapsed(), pause })
    }

    /// One connection after the other until the object is acknowledged. Everybody's first ones are open at the same time.
    async fn upload(&self, number: usize) {
        let Object { path, bytes } = &self.objects[number % self.objects.len()];
        let head = head("PUT", path, bytes.len());
        let share = self.plan.ramp.mul_f64(number as f64 / self.plan.connections as f64);
        let begin = async || {
            let mut connection = Connection::open(self.service, number).await?;
            connection.writer.write_all(head.as_bytes()).await?;
            Ok::<_, io::Error>(connection)
        };
        sleep(share).await;
        let mut connection = begin().await;
        self.open.wait().await;
        self.counted.wait().await;
        sleep_until(tokio::time::Instant::now() + share).await;
        let mut bound = Duration::from_secs(1);
        loop {
            let attempt = match &mut connection {
                Ok(connection) => self.send(connection, bytes).await,
                Err(_) => Err(io::ErrorKind::NotConnected.into()),
            };
            let asked = match attempt {
                Ok(Attempt::Acknowledged) => {
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Ok(Attempt::Refused { code, after, pause }) => {
                    let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
                    refusals.entry(code).or_default().push(after);
                    pause
                }
                Err(_) => {
                    self.broken.fetch_add(1, Ordering::Relaxed);
                    Duration::ZERO
                }
            };
            // As the client of the service pauses, but for dice: spread evenly over the bound.
            let turn = (number.wrapping_mul(2_654_435_761) % 1000) as u32;
            sleep(asked + bound * turn / 1000).await;
            bound = (bound * 2).min(Duration::from_secs(10));
            connection = begin().await;
        }
    }
}

/// A number that the service's metrics have.
async fn metric(telemetry: SocketAddr, name: &str) -> Option<f64> {
    let mut connection = Connection::open(telemetry, 0).await.ok()?;
    let answer = connection.ask("GET", "/metrics", &[]).await.ok()?;
    let text = String::from_utf8(answer.body).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// Runs the plan. `told` is told how many uploads were acknowledged.
pub fn run(program: &Path, plan: &Plan, told: impl Fn(u64)) -> Figures {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let telemetry = free_address();
    let mut setup = Setup::new(program, folder.path());
    setup.configuration = format!("[telemetry]\nlisten = \"{telemetry}\"\n{}", plan.configuration);
    let objects = objects(plan.key_sets);
    let bytes = objects.first().map_or(0, |object| object.bytes.len());
    let service = setup.start();
    let world = Arc::new(World {
        service: setup.address,
        objects,
        plan: *plan,
        open: Barrier::new(plan.connections + 1),
        counted: Barrier::new(plan.connections + 1),
        refusals: Mutex::default(),
        broken: AtomicUsize::new(0),
        acknowledged: AtomicUsize::new(0),
    });
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let together = runtime.block_on(async {
        let mut all = tokio::task::JoinSet::new();
        for number in 0..plan.connections {
            let world = Arc::clone(&world);
            all.spawn(async move { timeout(PATIENCE, world.upload(number)).await });
        }
        world.open.wait().await;
        // The service has accepted them all once it has read their heads.
        let together = async {
            let mut most = 0.0;
            for _ in 0..40 {
                let now = metric(telemetry, "blindrelay_requests_in_flight ").await.unwrap_or_default();
                most = f64::max(now, most);
                if most >= plan.connections as f64 {
                    break;
                }
                sleep(Duration::from_millis(50)).await;
            }
            most
        };
        let together = together.await;
        world.counted.wait().await;
        while !all.is_empty() {
            let _ = timeout(Duration::from_millis(500), all.join_next()).await;
            told(world.acknowledged.load(Ordering::Relaxed) as u64);
        }
        together
    });
    let seconds = begun.elapsed().as_secs_f64();
    let mut figures = judge(&world, &service, plan);
    figures.tell("bytes of an upload", bytes as f64, "B");
    figures.count("requests in flight at once", together as u64, Goal::Is(plan.connections as f64));
    figures.tell("in all", seconds, "s");
    // What was acknowledged is there, also for a service that starts anew.
    service.kill();
    let service = setup.start();
    let client = service.client();
    let kept = |object: &&Object| {
        let digest = object.path.rsplit('/').next().unwrap_or_default();
        client.keys(digest).is_ok_and(|keys| keys.bytes == object.bytes.len() as u64)
    };
    let used = plan.connections.min(plan.key_sets);
    let kept = world.objects.iter().take(used).filter(kept).count();
    figures.count("key sets kept", kept as u64, Goal::Is(used as f64));
    figures
}

fn judge(world: &World, service: &Service, plan: &Plan) -> Figures {
    let mut figures = Figures::default();
    let mut refusals = world.refusals.lock().unwrap_or_else(PoisonError::into_inner);
    for (code, times) in refusals.iter_mut() {
        times.sort_unstable();
        let (count, p99) = (times.len(), millis(quantile(times, 990)));
        figures.remark(format!("{code}: {count} times, p99 {p99:.1} ms"));
    }
    for (reason, count) in service.warnings() {
        figures.remark(format!("the service has warned {count} times: {reason}"));
    }
    let other = refusals.keys().filter(|code| !code.starts_with("503 ")).count();
    let mut times: Vec<Duration> = refusals.values().flatten().copied().collect();
    times.sort_unstable();
    figures.count(
        "uploads acknowledged",
        world.acknowledged.load(Ordering::Relaxed) as u64,
        Goal::Is(plan.connections as f64),
    );
    figures.count("refused for another reason than load", other as u64, Goal::Is(0.0));
    figures.count("answers that did not arrive", world.broken.load(Ordering::Relaxed) as u64, Goal::Is(0.0));
    figures.tell("refusals", times.len() as f64, "");
    figures.tell("refusal p50", millis(quantile(&times, 500)), "ms");
    figures.measure("refusal p99", millis(quantile(&times, 990)), "ms", Goal::Below(50.0));
    let peak = peak_memory(service.process()) as f64 / f64::from(1 << 30);
    figures.measure("peak memory of the service", peak, "GiB", Goal::Below(4.0));
    figures
}
