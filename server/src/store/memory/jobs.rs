//! Jobs in memory.

use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Holdings, MemoryStore};
use crate::id::{JobId, TenantId};
use crate::store::{
    Idempotency, JobStore, NewJob, Outcome, Part, PartResult, Quota, StoreError, StoredJob, Subject, Written,
};
use crate::time::UnixMillis;

pub(super) struct Job {
    stored: StoredJob,
    request: Arc<[u8]>,
    idempotency: Idempotency,
    parts: Vec<(Subject, Option<Outcome>)>,
    charge: u64,
}

impl Job {
    fn part(&self, number: u64) -> Option<&(Subject, Option<Outcome>)> {
        self.parts.get(usize::try_from(number).ok()?)
    }

    /// All parts from a number on.
    fn parts_from(&self, from: u64) -> impl Iterator<Item = Part> {
        let skipped = usize::try_from(from).unwrap_or(usize::MAX);
        (0_u64..).zip(&self.parts).skip(skipped).map(|(number, (subject, outcome))| {
            let result = outcome.as_ref().map(|outcome| match outcome {
                Outcome::Answer(bytes) => PartResult::Answer(bytes.len() as u64),
                Outcome::Refusal(text) => PartResult::Refusal(text.clone()),
            });
            Part { number, subject: *subject, result }
        })
    }
}

impl MemoryStore {
    fn in_job<T>(&self, tenant: &TenantId, job: JobId, read: impl FnOnce(&Job) -> T) -> Option<T> {
        self.lock().get(tenant).and_then(|holdings| holdings.jobs.get(&job)).map(read)
    }

    /// Jobs of all tenants that are as wanted, by tenant and id.
    fn all_jobs(&self, wanted: impl Fn(&StoredJob) -> bool) -> Vec<(TenantId, JobId)> {
        let tenants = self.lock();
        let of_tenant = |(tenant, holdings): (&TenantId, &Holdings)| -> Vec<_> {
            let jobs = holdings.jobs.values().filter(|job| wanted(&job.stored));
            jobs.map(|job| (tenant.clone(), job.stored.id)).collect()
        };
        let mut all: Vec<_> = tenants.iter().flat_map(of_tenant).collect();
        all.sort();
        all
    }
}

#[async_trait]
impl JobStore for MemoryStore {
    async fn create_job(&self, tenant: &TenantId, job: NewJob, quota: Quota) -> Result<(Written, JobId), StoreError> {
        let mut tenants = self.lock();
        let holdings = tenants.entry(tenant.clone()).or_default();
        if let Some(known) = holdings.jobs.values().find(|known| known.idempotency.key == job.idempotency.key) {
            let same = known.idempotency.body == job.idempotency.body;
            return if same { Ok((Written::Existing, known.stored.id)) } else { Err(StoreError::IdempotencyConflict) };
        }
        if holdings.jobs.contains_key(&job.id) {
            return Err(StoreError::RepeatedId);
        }
        let unfinished = holdings.jobs.values().filter(|job| job.stored.finished.is_none()).count();
        if unfinished >= quota.jobs {
            return Err(StoreError::Quota { what: "unfinished jobs", limit: quota.jobs as u64 });
        }
        let charge = job.charge();
        holdings.charge(charge, quota)?;
        let NewJob { id, work, subjects, request, receipts, created, idempotency } = job;
        let parts = subjects.len() as u64;
        let stored = StoredJob {
            id,
            work,
            receipts,
            parts,
            answered: 0,
            refused: 0,
            created,
            begun: None,
            finished: (parts == 0).then_some(created),
        };
        let parts = subjects.into_iter().map(|subject| (subject, None)).collect();
        holdings.jobs.insert(id, Job { stored, request, idempotency, parts, charge });
        Ok((Written::New, id))
    }

    async fn job(&self, tenant: &TenantId, job: JobId) -> Result<Option<StoredJob>, StoreError> {
        Ok(self.in_job(tenant, job, |job| job.stored.clone()))
    }

    async fn jobs(&self, tenant: &TenantId, after: Option<JobId>, limit: usize) -> Result<Vec<StoredJob>, StoreError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let tenants = self.lock();
        let Some(holdings) = tenants.get(tenant) else { return Ok(Vec::new()) };
        Ok(holdings.jobs.range((start, Bound::Unbounded)).take(limit).map(|(_, job)| job.stored.clone()).collect())
    }

    async fn job_request(&self, tenant: &TenantId, job: JobId) -> Result<Arc<[u8]>, StoreError> {
        self.in_job(tenant, job, |job| Arc::clone(&job.request)).ok_or(StoreError::UnknownJob)
    }

    async fn begin_job(&self, tenant: &TenantId, job: JobId, at: UnixMillis) -> Result<Option<StoredJob>, StoreError> {
        let mut tenants = self.lock();
        let found = tenants.get_mut(tenant).and_then(|holdings| holdings.jobs.get_mut(&job));
        Ok(found.map(|job| {
            job.stored.begun.get_or_insert(at);
            job.stored.clone()
        }))
    }

    async fn parts(&self, tenant: &TenantId, job: JobId, from: u64, limit: usize) -> Result<Vec<Part>, StoreError> {
        Ok(self.in_job(tenant, job, |job| job.parts_from(from).take(limit).collect()).unwrap_or_default())
    }

    async fn open_part(&self, tenant: &TenantId, job: JobId, from: u64) -> Result<Option<Part>, StoreError> {
        Ok(self.in_job(tenant, job, |job| job.parts_from(from).find(|part| part.result.is_none())).flatten())
    }

    async fn part_answer(&self, tenant: &TenantId, job: JobId, part: u64) -> Result<Option<Arc<[u8]>>, StoreError> {
        let answer = |job: &Job| match &job.part(part)?.1 {
            Some(Outcome::Answer(bytes)) => Some(Arc::clone(bytes)),
            _ => None,
        };
        Ok(self.in_job(tenant, job, answer).flatten())
    }

    async fn finish_part(
        &self,
        tenant: &TenantId,
        job: JobId,
        part: u64,
        outcome: Outcome,
        at: UnixMillis,
        quota: Quota,
    ) -> Result<Written, StoreError> {
        let mut tenants = self.lock();
        let Holdings { jobs, bytes, .. } = tenants.get_mut(tenant).ok_or(StoreError::UnknownJob)?;
        let Job { stored, parts, charge, .. } = jobs.get_mut(&job).ok_or(StoreError::UnknownJob)?;
        let place = usize::try_from(part).ok().and_then(|part| parts.get_mut(part));
        let (_, known) = place.ok_or(StoreError::UnknownJob)?;
        if known.is_some() {
            return Ok(Written::Existing);
        }
        let added = outcome.charge();
        if matches!(outcome, Outcome::Answer(_)) && bytes.saturating_add(added) > quota.bytes {
            return Err(StoreError::Quota { what: "bytes", limit: quota.bytes });
        }
        *bytes += added;
        *charge += added;
        match outcome {
            Outcome::Answer(_) => stored.answered += 1,
            Outcome::Refusal(_) => stored.refused += 1,
        }
        *known = Some(outcome);
        if stored.answered + stored.refused == stored.parts {
            stored.finished = Some(at);
        }
        Ok(Written::New)
    }

    async fn remove_job(&self, tenant: &TenantId, job: JobId) -> Result<(), StoreError> {
        let mut tenants = self.lock();
        let holdings = tenants.get_mut(tenant).ok_or(StoreError::UnknownJob)?;
        let gone = holdings.jobs.remove(&job).ok_or(StoreError::UnknownJob)?;
        holdings.bytes = holdings.bytes.saturating_sub(gone.charge);
        Ok(())
    }

    async fn unfinished(&self) -> Result<u64, StoreError> {
        Ok(self.all_jobs(|job| job.finished.is_none()).len() as u64)
    }

    async fn unfinished_jobs(
        &self,
        after: Option<(TenantId, JobId)>,
        limit: usize,
    ) -> Result<Vec<(TenantId, JobId)>, StoreError> {
        let later = |name: &(TenantId, JobId)| after.as_ref().is_none_or(|after| name > after);
        Ok(self.all_jobs(|job| job.finished.is_none()).into_iter().filter(later).take(limit).collect())
    }

    async fn finished_jobs(&self, before: UnixMillis, limit: usize) -> Result<Vec<(TenantId, JobId)>, StoreError> {
        let early = |job: &StoredJob| job.finished.is_some_and(|finished| finished < before);
        Ok(self.all_jobs(early).into_iter().take(limit).collect())
    }
}
