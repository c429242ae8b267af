//! What a store keeps of jobs: what is to be computed for whom, and the parts of it that are answered.
//!
//! A job asks the same of each of its subjects; each subject is a part, and each part is answered once, whoever computes it and however often. So a job may be worked on by two
//! services at the same time, or by one after another has died in the middle: what is stored is the first answer of each part. A store says nothing about who works on what.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Idempotency, Quota, StoreError, Written};
use crate::family::Family;
use crate::id::{JobId, LedgerId, RoomId, TenantId};
use crate::time::UnixMillis;

/// What a job computes for each of its subjects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// The answer of a room's operator.
    Match,
    /// The report of a meter or panel.
    Report(Family),
}

impl Work {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Match, Self::Report(Family::Meters), Self::Report(Family::Panels)];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Report(Family::Meters) => "meter-reports",
            Self::Report(Family::Panels) => "panel-reports",
        }
    }
}

/// The id of a room, meter or panel; which of them is the job's [`Work`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject(pub [u8; 16]);

impl From<RoomId> for Subject {
    fn from(room: RoomId) -> Self {
        Self(*room.as_bytes())
    }
}

impl From<LedgerId> for Subject {
    fn from(ledger: LedgerId) -> Self {
        Self(*ledger.as_bytes())
    }
}

/// A job as it is made.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// What it computes.
    pub work: Work,
    /// Of what, at least one.
    pub subjects: Vec<Subject>,
    /// What is asked of each.
    pub request: Arc<[u8]>,
    /// Whether each answer comes with a receipt.
    pub receipts: bool,
    /// When it was made.
    pub created: UnixMillis,
    /// The request that it was made with.
    pub idempotency: Idempotency,
}

/// Bytes that a part counts against [`Quota::bytes`] besides its answer.
pub const PART_CHARGE: u64 = 64;

impl NewJob {
    /// What it counts against [`Quota::bytes`] as long as it has no answer.
    pub fn charge(&self) -> u64 {
        self.request.len() as u64 + PART_CHARGE * self.subjects.len() as u64
    }
}

/// A job as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredJob {
    /// Its id.
    pub id: JobId,
    /// What it computes.
    pub work: Work,
    /// Whether each answer comes with a receipt.
    pub receipts: bool,
    /// How many parts it has.
    pub parts: u64,
    /// How many are answered.
    pub answered: u64,
    /// How many are refused.
    pub refused: u64,
    /// When it was made.
    pub created: UnixMillis,
    /// When somebody first worked on it.
    pub begun: Option<UnixMillis>,
    /// When its last part was answered or refused.
    pub finished: Option<UnixMillis>,
}

/// What became of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer.
    Answer(Arc<[u8]>),
    /// Why there is none: a problem document.
    Refusal(String),
}

impl Outcome {
    /// What it counts against [`Quota::bytes`].
    pub fn charge(&self) -> u64 {
        match self {
            Self::Answer(bytes) => bytes.len() as u64,
            Self::Refusal(text) => text.len() as u64,
        }
    }
}

/// A part as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number in the job, from 0.
    pub number: u64,
    /// Of what it is.
    pub subject: Subject,
    /// What became of it; `None` while nothing has.
    pub result: Option<PartResult>,
}

/// What became of a part, without the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartResult {
    /// The length of its answer.
    Answer(u64),
    /// Why there is none.
    Refusal(String),
}

/// The part of a store that keeps jobs. Every method is one transaction.
#[async_trait]
pub trait JobStore: Send + Sync + 'static {
    /// Makes a job, or finds the one that was made with the same request; its id is told. [`StoreError::IdempotencyConflict`] where the request's name was used for another
    /// body, [`StoreError::Quota`] where the tenant has as many unfinished jobs or bytes as it may have.
    async fn create_job(&self, tenant: &TenantId, job: NewJob, quota: Quota) -> Result<(Written, JobId), StoreError>;

    /// A job.
    async fn job(&self, tenant: &TenantId, job: JobId) -> Result<Option<StoredJob>, StoreError>;

    /// At most `limit` jobs with an id above `after`, ascending.
    async fn jobs(&self, tenant: &TenantId, after: Option<JobId>, limit: usize) -> Result<Vec<StoredJob>, StoreError>;

    /// What is asked of each subject; [`StoreError::UnknownJob`].
    async fn job_request(&self, tenant: &TenantId, job: JobId) -> Result<Arc<[u8]>, StoreError>;

    /// Notes that somebody works on a job, if nobody did so far; the job as it stands then, `None` where it is not there.
    async fn begin_job(&self, tenant: &TenantId, job: JobId, at: UnixMillis) -> Result<Option<StoredJob>, StoreError>;

    /// At most `limit` parts with a number of at least `from`, ascending; none where there is no such job.
    async fn parts(&self, tenant: &TenantId, job: JobId, from: u64, limit: usize) -> Result<Vec<Part>, StoreError>;

    /// The first part of at least this number of which nothing has become; `None` where there is none.
    async fn open_part(&self, tenant: &TenantId, job: JobId, from: u64) -> Result<Option<Part>, StoreError>;

    /// The answer of a part; `None` where it has none.
    async fn part_answer(&self, tenant: &TenantId, job: JobId, part: u64) -> Result<Option<Arc<[u8]>>, StoreError>;

    /// Keeps what became of a part. What became of it first stays: [`Written::Existing`]. [`StoreError::UnknownJob`] where the job or part is not there, [`StoreError::Quota`] where
    /// the tenant has as many bytes as it may have; a refusal is kept all the same.
    async fn finish_part(
        &self,
        tenant: &TenantId,
        job: JobId,
        part: u64,
        outcome: Outcome,
        at: UnixMillis,
        quota: Quota,
    ) -> Result<Written, StoreError>;

    /// Removes a job with its answers, finished or not; [`StoreError::UnknownJob`].
    async fn remove_job(&self, tenant: &TenantId, job: JobId) -> Result<(), StoreError>;

    /// How many jobs of all tenants are not finished.
    async fn unfinished(&self) -> Result<u64, StoreError>;

    /// At most `limit` jobs of all tenants that are not finished and come after this one, by tenant and id.
    async fn unfinished_jobs(
        &self,
        after: Option<(TenantId, JobId)>,
        limit: usize,
    ) -> Result<Vec<(TenantId, JobId)>, StoreError>;

    /// At most `limit` jobs of all tenants that were finished before a moment.
    async fn finished_jobs(&self, before: UnixMillis, limit: usize) -> Result<Vec<(TenantId, JobId)>, StoreError>;
}
