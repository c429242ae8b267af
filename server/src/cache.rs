//! What is kept at hand within a memory budget.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

struct Entry<V> {
    value: V,
    bytes: usize,
    used: u64,
}

struct Entries<K, V> {
    by_name: HashMap<K, Entry<V>>,
    by_use: BTreeMap<u64, K>,
    bytes: usize,
    clock: u64,
}

/// Values within a memory budget. The ones that were not used for the longest time go first; whoever uses them keeps them alive. Of values that are larger than the budget, one at a time is kept.
pub struct Cache<K, V> {
    budget: usize,
    entries: Mutex<Entries<K, V>>,
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    /// An empty cache of `budget` bytes.
    pub fn new(budget: usize) -> Self {
        let entries = Entries { by_name: HashMap::new(), by_use: BTreeMap::new(), bytes: 0, clock: 0 };
        Self { budget, entries: Mutex::new(entries) }
    }

    fn lock(&self) -> MutexGuard<'_, Entries<K, V>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value, if it is here.
    pub fn lookup(&self, name: &K) -> Option<V> {
        self.lock().touch(name)
    }

    /// The value that is here, or else this one of so many bytes, which is kept.
    pub fn lookup_or_insert(&self, name: &K, bytes: usize, value: V) -> V {
        let mut entries = self.lock();
        if let Some(value) = entries.touch(name) {
            return value;
        }
        entries.insert(name, bytes.min(self.budget), value.clone(), self.budget);
        value
    }

    /// Keeps a value of so many bytes, instead of the one that was here.
    pub fn insert(&self, name: &K, bytes: usize, value: V) {
        let mut entries = self.lock();
        entries.remove(name);
        entries.insert(name, bytes.min(self.budget), value, self.budget);
    }

    /// Says how many bytes a value has now, if it is here.
    pub fn resize(&self, name: &K, bytes: usize) {
        let mut entries = self.lock();
        if let Some(entry) = entries.remove(name) {
            entries.insert(name, bytes.min(self.budget), entry.value, self.budget);
        }
    }

    /// Forgets a value.
    pub fn remove(&self, name: &K) {
        self.lock().remove(name);
    }

    /// Bytes of all values that are here; a value above the budget counts as the whole of it.
    pub fn byte_len(&self) -> usize {
        self.lock().bytes
    }

    /// How many values are here.
    pub fn len(&self) -> usize {
        self.lock().by_name.len()
    }

    /// Whether none is here.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Entries<K, V> {
    fn touch(&mut self, name: &K) -> Option<V> {
        let entry = self.by_name.get_mut(name)?;
        let name = self.by_use.remove(&entry.used)?;
        self.clock += 1;
        entry.used = self.clock;
        self.by_use.insert(self.clock, name);
        Some(entry.value.clone())
    }

    fn insert(&mut self, name: &K, bytes: usize, value: V, budget: usize) {
        while self.bytes + bytes > budget {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            if let Some(entry) = self.by_name.remove(&oldest) {
                self.bytes -= entry.bytes;
            }
        }
        self.clock += 1;
        self.bytes += bytes;
        self.by_use.insert(self.clock, name.clone());
        self.by_name.insert(name.clone(), Entry { value, bytes, used: self.clock });
    }

    fn remove(&mut self, name: &K) -> Option<Entry<V>> {
        let entry = self.by_name.remove(name)?;
        self.by_use.remove(&entry.used);
        self.bytes -= entry.bytes;
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_the_longest_time_goes_first() {
        let cache = Cache::new(100);
        let here = |name: &str| cache.lookup(&name.to_owned()).is_some();
        let insert = |name: &str, bytes| cache.insert(&name.to_owned(), bytes, ());
        insert("a", 40);
        insert("b", 40);
        assert!(here("a"));
        insert("c", 40);
        assert_eq!((here("a"), here("b"), here("c"), cache.byte_len()), (true, false, true, 80));
        insert("a", 60);
        assert_eq!((here("a"), here("c"), cache.byte_len()), (true, true, 100));
        cache.resize(&"c".to_owned(), 30);
        assert_eq!((here("a"), here("c"), cache.byte_len()), (true, true, 90));
        cache.resize(&"a".to_owned(), 80);
        assert_eq!((here("a"), here("c"), cache.len(), cache.byte_len()), (true, false, 1, 80));
        cache.remove(&"a".to_owned());
        assert!(cache.is_empty());
    }

    #[test]
    fn of_values_above_the_budget_one_is_kept() {
        let cache = Cache::new(100);
        cache.insert(&1, 10, 'a');
        cache.insert(&2, 1000, 'b');
        assert_eq!((cache.lookup(&1), cache.lookup(&2), cache.byte_len()), (None, Some('b'), 100));
        assert_eq!(cache.lookup_or_insert(&2, 5, 'c'), 'b');
        assert_eq!(cache.lookup_or_insert(&1, 500, 'd'), 'd');
        assert_eq!((cache.lookup(&1), cache.lookup(&2), cache.byte_len()), (Some('d'), None, 100));
    }
}
