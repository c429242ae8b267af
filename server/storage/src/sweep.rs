//! Blobs that no row names: what is left of writes and deletions that a crash has cut off.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use blindrelay_server::id::TenantId;
use blindrelay_server::store::StoreError;
use futures_util::TryStreamExt as _;

use crate::blobs::BlobName;
use crate::columns::Columns;
use crate::database::{Change, WRITE_DEADLINE, Work};
use crate::error::Failure;
use crate::holdings::Delta;
use crate::store::{DurableStore, Parts};

/// The age from which on blobs may be swept while services write: twice what a change may take.
pub const SWEEP_AGE: Duration = Duration::from_secs(2 * WRITE_DEADLINE.as_secs());

/// Name of the file that keeps a second sweep of a directory away.
const LOCK: &str = "sweep.lock";

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Blobs that were old enough and had a row.
    pub named: u64,
    /// Blobs and pieces of blobs that were deleted.
    pub deleted: u64,
}

/// Names of a tenant's blobs, of a moment at which none of its changes is being made.
struct Names(TenantId);

impl Change for Names {
    type Done = HashSet<BlobName>;

    async fn make(&self, work: &mut Work<'_>) -> Result<HashSet<BlobName>, Failure> {
        work.hold(&self.0, Delta::NONE).await?;
        let text = "SELECT blob FROM key_sets WHERE tenant = $1 UNION ALL SELECT blob FROM records WHERE tenant = $1 \
            UNION ALL SELECT blob FROM ledgers WHERE tenant = $1 UNION ALL SELECT blob FROM jobs WHERE tenant = $1 \
            UNION ALL SELECT blob FROM job_parts WHERE tenant = $1 AND blob IS NOT NULL \
            UNION ALL SELECT blob FROM receipts WHERE tenant = $1 \
            UNION ALL SELECT blob FROM kept_records WHERE tenant = $1 \
            UNION ALL SELECT blob FROM kept_sums WHERE tenant = $1 UNION ALL SELECT blob FROM kept_keys WHERE tenant = $1";
        let rows = sqlx::query(text).bind(self.0.as_str()).fetch_all(work.connection()).await?;
        rows.iter().map(|row| Columns(row).blob("blob")).collect()
    }
}

/// When the store was opened, by the system's clock and by the one that nobody sets.
pub(crate) struct Opened {
    system: SystemTime,
    steady: Instant,
}

impl Opened {
    pub(crate) fn now() -> Self {
        Self { system: SystemTime::now(), steady: Instant::now() }
    }

    /// How much the system's clock was put forward since. By so much blobs seem older than they are, also those that are about to be named.
    fn put_forward(&self) -> Duration {
        self.put_forward_at(SystemTime::now(), self.steady.elapsed())
    }

    fn put_forward_at(&self, now: SystemTime, passed: Duration) -> Duration {
        // A clock that was put back makes blobs younger: they wait.
        now.duration_since(self.system).unwrap_or_default().saturating_sub(passed)
    }
}

impl DurableStore {
    /// Deletes the blobs that no row names and that are at least so old. While services write it has to be [`SWEEP_AGE`] or more; less is for a store that nobody else uses.
    /// A directory is swept by one process at a time: the second finds nothing to do.
    pub async fn sweep(&self, older_than: Duration) -> Result<Sweep, StoreError> {
        let parts = Arc::clone(&self.parts);
        self.run(async move { parts.sweep(older_than).await }).await
    }
}

impl Parts {
    async fn sweep(&self, older_than: Duration) -> Result<Sweep, Failure> {
        let older_than = older_than.saturating_add(self.opened.put_forward());
        let Some(until) = SystemTime::now().checked_sub(older_than) else { return Ok(Sweep::default()) };
        let mut done = Sweep::default();
        let mut lock = None;
        if let Some(directory) = self.blobs.local().cloned() {
            let pieces = tokio::task::spawn_blocking(move || pieces(&directory, until)).await;
            let Some((file, deleted)) = pieces.map_err(Failure::other)?.map_err(Failure::other)? else {
                return Ok(done);
            };
            (lock, done.deleted) = (Some(file), deleted);
        }
        for (tenant, blobs) in self.old_blobs(until).await? {
            let (names, _) = self.database.change(&Names(tenant.clone()), None).await?;
            if self.is_being_copied().await {
                break;
            }
            let (named, orphans): (Vec<_>, Vec<_>) = blobs.into_iter().partition(|blob| names.contains(blob));
            self.blobs.remove(&tenant, &orphans).await;
            done.named += named.len() as u64;
            done.deleted += orphans.len() as u64;
        }
        drop(lock);
        Ok(done)
    }

    /// By tenant. What is not named like a blob is nobody's business here.
    async fn old_blobs(&self, until: SystemTime) -> Result<BTreeMap<TenantId, Vec<BlobName>>, Failure> {
        let mut old = BTreeMap::<_, Vec<_>>::new();
        let mut listing = self.blobs.store().list(None);
        while let Some(found) = listing.try_next().await.map_err(Failure::other)? {
            let path = found.location.to_string();
            let parsed = path.split_once('/').and_then(|(tenant, name)| Some((TenantId::new(tenant)?, name)));
            let Some((tenant, name)) = parsed else { continue };
            let Some(name) = BlobName::parse(name) else { continue };
            if SystemTime::from(found.last_modified) <= until {
                old.entry(tenant).or_default().push(name);
            }
        }
        Ok(old)
    }
}

/// Deletes files of a directory that a crash has left half written: their names end in `#` and a number, and no listing shows them. Answers with the lock and how many
/// they were; `None` where another process sweeps.
fn pieces(directory: &Path, until: SystemTime) -> std::io::Result<Option<(File, u64)>> {
    let lock = File::options().create(true).truncate(false).write(true).open(directory.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let mut deleted = 0;
    for tenant in fs::read_dir(directory)? {
        let tenant = tenant?.path();
        if !tenant.is_dir() {
            continue;
        }
        for piece in fs::read_dir(tenant)? {
            let piece = piece?;
            let half_written = piece.file_name().to_str().is_some_and(|name| {
                name.split_once('#').is_some_and(|(blob, number)| {
                    BlobName::parse(blob).is_some() && number.bytes().all(|byte| byte.is_ascii_digit())
                })
            });
            // Gone in the meantime is as good as deleted: its writer has finished it.
            let old = half_written && piece.metadata().and_then(|piece| piece.modified()).is_ok_and(|at| at <= until);
            if old && fs::remove_file(piece.path()).is_ok() {
                deleted += 1;
            }
        }
    }
    Ok(Some((lock, deleted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_put_forward_makes_no_blob_old() {
        let opened = Opened::now();
        let (hour, passed) = (Duration::from_hours(1), Duration::from_secs(90));
        let at = |shift: Duration| opened.put_forward_at(opened.system + passed + shift, passed);
        assert_eq!((at(Duration::ZERO), at(5 * hour)), (Duration::ZERO, 5 * hour));
        assert_eq!(opened.put_forward_at(opened.system - hour, passed), Duration::ZERO);
    }
}
