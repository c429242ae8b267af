//! What has to be there after a kill.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use blindrelay_server::store::{
    AccessStore as _, KeyStore as _, LedgerStore as _, RoomChange, RoomStore as _, RoomUsage, Turn,
};
use blindrelay_storage::DurableStore;

use crate::content::{self, NAME, PLENTY, ROOM, tenant};
use crate::rounds::{Found, Outcome};

/// Tasks of a writer that change the room at the same time.
const ROOM_TASKS: u64 = 2;

/// What is known to be in the store.
pub(crate) struct Expected {
    room_version: u64,
    records: BTreeSet<u64>,
    ledger_version: u64,
}

/// What a writer printed.
#[derive(Default)]
struct Printed {
    adding: BTreeSet<u64>,
    added: BTreeSet<u64>,
    removing: BTreeSet<u64>,
    removed: BTreeSet<u64>,
    room_versions: Vec<u64>,
    ledger_versions: Vec<u64>,
    keeping: BTreeSet<u64>,
    kept: BTreeSet<u64>,
    leaving: BTreeSet<u64>,
    left: BTreeSet<u64>,
}

impl Printed {
    fn read(lines: &[String]) -> Outcome<Self> {
        let mut printed = Self::default();
        for line in lines {
            let mut words = line.split(' ');
            let word = words.next().unwrap_or_default();
            let seed: u64 = words.next().ok_or("a line without a number")?.parse()?;
            let version: Option<u64> = words.next().map(str::parse).transpose()?;
            let set = match word {
                "adding" => &mut printed.adding,
                "added" => &mut printed.added,
                "removing" => &mut printed.removing,
                "removed" => &mut printed.removed,
                "keeping" => &mut printed.keeping,
                "kept" => &mut printed.kept,
                "leaving" => &mut printed.leaving,
                "left" => &mut printed.left,
                "summed" => {
                    printed.ledger_versions.extend(version);
                    continue;
                }
                _ => return Err(format!("a line '{line}'").into()),
            };
            set.insert(seed);
            if matches!(word, "added" | "removed") {
                printed.room_versions.extend(version);
            }
        }
        Ok(printed)
    }

    fn acknowledged(&self) -> u64 {
        (self.room_versions.len() + self.ledger_versions.len() + self.kept.len() + self.left.len()) as u64
    }
}

impl Expected {
    /// Makes the room and the ledger.
    pub(crate) async fn new(store: &DurableStore) -> Outcome<Self> {
        store.create_room(&tenant()?, content::room(), PLENTY).await?;
        store.create_ledger(&tenant()?, content::ledger(), content::bytes(0), PLENTY).await?;
        Ok(Self { room_version: 0, records: BTreeSet::new(), ledger_version: 0 })
    }

    /// Compares the store with what the last writer printed, and goes on from what is there.
    pub(crate) async fn compare(&mut self, folder: &Path, lines: &[String], found: &mut Found) -> Outcome {
        let printed = Printed::read(lines)?;
        found.acknowledged += printed.acknowledged();
        let begun = Instant::now();
        let store = DurableStore::in_folder(folder).await?;
        store.room(&tenant()?, ROOM).await?.ok_or("no room")?;
        found.slowest_open = found.slowest_open.max(begun.elapsed());
        self.room(&store, &printed, found).await?;
        let sums = self.ledger(&store, &printed, found).await?;
        let keys = keys(&store, &printed, found).await?;
        self.account(&store, sums, &keys).await?;
        let swept = store.sweep(Duration::ZERO).await?;
        found.orphans += swept.deleted;
        assert_eq!(swept.named, (self.records.len() + 1 + keys.len()) as u64, "a row has no blob");
        for seed in keys {
            store.remove_keys(&tenant()?, content::key_set(seed).0).await?;
        }
        store.close().await;
        Ok(())
    }

    async fn room(&mut self, store: &DurableStore, printed: &Printed, found: &mut Found) -> Outcome {
        let mut here = BTreeSet::new();
        for change in store.changes(&tenant()?, ROOM, 0, 10_000).await?.changes {
            let RoomChange::Added { record, .. } = change else { continue };
            match content::seed_of(&record.bytes) {
                Some(seed) => assert!(here.insert(seed), "a record is there twice"),
                None => found.torn += 1,
            }
        }
        let wanted = self.records.union(&printed.added).filter(|seed| !printed.removing.contains(seed));
        found.lost += wanted.filter(|seed| !here.contains(seed)).count() as u64;
        // A removal that was acknowledged and undone is lost as well.
        found.lost += printed.removed.iter().filter(|seed| here.contains(seed)).count() as u64;
        let known = |seed| self.records.contains(seed) || printed.adding.contains(seed);
        assert!(here.iter().all(known), "a record is there that nobody has added");
        let version = store.room(&tenant()?, ROOM).await?.ok_or("no room")?.version;
        let mut versions = printed.room_versions.clone();
        versions.sort_unstable();
        assert!(versions.is_sorted_by(|a, b| a < b), "two changes made one version");
        assert!(versions.iter().all(|&made| made <= version && made > self.room_version), "versions went back");
        let unacknowledged = version - self.room_version - versions.len() as u64;
        assert!(unacknowledged <= ROOM_TASKS, "{unacknowledged} changes that nobody knows of");
        (self.records, self.room_version) = (here, version);
        Ok(())
    }

    /// The sums of the ledger.
    async fn ledger(&mut self, store: &DurableStore, printed: &Printed, found: &mut Found) -> Outcome<Arc<[u8]>> {
        let state = store.sums(&tenant()?, NAME).await?;
        found.torn += u64::from(content::seed_of(&state.sums).is_none());
        let last = printed.ledger_versions.last().copied().unwrap_or(self.ledger_version);
        let gapless = (self.ledger_version + 1..=last).eq(printed.ledger_versions.iter().copied());
        assert!(gapless, "the ledger's versions have gaps");
        found.lost += last.saturating_sub(state.version);
        assert!(state.version <= last + 1, "a version that nobody has made");
        for version in &printed.ledger_versions {
            let turn = store.turn(&tenant()?, NAME, &content::request(version - 1)?).await?;
            found.lost += u64::from(turn != Turn::Answered(*version));
        }
        self.ledger_version = state.version;
        Ok(state.sums)
    }

    /// The account is right to the byte, whatever was cut off.
    async fn account(&self, store: &DurableStore, sums: Arc<[u8]>, keys: &BTreeSet<u64>) -> Outcome {
        let records: u64 = self.records.iter().map(|&seed| content::record(0, seed).charge().0).sum();
        let requests = self.ledger_version * content::change(0, 0)?.charge().1;
        let ledger = content::ledger().charge() + sums.len() as u64 + requests;
        let keys: u64 = keys.iter().map(|&seed| content::key_set(seed).1.charge()).sum();
        assert_eq!(store.stored_bytes(&tenant()?).await?, records + ledger + keys);
        let bytes = self.records.iter().map(|&seed| content::bytes(seed).len() as u64).sum();
        let usage = RoomUsage { handles: self.records.len(), bytes };
        assert_eq!(store.usage(&tenant()?, ROOM).await?, usage);
        Ok(())
    }
}

/// The key sets that are there.
async fn keys(store: &DurableStore, printed: &Printed, found: &mut Found) -> Outcome<BTreeSet<u64>> {
    let mut here = BTreeSet::new();
    for &seed in &printed.keeping {
        let (digest, ..) = content::key_set(seed);
        match store.key_bytes(&tenant()?, digest).await? {
            Some(bytes) if content::seed_of(&bytes) == Some(seed) => {
                here.insert(seed);
            }
            Some(_) => found.torn += 1,
            None => {}
        }
    }
    found.lost +=
        printed.kept.iter().filter(|seed| !printed.leaving.contains(seed) && !here.contains(seed)).count() as u64;
    found.lost += printed.left.iter().filter(|seed| here.contains(seed)).count() as u64;
    Ok(here)
}
