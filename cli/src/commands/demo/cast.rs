//! Those who hold the room's secret: participants who enrol, and a newcomer who looks for one of them.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use blindrelay_engine::operator::Handle;
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::{self, Kind, content_digest};
use blindrelay_engine::{Backend, Error as EngineError};
use blindrelay_routing::MatchKind;

use super::relay::Seen;
use crate::client::Client;
use crate::failure::Failure;
use crate::meeting::Meeting;
use crate::member::{self, Member, Score};
use crate::printable::hex;

/// What the demonstration matches.
pub(super) const KIND: MatchKind = MatchKind::Signs;
/// How many participants enrol at the same time, and up to how many of them do so one after the other.
const AT_ONCE: usize = 4;
const IN_TURN: usize = 12;

/// A participant's enrolment, as the participant knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Enrolment {
    /// The handle that the service gave.
    pub(super) handle: Handle,
    /// The record that was sent: the same bytes as the relay saw.
    pub(super) record: Seen,
}

/// How long the newcomer's steps took.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(super) struct Timings {
    pub(super) encrypt_probe: Micros,
    pub(super) round_trip: Micros,
    pub(super) open: Micros,
}

/// A duration in microseconds.
#[derive(Clone, Copy, Debug, serde::Serialize)]
#[serde(transparent)]
pub(super) struct Micros(pub(super) f64);

impl From<Duration> for Micros {
    fn from(duration: Duration) -> Self {
        Self((duration.as_secs_f64() * 1e7).round() / 10.0)
    }
}

/// What the members did and learned.
pub(super) struct Play {
    pub(super) room: String,
    pub(super) keys: Seen,
    /// In the order of the meeting file.
    pub(super) enrolments: Vec<Enrolment>,
    pub(super) probe: Seen,
    pub(super) answer: Seen,
    /// Every score, highest first.
    pub(super) scores: Vec<Score>,
    /// The score of equal identities.
    pub(super) threshold: i64,
    pub(super) timings: Timings,
}

impl Play {
    /// Makes a room, lets everybody enrol and the newcomer ask. Every step goes through the client.
    pub(super) fn perform(meeting: &Meeting, client: &Client, backend: Backend) -> Result<Self, Failure> {
        let context = member::context(KIND, backend)?;
        // The one secret. Whoever invites somebody passes it on; no request carries it.
        let seed = Seed::random().map_err(EngineError::from)?;
        let member = || Member::of_room(KIND, &context, &seed);

        let host = member();
        let keys = host.evaluation_keys()?;
        let digest = hex(&content_digest(&keys));
        client.upload_keys(&digest, &keys, &indicatif::ProgressBar::hidden())?;
        let room = client.create_room(KIND.id(), Some(&digest))?;

        let names: Vec<&str> = meeting.participants.iter().map(|participant| participant.name.as_str()).collect();
        let enrolments = enrol_all(&names, client, &room, member)?;

        let newcomer = member();
        let start = Instant::now();
        let token = newcomer.token(&meeting.newcomer.looks_for);
        let probe = newcomer.probe(&token)?;
        let encrypt_probe = start.elapsed();
        let longest = names.len() as u64 * wire::max_len(Kind::Answer, context.parameters()) as u64 + (1 << 16);
        let start = Instant::now();
        let answer = client.matching(&room, &probe.bytes, longest)?;
        let round_trip = start.elapsed();
        let start = Instant::now();
        let mut scores = newcomer.open(&probe, &answer)?;
        let open = start.elapsed();
        scores.sort_by_key(|score| (std::cmp::Reverse(score.score), score.handle));
        Ok(Self {
            room,
            keys: Seen::of(&keys),
            enrolments,
            probe: Seen::of(&probe.bytes),
            answer: Seen::of(&answer),
            scores,
            threshold: KIND.score_range().maximum,
            timings: Timings { encrypt_probe: encrypt_probe.into(), round_trip: round_trip.into(), open: open.into() },
        })
    }
}

/// How many of so many people do something at the same time: in turn where everybody is shown.
pub(super) const fn at_once(people: usize) -> usize {
    if people > IN_TURN { AT_ONCE } else { 1 }
}

/// Every participant derives the room's key from the seed and enrols their own encryption of their own name.
fn enrol_all(
    names: &[&str],
    client: &Client,
    room: &str,
    member: impl Fn() -> Member + Sync,
) -> Result<Vec<Enrolment>, Failure> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(names.len()));
    let enrol = |index: usize, name: &str| -> Result<(), Failure> {
        let participant = member();
        let record = participant.record(&[participant.token(name)])?;
        let idempotency = Handle::random().map_err(EngineError::from)?.to_string();
        let handles = client.enroll(room, &record, 1, &idempotency)?;
        let enrolments = handles.into_iter().map(|handle| (index, Enrolment { handle, record: Seen::of(&record) }));
        done.lock().unwrap_or_else(PoisonError::into_inner).extend(enrolments);
        Ok(())
    };
    let work = || -> Result<(), Failure> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(name) = names.get(index) else { return Ok(()) };
            enrol(index, name)?;
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once(names.len())).map(|_| scope.spawn(work)).collect();
        let ended = || Failure::Service("a participant's thread ended".to_owned());
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| ended())?)
    })?;
    let mut enrolments = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    enrolments.sort_by_key(|(index, _)| *index);
    Ok(enrolments.into_iter().map(|(_, enrolment)| enrolment).collect())
}
