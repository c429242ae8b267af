//! The contract for ledgers.

use std::sync::Arc;

use super::{Outcome, PLENTY, add_keys, key_set, request, tenant, unavailable};
use crate::family::Family;
use crate::id::{LedgerId, TenantId};
use crate::store::{LedgerChange, LedgerName, LedgerState, LedgerUsage, Quota, Store, StoreError, StoredLedger, Turn};

pub(super) async fn all(store: &dyn Store) -> Outcome {
    ledgers_belong_to_their_tenants_and_families(store).await?;
    keys_of_ledgers_stay(store).await?;
    ledgers_come_in_pages(store).await?;
    a_change_counts_once(store).await?;
    only_the_first_change_of_a_version_happens(store).await?;
    ledger_quotas_hold_and_are_given_back(store).await
}

pub(super) fn ledger_of(family: Family) -> Result<StoredLedger, StoreError> {
    let id = LedgerId::random().map_err(unavailable)?;
    let settings = Arc::from(r#"{"a":1}"#);
    Ok(StoredLedger {
        name: LedgerName { family, id },
        operator: "contract/1".to_owned(),
        settings,
        evaluation_keys: None,
    })
}

pub(super) async fn new_ledger(store: &dyn Store, tenant: &TenantId) -> Result<LedgerName, StoreError> {
    let ledger = ledger_of(Family::Meters)?;
    let name = ledger.name;
    store.create_ledger(tenant, ledger, Arc::from(*b"first"), PLENTY).await?;
    Ok(name)
}

pub(super) fn change(
    version: u64,
    sums: &[u8],
    batches: u64,
    key: &str,
    body: &[u8],
) -> Result<LedgerChange, StoreError> {
    Ok(LedgerChange { version, sums: sums.into(), batches, request: request(key, body)? })
}

async fn usage(store: &dyn Store, tenant: &TenantId, name: LedgerName) -> Result<Option<LedgerUsage>, StoreError> {
    Ok(store.ledger(tenant, name).await?.map(|(_, usage)| usage))
}

/// A ledger of somebody else, or the same id in the other family, is like none, for every method.
async fn ledgers_belong_to_their_tenants_and_families(store: &dyn Store) -> Outcome {
    let (ours, theirs) = (tenant()?, tenant()?);
    let ledger = ledger_of(Family::Panels)?;
    let name = ledger.name;
    store.create_ledger(&ours, ledger.clone(), Arc::from(*b"sums"), PLENTY).await?;
    let twin = StoredLedger { name: LedgerName { family: Family::Meters, ..name }, ..ledger.clone() };
    for repeated in [ledger.clone(), twin.clone()] {
        let refused = store.create_ledger(&ours, repeated, Arc::from(*b"sums"), PLENTY).await;
        assert!(matches!(refused, Err(StoreError::RepeatedId)));
    }
    assert_eq!(store.ledger(&ours, name).await?, Some((ledger.clone(), LedgerUsage { batches: 0, bytes: 4 })));
    assert_eq!(store.sums(&ours, name).await?, LedgerState { version: 0, sums: Arc::from(*b"sums") });
    for (tenant, name) in [(&theirs, name), (&ours, twin.name), (&theirs, twin.name)] {
        let unknown =
            |error: StoreError| matches!(error, StoreError::UnknownLedger { family } if family == name.family);
        assert_eq!(store.ledger(tenant, name).await?, None);
        assert!(store.ledgers(tenant, name.family, None, 10).await?.is_empty());
        assert!(store.sums(tenant, name).await.is_err_and(unknown));
        assert!(store.turn(tenant, name, &request("name", b"body")?).await.is_err_and(unknown));
        let foreign = change(0, b"theirs", 1, "name", b"body")?;
        assert!(store.change_ledger(tenant, name, foreign, PLENTY).await.is_err_and(unknown));
        assert!(store.remove_ledger(tenant, name).await.is_err_and(unknown));
    }
    store.remove_ledger(&ours, name).await?;
    assert_eq!(store.ledger(&ours, name).await?, None);
    let gone = store.remove_ledger(&ours, name).await;
    assert!(matches!(gone, Err(StoreError::UnknownLedger { family: Family::Panels })));
    Ok(())
}

/// A ledger needs its keys when it is made and keeps them until it goes.
async fn keys_of_ledgers_stay(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let (digest, ..) = key_set(b"keys of a ledger");
    let ledger = StoredLedger { evaluation_keys: Some(digest), ..ledger_of(Family::Meters)? };
    let early = store.create_ledger(&ours, ledger.clone(), Arc::from(*b"sums"), PLENTY).await;
    assert!(matches!(early, Err(StoreError::KeysMissing { .. })));
    assert_eq!(store.ledger(&ours, ledger.name).await?, None);
    add_keys(store, &ours, b"keys of a ledger", PLENTY).await?;
    store.create_ledger(&ours, ledger.clone(), Arc::from(*b"sums"), PLENTY).await?;
    assert!(matches!(store.remove_keys(&ours, digest).await, Err(StoreError::KeysInUse { .. })));
    store.remove_ledger(&ours, ledger.name).await?;
    store.remove_keys(&ours, digest).await
}

/// Ledgers of a family are listed upwards from any id, also from one that is gone.
async fn ledgers_come_in_pages(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let mut meters = Vec::new();
    for _ in 0..5 {
        meters.push(new_ledger(store, &ours).await?);
    }
    let panel = ledger_of(Family::Panels)?;
    store.create_ledger(&ours, panel.clone(), Arc::from(*b"sums"), PLENTY).await?;
    meters.sort();
    let listed = async |family, after, limit| {
        let page = store.ledgers(&ours, family, after, limit).await?;
        Ok::<Vec<LedgerName>, StoreError>(page.into_iter().map(|(ledger, _)| ledger.name).collect())
    };
    assert_eq!(listed(Family::Meters, None, 10).await?, meters);
    assert_eq!(listed(Family::Panels, None, 10).await?, [panel.name]);
    let first = listed(Family::Meters, None, 2).await?;
    assert!(first.iter().eq(meters.iter().take(2)));
    let Some(&cursor) = first.last() else { return Err(StoreError::RepeatedId) };
    store.remove_ledger(&ours, cursor).await?;
    assert!(listed(Family::Meters, Some(cursor.id), 10).await?.iter().eq(meters.iter().skip(2)));
    let highest = LedgerId::from_bytes([0xff; 16]);
    assert!(listed(Family::Meters, Some(highest), 10).await?.is_empty());
    Ok(())
}

/// A request is in the sums exactly when its record is there, and its name serves no other.
async fn a_change_counts_once(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let (name, other) = (new_ledger(store, &ours).await?, new_ledger(store, &ours).await?);
    let named = request("request-1", b"body")?;
    let empty = LedgerState { version: 0, sums: Arc::from(*b"first") };
    assert_eq!(store.turn(&ours, name, &named).await?, Turn::Open(empty.clone()));
    store.change_ledger(&ours, name, change(0, b"one", 1, "request-1", b"body")?, PLENTY).await?;
    assert_eq!(store.turn(&ours, name, &named).await?, Turn::Answered(1));
    assert_eq!(store.turn(&ours, other, &named).await?, Turn::Open(empty));
    let conflict = |error: StoreError| matches!(error, StoreError::IdempotencyConflict);
    assert!(store.turn(&ours, name, &request("request-1", b"another")?).await.is_err_and(conflict));
    let again = change(1, b"two", 2, "request-1", b"body")?;
    assert!(store.change_ledger(&ours, name, again, PLENTY).await.is_err_and(conflict));
    let state = LedgerState { version: 1, sums: Arc::from(*b"one") };
    assert_eq!(store.sums(&ours, name).await?, state);
    assert_eq!(usage(store, &ours, name).await?, Some(LedgerUsage { batches: 1, bytes: 3 }));
    store.change_ledger(&ours, name, change(1, b"seven", 7, "request-2", b"body")?, PLENTY).await?;
    assert_eq!(store.turn(&ours, name, &named).await?, Turn::Answered(1), "the answer is that of its own time");
    assert_eq!(usage(store, &ours, name).await?, Some(LedgerUsage { batches: 7, bytes: 5 }));
    Ok(())
}

/// What was computed from old sums is not written, and leaves no record.
async fn only_the_first_change_of_a_version_happens(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let name = new_ledger(store, &ours).await?;
    store.change_ledger(&ours, name, change(0, b"one", 1, "a", b"a")?, PLENTY).await?;
    // Whoever lost the race is told so even if the same request won it: the next turn finds its answer.
    for key in ["a", "b"] {
        let late = store.change_ledger(&ours, name, change(0, b"late", 1, key, b"a")?, PLENTY).await;
        assert!(matches!(late, Err(StoreError::Outdated { expected: 0, found: 1 })));
    }
    let early = store.change_ledger(&ours, name, change(2, b"early", 1, "b", b"b")?, PLENTY).await;
    assert!(matches!(early, Err(StoreError::Outdated { expected: 2, found: 1 })));
    let state = LedgerState { version: 1, sums: Arc::from(*b"one") };
    assert_eq!(store.turn(&ours, name, &request("b", b"b")?).await?, Turn::Open(state));
    Ok(())
}

/// What is above a quota is refused and leaves no trace; what is removed makes room.
async fn ledger_quotas_hold_and_are_given_back(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    let ledger = ledger_of(Family::Meters)?;
    let (name, record) = (ledger.name, change(0, b"", 1, "k", b"")?.charge().1);
    let tight = Quota { ledgers: 1, changes: 2, bytes: ledger.charge() + 10 + 2 * record, ..PLENTY };
    let full = |error: StoreError| matches!(error, StoreError::Quota { .. });
    let wide = vec![0; 11 + 2 * usize::try_from(record).unwrap_or(0)];
    assert!(store.create_ledger(&ours, ledger.clone(), wide.into(), tight).await.is_err_and(full));
    store.create_ledger(&ours, ledger, Arc::from([0; 10]), tight).await?;
    let second = store.create_ledger(&ours, ledger_of(Family::Panels)?, Arc::from([0; 0]), tight).await;
    assert!(second.is_err_and(full), "both families count together");
    let large = store.change_ledger(&ours, name, change(0, &[0; 100], 1, "k", b"")?, tight).await;
    assert!(large.is_err_and(full));
    assert_eq!(store.sums(&ours, name).await?.version, 0);
    // New sums take the place of the former ones, also in the account.
    store.change_ledger(&ours, name, change(0, &[1; 10], 1, "k", b"")?, tight).await?;
    store.change_ledger(&ours, name, change(1, &[2; 10], 2, "l", b"")?, tight).await?;
    let third = store.change_ledger(&ours, name, change(2, &[], 3, "m", b"")?, tight).await;
    assert!(matches!(third, Err(StoreError::Quota { limit: 2, .. })));
    assert!(matches!(store.turn(&ours, name, &request("m", b"")?).await?, Turn::Open(_)));
    assert!(add_keys(store, &ours, b"k", tight).await.is_err_and(full));
    store.remove_ledger(&ours, name).await?;
    let again = ledger_of(Family::Panels)?;
    store.create_ledger(&ours, again, Arc::from([0; 10]), tight).await
}
