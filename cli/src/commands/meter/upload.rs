//! Batches to the service: many tenants at once, the batches of one in their order.

use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use blindrelay_billing::{CHARGE, Date, Draft, Layout, MeterSettings, Packer};
use blindrelay_client::{Client, Family};
use blindrelay_engine::bfv::Context;
use blindrelay_engine::wire::content_digest;
use indicatif::ProgressBar;

use super::batches::{Archive, Encryptors, idempotency_key};
use crate::failure::Failure;
use crate::journal::{Entries, Journal, MeterEntry};
use crate::service::BATCH_ATTEMPTS;
use crate::tenants::KeyFolder;
use crate::usage::Usage;

/// Drafts that wait for a thread that encrypts and sends.
const QUEUE: usize = 4;

/// What is counted where.
pub(super) struct Plan<'a> {
    pub(super) client: &'a Client,
    pub(super) context: &'a Arc<Context>,
    pub(super) layout: &'a Arc<Layout>,
    pub(super) keys: &'a KeyFolder,
    pub(super) usage: &'a Path,
    pub(super) month: Date,
    /// SHA-256 of the usage file when it was checked.
    pub(super) digest: [u8; 32],
    pub(super) archive: Option<&'a Path>,
    pub(super) parallel: usize,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Uploaded {
    /// Batches that were sent and confirmed.
    pub(super) sent: u64,
    /// Batches that had been confirmed before.
    pub(super) before: u64,
    /// Bytes of the batches that were sent.
    pub(super) bytes: u64,
}

/// A poisoned lock guards whole values: a journal line is written at once.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a meter for every tenant that has none, and refuses a tenant whose public key has changed since.
pub(super) fn make_meters(
    plan: &Plan<'_>,
    tenants: &[String],
    journal: &mut Journal,
    entries: &mut Entries,
) -> Result<(), Failure> {
    let archive = plan.archive.map(Archive::new);
    let settings = plan.layout.card().to_json();
    let known = &entries.meters;
    let journal_lock = Mutex::new(&mut *journal);
    let (made, next) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    let failure = OnceLock::new();
    let make = |tenant: &String| {
        let (bytes, _) = plan.keys.public_key(tenant, plan.context.parameters())?;
        let key = content_digest(&bytes);
        match known.get(tenant) {
            Some(entry) if entry.key == key => match &archive {
                Some(archive) => archive.note_rates(tenant, &settings),
                None => Ok(()),
            },
            Some(_) => Err(Failure::Usage {
                what: format!("the public key of tenant {tenant} has changed since the journal was begun"),
                advice: "restore the key as it was; a tenant with a new key needs a new journal",
            }),
            None => {
                if let Some(archive) = &archive {
                    archive.begin(tenant, &settings)?;
                }
                let id = plan.client.create_ledger(Family::Meters, CHARGE, &settings, None)?;
                locked(&journal_lock).meter(tenant, &id, &key)?;
                locked(&made).push((tenant.clone(), MeterEntry { id, key, confirmed: 0 }));
                Ok(())
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..plan.parallel.min(tenants.len()) {
            scope.spawn(|| {
                while let Some(tenant) = tenants.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if failure.get().is_some() {
                        return;
                    }
                    if let Err(error) = make(tenant) {
                        let _ = failure.set(error);
                        return;
                    }
                }
            });
        }
    });
    let made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
    // No batch is sent to a meter that could be forgotten.
    if !made.is_empty() {
        journal.sync()?;
    }
    entries.meters.extend(made);
    failure.into_inner().map_or(Ok(()), Err)
}

/// A draft of a tenant.
struct Job {
    tenant: String,
    draft: Draft,
}

/// What the threads share.
struct Shared<'a> {
    plan: &'a Plan<'a>,
    entries: &'a Entries,
    journal: Mutex<Journal>,
    failure: OnceLock<Failure>,
    sent: AtomicU64,
    before: AtomicU64,
    bytes: AtomicU64,
    lines: AtomicU64,
    bar: &'a ProgressBar,
}

/// Sends every batch that is not confirmed yet. After an error everything that was confirmed is in the journal.
pub(super) fn upload(
    plan: &Plan<'_>,
    mut journal: Journal,
    entries: &Entries,
    lines: u64,
    bar: &ProgressBar,
) -> Result<Uploaded, Failure> {
    if entries.done.is_some() && plan.archive.is_none() {
        let before = entries.meters.values().map(|meter| meter.confirmed).sum();
        return Ok(Uploaded { before, ..Uploaded::default() });
    }
    let shared = Shared {
        plan,
        entries,
        journal: Mutex::new(journal),
        failure: OnceLock::new(),
        sent: AtomicU64::new(0),
        before: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        lines: AtomicU64::new(0),
        bar,
    };
    let packed = std::thread::scope(|scope| {
        let threads: Vec<SyncSender<Job>> = (0..plan.parallel.max(1))
            .map(|_| {
                let (sender, receiver) = sync_channel(QUEUE);
                let shared = &shared;
                scope.spawn(move || shared.send_all(&receiver));
                sender
            })
            .collect();
        shared.pack(&threads)
    });
    let all = lines;
    let Shared { failure, sent, before, bytes, lines, journal: written, .. } = shared;
    let cause = failure.into_inner().or(packed.err());
    if let Some(cause) = cause {
        return Err(Failure::Uncounted { done: lines.into_inner(), all, cause: Box::new(cause) });
    }
    journal = written.into_inner().unwrap_or_else(PoisonError::into_inner);
    if entries.done.is_none() {
        journal.done(all)?;
    }
    Ok(Uploaded { sent: sent.into_inner(), before: before.into_inner(), bytes: bytes.into_inner() })
}

impl Shared<'_> {
    /// Reads the usage again and hands every batch to the thread of its tenant as soon as it is full. Ends early where a thread has failed.
    fn pack(&self, threads: &[SyncSender<Job>]) -> Result<(), Failure> {
        let plan = self.plan;
        let settings = MeterSettings { age: u64::MAX, ..MeterSettings::named("packer") };
        let mut usage = Usage::open(plan.usage, plan.layout.card(), Some(plan.month))?;
        let mut packers: Vec<Packer> = Vec::new();
        while let Some(line) = usage.next()? {
            if line.tenant >= packers.len() {
                packers.push(Packer::new(plan.layout, &settings)?);
            }
            let Some(packer) = packers.get_mut(line.tenant) else { continue };
            let closed = packer.next_sequence();
            packer.record(&line.reading, 0)?;
            if packer.next_sequence() > closed && !hand_over(threads, usage.tenants(), line.tenant, packer) {
                return Ok(());
            }
        }
        if usage.digest() != plan.digest {
            return Err(Failure::Content {
                path: plan.usage.to_owned(),
                fault: "it was changed while it was read".to_owned(),
                advice: "delete the meters and begin again with a new journal; what was sent is not what was checked",
            });
        }
        for (tenant, mut packer) in packers.into_iter().enumerate() {
            packer.flush();
            if !hand_over(threads, usage.tenants(), tenant, &mut packer) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn send_all(&self, jobs: &Receiver<Job>) {
        let archive = self.plan.archive.map(Archive::new);
        let mut encryptors = Encryptors::new(self.plan, &self.entries.root);
        for job in jobs {
            if self.failure.get().is_some() {
                return;
            }
            if let Err(failure) = self.count(job, archive.as_ref(), &mut encryptors) {
                let _ = self.failure.set(failure);
                return;
            }
        }
    }

    fn count(&self, job: Job, archive: Option<&Archive<'_>>, encryptors: &mut Encryptors<'_>) -> Result<(), Failure> {
        let Job { tenant, draft } = job;
        let meter = self.entries.meters.get(&tenant).ok_or_else(|| Failure::Usage {
            what: format!("tenant {tenant} has no meter in the journal"),
            advice: "begin again with a new journal",
        })?;
        let (sequence, lines) = (draft.sequence(), draft.lines() as u64);
        let confirmed = sequence < meter.confirmed;
        if !confirmed || archive.is_some_and(|archive| !archive.has(&tenant, sequence)) {
            let batch = encryptors.encryptor(&tenant)?.encrypt(&draft)?;
            // Wiped before anything waits for the network.
            drop(draft);
            if let Some(archive) = archive {
                archive.keep(&tenant, sequence, &batch.bytes)?;
            }
            if !confirmed {
                let idempotency = idempotency_key(&self.entries.root, &meter.id, sequence);
                self.plan.client.with_attempts(BATCH_ATTEMPTS).append(
                    Family::Meters,
                    &meter.id,
                    &batch.bytes,
                    &idempotency,
                )?;
                locked(&self.journal).sent(&tenant, sequence)?;
                self.bytes.fetch_add(batch.bytes.len() as u64, Ordering::Relaxed);
            }
        }
        if confirmed { &self.before } else { &self.sent }.fetch_add(1, Ordering::Relaxed);
        self.lines.fetch_add(lines, Ordering::Relaxed);
        self.bar.inc(lines);
        Ok(())
    }
}

/// Gives the closed drafts of a packer to the thread of its tenant, which keeps their order. Says whether it still takes any.
fn hand_over(threads: &[SyncSender<Job>], tenants: &[String], tenant: usize, packer: &mut Packer) -> bool {
    let (Some(name), Some(thread)) = (tenants.get(tenant), threads.get(tenant % threads.len().max(1))) else {
        return false;
    };
    packer.drafts().into_iter().all(|draft| thread.send(Job { tenant: name.clone(), draft }).is_ok())
}
