//! Copies of stores, made while somebody works, and stores made from them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use blindrelay_server::store::LedgerStore as _;
use blindrelay_storage::{BackupError, Copied, DurableStore, restore};

use crate::material::{PLENTY, change, ledger, tenant};
use crate::places::Places;
use crate::{postgres, samples};

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A copy of `from`, made while somebody changes it, has everything that was there before, in whatever store it becomes.
async fn moves(from: &Places, to: &Places) {
    let store = from.open().await;
    samples::write(&store).await.unwrap();
    let (name, stop) = (ledger(&store, &0_u64.to_le_bytes()).await, Arc::new(AtomicBool::new(false)));
    let working = tokio::spawn({
        let (store, stop) = (store.clone(), Arc::clone(&stop));
        async move {
            let mut version = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                let sums = (version + 1).to_le_bytes();
                store
                    .change_ledger(&tenant(), name, change(version, &sums, &format!("r{version}")), PLENTY)
                    .await
                    .unwrap();
                version += 1;
            }
            version
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let mut copied = Copied::default();
    for _ in 0..3 {
        copied = store.back_up(folder.path(), |_| {}).await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    let versions = working.await.unwrap();
    store.close().await;

    let restored = restore(&to.settings(), folder.path(), |_| {}).await.unwrap();
    assert_eq!(restored, copied);
    let store = to.open().await;
    samples::check(&store).await.unwrap();
    let state = store.sums(&tenant(), name).await.unwrap();
    assert!(state.version <= versions && state.sums[..] == state.version.to_le_bytes(), "{state:?} of {versions}");
    // What the sums were replaced by while the copy was made is swept like everything else that has no row.
    store.sweep(Duration::ZERO).await.unwrap();
    samples::check(&store).await.unwrap();
    to.no_orphans().await;
    let again = restore(&to.settings(), folder.path(), |_| {}).await;
    assert!(matches!(again, Err(BackupError::NotEmpty)), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_becomes_a_server_and_a_server_a_file() {
    let Some(server) = postgres::Server::start() else { return };
    moves(&Places::file_and_directory(), &Places::server_and_s3(&server).await).await;
    moves(&Places::server_and_directory(&server), &Places::file_and_s3().await).await;
}

#[tokio::test]
async fn what_is_no_whole_copy_becomes_no_store() {
    let (from, folder) = (Places::file_and_directory(), tempfile::tempdir().unwrap());
    let store = from.open().await;
    samples::write(&store).await.unwrap();
    store.back_up(folder.path(), |_| {}).await.unwrap();
    let to = Places::file_and_directory();
    let refused = async |reason: &str| {
        let refused = restore(&to.settings(), folder.path(), |_| {}).await.unwrap_err();
        assert!(refused.to_string().contains(reason), "{refused}");
    };
    let blob = files(&folder.path().join("blobs")).swap_remove(0);
    for (path, reason) in [(blob, "another digest"), (folder.path().join("rows.jsonl"), "SHA-256")] {
        let good = fs::read(&path).unwrap();
        fs::write(&path, &good[..good.len() - 1]).unwrap();
        refused(reason).await;
        fs::remove_file(&path).unwrap();
        refused("cannot be used").await;
        fs::write(&path, good).unwrap();
    }
    let manifest = folder.path().join("manifest.json");
    let good = fs::read_to_string(&manifest).unwrap();
    for (from, to, reason) in [
        ("backup/1", "backup/9", "its format is"),
        ("\"form\": ", "\"form\": 9", "use a newer program"),
        ("{", "", "expected"),
    ] {
        fs::write(&manifest, good.replacen(from, to, 1)).unwrap();
        refused(reason).await;
    }
    fs::remove_file(&manifest).unwrap();
    refused("manifest.json").await;
    // A copy that breaks off is none: its manifest is written last.
    fs::write(&manifest, good).unwrap();
    fs::remove_dir_all(&from.files).unwrap();
    fs::remove_dir_all(folder.path().join("blobs")).unwrap();
    store.back_up(folder.path(), |_| {}).await.unwrap_err();
    assert!(!manifest.exists());
    refused("manifest.json").await;
    assert!(DurableStore::open(&to.settings()).await.is_ok(), "nothing was written");
}
