//! Several services on one store.

use std::sync::Arc;

use blindrelay_server::id::{ApiKeyId, BodyDigest, RoomId};
use blindrelay_server::store::{
    AccessStore as _, ApiKey, LedgerName, LedgerStore as _, Quota, Role, RoomChange, RoomStore as _, StoreError,
    StoredTenant, TenantLimits,
};
use blindrelay_server::time::UnixMillis;
use blindrelay_storage::DurableStore;

use crate::material::{PLENTY, change, ledger, record, room, tenant};
use crate::places::Places;

const NODES: usize = 2;
const TASKS: usize = 8;
const TURNS: u64 = 5;

async fn add(store: &DurableStore, room: RoomId, bytes: &[u8], quota: Quota) -> Result<u64, StoreError> {
    loop {
        let version = store.room(&tenant(), room).await?.unwrap().version;
        match store.add_record(&tenant(), room, record(version, bytes), quota).await {
            Err(StoreError::Outdated { .. }) => {}
            outcome => return outcome,
        }
    }
}

async fn count(store: &DurableStore, name: LedgerName, request: &str) -> Result<(), StoreError> {
    loop {
        let state = store.sums(&tenant(), name).await?;
        let sum = u64::from_le_bytes(state.sums[..].try_into().unwrap()) + 1;
        match store.change_ledger(&tenant(), name, change(state.version, &sum.to_le_bytes(), request), PLENTY).await {
            Err(StoreError::Outdated { .. }) => {}
            outcome => return outcome,
        }
    }
}

/// Nothing is lost and nothing happens twice, and the account is right to the byte.
pub(crate) async fn share_a_store(places: &Places) {
    let mut nodes = Vec::new();
    for _ in 0..NODES {
        nodes.push(Arc::new(places.open().await));
    }
    let (room, name) = (room(&nodes[0]).await, ledger(&nodes[0], &0_u64.to_le_bytes()).await);
    let before = nodes[0].stored_bytes(&tenant()).await.unwrap();
    let tasks = (0..TASKS).map(|task| {
        let node = Arc::clone(&nodes[task % NODES]);
        tokio::spawn(async move {
            let mut versions = Vec::new();
            for turn in 0..TURNS {
                versions.push(add(&node, room, &[task as u8; 100], PLENTY).await.unwrap());
                count(&node, name, &format!("{task}-{turn}")).await.unwrap();
            }
            versions
        })
    });
    let mut versions = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        versions.extend(task.await.unwrap());
    }
    versions.sort_unstable();
    let all = TASKS as u64 * TURNS;
    assert!(versions.iter().copied().eq(1..=all), "{versions:?}");
    let changes = nodes[0].changes(&tenant(), room, 0, 1000).await.unwrap().changes;
    assert!(changes.iter().map(RoomChange::version).eq(1..=all));
    let state = nodes[0].sums(&tenant(), name).await.unwrap();
    assert_eq!((state.version, &state.sums[..]), (all, &all.to_le_bytes()[..]));
    let (record, request) = (record(0, &[0; 100]).charge().0, change(0, &[0; 8], "0-0").charge().1);
    let after = nodes[0].stored_bytes(&tenant()).await.unwrap();
    assert_eq!(after - before, all * (record + request));
    only_what_fits_is_added(&nodes, room, after).await;
    places.no_orphans().await;
}

/// Tasks that race for the last bytes of a quota get them all, and not one more.
async fn only_what_fits_is_added(nodes: &[Arc<DurableStore>], room: RoomId, stored: u64) {
    let fitting = 5;
    let quota = Quota { bytes: stored + fitting * record(0, &[0; 100]).charge().0 + 99, ..PLENTY };
    let tasks = (0..TASKS).map(|task| {
        let node = Arc::clone(&nodes[task % NODES]);
        tokio::spawn(async move { add(&node, room, &[0; 100], quota).await })
    });
    let mut added = 0;
    for task in tasks.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(_) => added += 1,
            Err(refused) => assert!(matches!(refused, StoreError::Quota { what: "bytes", .. }), "{refused}"),
        }
    }
    assert_eq!(added, fitting);
}

/// What one service changes, the other one knows with its next question, whatever it has asked before.
pub(crate) async fn nothing_is_known_from_before(places: &Places) {
    let (asked, changed) = (places.open().await, places.open().await);
    assert!(!asked.has_api_key().await.unwrap() && !asked.has_api_key().await.unwrap());
    let stored =
        StoredTenant { id: tenant(), created: UnixMillis(1), suspended: None, limits: TenantLimits::default() };
    changed.create_tenant(stored).await.unwrap();
    let room = room(&changed).await;
    for turn in 1..=40 {
        let key = ApiKey {
            id: ApiKeyId::random().unwrap(),
            digest: BodyDigest::of(&[turn]),
            tenant: Some(tenant()),
            role: Role::Relay,
            label: String::new(),
            created: UnixMillis(1),
            expires: None,
            revoked: None,
        };
        let version = asked.room(&tenant(), room).await.unwrap().unwrap().version;
        assert!(asked.key_holder(key.digest).await.unwrap().is_none());
        changed.add_api_key(key.clone()).await.unwrap();
        assert!(asked.has_api_key().await.unwrap());
        assert!(asked.key_holder(key.digest).await.unwrap().is_some_and(|holder| holder.key.revoked.is_none()));
        let suspended = Some(UnixMillis(u64::from(turn)));
        changed.change_tenant(&tenant(), TenantLimits::default(), suspended).await.unwrap();
        assert_eq!(asked.tenant(&tenant()).await.unwrap().unwrap().suspended, suspended);
        assert_eq!(asked.key_holder(key.digest).await.unwrap().unwrap().tenant.unwrap().suspended, suspended);
        changed.revoke_api_key(key.id, UnixMillis(2)).await.unwrap();
        assert_eq!(asked.key_holder(key.digest).await.unwrap().unwrap().key.revoked, Some(UnixMillis(2)));
        add(&changed, room, &[turn; 100], PLENTY).await.unwrap();
        assert_eq!(asked.room(&tenant(), room).await.unwrap().unwrap().version, version + 1);
    }
    changed.remove_room(&tenant(), room).await.unwrap();
    assert!(asked.room(&tenant(), room).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn services_on_a_file_know_nothing_from_before() {
    nothing_is_known_from_before(&Places::file_and_directory()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_share_a_file_and_a_directory() {
    share_a_store(&Places::file_and_directory()).await;
}
