//! The contract for tenants and API keys.

use super::{Outcome, PLENTY, add_keys, handle, tenant, unavailable};
use crate::id::{ApiKeyId, BodyDigest, TenantId};
use crate::store::{ApiKey, KeyHolder, Role, Store, StoreError, StoredTenant, TenantLimits, Written};
use crate::time::UnixMillis;

pub(super) async fn all(store: &dyn Store) -> Outcome {
    a_tenant_is_made_once_and_changed(store).await?;
    tenants_come_in_pages(store).await?;
    stored_bytes_are_those_that_are_charged(store).await?;
    a_key_is_found_by_its_digest_with_its_tenant(store).await?;
    keys_are_listed_by_tenant_in_pages(store).await?;
    a_revoked_key_stays_revoked(store).await
}

fn made(id: TenantId) -> StoredTenant {
    let limits = TenantLimits { rooms: Some(7), bytes: Some(1 << 40), ..TenantLimits::default() };
    StoredTenant { id, created: UnixMillis(1_700_000_000_123), suspended: None, limits }
}

async fn new_tenant(store: &dyn Store) -> Result<StoredTenant, StoreError> {
    let made = made(tenant()?);
    store.create_tenant(made.clone()).await?;
    Ok(made)
}

/// An API key with random id and digest.
fn api_key(tenant: Option<&TenantId>, role: Role) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: ApiKeyId::random().map_err(unavailable)?,
        digest: BodyDigest::of(handle()?.as_bytes()),
        tenant: tenant.cloned(),
        role,
        label: "a label, perhaps with ümlauts".to_owned(),
        created: UnixMillis(5),
        expires: Some(UnixMillis(u64::from(u32::MAX) * 1000)),
        revoked: None,
    })
}

async fn a_tenant_is_made_once_and_changed(store: &dyn Store) -> Outcome {
    let id = tenant()?;
    let unknown = |error: StoreError| matches!(error, StoreError::UnknownTenant);
    assert_eq!(store.tenant(&id).await?, None);
    assert!(store.change_tenant(&id, TenantLimits::default(), None).await.is_err_and(unknown));
    let made = made(id.clone());
    assert_eq!(store.create_tenant(made.clone()).await?, Written::New);
    let other = StoredTenant { created: UnixMillis(0), limits: TenantLimits::default(), ..made.clone() };
    assert_eq!(store.create_tenant(other).await?, Written::Existing);
    assert_eq!(store.tenant(&id).await?, Some(made.clone()));
    let limits = TenantLimits { concurrent_requests: Some(3), compute_millis_per_minute: Some(4), ..made.limits };
    store.change_tenant(&id, limits, Some(UnixMillis(77))).await?;
    let changed = StoredTenant { limits, suspended: Some(UnixMillis(77)), ..made.clone() };
    assert_eq!(store.tenant(&id).await?, Some(changed));
    store.change_tenant(&id, made.limits, None).await?;
    assert_eq!(store.tenant(&id).await?, Some(made));
    Ok(())
}

async fn tenants_come_in_pages(store: &dyn Store) -> Outcome {
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(new_tenant(store).await?.id);
    }
    made.sort();
    let (mut after, mut listed): (Option<TenantId>, Vec<TenantId>) = (None, Vec::new());
    loop {
        let page = store.tenants(after.as_ref(), 2).await?;
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after = Some(last.id.clone());
        listed.extend(page.into_iter().map(|tenant| tenant.id));
    }
    assert!(listed.is_sorted_by(|a, b| a < b));
    assert!(made.iter().all(|id| listed.contains(id)));
    Ok(())
}

async fn stored_bytes_are_those_that_are_charged(store: &dyn Store) -> Outcome {
    let ours = tenant()?;
    assert_eq!(store.stored_bytes(&ours).await?, 0);
    add_keys(store, &ours, &[1; 60], PLENTY).await?;
    add_keys(store, &ours, &[2; 6], PLENTY).await?;
    assert_eq!(store.stored_bytes(&ours).await?, 66);
    store.remove_keys(&ours, BodyDigest::of(&[1; 60])).await?;
    assert_eq!(store.stored_bytes(&ours).await?, 6);
    Ok(())
}

async fn a_key_is_found_by_its_digest_with_its_tenant(store: &dyn Store) -> Outcome {
    let tenant = new_tenant(store).await?;
    for role in Role::ALL {
        let of = (role != Role::Admin).then_some(&tenant.id);
        let key = api_key(of, role)?;
        assert_eq!(store.key_holder(key.digest).await?, None);
        store.add_api_key(key.clone()).await?;
        let holder = KeyHolder { key: key.clone(), tenant: of.map(|_| tenant.clone()) };
        assert_eq!(store.key_holder(key.digest).await?, Some(holder));
        let repeated = |error: StoreError| matches!(error, StoreError::RepeatedId);
        let same_id = ApiKey { digest: BodyDigest::of(b"another"), ..key.clone() };
        assert!(store.add_api_key(same_id).await.is_err_and(repeated));
        let same_digest = ApiKey { id: ApiKeyId::random().map_err(unavailable)?, ..key };
        assert!(store.add_api_key(same_digest).await.is_err_and(repeated));
    }
    let nobody = super::tenant()?;
    let lost = store.add_api_key(api_key(Some(&nobody), Role::Relay)?).await;
    assert!(matches!(lost, Err(StoreError::UnknownTenant)));
    // What changes about a tenant is seen with the next request.
    let key = api_key(Some(&tenant.id), Role::Tenant)?;
    store.add_api_key(key.clone()).await?;
    assert!(store.has_api_key().await?);
    store.change_tenant(&tenant.id, tenant.limits, Some(UnixMillis(9))).await?;
    let suspended = store.key_holder(key.digest).await?.and_then(|holder| holder.tenant?.suspended);
    assert_eq!(suspended, Some(UnixMillis(9)));
    Ok(())
}

async fn keys_are_listed_by_tenant_in_pages(store: &dyn Store) -> Outcome {
    let (ours, theirs) = (new_tenant(store).await?, new_tenant(store).await?);
    let mut made = Vec::new();
    for _ in 0..3 {
        let key = api_key(Some(&ours.id), Role::Relay)?;
        store.add_api_key(key.clone()).await?;
        made.push(key);
        store.add_api_key(api_key(Some(&theirs.id), Role::Relay)?).await?;
    }
    made.sort_by_key(|key| key.id);
    let (mut after, mut listed) = (None, Vec::new());
    loop {
        let page = store.api_keys(Some(&ours.id), after, 2).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        listed.extend(page);
    }
    assert_eq!(listed, made);
    let lowest = made.first().map(|key| key.id);
    let all = store.api_keys(None, None, 10_000).await?;
    assert!(all.is_sorted_by_key(|key| key.id) && made.iter().all(|key| all.contains(key)));
    assert!(!store.api_keys(None, lowest, 10_000).await?.iter().any(|key| Some(key.id) == lowest));
    Ok(())
}

/// Of several moments the earliest counts.
async fn a_revoked_key_stays_revoked(store: &dyn Store) -> Outcome {
    let key = api_key(None, Role::Admin)?;
    let unknown = |error: StoreError| matches!(error, StoreError::UnknownApiKey);
    assert!(store.revoke_api_key(key.id, UnixMillis(8)).await.is_err_and(unknown));
    store.add_api_key(key.clone()).await?;
    assert_eq!(store.api_key(key.id).await?.as_ref(), Some(&key));
    store.revoke_api_key(key.id, UnixMillis(9)).await?;
    store.revoke_api_key(key.id, UnixMillis(8)).await?;
    store.revoke_api_key(key.id, UnixMillis(10)).await?;
    let revoked = ApiKey { revoked: Some(UnixMillis(8)), ..key.clone() };
    assert_eq!(store.api_key(key.id).await?.as_ref(), Some(&revoked));
    assert_eq!(store.api_key(ApiKeyId::random().map_err(unavailable)?).await?, None);
    assert_eq!(store.key_holder(key.digest).await?.map(|holder| holder.key), Some(revoked));
    Ok(())
}
