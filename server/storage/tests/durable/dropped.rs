//! Requests that nobody waits for any more.

use std::time::Duration;

use blindrelay_server::store::{RoomStore as _, StoreError};
use futures_util::poll;

use crate::material::{PLENTY, record, room, tenant};
use crate::places::Places;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_begun_is_made_as_a_whole() {
    let places = Places::file_and_directory();
    let store = places.open().await;
    let (ours, room) = (tenant(), room(&store).await);
    for version in 0..20 {
        {
            let mut change = std::pin::pin!(store.add_record(&ours, room, record(version, &[7; 5000]), PLENTY));
            assert!(poll!(&mut change).is_pending());
            tokio::time::sleep(Duration::from_micros(100 * version)).await;
        }
        // The next change finds the version of the one that was dropped, at once or soon.
        while store.room(&ours, room).await.unwrap().unwrap().version == version {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let late = store.add_record(&ours, room, record(version, b"late"), PLENTY).await;
        assert!(matches!(late, Err(StoreError::Outdated { found, .. }) if found == version + 1));
    }
    assert_eq!(store.changes(&ours, room, 0, 100).await.unwrap().changes.len(), 20);
    places.no_orphans().await;
}
