//! Jobs and their answers.

mod changes;

use std::sync::Arc;

use async_trait::async_trait;
use blindrelay_server::id::{JobId, TenantId};
use blindrelay_server::store::{
    JobStore, NewJob, Outcome, Part, PartResult, Quota, StoreError, StoredJob, Subject, Work, Written,
};
use blindrelay_server::time::UnixMillis;
use sqlx::any::AnyRow;

use crate::columns::{Columns, length, moment};
use crate::error::{Damage, Failure};
use crate::jobs::changes::{BeginJob, CreateJob, FinishPart, RemoveJob};
use crate::store::{DurableStore, Parts};

/// Bytes of an id among a job's subjects.
const SUBJECT_BYTES: usize = 16;

fn job_of(row: &Columns<'_>) -> Result<StoredJob, Failure> {
    let work = row.text("work")?;
    let work = Work::ALL.into_iter().find(|known| known.as_str() == work);
    Ok(StoredJob {
        id: JobId::from_bytes(row.array("job")?),
        work: work.ok_or(Damage::Column { column: "work" })?,
        receipts: row.flag("receipts")?,
        parts: row.number("parts")?,
        answered: row.number("answered")?,
        refused: row.number("refused")?,
        created: row.moment("created")?,
        begun: row.moment_or_none("begun")?,
        finished: row.moment_or_none("finished")?,
    })
}

fn subjects_of(row: &Columns<'_>) -> Result<Vec<Subject>, Failure> {
    let (subjects, rest) = row.bytes("subjects")?.as_chunks::<SUBJECT_BYTES>();
    if !rest.is_empty() {
        return Err(Damage::Column { column: "subjects" }.into());
    }
    Ok(subjects.iter().map(|id| Subject(*id)).collect())
}

fn name_of(row: &AnyRow) -> Result<(TenantId, JobId), Failure> {
    let row = Columns(row);
    let tenant = TenantId::new(row.text("tenant")?).ok_or(Damage::Column { column: "tenant" })?;
    Ok((tenant, JobId::from_bytes(row.array("job")?)))
}

impl Parts {
    async fn find_job(&self, tenant: &TenantId, job: JobId) -> Result<Option<StoredJob>, Failure> {
        let text = "SELECT job, work, receipts, parts, answered, refused, created, begun, finished FROM jobs \
            WHERE tenant = $1 AND job = $2";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(job.as_bytes().as_slice());
        let row = query.fetch_optional(self.database.read()).await?;
        row.map(|row| job_of(&Columns(&row))).transpose()
    }

    async fn list_jobs(
        &self,
        tenant: &TenantId,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<StoredJob>, Failure> {
        let text = "SELECT job, work, receipts, parts, answered, refused, created, begun, finished FROM jobs \
            WHERE tenant = $1 AND job > $2 ORDER BY job LIMIT $3";
        let after = after.map(|job| job.as_bytes().to_vec()).unwrap_or_default();
        let query = sqlx::query(text).bind(tenant.as_str()).bind(after).bind(length(limit));
        let rows = query.fetch_all(self.database.read()).await?;
        rows.iter().map(|row| job_of(&Columns(row))).collect()
    }

    async fn read_request(&self, tenant: &TenantId, job: JobId) -> Result<Arc<[u8]>, Failure> {
        let text = "SELECT blob FROM jobs WHERE tenant = $1 AND job = $2";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(job.as_bytes().as_slice());
        let row = query.fetch_optional(self.database.read()).await?.ok_or(StoreError::UnknownJob)?;
        let blob = Columns(&row).blob("blob")?;
        match self.blobs.read(tenant, &blob).await? {
            Some(request) => Ok(request),
            // The job may have gone between its row and its blob.
            None if self.find_job(tenant, job).await?.is_none() => Err(StoreError::UnknownJob.into()),
            None => Err(Damage::Missing { blob: blob.path(tenant).to_string() }.into()),
        }
    }

    /// Subjects of a job, and what became of its parts from a number on; at most `limit` of those.
    async fn subjects_and_results(
        &self,
        tenant: &TenantId,
        job: JobId,
        from: u64,
        limit: usize,
    ) -> Result<(Vec<Subject>, Vec<(u64, PartResult)>), Failure> {
        let text = "SELECT subjects FROM jobs WHERE tenant = $1 AND job = $2";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(job.as_bytes().as_slice());
        let Some(row) = query.fetch_optional(self.database.read()).await? else { return Ok(Default::default()) };
        let subjects = subjects_of(&Columns(&row))?;
        let text = "SELECT part, length, refusal FROM job_parts WHERE tenant = $1 AND job = $2 AND part >= $3 \
            ORDER BY part LIMIT $4";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(job.as_bytes().as_slice())
            .bind(i64::try_from(from).unwrap_or(i64::MAX))
            .bind(length(limit));
        let rows = query.fetch_all(self.database.read()).await?;
        let results = rows.iter().map(|row| {
            let row = Columns(row);
            let result = match row.text_or_none("refusal")? {
                Some(text) => PartResult::Refusal(text.to_owned()),
                None => PartResult::Answer(row.number("length")?),
            };
            Ok((row.number("part")?, result))
        });
        Ok((subjects, results.collect::<Result<_, Failure>>()?))
    }

    async fn list_parts(&self, tenant: &TenantId, job: JobId, from: u64, limit: usize) -> Result<Vec<Part>, Failure> {
        let (subjects, results) = self.subjects_and_results(tenant, job, from, limit).await?;
        let mut results = results.into_iter().peekable();
        let skipped = usize::try_from(from).unwrap_or(usize::MAX);
        let parts = (0_u64..).zip(subjects).skip(skipped).take(limit);
        let with_result = parts.map(|(number, subject)| {
            let result = results.next_if(|(found, _)| *found == number).map(|(_, result)| result);
            Part { number, subject, result }
        });
        Ok(with_result.collect())
    }

    async fn find_open_part(&self, tenant: &TenantId, job: JobId, from: u64) -> Result<Option<Part>, Failure> {
        let (subjects, results) = self.subjects_and_results(tenant, job, from, usize::MAX).await?;
        let taken = (from..).zip(&results).take_while(|(number, (found, _))| number == found).count();
        let number = from.saturating_add(taken as u64);
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        Ok(subjects.get(place).map(|&subject| Part { number, subject, result: None }))
    }

    async fn read_answer(&self, tenant: &TenantId, job: JobId, part: u64) -> Result<Option<Arc<[u8]>>, Failure> {
        let text = "SELECT blob FROM job_parts WHERE tenant = $1 AND job = $2 AND part = $3 AND blob IS NOT NULL";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(job.as_bytes().as_slice())
            .bind(i64::try_from(part).unwrap_or(i64::MAX));
        let Some(row) = query.fetch_optional(self.database.read()).await? else { return Ok(None) };
        let blob = Columns(&row).blob("blob")?;
        match self.blobs.read(tenant, &blob).await? {
            Some(answer) => Ok(Some(answer)),
            None if self.find_job(tenant, job).await?.is_none() => Ok(None),
            None => Err(Damage::Missing { blob: blob.path(tenant).to_string() }.into()),
        }
    }

    async fn count_unfinished(&self) -> Result<u64, Failure> {
        let text = "SELECT COUNT(*) AS jobs FROM jobs WHERE finished IS NULL";
        Columns(&sqlx::query(text).fetch_one(self.database.read()).await?).number("jobs")
    }

    async fn list_unfinished(
        &self,
        after: Option<(TenantId, JobId)>,
        limit: usize,
    ) -> Result<Vec<(TenantId, JobId)>, Failure> {
        let text = "SELECT tenant, job FROM jobs WHERE finished IS NULL \
            AND (tenant > $1 OR (tenant = $1 AND job > $2)) ORDER BY tenant, job LIMIT $3";
        let (tenant, job) =
            after.map(|(tenant, job)| (tenant.to_string(), job.as_bytes().to_vec())).unwrap_or_default();
        let query = sqlx::query(text).bind(tenant).bind(job).bind(length(limit));
        query.fetch_all(self.database.read()).await?.iter().map(name_of).collect()
    }

    async fn list_finished(&self, before: UnixMillis, limit: usize) -> Result<Vec<(TenantId, JobId)>, Failure> {
        let text = "SELECT tenant, job FROM jobs WHERE finished IS NOT NULL AND finished < $1 \
            ORDER BY finished, tenant, job LIMIT $2";
        let query = sqlx::query(text).bind(moment(before)).bind(length(limit));
        query.fetch_all(self.database.read()).await?.iter().map(name_of).collect()
    }
}

#[async_trait]
impl JobStore for DurableStore {
    async fn create_job(&self, tenant: &TenantId, job: NewJob, quota: Quota) -> Result<(Written, JobId), StoreError> {
        let (parts, tenant) = (Arc::clone(&self.parts), tenant.clone());
        self.run(async move {
            let staged = parts.blobs.write_new(&tenant, Arc::clone(&job.request)).await?;
            let change = CreateJob { tenant, job, blob: staged.name.clone(), quota };
            parts.change(&change, Some(&staged)).await
        })
        .await
    }

    async fn job(&self, tenant: &TenantId, job: JobId) -> Result<Option<StoredJob>, StoreError> {
        Ok(self.parts.find_job(tenant, job).await?)
    }

    async fn jobs(&self, tenant: &TenantId, after: Option<JobId>, limit: usize) -> Result<Vec<StoredJob>, StoreError> {
        Ok(self.parts.list_jobs(tenant, after, limit).await?)
    }

    async fn job_request(&self, tenant: &TenantId, job: JobId) -> Result<Arc<[u8]>, StoreError> {
        Ok(self.parts.read_request(tenant, job).await?)
    }

    async fn begin_job(&self, tenant: &TenantId, job: JobId, at: UnixMillis) -> Result<Option<StoredJob>, StoreError> {
        let found = self.parts.find_job(tenant, job).await?;
        match found {
            Some(StoredJob { begun: None, .. }) => self.change(BeginJob { tenant: tenant.clone(), job, at }).await?,
            other => return Ok(other),
        }
        Ok(self.parts.find_job(tenant, job).await?)
    }

    async fn parts(&self, tenant: &TenantId, job: JobId, from: u64, limit: usize) -> Result<Vec<Part>, StoreError> {
        Ok(self.parts.list_parts(tenant, job, from, limit).await?)
    }

    async fn open_part(&self, tenant: &TenantId, job: JobId, from: u64) -> Result<Option<Part>, StoreError> {
        Ok(self.parts.find_open_part(tenant, job, from).await?)
    }

    async fn part_answer(&self, tenant: &TenantId, job: JobId, part: u64) -> Result<Option<Arc<[u8]>>, StoreError> {
        Ok(self.parts.read_answer(tenant, job, part).await?)
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
        let (parts, tenant) = (Arc::clone(&self.parts), tenant.clone());
        self.run(async move {
            let staged = match &outcome {
                Outcome::Answer(bytes) => Some(parts.blobs.write_new(&tenant, Arc::clone(bytes)).await?),
                Outcome::Refusal(_) => None,
            };
            let blob = staged.as_ref().map(|staged| staged.name.clone());
            let change = FinishPart { tenant, job, part, outcome, blob, at, quota };
            parts.change(&change, staged.as_ref()).await
        })
        .await
    }

    async fn remove_job(&self, tenant: &TenantId, job: JobId) -> Result<(), StoreError> {
        self.change(RemoveJob { tenant: tenant.clone(), job }).await
    }

    async fn unfinished(&self) -> Result<u64, StoreError> {
        Ok(self.parts.count_unfinished().await?)
    }

    async fn unfinished_jobs(
        &self,
        after: Option<(TenantId, JobId)>,
        limit: usize,
    ) -> Result<Vec<(TenantId, JobId)>, StoreError> {
        Ok(self.parts.list_unfinished(after, limit).await?)
    }

    async fn finished_jobs(&self, before: UnixMillis, limit: usize) -> Result<Vec<(TenantId, JobId)>, StoreError> {
        Ok(self.parts.list_finished(before, limit).await?)
    }
}
