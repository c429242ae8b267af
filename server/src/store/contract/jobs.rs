//! The contract for jobs.

use std::sync::Arc;

use super::{Outcome as Done, PLENTY, request, tenant, unavailable};
use crate::family::Family;
use crate::id::{JobId, LedgerId, TenantId};
use crate::store::{NewJob, Outcome, PART_CHARGE, Part, PartResult, Quota, Store, StoreError, Subject, Work, Written};
use crate::time::UnixMillis;

pub(super) async fn all(store: &dyn Store) -> Done {
    jobs_belong_to_their_tenants(store).await?;
    a_job_is_made_once(store).await?;
    a_part_is_answered_once(store).await?;
    jobs_come_in_pages(store).await?;
    job_quotas_hold_and_are_given_back(store).await?;
    unfinished_jobs_are_found(store).await
}

fn subject() -> Result<Subject, StoreError> {
    Ok(LedgerId::random().map_err(unavailable)?.into())
}

fn job_of(parts: usize, name: &str) -> Result<NewJob, StoreError> {
    Ok(NewJob {
        id: JobId::random().map_err(unavailable)?,
        work: Work::Report(Family::Panels),
        subjects: (0..parts).map(|_| subject()).collect::<Result<_, _>>()?,
        request: Arc::from(*b"request"),
        receipts: true,
        created: UnixMillis(7),
        idempotency: request(name, b"body")?,
    })
}

async fn new_job(store: &dyn Store, tenant: &TenantId, parts: usize, name: &str) -> Result<JobId, StoreError> {
    Ok(store.create_job(tenant, job_of(parts, name)?, PLENTY).await?.1)
}

fn answer(bytes: &[u8]) -> Outcome {
    Outcome::Answer(bytes.into())
}

fn unknown<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::UnknownJob))
}

/// A job of somebody else is like none, for every method.
async fn jobs_belong_to_their_tenants(store: &dyn Store) -> Done {
    let (ours, theirs) = (tenant()?, tenant()?);
    let job = new_job(store, &ours, 2, "name").await?;
    assert_eq!(store.job(&theirs, job).await?, None);
    assert_eq!(store.begin_job(&theirs, job, UnixMillis(8)).await?, None);
    assert!(store.jobs(&theirs, None, 10).await?.is_empty());
    assert!(unknown(&store.job_request(&theirs, job).await));
    assert!(store.parts(&theirs, job, 0, 10).await?.is_empty());
    assert_eq!(store.open_part(&theirs, job, 0).await?, None);
    assert_eq!(store.part_answer(&theirs, job, 0).await?, None);
    assert!(unknown(&store.finish_part(&theirs, job, 0, answer(b"a"), UnixMillis(9), PLENTY).await));
    assert!(unknown(&store.remove_job(&theirs, job).await));
    assert!(unknown(&store.finish_part(&ours, job, 2, answer(b"a"), UnixMillis(9), PLENTY).await));
    assert_eq!(store.job(&ours, job).await?.map(|job| (job.begun, job.answered)), Some((None, 0)));
    store.remove_job(&ours, job).await?;
    assert!(unknown(&store.remove_job(&ours, job).await));
    assert!(unknown(&store.finish_part(&ours, job, 0, answer(b"a"), UnixMillis(9), PLENTY).await));
    assert_eq!(store.stored_bytes(&ours).await?, 0);
    Ok(())
}

/// The same request makes one job, whose first terms stay.
async fn a_job_is_made_once(store: &dyn Store) -> Done {
    let (ours, theirs) = (tenant()?, tenant()?);
    let first = job_of(3, "name")?;
    assert_eq!(store.create_job(&ours, first.clone(), PLENTY).await?, (Written::New, first.id));
    assert_eq!(store.create_job(&ours, job_of(1, "name")?, PLENTY).await?, (Written::Existing, first.id));
    let other = NewJob { idempotency: request("name", b"another")?, ..job_of(1, "name")? };
    assert!(matches!(store.create_job(&ours, other, PLENTY).await, Err(StoreError::IdempotencyConflict)));
    let twin = NewJob { id: first.id, ..job_of(1, "other")? };
    assert!(matches!(store.create_job(&ours, twin, PLENTY).await, Err(StoreError::RepeatedId)));
    assert_ne!(new_job(store, &theirs, 1, "name").await?, first.id);
    let stored = store.job(&ours, first.id).await?.ok_or(StoreError::UnknownJob)?;
    assert_eq!((stored.id, stored.work, stored.receipts), (first.id, first.work, true));
    assert_eq!((stored.parts, stored.answered, stored.refused), (3, 0, 0));
    assert_eq!((stored.created, stored.begun, stored.finished), (UnixMillis(7), None, None));
    assert_eq!(&*store.job_request(&ours, first.id).await?, b"request");
    let parts = store.parts(&ours, first.id, 0, 10).await?;
    let expected = (0_u64..).zip(&first.subjects).map(|(number, &subject)| Part { number, subject, result: None });
    assert!(parts.iter().cloned().eq(expected));
    assert!(store.parts(&ours, first.id, 1, 1).await?.iter().eq(parts.iter().skip(1).take(1)));
    Ok(())
}

/// What became of a part first stays, and the last one finishes the job.
async fn a_part_is_answered_once(store: &dyn Store) -> Done {
    let ours = tenant()?;
    let job = new_job(store, &ours, 3, "name").await?;
    for at in [11, 12] {
        let begun = store.begin_job(&ours, job, UnixMillis(at)).await?.and_then(|job| job.begun);
        assert_eq!(begun, Some(UnixMillis(11)));
    }
    let open = async |from| Ok::<_, StoreError>(store.open_part(&ours, job, from).await?.map(|part| part.number));
    assert_eq!((open(0).await?, open(2).await?, open(3).await?), (Some(0), Some(2), None));
    let finish = async |part, outcome, at| store.finish_part(&ours, job, part, outcome, UnixMillis(at), PLENTY).await;
    assert_eq!(finish(0, answer(b"first"), 20).await?, Written::New);
    for late in [answer(b"second"), Outcome::Refusal("{}".to_owned())] {
        assert_eq!(finish(0, late, 21).await?, Written::Existing);
    }
    assert_eq!((open(0).await?, store.part_answer(&ours, job, 1).await?), (Some(1), None));
    assert_eq!(store.part_answer(&ours, job, 0).await?.as_deref(), Some(&b"first"[..]));
    assert_eq!(finish(2, Outcome::Refusal("{\"a\":1}".to_owned()), 22).await?, Written::New);
    assert_eq!(store.part_answer(&ours, job, 2).await?, None);
    let stands = store.job(&ours, job).await?.ok_or(StoreError::UnknownJob)?;
    assert_eq!((stands.answered, stands.refused, stands.finished), (1, 1, None));
    assert_eq!(finish(1, answer(b""), 23).await?, Written::New);
    let stands = store.job(&ours, job).await?.ok_or(StoreError::UnknownJob)?;
    assert_eq!((stands.answered, stands.refused, stands.finished), (2, 1, Some(UnixMillis(23))));
    assert_eq!((open(0).await?, finish(1, answer(b"late"), 24).await?), (None, Written::Existing));
    let results: Vec<_> = store.parts(&ours, job, 0, 9).await?.into_iter().map(|part| part.result).collect();
    let refusal = PartResult::Refusal("{\"a\":1}".to_owned());
    assert_eq!(results, [Some(PartResult::Answer(5)), Some(PartResult::Answer(0)), Some(refusal)]);
    assert_eq!(store.part_answer(&ours, job, 1).await?.as_deref(), Some(&b""[..]));
    let bytes = 7 + 3 * PART_CHARGE + 5 + 7;
    assert_eq!(store.stored_bytes(&ours).await?, bytes);
    store.remove_job(&ours, job).await?;
    assert_eq!((store.stored_bytes(&ours).await?, store.part_answer(&ours, job, 0).await?), (0, None));
    // Its request's name is free again.
    new_job(store, &ours, 1, "name").await.map(drop)
}

/// Jobs are listed upwards from any id, also from one that is gone.
async fn jobs_come_in_pages(store: &dyn Store) -> Done {
    let ours = tenant()?;
    let mut jobs = Vec::new();
    for name in ["a", "b", "c", "d"] {
        jobs.push(new_job(store, &ours, 1, name).await?);
    }
    jobs.sort();
    let listed = async |after, limit| {
        let page = store.jobs(&ours, after, limit).await?;
        Ok::<Vec<JobId>, StoreError>(page.into_iter().map(|job| job.id).collect())
    };
    assert_eq!(listed(None, 10).await?, jobs);
    let first = listed(None, 2).await?;
    assert!(first.iter().eq(jobs.iter().take(2)));
    let Some(&cursor) = first.last() else { return Err(StoreError::UnknownJob) };
    store.remove_job(&ours, cursor).await?;
    assert!(listed(Some(cursor), 10).await?.iter().eq(jobs.iter().skip(2)));
    Ok(())
}

/// What is above a quota is refused and leaves no trace; what is finished or removed makes room.
async fn job_quotas_hold_and_are_given_back(store: &dyn Store) -> Done {
    let ours = tenant()?;
    let full = |error: StoreError| matches!(error, StoreError::Quota { .. });
    let tight = Quota { jobs: 1, bytes: 7 + PART_CHARGE + 4, ..PLENTY };
    assert!(store.create_job(&ours, job_of(2, "wide")?, tight).await.is_err_and(full));
    assert_eq!(store.stored_bytes(&ours).await?, 0);
    let (_, job) = store.create_job(&ours, job_of(1, "first")?, tight).await?;
    assert!(store.create_job(&ours, job_of(1, "second")?, Quota { jobs: 1, ..PLENTY }).await.is_err_and(full));
    let finish = async |outcome| store.finish_part(&ours, job, 0, outcome, UnixMillis(9), tight).await;
    assert!(finish(answer(b"12345")).await.is_err_and(full));
    assert_eq!(store.open_part(&ours, job, 0).await?.map(|part| part.number), Some(0));
    assert_eq!(store.stored_bytes(&ours).await?, 7 + PART_CHARGE);
    assert_eq!(finish(Outcome::Refusal("too long".to_owned())).await?, Written::New);
    let (_, second) = store.create_job(&ours, job_of(1, "second")?, Quota { jobs: 1, ..PLENTY }).await?;
    store.remove_job(&ours, second).await?;
    store.create_job(&ours, job_of(1, "third")?, Quota { jobs: 1, ..PLENTY }).await.map(drop)
}

/// Whoever looks for work finds every job that is not finished; whoever tidies up finds those that are.
async fn unfinished_jobs_are_found(store: &dyn Store) -> Done {
    let (ours, theirs) = (tenant()?, tenant()?);
    let before = store.unfinished().await?;
    let mut names = Vec::new();
    for (tenant, name) in [(&ours, "a"), (&ours, "b"), (&theirs, "a")] {
        names.push((tenant.clone(), new_job(store, tenant, 1, name).await?));
    }
    names.sort();
    assert_eq!(store.unfinished().await?, before + 3);
    let found = async || {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = store.unfinished_jobs(after, 2).await?;
            let Some(last) = page.last() else { return Ok::<_, StoreError>(all) };
            after = Some(last.clone());
            all.extend(page.into_iter().filter(|(tenant, _)| *tenant == ours || *tenant == theirs));
        }
    };
    assert_eq!(found().await?, names);
    let (tenant, job) = names.swap_remove(0);
    store.finish_part(&tenant, job, 0, answer(b"a"), UnixMillis(50), PLENTY).await?;
    names.sort();
    assert_eq!((found().await?, store.unfinished().await?), (names, before + 2));
    let finished = async |before| Ok::<_, StoreError>(store.finished_jobs(UnixMillis(before), 1000).await?);
    assert!(!finished(50).await?.contains(&(tenant.clone(), job)));
    assert!(finished(51).await?.contains(&(tenant, job)));
    Ok(())
}
