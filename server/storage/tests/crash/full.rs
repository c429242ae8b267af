//! A disk that is full, as a limit on the size of files: whatever grows beyond it cannot be written.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use blindrelay_engine::operator::{Handle, Placement};
use blindrelay_server::family::Family;
use blindrelay_server::id::{BodyDigest, IdempotencyKey, LedgerId, RoomId, TenantId};
use blindrelay_server::store::{
    Idempotency, LedgerChange, LedgerName, LedgerStore as _, NewRecord, Quota, RoomStore as _, Store as _, StoreError,
    StoredLedger, StoredRoom,
};
use blindrelay_storage::DurableStore;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::rounds::Outcome;

const PLENTY: Quota = Quota { rooms: 9, ledgers: 9, changes: 99, keys: 9, jobs: 9, bytes: 1 << 30 };
const ROOM: RoomId = RoomId::from_bytes([1; 16]);
const NAME: LedgerName = LedgerName { family: Family::Meters, id: LedgerId::from_bytes([2; 16]) };
/// Smaller than the database's log once a few records are in it, and larger than the index beside that.
const LIMIT: u64 = 64 << 10;
/// `SIGXFSZ`: a process that does not handle it dies of a file that would become too large.
const FILE_TOO_LARGE: i32 = 25;

fn tenant() -> Outcome<TenantId> {
    Ok(TenantId::new("acme").ok_or("a tenant's name")?)
}

fn record(version: u64, bytes: usize) -> Outcome<NewRecord> {
    let handles = vec![Handle::random()?];
    let placement = Placement { group: 0, place: 0 };
    Ok(NewRecord { version, bytes: vec![7; bytes].into(), handles, placement, idempotency: None })
}

fn change(version: u64, sums: usize) -> Outcome<LedgerChange> {
    let key = IdempotencyKey::new(&format!("request-{version}")).ok_or("a request's name")?;
    let request = Idempotency { key, body: BodyDigest::of(b"body") };
    Ok(LedgerChange { version, sums: vec![8; sums].into(), batches: version + 1, request })
}

/// Runs the process that meets the limit, and looks at what it has left.
pub(crate) fn check() -> Outcome {
    let folder = tempfile::tempdir()?;
    let status = Command::new(std::env::current_exe()?).arg("full").arg(folder.path()).status()?;
    if !status.success() {
        return Err(format!("the process with a full disk: {status}").into());
    }
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let store = DurableStore::in_folder(folder.path()).await?;
        assert_eq!(store.changes(&tenant()?, ROOM, 0, 100).await?.changes.len(), 4);
        let state = store.sums(&tenant()?, NAME).await?;
        assert_eq!((state.version, state.sums.len()), (2, 100_000));
        // What could not be named is swept, what is named stays.
        store.sweep(Duration::ZERO).await?;
        assert_eq!(store.sweep(Duration::ZERO).await?.named, 5);
        assert_eq!(store.changes(&tenant()?, ROOM, 0, 100).await?.changes.len(), 4);
        Ok(())
    })
}

/// The process that meets the limit.
pub(crate) fn write(folder: &Path) -> Outcome {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let _handled = signal(SignalKind::from_raw(FILE_TOO_LARGE))?;
        let (store, ours) = (DurableStore::in_folder(folder).await?, tenant()?);
        let room = StoredRoom { room: ROOM, operator: "test/1".to_owned(), evaluation_keys: None };
        store.create_room(&ours, room, PLENTY).await?;
        let (operator, settings) = ("test/1".to_owned(), Arc::from("{}"));
        let ledger = StoredLedger { name: NAME, operator, settings, evaluation_keys: None };
        store.create_ledger(&ours, ledger, Arc::from(*b"sums"), PLENTY).await?;
        for version in 0..3 {
            store.add_record(&ours, ROOM, record(version, 100_000)?, PLENTY).await?;
        }
        store.change_ledger(&ours, NAME, change(0, 100_000)?, PLENTY).await?;
        let before = getrlimit(Resource::Fsize);
        setrlimit(Resource::Fsize, Rlimit { current: Some(LIMIT), maximum: before.maximum })?;
        // Neither where the blob does not fit nor where the row does not.
        for bytes in [100_000, 10, 100_000, 10] {
            let refused = store.add_record(&ours, ROOM, record(3, bytes)?, PLENTY).await;
            assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
            let refused = store.change_ledger(&ours, NAME, change(1, bytes)?, PLENTY).await;
            assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        }
        store.ready().await?;
        assert_eq!(store.changes(&ours, ROOM, 0, 100).await?.changes.len(), 3);
        assert_eq!(store.sums(&ours, NAME).await?.version, 1);
        setrlimit(Resource::Fsize, before)?;
        assert_eq!(store.add_record(&ours, ROOM, record(3, 100_000)?, PLENTY).await?, 4);
        store.change_ledger(&ours, NAME, change(1, 100_000)?, PLENTY).await?;
        Ok(())
    })
}
