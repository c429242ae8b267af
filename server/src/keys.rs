//! Evaluation keys: whether they serve an operator, and the decoded ones that are kept at hand.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use blindrelay_engine::KeyName;
use blindrelay_engine::operator::{KeyNeed, OperatorCard};
use blindrelay_engine::params::ParameterDigest;
use blindrelay_engine::ring::GaloisElement;
use blindrelay_engine::rlwe::EvaluationKeys;

use crate::error::KeysError;
use crate::id::{BodyDigest, TenantId};
use crate::store::KeySet;

/// What a key set says about itself.
pub(crate) fn describe(keys: &EvaluationKeys, bytes: usize) -> KeySet {
    KeySet {
        parameters: keys.parameters().name().to_owned(),
        bytes,
        relinearization: keys.relinearization().is_some(),
        galois_elements: keys.galois_keys().map(|key| key.element().value()).collect(),
    }
}

/// Whether an operator computes nothing without evaluation keys.
pub(crate) fn required(card: &OperatorCard) -> bool {
    card.relinearization == KeyNeed::Required || !card.galois_elements.is_empty()
}

/// Refuses keys that do not belong to an operator or lack one that it needs.
pub(crate) fn check(card: &OperatorCard, expected: ParameterDigest, keys: &EvaluationKeys) -> Result<(), KeysError> {
    let operator = card.id.clone();
    let found = keys.parameters().digest();
    if found != expected {
        return Err(KeysError::Parameters { operator, expected, found });
    }
    let has = |element: u32| {
        GaloisElement::new(element, keys.parameters().degree()).is_some_and(|element| keys.galois(element).is_some())
    };
    let relinearization = card.relinearization == KeyNeed::Required && keys.relinearization().is_none();
    let galois = card.galois_elements.iter().filter(|&&element| !has(element)).map(|&element| KeyName::Galois(element));
    let missing: Vec<KeyName> = relinearization.then_some(KeyName::Relinearization).into_iter().chain(galois).collect();
    if missing.is_empty() { Ok(()) } else { Err(KeysError::Incomplete { operator, missing }) }
}

/// Memory of decoded keys: both halves of every row, and the permutation of each automorphism.
fn decoded_bytes(keys: &EvaluationKeys) -> usize {
    let permutation = keys.parameters().degree() * size_of::<u64>();
    let relinearization = keys.relinearization().map_or(0, |key| key.0.byte_len());
    relinearization + keys.galois_keys().map(|key| key.key().byte_len() + permutation).sum::<usize>()
}

type Name = (TenantId, BodyDigest);

struct Entry {
    keys: Arc<EvaluationKeys>,
    bytes: usize,
    used: u64,
}

#[derive(Default)]
struct Entries {
    by_name: HashMap<Name, Entry>,
    by_use: BTreeMap<u64, Name>,
    bytes: usize,
    clock: u64,
}

/// Decoded keys within a memory budget. The ones that were not used for the longest time go first; requests that use them keep them alive.
pub struct KeyCache {
    budget: usize,
    entries: Mutex<Entries>,
}

impl KeyCache {
    /// An empty cache of at most `budget` bytes.
    pub fn new(budget: usize) -> Self {
        Self { budget, entries: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys, if they are here.
    pub fn lookup(&self, tenant: &TenantId, digest: BodyDigest) -> Option<Arc<EvaluationKeys>> {
        let mut entries = self.lock();
        let Entries { by_name, by_use, clock, .. } = &mut *entries;
        let name = (tenant.clone(), digest);
        let entry = by_name.get_mut(&name)?;
        by_use.remove(&entry.used);
        *clock += 1;
        entry.used = *clock;
        by_use.insert(*clock, name);
        Some(Arc::clone(&entry.keys))
    }

    /// Keeps keys at hand, unless they alone are above the budget.
    pub fn insert(&self, tenant: &TenantId, digest: BodyDigest, keys: Arc<EvaluationKeys>) {
        self.insert_sized(tenant, digest, decoded_bytes(&keys), keys);
    }

    fn insert_sized(&self, tenant: &TenantId, digest: BodyDigest, bytes: usize, keys: Arc<EvaluationKeys>) {
        self.remove(tenant, digest);
        if bytes > self.budget {
            return;
        }
        let mut entries = self.lock();
        while entries.bytes + bytes > self.budget {
            let Some((_, oldest)) = entries.by_use.pop_first() else { break };
            if let Some(entry) = entries.by_name.remove(&oldest) {
                entries.bytes -= entry.bytes;
            }
        }
        entries.clock += 1;
        entries.bytes += bytes;
        let (name, used) = ((tenant.clone(), digest), entries.clock);
        entries.by_use.insert(used, name.clone());
        entries.by_name.insert(name, Entry { keys, bytes, used });
    }

    /// Forgets keys.
    pub fn remove(&self, tenant: &TenantId, digest: BodyDigest) {
        let mut entries = self.lock();
        if let Some(entry) = entries.by_name.remove(&(tenant.clone(), digest)) {
            entries.by_use.remove(&entry.used);
            entries.bytes -= entry.bytes;
        }
    }

    /// Bytes of all keys that are here.
    pub fn byte_len(&self) -> usize {
        self.lock().bytes
    }
}

#[cfg(test)]
mod tests {
    use blindrelay_engine::Backend;
    use blindrelay_engine::params::{MATCH_2048, Parameters, preset};

    use super::*;

    #[test]
    fn the_least_recently_used_keys_go_first() {
        let parameters = Parameters::new(preset(MATCH_2048).unwrap(), Backend::Scalar).unwrap();
        let keys = Arc::new(EvaluationKeys::new(&parameters, None, []));
        let tenant = TenantId::only();
        let [a, b, c] = [b"a", b"b", b"c"].map(|name| BodyDigest::of(name));
        let cache = KeyCache::new(100);
        let insert = |name, bytes| cache.insert_sized(&tenant, name, bytes, Arc::clone(&keys));
        let here = |name| cache.lookup(&tenant, name).is_some();
        insert(a, 40);
        insert(b, 40);
        assert!(here(a));
        insert(c, 40);
        assert_eq!((here(a), here(b), here(c), cache.byte_len()), (true, false, true, 80));
        insert(a, 60);
        assert_eq!((here(a), here(c), cache.byte_len()), (true, true, 100));
        insert(b, 101);
        assert_eq!((here(a), here(b), here(c), cache.byte_len()), (true, false, true, 100));
        cache.remove(&tenant, c);
        assert!(cache.lookup(&TenantId::new("other").unwrap(), a).is_none());
        assert_eq!((here(a), here(c), cache.byte_len()), (true, false, 60));
    }
}
