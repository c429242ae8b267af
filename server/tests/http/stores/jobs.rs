//! Its jobs.

use std::sync::Arc;

use async_trait::async_trait;
use blindrelay_server::id::{JobId, TenantId};
use blindrelay_server::store::{JobStore, NewJob, Outcome, Part, Quota, StoreError, StoredJob, Written};
use blindrelay_server::time::UnixMillis;

use super::FaultyStore;

#[async_trait]
impl JobStore for FaultyStore {
    async fn create_job(&self, tenant: &TenantId, job: NewJob, quota: Quota) -> Result<(Written, JobId), StoreError> {
        self.writable()?;
        let made = self.inner.create_job(tenant, job, quota).await?;
        self.written().map(|()| made)
    }

    async fn job(&self, tenant: &TenantId, job: JobId) -> Result<Option<StoredJob>, StoreError> {
        self.readable()?;
        self.inner.job(tenant, job).await
    }

    async fn jobs(&self, tenant: &TenantId, after: Option<JobId>, limit: usize) -> Result<Vec<StoredJob>, StoreError> {
        self.readable()?;
        self.inner.jobs(tenant, after, limit).await
    }

    async fn job_request(&self, tenant: &TenantId, job: JobId) -> Result<Arc<[u8]>, StoreError> {
        self.readable()?;
        self.inner.job_request(tenant, job).await
    }

    async fn begin_job(&self, tenant: &TenantId, job: JobId, at: UnixMillis) -> Result<Option<StoredJob>, StoreError> {
        self.writable()?;
        let begun = self.inner.begin_job(tenant, job, at).await?;
        self.written().map(|()| begun)
    }

    async fn parts(&self, tenant: &TenantId, job: JobId, from: u64, limit: usize) -> Result<Vec<Part>, StoreError> {
        self.readable()?;
        self.inner.parts(tenant, job, from, limit).await
    }

    async fn open_part(&self, tenant: &TenantId, job: JobId, from: u64) -> Result<Option<Part>, StoreError> {
        self.readable()?;
        self.inner.open_part(tenant, job, from).await
    }

    async fn part_answer(&self, tenant: &TenantId, job: JobId, part: u64) -> Result<Option<Arc<[u8]>>, StoreError> {
        self.readable()?;
        self.inner.part_answer(tenant, job, part).await
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
        self.writable()?;
        let written = self.inner.finish_part(tenant, job, part, outcome, at, quota).await?;
        self.written().map(|()| written)
    }

    async fn remove_job(&self, tenant: &TenantId, job: JobId) -> Result<(), StoreError> {
        self.writable()?;
        self.inner.remove_job(tenant, job).await?;
        self.written()
    }

    async fn unfinished(&self) -> Result<u64, StoreError> {
        self.readable()?;
        self.inner.unfinished().await
    }

    async fn unfinished_jobs(
        &self,
        after: Option<(TenantId, JobId)>,
        limit: usize,
    ) -> Result<Vec<(TenantId, JobId)>, StoreError> {
        self.readable()?;
        self.inner.unfinished_jobs(after, limit).await
    }

    async fn finished_jobs(&self, before: UnixMillis, limit: usize) -> Result<Vec<(TenantId, JobId)>, StoreError> {
        self.readable()?;
        self.inner.finished_jobs(before, limit).await
    }
}
