//! A clock that jumps by hours, both ways. A process cannot be given a clock of its own, so the service runs inside this one, on a real socket and a durable store.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use blindrelay_client::{Client, KeyTerms};
use blindrelay_engine::Backend;
use blindrelay_server::id::BodyDigest;
use blindrelay_server::time::{Clock, UnixMillis};
use blindrelay_server::{AppState, Config, Environment, Registry};
use blindrelay_storage::DurableStore;
use blindrelay_trust::{Identity, KeyHistory, SignedReceipt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::account::{Account, Relay};
use crate::attendance::Attendance;
use crate::figures::{Figures, Goal};

const HOUR: i64 = 3_600_000;
/// Jumps, one after the other, in hours.
const JUMPS: [i64; 6] = [5, -3, -9, 26, -40, 21];

/// What the clock is wrong by, in milliseconds.
type Shift = Arc<AtomicI64>;

fn read(shift: &Shift) -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    UnixMillis((since.as_millis() as u64).saturating_add_signed(shift.load(Ordering::Relaxed)))
}

/// The service in a thread.
struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(folder: &Path, shift: &Shift) -> Self {
        let (folder, shift) = (folder.to_owned(), Arc::clone(shift));
        let (started, address) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let store = DurableStore::in_folder(&folder).await.expect("a store");
                let now = blindrelay_trust::UnixMillis::new(read(&shift).0).expect("a moment of this age");
                let identity = Identity::open_or_create(&folder.join("identity"), now).expect("an identity");
                let clock = Clock::new(move || read(&shift));
                let environment = Environment { clock, identity: Some(Arc::new(identity)), ..Environment::default() };
                let registry = Registry::standard(Backend::detect()).expect("the operators");
                let state = AppState::within(&Config::default(), registry, Arc::new(store.clone()), environment).await;
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
                started.send(listener.local_addr().expect("an address")).expect("somebody waits");
                let end = async { drop(stopped.await) };
                blindrelay_server::serve(listener, state.expect("a service"), end).await.expect("it serves");
                store.close().await;
            });
        });
        Self { address: address.recv().expect("the service starts"), stop: Some(stop), thread: Some(thread) }
    }

    fn client(&self) -> Client {
        Client::builder(format!("http://{}", self.address)).attempts(1).build().expect("a client")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // A service that has ended already cannot be told to.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What clients have while the clock jumps.
struct World {
    room: Attendance,
    meter: Account,
    relay: Relay,
    /// Keys that expire an hour after the run has begun.
    keys: Vec<u8>,
    next: usize,
}

impl World {
    fn new(client: &Client, shift: &Shift) -> Self {
        let (room, meter) = (Attendance::new(client).expect("a room"), Account::new(client).expect("a meter"));
        let (relay, keys) = (meter.relay("relay"), room.members().evaluation_keys());
        let expires = Some(blindrelay_client::UnixMillis(read(shift).0.saturating_add_signed(HOUR)));
        let terms = KeyTerms { epoch: None, expires };
        client.upload_keys(&digest(&keys), &keys, terms, |_| {}).expect("keys that have not expired");
        Self { room, meter, relay, keys, next: 0 }
    }

    /// One of everything; how much of it fails.
    fn go_on(&mut self, client: &Client) -> u64 {
        self.next += 1;
        let name = format!("member-{}", self.next);
        let usage = self.meter.usage(&self.relay, &[self.next as i64]);
        let done = [
            self.room.enrol(client, &self.room.newcomer(&name)).is_ok(),
            self.meter.add(client, &usage).is_ok(),
            self.room.ask(client, &name).is_ok_and(|found| found.len() == 1),
        ];
        done.into_iter().filter(|done| !done).count() as u64
    }

    /// Whether a receipt comes with an answer and is what it says.
    fn is_receipted(&self, client: &Client) -> bool {
        let probe = self.room.members().probe("member-1");
        let Ok(answer) = client.matching_with_receipt(self.room.room(), &probe, 1 << 20) else { return false };
        let history = KeyHistory::from_json(&client.identity().expect("a history")).expect("a history");
        SignedReceipt::from_bytes(&answer.receipt).is_ok_and(|receipt| receipt.verify(&history).is_ok())
    }

    /// Whether the keys are taken again.
    fn keys_are_taken(&self, client: &Client) -> bool {
        match client.upload_keys(&digest(&self.keys), &self.keys, KeyTerms::default(), |_| {}) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.code(), Some("keys-expired"), "{error}");
                false
            }
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    BodyDigest::of(bytes).to_string()
}

/// Lets the clock jump while clients work, and starts the service again with a clock behind everything that it has.
pub fn run() -> Figures {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let shift = Shift::default();
    let service = Running::start(folder.path(), &shift);
    let client = service.client();
    let mut world = World::new(&client, &shift);
    let (mut failed, mut unsigned) = (world.go_on(&client), u64::from(!world.is_receipted(&client)));
    assert!(world.keys_are_taken(&client), "keys that have not expired");
    let mut expired_taken = 0;
    for hours in JUMPS {
        shift.fetch_add(hours * HOUR, Ordering::Relaxed);
        failed += world.go_on(&client);
        unsigned += u64::from(!world.is_receipted(&client));
        // The first jump lets them expire, and no later one makes them good again.
        expired_taken += u64::from(world.keys_are_taken(&client));
    }
    drop(service);
    shift.store(-1000 * HOUR, Ordering::Relaxed);
    let service = Running::start(folder.path(), &shift);
    let client = service.client();
    failed += world.go_on(&client);
    unsigned += u64::from(!world.is_receipted(&client));
    let mut figures = Figures::default();
    figures.count("jumps", JUMPS.len() as u64 + 1, Goal::AtLeast(2.0));
    figures.count("failed", failed, Goal::Is(0.0));
    figures.count("answers without a valid receipt", unsigned, Goal::Is(0.0));
    figures.count("expired keys taken", expired_taken, Goal::Is(0.0));
    let room = world.room.compare(&client).expect("the service answers");
    let meter = world.meter.compare(&client).expect("the service answers");
    figures.count("lost", room.lost, Goal::Is(0.0));
    figures.count("too many", room.surplus, Goal::Is(0.0));
    figures.count("off in sums", meter.batches_off.unsigned_abs() + meter.total_off.unsigned_abs(), Goal::Is(0.0));
    figures
}
