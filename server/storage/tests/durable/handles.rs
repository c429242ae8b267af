//! Records of more handles than one statement writes.

use blindrelay_engine::operator::Handle;
use blindrelay_server::store::{NewRecord, RoomChange, RoomStore as _, StoreError};

use crate::material::{PLENTY, record, room, tenant};
use crate::places::Places;

#[tokio::test]
async fn a_record_may_have_many_handles() {
    let places = Places::file_and_directory();
    let store = places.open().await;
    let room = room(&store).await;
    let handles: Vec<Handle> = (0..=255).map(|number| Handle::from_bytes([number; 16])).collect();
    let wide = NewRecord { handles: handles.clone(), ..record(0, b"wide") };
    store.add_record(&tenant(), room, wide, PLENTY).await.unwrap();
    assert_eq!(store.handles(&tenant(), room, None, 1000).await.unwrap(), handles);
    // One that is taken, in the last of its statements.
    let mut clash: Vec<Handle> = (0..100).map(|_| Handle::random().unwrap()).collect();
    clash.push(handles[7]);
    let refused = store.add_record(&tenant(), room, NewRecord { handles: clash, ..record(1, b"clash") }, PLENTY).await;
    assert!(matches!(refused, Err(StoreError::RepeatedId)));
    assert_eq!(store.usage(&tenant(), room).await.unwrap().handles, 256);
    for handle in &handles {
        store.remove_handle(&tenant(), room, *handle).await.unwrap();
    }
    assert!(store.changes(&tenant(), room, 0, 1000).await.unwrap().changes.is_empty());
    let late = store.changes(&tenant(), room, 1, 1000).await.unwrap().changes;
    assert!(late.iter().map(RoomChange::version).eq(2..=257));
    places.no_orphans().await;
}
