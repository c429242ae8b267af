//! Several services on one PostgreSQL, of which one is killed again and again while clients work: no request may fail after its repetitions, and sums and rooms are exact.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use blindrelay_client::{Client, Error};

use crate::account::{Account, MOST};
use crate::attendance::Attendance;
use crate::figures::{Figures, Goal, millis};
use crate::postgres::Server;
use crate::service::{Service, Setup};

/// Names that one client keeps in its room before it removes the oldest.
const KEPT: usize = 12;
/// Rooms and meters, each of which all clients use.
const SHARED: usize = 4;

/// How long and how hard.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Services.
    pub nodes: usize,
    /// Clients that work at the same time.
    pub clients: usize,
    /// How long they work.
    pub duration: Duration,
    /// Time from one kill to the next.
    pub every: Duration,
}

/// What the clients share.
struct World {
    rooms: Vec<Attendance>,
    meters: Vec<Account>,
    stop: AtomicBool,
    requests: AtomicU64,
    failures: Mutex<Vec<String>>,
    longest: Mutex<Duration>,
}

impl World {
    /// Makes one request and notes how it went.
    fn note<T>(&self, request: impl FnOnce() -> Result<T, Error>) -> Option<T> {
        let begun = Instant::now();
        let outcome = request();
        let time = begun.elapsed();
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut longest = self.longest.lock().unwrap_or_else(PoisonError::into_inner);
        *longest = time.max(*longest);
        outcome
            .map_err(|error| {
                self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(error.to_string());
            })
            .ok()
    }

    /// Enrols, removes, counts and asks, until it is told to stop. All of it can be repeated, so that nothing may fail.
    fn work(&self, number: usize, client: &Client) {
        let relays: Vec<_> =
            self.meters.iter().enumerate().map(|(at, meter)| meter.relay(&format!("relay-{number}-{at}"))).collect();
        let mut present: Vec<(usize, String)> = Vec::new();
        for round in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let at = (number + round) % SHARED;
            let (room, meter) = (&self.rooms[at], &self.meters[at]);
            let name = format!("{number}-{round}");
            let newcomer = room.newcomer(&name);
            if self.note(|| room.enrol(client, &newcomer)).is_some() {
                present.push((at, name.clone()));
            }
            let amounts: Vec<i64> = (0..3).map(|reading| ((number + 7 * round + reading) as i64 * 37) % MOST).collect();
            let usage = meter.usage(&relays[at], &amounts);
            self.note(|| meter.add(client, &usage));
            let (asked, name) = &present[round % present.len().max(1)];
            if let Some(found) = self.note(|| self.rooms[*asked].ask(client, name)) {
                assert_eq!(found.len(), 1, "{name} is in the room once");
            }
            if present.len() > KEPT {
                let (at, name) = present.remove(0);
                self.note(|| self.rooms[at].remove(client, &name));
            }
        }
    }
}

/// Runs the plan; `None` where there is no PostgreSQL. `told` is told the seconds that have passed.
pub fn run(program: &Path, plan: &Plan, told: impl Fn(u64)) -> Option<Figures> {
    let server = Server::start()?;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let configuration = format!(
        "[storage]\ndatabase = \"{}\"\nblobs = {{ directory = \"{}\" }}\n",
        server.new_database(),
        folder.path().join("blobs").display()
    );
    let setups: Vec<Setup> = (0..plan.nodes)
        .map(|number| {
            let setup = Setup::new(program, &folder.path().join(format!("node-{number}")));
            Setup { configuration: configuration.clone(), ..setup }
        })
        .collect();
    let mut services: Vec<Service> = setups.iter().map(Setup::start).collect();
    let client = |first: usize| {
        let mut urls = (0..setups.len()).map(|number| setups[(first + number) % setups.len()].url());
        let builder = Client::builder(urls.next().expect("at least one node"));
        urls.fold(builder, blindrelay_client::Builder::node).build().expect("a client")
    };
    let first = client(0);
    let world = World {
        rooms: (0..SHARED).map(|_| Attendance::new(&first).expect("a room")).collect(),
        meters: (0..SHARED).map(|_| Account::new(&first).expect("a meter")).collect(),
        stop: AtomicBool::new(false),
        requests: AtomicU64::new(0),
        failures: Mutex::default(),
        longest: Mutex::default(),
    };
    let mut kills = 0;
    std::thread::scope(|scope| {
        for number in 0..plan.clients {
            let (client, world) = (client(number), &world);
            scope.spawn(move || world.work(number, &client));
        }
        let begun = Instant::now();
        while begun.elapsed() < plan.duration {
            std::thread::sleep(plan.every.min(plan.duration.saturating_sub(begun.elapsed())));
            told(begun.elapsed().as_secs());
            let next = kills % services.len();
            services.remove(next).kill();
            services.insert(next, setups[next].start());
            kills += 1;
        }
        world.stop.store(true, Ordering::Relaxed);
    });
    Some(judge(&world, &first, kills))
}

fn judge(world: &World, client: &Client, kills: usize) -> Figures {
    let mut figures = Figures::default();
    let failures = world.failures.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(first) = failures.first() {
        figures.remark(format!("the first request that failed: {first}"));
    }
    let (mut enrolled, mut lost, mut surplus) = (0, 0, 0);
    for room in &world.rooms {
        let compared = room.compare(client).expect("the services answer");
        (enrolled, lost, surplus) = (enrolled + compared.enrolled, lost + compared.lost, surplus + compared.surplus);
    }
    let (mut batches, mut off) = (0, 0);
    for meter in &world.meters {
        let compared = meter.compare(client).expect("the services answer");
        batches += compared.batches;
        off += compared.batches_off.unsigned_abs() + compared.total_off.unsigned_abs();
    }
    figures.count("kills", kills as u64, Goal::AtLeast(1.0));
    figures.count("requests", world.requests.load(Ordering::Relaxed), Goal::AtLeast(1.0));
    figures.count("failed after repetitions", failures.len() as u64, Goal::Is(0.0));
    figures.count("enrolments", enrolled, Goal::AtLeast(1.0));
    figures.count("enrolments lost", lost, Goal::Is(0.0));
    figures.count("handles too many", surplus, Goal::Is(0.0));
    figures.count("batches", batches, Goal::AtLeast(1.0));
    figures.count("off in sums", off, Goal::Is(0.0));
    figures.tell("longest request", millis(*world.longest.lock().unwrap_or_else(PoisonError::into_inner)), "ms");
    figures
}
