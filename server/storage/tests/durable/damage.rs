//! What is stored is not as it was written.

use blindrelay_server::store::{KeyStore as _, LedgerStore as _, RoomStore as _, StoreError};

use crate::material::{PLENTY, change, keys, ledger, record, room, tenant};
use crate::places::Places;

/// The message of a store that fails.
fn message(error: &StoreError) -> String {
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_damaged_blob_is_named_and_not_returned() {
    let places = Places::file_and_directory();
    let store = places.open().await;
    let (room, digest) = (room(&store).await, keys(&store, b"some keys").await);
    store.add_record(&tenant(), room, record(0, b"a record"), PLENTY).await.unwrap();
    let name = ledger(&store, b"some sums").await;
    for blob in places.blobs() {
        let mut bytes = std::fs::read(&blob).unwrap();
        bytes[3] ^= 1;
        std::fs::write(&blob, bytes).unwrap();
    }
    let failures = [
        message(&store.key_bytes(&tenant(), digest).await.unwrap_err()),
        message(&store.changes(&tenant(), room, 0, 10).await.unwrap_err()),
        message(&store.sums(&tenant(), name).await.unwrap_err()),
    ];
    for (failure, bytes) in failures.iter().zip([9, 8, 9]) {
        assert!(failure.contains("blob acme/"), "{failure}");
        assert!(failure.ends_with(&format!("is damaged: its {bytes} bytes have another digest")), "{failure}");
    }
    // Sums can be replaced whatever became of the former ones.
    store.change_ledger(&tenant(), name, change(0, b"new sums", "a"), PLENTY).await.unwrap();
    assert_eq!(&store.sums(&tenant(), name).await.unwrap().sums[..], b"new sums");
}

#[tokio::test]
async fn a_missing_blob_is_named() {
    let places = Places::file_and_directory();
    let store = places.open().await;
    let digest = keys(&store, b"some keys").await;
    for blob in places.blobs() {
        std::fs::remove_file(blob).unwrap();
    }
    let failure = message(&store.key_bytes(&tenant(), digest).await.unwrap_err());
    assert!(failure.contains(&format!("blob acme/{digest}-")) && failure.ends_with("is missing"), "{failure}");
    assert!(store.keys(&tenant(), digest).await.unwrap().is_some());
    store.remove_keys(&tenant(), digest).await.unwrap();
}
