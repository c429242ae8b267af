//! What durability costs: `cargo run --release -p blindrelay-storage --example measure -- FOLDER [postgres://USER@HOST/DATABASE]`.
//!
//! The folder is made, and everything in it is left. A database that is given should be empty.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use blindrelay_engine::operator::{Handle, Placement};
use blindrelay_server::family::Family;
use blindrelay_server::id::{ApiKeyId, BodyDigest, IdempotencyKey, LedgerId, RoomId, TenantId};
use blindrelay_server::store::{
    AccessStore as _, ApiKey, Idempotency, KeySet, KeyStore as _, KeyTerms, LedgerChange, LedgerName, LedgerStore as _,
    NewRecord, Quota, Role, RoomStore as _, StoredLedger, StoredRoom, StoredTenant, TenantLimits,
};
use blindrelay_server::time::UnixMillis;
use blindrelay_storage::{BlobSettings, DatabaseAddress, DurableStore, Settings};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const PLENTY: Quota = Quota {
    rooms: usize::MAX,
    ledgers: usize::MAX,
    changes: usize::MAX,
    keys: usize::MAX,
    jobs: usize::MAX,
    bytes: u64::MAX,
};
/// How long each rate is measured.
const SPAN: Duration = Duration::from_secs(5);
/// Reads of which the median is told.
const READS: usize = 5_000;

#[tokio::main]
async fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("give a folder")?);
    let database = match arguments.next() {
        Some(address) => DatabaseAddress::try_from(address)?,
        None => DatabaseAddress::Sqlite(folder.join("rows.sqlite")),
    };
    let store = DurableStore::open(&Settings::new(database, BlobSettings::Directory(folder.join("blobs")))).await?;
    reads(&store).await?;
    for (bytes, tasks) in [(10_568, 1), (10_568, 8), (1_650_826, 1), (1_650_826, 8)] {
        let rate = rate(tasks, |task| add_records(store.clone(), task, bytes)).await?;
        println!("{rate:>8.0} records/s of {bytes} bytes, {tasks} rooms at the same time");
    }
    for (bytes, tasks) in [(336_000, 1), (336_000, 8)] {
        let rate = rate(tasks, |task| change_sums(store.clone(), task, bytes)).await?;
        println!("{rate:>8.0} changes/s of sums of {bytes} bytes, {tasks} ledgers at the same time");
    }
    store.close().await;
    Ok(())
}

/// Work of all tasks in a second.
async fn rate<F>(tasks: usize, work: impl Fn(usize) -> F) -> Outcome<f64>
where
    F: Future<Output = Outcome<u64>> + Send + 'static,
{
    let begun = Instant::now();
    let mut all = 0;
    for task in (0..tasks).map(|task| tokio::spawn(work(task))).collect::<Vec<_>>() {
        all += task.await??;
    }
    Ok(all as f64 / begun.elapsed().as_secs_f64())
}

/// A tenant for each task, as services have many.
fn tenant(task: usize) -> Outcome<TenantId> {
    Ok(TenantId::new(&format!("tenant-{task}")).ok_or("a tenant's name")?)
}

async fn new_room(store: &DurableStore, tenant: &TenantId, keys: Option<BodyDigest>) -> Outcome<RoomId> {
    let room = RoomId::random()?;
    let stored = StoredRoom { room, operator: "measure/1".to_owned(), evaluation_keys: keys };
    store.create_room(tenant, stored, PLENTY).await?;
    Ok(room)
}

async fn add_records(store: DurableStore, task: usize, bytes: usize) -> Outcome<u64> {
    let tenant = tenant(task)?;
    let room = new_room(&store, &tenant, None).await?;
    let bytes: Arc<[u8]> = vec![task as u8; bytes].into();
    let (begun, mut version) = (Instant::now(), 0);
    while begun.elapsed() < SPAN {
        let handles = vec![Handle::random()?];
        let placement = Placement { group: 0, place: 0 };
        let record = NewRecord { version, bytes: Arc::clone(&bytes), handles, placement, idempotency: None };
        version = store.add_record(&tenant, room, record, PLENTY).await?;
    }
    Ok(version)
}

async fn change_sums(store: DurableStore, task: usize, bytes: usize) -> Outcome<u64> {
    let tenant = tenant(task)?;
    let name = LedgerName { family: Family::Meters, id: LedgerId::random()? };
    let (operator, settings) = ("measure/1".to_owned(), Arc::from("{}"));
    let sums: Arc<[u8]> = vec![task as u8; bytes].into();
    let ledger = StoredLedger { name, operator, settings, evaluation_keys: None };
    store.create_ledger(&tenant, ledger, Arc::clone(&sums), PLENTY).await?;
    let (begun, mut version) = (Instant::now(), 0);
    while begun.elapsed() < SPAN {
        let key = IdempotencyKey::new(&version.to_string()).ok_or("a request's name")?;
        let request = Idempotency { key, body: BodyDigest::from_bytes([0; 32]) };
        let change = LedgerChange { version, sums: Arc::clone(&sums), batches: version, request };
        store.change_ledger(&tenant, name, change, PLENTY).await?;
        version += 1;
    }
    Ok(version)
}

/// What every request asks the database for.
async fn reads(store: &DurableStore) -> Outcome {
    let tenant = tenant(0)?;
    let stored =
        StoredTenant { id: tenant.clone(), created: UnixMillis(0), suspended: None, limits: TenantLimits::default() };
    store.create_tenant(stored).await?;
    let key = ApiKey {
        id: ApiKeyId::random()?,
        digest: BodyDigest::of(&Handle::random()?.as_bytes()[..]),
        tenant: Some(tenant.clone()),
        role: Role::Relay,
        label: "measure".to_owned(),
        created: UnixMillis(0),
        expires: None,
        revoked: None,
    };
    store.add_api_key(key.clone()).await?;
    let bytes: Arc<[u8]> = vec![7; 500_000].into();
    let told = KeySet {
        parameters: "measure".to_owned(),
        bytes: bytes.len(),
        relinearization: true,
        galois_elements: vec![3; 12],
        terms: KeyTerms::default(),
    };
    let digest = BodyDigest::of(&bytes);
    store.put_keys(&tenant, digest, told, bytes, PLENTY).await?;
    let room = new_room(store, &tenant, Some(digest)).await?;
    let mut spans = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..READS {
        let begun = Instant::now();
        store.key_holder(key.digest).await?.ok_or("no API key")?;
        let held = Instant::now();
        store.room(&tenant, room).await?.ok_or("no room")?;
        let roomed = Instant::now();
        store.keys(&tenant, digest).await?.ok_or("no keys")?;
        let spent = [held - begun, roomed - held, roomed.elapsed()];
        spans.iter_mut().zip(spent).for_each(|(spans, span)| spans.push(span));
    }
    for (what, spans) in ["key_holder", "room", "keys"].into_iter().zip(&mut spans) {
        spans.sort_unstable();
        let at = |part: usize| spans.get(spans.len() * part / 100).map_or(0.0, Duration::as_secs_f64) * 1e6;
        println!("{:>8.0} us {what}(), median; 99 of 100 within {:.0} us", at(50), at(99));
    }
    Ok(())
}
