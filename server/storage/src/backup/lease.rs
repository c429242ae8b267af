//! While a copy is being made, blobs stay.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use blindrelay_server::store::StoreError;
use tokio::task::JoinHandle;

use crate::database::{Change, Work};
use crate::error::Failure;
use crate::store::Parts;

/// How long blobs stay if the one who copies says nothing more.
const TERM: Duration = Duration::from_mins(10);

/// How often it does.
const RENEWAL: Duration = Duration::from_mins(1);

/// Milliseconds since 1970.
fn millis(moment: SystemTime) -> i64 {
    moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis().try_into().unwrap_or(i64::MAX)
}

/// Notes until when blobs stay; `None` ends it.
struct Note {
    id: [u8; 16],
    until: Option<SystemTime>,
}

impl Note {
    fn renewed(id: [u8; 16]) -> Self {
        Self { id, until: Some(SystemTime::now() + TERM) }
    }
}

impl Change for Note {
    type Done = ();

    async fn make(&self, work: &mut Work<'_>) -> Result<(), Failure> {
        let text = match self.until {
            Some(_) => {
                "INSERT INTO backups (backup, until) VALUES ($1, $2) ON CONFLICT (backup) DO UPDATE SET until = excluded.until"
            }
            None => "DELETE FROM backups WHERE backup = $1 AND until > $2",
        };
        let query = sqlx::query(text).bind(self.id.as_slice()).bind(self.until.map_or(0, millis));
        query.execute(work.connection()).await?;
        Ok(())
    }
}

/// The right to find every blob.
pub(super) struct Lease {
    parts: Arc<Parts>,
    id: [u8; 16],
    renewal: JoinHandle<()>,
}

impl Lease {
    pub(super) async fn take(parts: Arc<Parts>) -> Result<Self, Failure> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(Failure::other)?;
        parts.change(&Note::renewed(id), None).await?;
        let renewing = Arc::clone(&parts);
        let renewal = tokio::spawn(async move {
            loop {
                tokio::time::sleep(RENEWAL).await;
                if let Err(error) = renewing.change(&Note::renewed(id), None).await.map_err(StoreError::from) {
                    tracing::warn!(%error, "a backup could not say that it goes on");
                }
            }
        });
        Ok(Self { parts, id, renewal })
    }

    /// From now on blobs are deleted again. If this cannot be said, they are after [`TERM`].
    pub(super) async fn end(self) {
        self.renewal.abort();
        if let Err(error) = self.parts.change(&Note { id: self.id, until: None }, None).await.map_err(StoreError::from)
        {
            tracing::warn!(%error, "the end of a backup could not be noted");
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

impl Parts {
    /// Whether somebody copies the store, so that blobs are left to a later sweep. Also where that cannot be told.
    ///
    /// Asked after the change that took a blob's name away: a copy whose snapshot has the name began before that change, and is known by then.
    pub(crate) async fn is_being_copied(&self) -> bool {
        let query = sqlx::query("SELECT 1 FROM backups WHERE until > $1 LIMIT 1").bind(millis(SystemTime::now()));
        !matches!(query.fetch_optional(self.database.read()).await, Ok(None))
    }
}
