//! The course of a fault: clients work before it, are refused while it lasts, and go on when it is over, without a restart. What was acknowledged at any time is compared with what is there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use blindrelay_client::{Client, Error};

use crate::account::{Account, Relay, Usage};
use crate::attendance::{Attendance, Newcomer};
use crate::figures::{Figures, Goal};
use crate::http::Connection;
use crate::service::Service;

/// Enrolments and batches before and after the fault.
const ROUNDS: usize = 5;
/// Time between two attempts while the fault lasts.
const PAUSE: Duration = Duration::from_millis(50);
/// Longer than this a service does not need to recover.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a fault is and what has to be seen of it.
pub struct Fault<B, E> {
    /// Makes it.
    pub begin: B,
    /// Takes it back.
    pub end: E,
    /// How long it lasts, at least.
    pub duration: Duration,
    /// How changes are refused meanwhile.
    pub code: &'static str,
    /// The status of `/v1/health/ready` meanwhile, where it can be asked for.
    pub ready: Option<u16>,
    /// How long a request may take.
    pub limit: Duration,
}

/// What was asked for and not acknowledged yet.
enum Pending {
    Newcomer(Newcomer),
    Usage(Usage),
}

/// The clients of a service, and what they remember.
struct Clients {
    room: Attendance,
    meter: Account,
    relay: Relay,
    pending: Vec<Pending>,
    next: usize,
}

impl Clients {
    fn new(client: &Client) -> Self {
        let (room, meter) = (Attendance::new(client).expect("a room"), Account::new(client).expect("a meter"));
        let relay = meter.relay("relay");
        Self { room, meter, relay, pending: Vec::new(), next: 0 }
    }

    /// A new enrolment and a new batch, each tried once. What is not acknowledged waits.
    fn go_on(&mut self, client: &Client) -> Vec<Error> {
        self.next += 1;
        let newcomer = self.room.newcomer(&format!("member-{}", self.next));
        let usage = self.meter.usage(&self.relay, &[self.next as i64 % 1000]);
        self.pending.extend([Pending::Newcomer(newcomer), Pending::Usage(usage)]);
        let last = self.pending.len() - 2;
        let refused: Vec<_> = self.pending.split_off(last).into_iter().map(|one| self.send(client, one)).collect();
        let (waiting, errors): (Vec<_>, Vec<_>) = refused.into_iter().flatten().unzip();
        self.pending.extend(waiting);
        errors
    }

    fn send(&self, client: &Client, one: Pending) -> Option<(Pending, Error)> {
        let outcome = match &one {
            Pending::Newcomer(newcomer) => self.room.enrol(client, newcomer),
            Pending::Usage(usage) => self.meter.add(client, usage),
        };
        outcome.err().map(|error| (one, error))
    }

    /// Sends everything again that waits, under the names that it had.
    fn repeat(&mut self, client: &Client) -> Vec<Error> {
        let pending = std::mem::take(&mut self.pending);
        let refused = pending.into_iter().filter_map(|one| self.send(client, one));
        let (waiting, errors): (Vec<_>, Vec<_>) = refused.unzip();
        self.pending = waiting;
        errors
    }
}

/// The status of an address without a body.
fn status(service: &Service, path: &str) -> Option<u16> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let asked = async {
        let mut connection = Connection::open(service.setup().address, 0).await.ok()?;
        connection.ask("GET", path, &[]).await.ok()
    };
    let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, asked).await });
    answer.ok().flatten().map(|answer| answer.status)
}

/// Lets a service go through a fault. It is killed and started once at the end, to see what it has kept.
pub fn run<B: FnOnce(&Service), E: FnOnce(&Service)>(mut service: Service, fault: Fault<B, E>) -> Figures {
    let mut figures = Figures::default();
    let client = service.single(fault.limit);
    let mut clients = Clients::new(&client);
    let mut before = 0;
    for _ in 0..ROUNDS {
        before += clients.go_on(&client).len();
    }
    figures.count("refused before", before as u64, Goal::Is(0.0));

    (fault.begin)(&service);
    let begun = Instant::now();
    let (mut refusals, mut longest) = (BTreeMap::<String, u64>::new(), Duration::ZERO);
    let (mut live, mut ready) = (Vec::new(), Vec::new());
    while begun.elapsed() < fault.duration || refusals.is_empty() {
        assert!(begun.elapsed() < PATIENCE + fault.duration, "the fault is not felt");
        let asked = Instant::now();
        for error in clients.go_on(&client) {
            let code = error.code().map_or_else(|| error.to_string(), str::to_owned);
            *refusals.entry(code).or_default() += 1;
        }
        longest = longest.max(asked.elapsed() / 2);
        if let Some(expected) = fault.ready {
            live.push(status(&service, "/v1/health/live") == Some(200));
            ready.push(status(&service, "/v1/health/ready") == Some(expected));
        }
        std::thread::sleep(PAUSE);
    }
    let clear = refusals.remove(fault.code).unwrap_or_default();
    for (code, count) in &refusals {
        figures.remark(format!("{count} times: {code}"));
    }
    figures.count("refused clearly", clear, Goal::AtLeast(1.0));
    figures.count("refused otherwise", refusals.values().sum(), Goal::Is(0.0));
    figures.tell("longest refusal", longest.as_secs_f64(), "s");
    if fault.ready.is_some() {
        let wrong = live.iter().chain(&ready).filter(|right| !**right).count();
        figures.count("wrong about its health", wrong as u64, Goal::Is(0.0));
    }

    (fault.end)(&service);
    let ended = Instant::now();
    while !clients.repeat(&client).is_empty() && ended.elapsed() < PATIENCE {
        std::thread::sleep(PAUSE);
    }
    figures.tell("all that waited acknowledged after", ended.elapsed().as_secs_f64(), "s");
    figures.count("never acknowledged", clients.pending.len() as u64, Goal::Is(0.0));
    let mut after = 0;
    for _ in 0..ROUNDS {
        after += clients.go_on(&client).len();
    }
    figures.count("refused afterwards", after as u64, Goal::Is(0.0));
    let health = status(&service, "/v1/health/ready").unwrap_or_default();
    figures.count("ready afterwards", health.into(), Goal::Is(200.0));
    figures.count("restarts", u64::from(!service.runs()), Goal::Is(0.0));
    compare(&mut figures, ["lost", "too many", "off in sums"], &clients, &client);

    let setup = service.setup().clone();
    if setup.survives() {
        service.kill();
        let service = setup.start();
        compare(&mut figures, ["lost by a restart", "too many by it", "off by it"], &clients, &service.client());
    }
    figures
}

fn compare(figures: &mut Figures, names: [&'static str; 3], clients: &Clients, client: &Client) {
    let room = clients.room.compare(client).expect("the service answers");
    let meter = clients.meter.compare(client).expect("the service answers");
    let off = meter.batches_off.unsigned_abs() + meter.total_off.unsigned_abs();
    for (name, count) in names.into_iter().zip([room.lost, room.surplus, off]) {
        figures.count(name, count, Goal::Is(0.0));
    }
}
