//! The process that is killed. It prints a line before each write and, once that is acknowledged, another.

use std::path::Path;
use std::sync::Arc;

use blindrelay_server::store::{KeyStore as _, LedgerStore as _, RoomChange, RoomStore as _, StoreError};
use blindrelay_storage::DurableStore;

use crate::content::{self, NAME, PLENTY, ROOM, tenant};
use crate::rounds::Outcome;

/// Records in the room, and key sets, from which on old ones are removed.
const ENOUGH: usize = 10;

/// Writes until it is killed.
pub(crate) fn write(folder: &Path) -> Outcome {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let store = Arc::new(DurableStore::in_folder(folder).await?);
        let tasks = [
            tokio::spawn(change_room(Arc::clone(&store))),
            tokio::spawn(change_room(Arc::clone(&store))),
            tokio::spawn(change_ledger(Arc::clone(&store))),
            tokio::spawn(change_keys(store)),
        ];
        for task in tasks {
            task.await??;
        }
        Ok(())
    })
}

/// Two of these work on one room.
async fn change_room(store: Arc<DurableStore>) -> Outcome {
    let tenant = tenant()?;
    loop {
        let mut version = 0;
        let mut seeds = Vec::new();
        for change in store.changes(&tenant, ROOM, 0, 1000).await?.changes {
            version = change.version();
            if let RoomChange::Added { record, .. } = change {
                seeds.push(content::seed_of(&record.bytes).ok_or("a torn record")?);
            }
        }
        let current = store.room(&tenant, ROOM).await?.ok_or("no room")?.version;
        version = version.max(current);
        // Once there are enough, any of them.
        let some = (seeds.len() > ENOUGH).then(|| seeds.get(version as usize % seeds.len())).flatten();
        if let Some(seed) = some {
            println!("removing {seed}");
            match store.remove_handle(&tenant, ROOM, content::handle(*seed)).await {
                Ok(version) => println!("removed {seed} {version}"),
                Err(StoreError::UnknownHandle) => {}
                Err(error) => return Err(error.into()),
            }
            continue;
        }
        let seed = content::random()?;
        println!("adding {seed}");
        match store.add_record(&tenant, ROOM, content::record(version, seed), PLENTY).await {
            Ok(version) => println!("added {seed} {version}"),
            Err(StoreError::Outdated { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

async fn change_ledger(store: Arc<DurableStore>) -> Outcome {
    let tenant = tenant()?;
    let mut version = store.sums(&tenant, NAME).await?.version;
    loop {
        let seed = content::random()?;
        store.change_ledger(&tenant, NAME, content::change(version, seed)?, PLENTY).await?;
        version += 1;
        println!("summed {seed} {version}");
    }
}

async fn change_keys(store: Arc<DurableStore>) -> Outcome {
    let tenant = tenant()?;
    let mut kept = Vec::new();
    loop {
        let seed = content::random()?;
        let (digest, told, bytes) = content::key_set(seed);
        println!("keeping {seed}");
        store.put_keys(&tenant, digest, told, bytes, PLENTY).await?;
        println!("kept {seed} 0");
        kept.push((seed, digest));
        if kept.len() > ENOUGH {
            let (seed, digest) = kept.swap_remove(0);
            println!("leaving {seed}");
            store.remove_keys(&tenant, digest).await?;
            println!("left {seed} 0");
        }
    }
}
