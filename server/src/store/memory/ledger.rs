//! Ledgers in memory.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Holdings, MemoryStore};
use crate::family::Family;
use crate::id::{BodyDigest, IdempotencyKey, LedgerId, TenantId};
use crate::store::{
    Idempotency, LedgerChange, LedgerName, LedgerState, LedgerStore, LedgerUsage, Quota, StoreError, StoredLedger, Turn,
};

pub(super) struct Ledger {
    stored: StoredLedger,
    state: LedgerState,
    batches: u64,
    answers: HashMap<IdempotencyKey, (BodyDigest, u64)>,
    charge: u64,
}

impl Ledger {
    pub(super) fn evaluation_keys(&self) -> Option<BodyDigest> {
        self.stored.evaluation_keys
    }

    pub(super) fn stored(&self) -> &StoredLedger {
        &self.stored
    }

    pub(super) fn state(&self) -> &LedgerState {
        &self.state
    }

    fn usage(&self) -> LedgerUsage {
        LedgerUsage { batches: self.batches, bytes: self.state.sums.len() as u64 }
    }

    fn answer(&self, request: &Idempotency) -> Result<Option<u64>, StoreError> {
        match self.answers.get(&request.key) {
            Some((body, batches)) if *body == request.body => Ok(Some(*batches)),
            Some(_) => Err(StoreError::IdempotencyConflict),
            None => Ok(None),
        }
    }
}

fn unknown(name: LedgerName) -> StoreError {
    StoreError::UnknownLedger { family: name.family }
}

impl MemoryStore {
    fn in_ledger<T>(
        &self,
        tenant: &TenantId,
        name: LedgerName,
        read: impl FnOnce(&Ledger) -> T,
    ) -> Result<T, StoreError> {
        let tenants = self.lock();
        let ledger = tenants.get(tenant).and_then(|holdings| holdings.ledgers.get(&name));
        ledger.map(read).ok_or_else(|| unknown(name))
    }
}

#[async_trait]
impl LedgerStore for MemoryStore {
    async fn create_ledger(
        &self,
        tenant: &TenantId,
        ledger: StoredLedger,
        sums: Arc<[u8]>,
        quota: Quota,
    ) -> Result<(), StoreError> {
        let mut tenants = self.lock();
        let holdings = tenants.entry(tenant.clone()).or_default();
        if let Some(digest) = ledger.evaluation_keys.filter(|digest| !holdings.keys.contains_key(digest)) {
            return Err(StoreError::KeysMissing { digest });
        }
        let taken = |family| holdings.ledgers.contains_key(&LedgerName { family, ..ledger.name });
        if Family::ALL.into_iter().any(taken) {
            return Err(StoreError::RepeatedId);
        }
        if holdings.ledgers.len() >= quota.ledgers {
            return Err(StoreError::Quota { what: "meters and panels", limit: quota.ledgers as u64 });
        }
        let charge = ledger.charge() + sums.len() as u64;
        holdings.charge(charge, quota)?;
        let state = LedgerState { version: 0, sums };
        let name = ledger.name;
        let empty = Ledger { stored: ledger, state, batches: 0, answers: HashMap::new(), charge };
        holdings.ledgers.insert(name, empty);
        Ok(())
    }

    async fn ledger(
        &self,
        tenant: &TenantId,
        name: LedgerName,
    ) -> Result<Option<(StoredLedger, LedgerUsage)>, StoreError> {
        Ok(self.in_ledger(tenant, name, |ledger| (ledger.stored.clone(), ledger.usage())).ok())
    }

    async fn ledgers(
        &self,
        tenant: &TenantId,
        family: Family,
        after: Option<LedgerId>,
        limit: usize,
    ) -> Result<Vec<(StoredLedger, LedgerUsage)>, StoreError> {
        let first = LedgerName { family, id: LedgerId::from_bytes([0; 16]) };
        let start = after.map_or(Bound::Included(first), |id| Bound::Excluded(LedgerName { family, id }));
        let tenants = self.lock();
        let Some(holdings) = tenants.get(tenant) else { return Ok(Vec::new()) };
        let of_family = holdings.ledgers.range((start, Bound::Unbounded)).take_while(|(name, _)| name.family == family);
        Ok(of_family.take(limit).map(|(_, ledger)| (ledger.stored.clone(), ledger.usage())).collect())
    }

    async fn remove_ledger(&self, tenant: &TenantId, name: LedgerName) -> Result<(), StoreError> {
        let mut tenants = self.lock();
        let holdings = tenants.get_mut(tenant).ok_or_else(|| unknown(name))?;
        let gone = holdings.ledgers.remove(&name).ok_or_else(|| unknown(name))?;
        let mut charge = gone.charge;
        if holdings.kept.take_sums(name, &gone.state) {
            charge = charge.saturating_sub(gone.state.sums.len() as u64);
        }
        if holdings.kept.take_ledger(&gone.stored) {
            charge = charge.saturating_sub(gone.stored.charge());
        }
        holdings.bytes = holdings.bytes.saturating_sub(charge);
        Ok(())
    }

    async fn sums(&self, tenant: &TenantId, name: LedgerName) -> Result<LedgerState, StoreError> {
        self.in_ledger(tenant, name, |ledger| ledger.state.clone())
    }

    async fn turn(&self, tenant: &TenantId, name: LedgerName, request: &Idempotency) -> Result<Turn, StoreError> {
        self.in_ledger(tenant, name, |ledger| {
            let answered = ledger.answer(request)?;
            Ok(answered.map_or_else(|| Turn::Open(ledger.state.clone()), Turn::Answered))
        })?
    }

    async fn change_ledger(
        &self,
        tenant: &TenantId,
        name: LedgerName,
        change: LedgerChange,
        quota: Quota,
    ) -> Result<(), StoreError> {
        let mut tenants = self.lock();
        let Holdings { ledgers, bytes, kept, .. } = tenants.get_mut(tenant).ok_or_else(|| unknown(name))?;
        let ledger = ledgers.get_mut(&name).ok_or_else(|| unknown(name))?;
        let found = ledger.state.version;
        if found != change.version {
            return Err(StoreError::Outdated { expected: change.version, found });
        }
        if ledger.answers.contains_key(&change.request.key) {
            return Err(StoreError::IdempotencyConflict);
        }
        if ledger.answers.len() >= quota.changes {
            return Err(StoreError::Quota { what: "changes of this meter or panel", limit: quota.changes as u64 });
        }
        let (sums, record) = change.charge();
        let charge = ledger.charge.saturating_sub(ledger.state.sums.len() as u64) + sums + record;
        let aside = if kept.needs_sums(name, found) { ledger.state.sums.len() as u64 } else { 0 };
        let all = bytes.saturating_sub(ledger.charge).saturating_add(charge).saturating_add(aside);
        if all > quota.bytes {
            return Err(StoreError::Quota { what: "bytes", limit: quota.bytes });
        }
        (*bytes, ledger.charge) = (all, charge);
        kept.take_sums(name, &ledger.state);
        ledger.state = LedgerState { version: found + 1, sums: change.sums };
        ledger.batches = change.batches;
        ledger.answers.insert(change.request.key, (change.request.body, change.batches));
        Ok(())
    }
}
