//! Changes of jobs.

use blindrelay_server::id::{JobId, TenantId};
use blindrelay_server::store::{NewJob, Outcome, Quota, StoreError, Subject, Written};
use blindrelay_server::time::UnixMillis;

use crate::blobs::BlobName;
use crate::columns::{Columns, length, moment, number};
use crate::database::{Change, Work};
use crate::error::Failure;
use crate::holdings::Delta;

pub(super) struct CreateJob {
    pub(super) tenant: TenantId,
    pub(super) job: NewJob,
    pub(super) blob: BlobName,
    pub(super) quota: Quota,
}

impl CreateJob {
    /// The job that was made with the same request.
    async fn known(&self, work: &mut Work<'_>) -> Result<Option<JobId>, Failure> {
        let text = "SELECT job, body FROM jobs WHERE tenant = $1 AND name = $2";
        let query = sqlx::query(text).bind(self.tenant.as_str()).bind(self.job.idempotency.key.as_str());
        let Some(row) = query.fetch_optional(work.connection()).await? else { return Ok(None) };
        let row = Columns(&row);
        if row.digest("body")? != self.job.idempotency.body {
            return Err(StoreError::IdempotencyConflict.into());
        }
        Ok(Some(JobId::from_bytes(row.array("job")?)))
    }
}

impl Change for CreateJob {
    type Done = (Written, JobId);

    async fn make(&self, work: &mut Work<'_>) -> Result<(Written, JobId), Failure> {
        let Self { tenant, job, blob, quota } = self;
        work.hold(tenant, Delta::NONE).await?;
        if let Some(known) = self.known(work).await? {
            work.unname(tenant, blob.clone());
            return Ok((Written::Existing, known));
        }
        let charge = number(job.charge())?;
        let text = "INSERT INTO jobs (tenant, job, work, receipts, subjects, blob, name, body, parts, answered, refused, \
            created, finished, charge) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, $11, $12) \
            ON CONFLICT (tenant, job) DO NOTHING";
        let created = moment(job.created);
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(job.id.as_bytes().as_slice())
            .bind(job.work.as_str())
            .bind(i64::from(job.receipts))
            .bind(job.subjects.iter().flat_map(|Subject(id)| *id).collect::<Vec<u8>>())
            .bind(blob.as_str())
            .bind(job.idempotency.key.as_str())
            .bind(job.idempotency.body.as_bytes().as_slice())
            .bind(length(job.subjects.len()))
            .bind(created)
            .bind(job.subjects.is_empty().then_some(created))
            .bind(charge);
        if query.execute(work.connection()).await?.rows_affected() == 0 {
            return Err(StoreError::RepeatedId.into());
        }
        let text = "SELECT COUNT(*) AS jobs FROM jobs WHERE tenant = $1 AND finished IS NULL";
        let row = sqlx::query(text).bind(tenant.as_str()).fetch_one(work.connection()).await?;
        let limit = quota.jobs as u64;
        if Columns(&row).number("jobs")? > limit {
            return Err(StoreError::Quota { what: "unfinished jobs", limit }.into());
        }
        work.hold(tenant, Delta { bytes: charge, ..Delta::NONE }).await?.bytes_within(*quota)?;
        Ok((Written::New, job.id))
    }
}

pub(super) struct BeginJob {
    pub(super) tenant: TenantId,
    pub(super) job: JobId,
    pub(super) at: UnixMillis,
}

impl Change for BeginJob {
    type Done = ();

    async fn make(&self, work: &mut Work<'_>) -> Result<(), Failure> {
        let text = "UPDATE jobs SET begun = $3 WHERE tenant = $1 AND job = $2 AND begun IS NULL";
        let query = sqlx::query(text).bind(self.tenant.as_str()).bind(self.job.as_bytes().as_slice());
        query.bind(moment(self.at)).execute(work.connection()).await?;
        Ok(())
    }
}

pub(super) struct FinishPart {
    pub(super) tenant: TenantId,
    pub(super) job: JobId,
    pub(super) part: u64,
    pub(super) outcome: Outcome,
    pub(super) blob: Option<BlobName>,
    pub(super) at: UnixMillis,
    pub(super) quota: Quota,
}

impl Change for FinishPart {
    type Done = Written;

    async fn make(&self, work: &mut Work<'_>) -> Result<Written, Failure> {
        let Self { tenant, job, outcome, blob, .. } = self;
        work.hold(tenant, Delta::NONE).await?;
        let part = i64::try_from(self.part).unwrap_or(i64::MAX);
        let text = "SELECT parts FROM jobs WHERE tenant = $1 AND job = $2";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(job.as_bytes().as_slice());
        let row = query.fetch_optional(work.connection()).await?.ok_or(StoreError::UnknownJob)?;
        if self.part >= Columns(&row).number("parts")? {
            return Err(StoreError::UnknownJob.into());
        }
        let (answer, refusal) = match outcome {
            Outcome::Answer(bytes) => (bytes.len(), None),
            Outcome::Refusal(text) => (0, Some(text.as_str())),
        };
        let text = "INSERT INTO job_parts (tenant, job, part, blob, length, refusal) VALUES ($1, $2, $3, $4, $5, $6) \
            ON CONFLICT (tenant, job, part) DO NOTHING";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(job.as_bytes().as_slice())
            .bind(part)
            .bind(blob.as_ref().map(BlobName::as_str))
            .bind(length(answer))
            .bind(refusal);
        if query.execute(work.connection()).await?.rows_affected() == 0 {
            if let Some(blob) = blob {
                work.unname(tenant, blob.clone());
            }
            return Ok(Written::Existing);
        }
        let charge = number(outcome.charge())?;
        let text = "UPDATE jobs SET answered = answered + $3, refused = refused + $4, charge = charge + $5, \
            finished = CASE WHEN answered + refused + 1 = parts THEN $6 ELSE finished END WHERE tenant = $1 AND job = $2";
        let query = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(job.as_bytes().as_slice())
            .bind(i64::from(refusal.is_none()))
            .bind(i64::from(refusal.is_some()))
            .bind(charge)
            .bind(moment(self.at));
        query.execute(work.connection()).await?;
        let holdings = work.hold(tenant, Delta { bytes: charge, ..Delta::NONE }).await?;
        if refusal.is_none() {
            holdings.bytes_within(self.quota)?;
        }
        Ok(Written::New)
    }
}

pub(super) struct RemoveJob {
    pub(super) tenant: TenantId,
    pub(super) job: JobId,
}

impl Change for RemoveJob {
    type Done = ();

    async fn make(&self, work: &mut Work<'_>) -> Result<(), Failure> {
        let Self { tenant, job } = self;
        work.hold(tenant, Delta::NONE).await?;
        let text = "SELECT blob FROM job_parts WHERE tenant = $1 AND job = $2 AND blob IS NOT NULL";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(job.as_bytes().as_slice());
        let answers = query.fetch_all(work.connection()).await?;
        let text = "DELETE FROM jobs WHERE tenant = $1 AND job = $2 RETURNING blob, charge";
        let query = sqlx::query(text).bind(tenant.as_str()).bind(job.as_bytes().as_slice());
        let row = query.fetch_optional(work.connection()).await?.ok_or(StoreError::UnknownJob)?;
        let row = Columns(&row);
        let bytes = -number(row.number("charge")?)?;
        work.hold(tenant, Delta { bytes, ..Delta::NONE }).await?;
        work.unname(tenant, row.blob("blob")?);
        for answer in &answers {
            work.unname(tenant, Columns(answer).blob("blob")?);
        }
        Ok(())
    }
}
