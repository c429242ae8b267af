//! Where a service keeps what it must not forget.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use blindrelay_server::store::Store;
use blindrelay_server::store::memory::MemoryStore;
use blindrelay_server::time::Clock;
use blindrelay_server::{Config, Environment};
use blindrelay_storage::{DurableQueue, DurableStore, SWEEP_AGE, Settings};
use blindrelay_trust::{Identity, UnixMillis};

use crate::failure::Failure;

/// How often blobs that nobody names any more are looked for.
const SWEEP_EVERY: std::time::Duration = std::time::Duration::from_hours(24);
/// How often receipts are looked for whose time is over.
const DROP_EVERY: std::time::Duration = std::time::Duration::from_hours(1);

/// Where everything is kept.
pub(crate) enum Place {
    /// In memory, until the process ends.
    Memory,
    /// In a folder.
    Folder(PathBuf),
    /// Rows and blobs where the configuration says, the signing key in a folder.
    Elsewhere(Box<Settings>, PathBuf),
}

impl Place {
    /// What arguments and configuration say, else the folder that the system has for such data.
    pub(super) fn find(in_memory: bool, argument: Option<&Path>, config: &Config) -> Result<Self, Failure> {
        if in_memory {
            return Ok(Self::Memory);
        }
        let folder = match argument.or(config.data.as_deref()) {
            Some(folder) => folder.to_owned(),
            None => usual_folder().ok_or_else(|| Failure::Usage {
                what: "there is no folder for the service's data: neither STATE_DIRECTORY nor XDG_STATE_HOME nor HOME is set"
                    .to_owned(),
                advice: "name one with --data FOLDER, or keep nothing with --in-memory",
            })?,
        };
        let Some(storage) = config.storage.clone() else { return Ok(Self::Folder(folder)) };
        let settings = storage.try_into::<Settings>().map_err(|error| Failure::Usage {
            what: format!("the section [storage] of the configuration: {}", error.message()),
            advice: "correct it as docs/storage.md describes, and check it with --check-config",
        })?;
        Ok(Self::Elsewhere(Box::new(settings), folder))
    }

    /// Where the store is.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        match self {
            Self::Memory => Err(Failure::Usage {
                what: "what is kept in memory is gone with its service".to_owned(),
                advice: "name the folder of a service with --data FOLDER",
            }),
            Self::Folder(folder) => Ok(Settings::in_folder(folder)),
            Self::Elsewhere(settings, _) => Ok(settings.as_ref().clone()),
        }
    }

    /// What people are told.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Memory => "in memory: everything is gone when it ends".to_owned(),
            Self::Folder(folder) => format!("in {}", folder.display()),
            Self::Elsewhere(_, folder) => {
                format!("where [storage] says, the signing key in {}", folder.display())
            }
        }
    }

    /// Opens the store and the identity, and makes them where they are not there.
    pub(super) async fn open(&self) -> Result<(Arc<dyn Store>, Environment), Failure> {
        let (settings, folder) = match self {
            Self::Memory => {
                let (store, environment) = (Arc::new(MemoryStore::default()), Environment::default());
                tokio::spawn(drop_receipts(Arc::<MemoryStore>::clone(&store), environment.clock.clone()));
                return Ok((store, environment));
            }
            Self::Folder(folder) => (Settings::in_folder(folder), folder),
            Self::Elsewhere(settings, folder) => (settings.as_ref().clone(), folder),
        };
        let store = DurableStore::open(&settings).await.map_err(|error| failed(&error))?;
        let queue = DurableQueue::open(&settings).await.map_err(|error| failed(&error))?;
        let identity = Identity::open_or_create(&folder.join("identity"), now()).map_err(|error| failed(&error))?;
        for path in identity.leftovers() {
            tracing::warn!(path = %path.display(), "a key file that signs nothing is left of a crash: delete it");
        }
        tokio::spawn(sweep(store.clone()));
        let environment =
            Environment { identity: Some(Arc::new(identity)), jobs: Some(Arc::new(queue)), ..Environment::default() };
        let store: Arc<dyn Store> = Arc::new(store);
        tokio::spawn(drop_receipts(Arc::clone(&store), environment.clock.clone()));
        Ok((store, environment))
    }
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::Service(error.to_string())
}

fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis().try_into().ok().and_then(UnixMillis::new).unwrap_or(UnixMillis::MAX)
}

/// The folder that the system has for data of a service.
fn usual_folder() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // systemd makes this folder for a unit with StateDirectory=.
    variable("STATE_DIRECTORY")
        .or_else(|| variable("XDG_STATE_HOME").map(|home| home.join("blindrelay")))
        .or_else(|| variable("HOME").map(|home| home.join(".local/state/blindrelay")))
}

/// Drops receipts whose time is over with what was kept for them, when the service starts and once an hour.
async fn drop_receipts(store: Arc<dyn Store>, clock: Clock) {
    loop {
        match store.drop_receipts(clock.now()).await {
            Ok(0) => {}
            Ok(dropped) => tracing::info!(dropped, "dropped receipts whose time is over"),
            Err(error) => tracing::warn!(%error, "receipts whose time is over were not dropped"),
        }
        tokio::time::sleep(DROP_EVERY).await;
    }
}

/// Deletes blobs that nobody names, when the service starts and once a day.
async fn sweep(store: DurableStore) {
    loop {
        match store.sweep(SWEEP_AGE).await {
            Ok(swept) => tracing::info!(named = swept.named, deleted = swept.deleted, "swept the store"),
            Err(error) => tracing::warn!(%error, "the store was not swept"),
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}
