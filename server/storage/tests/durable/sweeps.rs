//! Blobs that nobody names.

use std::fs;
use std::time::Duration;

use blindrelay_server::store::{KeyStore as _, LedgerStore as _, RoomStore as _};
use blindrelay_storage::{SWEEP_AGE, Sweep};

use crate::material::{PLENTY, change, keys, ledger, record, room, tenant};
use crate::places::Places;

async fn orphans_go_and_what_is_named_stays(places: &Places) {
    let store = places.open().await;
    let (room, digest) = (room(&store).await, keys(&store, b"some keys").await);
    store.add_record(&tenant(), room, record(0, b"a record"), PLENTY).await.unwrap();
    let name = ledger(&store, b"some sums").await;
    assert_eq!(places.blobs().len(), 3);
    // As a crash leaves them: a blob whose row was never written, of a known tenant and of another.
    let blob = "0".repeat(64) + "-0123456789abcdef";
    fs::create_dir_all(places.files.join("other")).unwrap();
    for tenant in ["acme", "other"] {
        fs::write(places.files.join(tenant).join(&blob), b"orphan").unwrap();
    }
    assert_eq!(store.sweep(SWEEP_AGE).await.unwrap(), Sweep::default(), "they may be on their way");
    assert_eq!(store.sweep(Duration::ZERO).await.unwrap(), Sweep { named: 3, deleted: 2 });
    assert_eq!(store.sweep(Duration::ZERO).await.unwrap(), Sweep { named: 3, deleted: 0 });
    assert_eq!(&store.key_bytes(&tenant(), digest).await.unwrap().unwrap()[..], b"some keys");
    assert_eq!(store.changes(&tenant(), room, 0, 10).await.unwrap().changes.len(), 1);
    assert_eq!(&store.sums(&tenant(), name).await.unwrap().sums[..], b"some sums");
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_go_from_a_directory() {
    let places = Places::file_and_directory();
    orphans_go_and_what_is_named_stays(&places).await;
    // Files that were being written, and files that are not the store's.
    let pieces = "1".repeat(64) + "-0123456789abcdef#1";
    for name in [pieces.as_str(), "notes#1", "notes"] {
        fs::write(places.files.join("acme").join(name), b"piece").unwrap();
    }
    let store = places.open().await;
    assert_eq!(store.sweep(SWEEP_AGE).await.unwrap(), Sweep::default());
    assert_eq!(store.sweep(Duration::ZERO).await.unwrap(), Sweep { named: 3, deleted: 1 });
    assert!(places.files.join("acme/notes").exists() && places.files.join("acme/notes#1").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_go_from_s3() {
    orphans_go_and_what_is_named_stays(&Places::file_and_s3().await).await;
}

#[tokio::test]
async fn what_is_replaced_is_deleted_at_once() {
    let places = Places::file_and_directory();
    let store = places.open().await;
    let name = ledger(&store, b"sums").await;
    for version in 0..5 {
        let change = change(version, &[version as u8], &version.to_string());
        store.change_ledger(&tenant(), name, change, PLENTY).await.unwrap();
        assert_eq!(places.blobs().len(), 1);
    }
    let outdated = change(3, b"outdated", "outdated");
    store.change_ledger(&tenant(), name, outdated, PLENTY).await.unwrap_err();
    assert_eq!(places.blobs().len(), 1, "also of a change that is refused");
    store.remove_ledger(&tenant(), name).await.unwrap();
    assert!(places.blobs().is_empty());
}

#[tokio::test]
async fn one_process_sweeps_a_directory() {
    let places = Places::file_and_directory();
    let store = places.open().await;
    keys(&store, b"some keys").await;
    let other = fs::File::create(places.files.join("sweep.lock")).unwrap();
    other.lock().unwrap();
    assert_eq!(store.sweep(Duration::ZERO).await.unwrap(), Sweep::default());
    drop(other);
    assert_eq!(store.sweep(Duration::ZERO).await.unwrap(), Sweep { named: 1, deleted: 0 });
}
