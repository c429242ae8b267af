//! The host's panels: everybody's device encrypts what it measured, and only the host opens the sums.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use blindrelay_analytics::{Collect, Contribution, ContributionError, Plan, Report, Settings, Stay};
use blindrelay_client::{Client, Family, KeyTerms};
use blindrelay_engine::operator::Handle;
use blindrelay_engine::wire::content_digest;
use blindrelay_engine::{Backend, Error as EngineError};

use super::cast::{Micros, at_once};
use super::relay::Seen;
use crate::failure::Failure;
use crate::meeting::{Measured, Meeting, STRETCH_MINUTES};
use crate::panels::{Host, PanelFailure};
use crate::printable::hex;
use crate::service::BATCH_ATTEMPTS;

/// No report on fewer, or on fewer than there are.
const LEAST: usize = 5;
/// Lower edges of the histogram of speaking times, in seconds.
const EDGES: [f64; 5] = [0.0, 60.0, 300.0, 600.0, 1200.0];

/// What devices and host did and learned.
pub(super) struct Statistics {
    /// The host's evaluation keys.
    pub(super) keys: Seen,
    /// Attention, speaking times and participants over time, as far as they were measured.
    pub(super) panels: Vec<Panel>,
    /// How many devices contributed to each.
    pub(super) devices: usize,
    pub(super) timings: Timings,
}

/// A panel and its report.
pub(super) struct Panel {
    pub(super) id: String,
    pub(super) report: Report,
}

/// How long it took.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(super) struct Timings {
    /// Packing and encrypting one contribution, on average.
    pub(super) encrypt: Micros,
    /// From asking for all reports to their figures.
    pub(super) reports: Micros,
}

impl Statistics {
    /// Makes panels, lets everybody contribute, and opens the reports.
    pub(super) fn perform(meeting: &Meeting, client: &Client, backend: Backend) -> Result<Self, Failure> {
        let host = Host::generate(backend)?;
        let keys = host.evaluation_keys()?;
        let digest = hex(&content_digest(&keys));
        client.upload_keys(&digest, &keys, KeyTerms::default(), |_| ())?;

        let everybody: Vec<(&str, &Measured)> = meeting.everybody().collect();
        let least = everybody.len().min(LEAST) as u64;
        let mut plans = Vec::new();
        for collect in collected(meeting, &everybody) {
            let settings =
                Settings { collect, minimum_contributions: least, maximum_contributions: everybody.len() as u64 };
            let plan = Plan::new(&settings, host.key().context()).map_err(|error| Failure::Usage {
                what: format!("the host cannot be given a report on {}: {error}", settings.collect.name()),
                advice: "leave that measurement out of the meeting file, or make the meeting smaller",
            })?;
            let id = client.create_ledger(Family::Panels, host.operator(), &settings.to_json(), Some(&digest))?;
            plans.push((id, plan));
        }
        let encrypt = contribute(meeting, &everybody, &plans, client, &host)?;

        let start = Instant::now();
        let mut panels = Vec::new();
        for (id, plan) in plans {
            let (answer, findings) = host.findings(client, &id, &plan, everybody.len() as u64)?;
            let names = match plan.settings().collect {
                Collect::Speaking { .. } => everybody.iter().map(|(name, _)| (*name).to_owned()).collect(),
                Collect::Attention { slots } => (0..slots).map(stretch).collect(),
                _ => Vec::new(),
            };
            let report = Report::new(&meeting.title, names, &plan, &answer, findings);
            panels.push(Panel { id, report });
        }
        let timings = Timings { encrypt, reports: start.elapsed().into() };
        Ok(Self { keys: Seen::of(&keys), panels, devices: everybody.len(), timings })
    }
}

/// The name of a stretch of time: the minute that it begins with.
pub(super) fn stretch(index: usize) -> String {
    format!("minute {}", STRETCH_MINUTES * index as f64)
}

/// What there is to collect: what nobody has measured is left out.
fn collected(meeting: &Meeting, everybody: &[(&str, &Measured)]) -> Vec<Collect> {
    let mut all = Vec::new();
    if everybody.iter().any(|(_, measured)| measured.attention.iter().any(Option::is_some)) {
        all.push(Collect::Attention { slots: meeting.stretches() });
    }
    if everybody.iter().any(|(_, measured)| measured.spoke.is_some()) {
        let limit_seconds = 60.0 * meeting.minutes;
        all.push(Collect::Speaking { participants: everybody.len(), limit_seconds, edges: EDGES.to_vec() });
    }
    all.push(Collect::Concurrency { buckets: meeting.stretches(), bucket_seconds: 60.0 * STRETCH_MINUTES });
    all
}

/// Everybody encrypts their own measurements for every panel. Returns how long that took a contribution.
fn contribute(
    meeting: &Meeting,
    everybody: &[(&str, &Measured)],
    plans: &[(String, Plan)],
    client: &Client,
    host: &Host,
) -> Result<Micros, Failure> {
    let public = host.key().public_key();
    let (next, spent) = (AtomicUsize::new(0), Mutex::new(std::time::Duration::ZERO));
    let send = |person: usize, measured: &Measured| -> Result<(), Failure> {
        for (id, plan) in plans {
            let start = Instant::now();
            let contribution = contribution(meeting, person, measured, plan).map_err(PanelFailure::Contribution)?;
            let bytes = contribution.encrypt(plan, &public).map_err(PanelFailure::Contribution)?;
            *spent.lock().unwrap_or_else(PoisonError::into_inner) += start.elapsed();
            let name = Handle::random().map_err(EngineError::from)?.to_string();
            client.with_attempts(BATCH_ATTEMPTS).append(Family::Panels, id, &bytes, &name)?;
        }
        Ok(())
    };
    let work = || -> Result<(), Failure> {
        loop {
            let person = next.fetch_add(1, Ordering::Relaxed);
            let Some((_, measured)) = everybody.get(person) else { return Ok(()) };
            send(person, measured)?;
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once(everybody.len())).map(|_| scope.spawn(work)).collect();
        let ended = || Failure::Service("a participant's thread ended".to_owned());
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| ended())?)
    })?;
    let contributions = (everybody.len() * plans.len()).max(1) as u32;
    Ok((spent.into_inner().unwrap_or_else(PoisonError::into_inner) / contributions).into())
}

fn contribution(
    meeting: &Meeting,
    person: usize,
    measured: &Measured,
    plan: &Plan,
) -> Result<Contribution, ContributionError> {
    match plan.settings().collect {
        Collect::Attention { slots } => {
            let unknown = std::iter::repeat(None);
            let scores: Vec<Option<f64>> = measured.attention.iter().copied().chain(unknown).take(slots).collect();
            Contribution::attention(plan, &scores)
        }
        Collect::Speaking { participants, .. } => {
            // Everybody counts in a place of their own, and with zeros in those of the others.
            let own = 60.0 * measured.spoke.unwrap_or(0.0);
            let seconds: Vec<f64> = (0..participants).map(|place| if place == person { own } else { 0.0 }).collect();
            Contribution::speaking(plan, &seconds)
        }
        _ => {
            let [join, leave] = meeting.presence(measured).map(|minute| 60.0 * minute);
            Contribution::concurrency(plan, &[Stay { join, leave }])
        }
    }
}
