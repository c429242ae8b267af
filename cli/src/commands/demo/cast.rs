//! Those who hold the room's secret: participants who enrol with a ticket each, and a newcomer who looks for one of them and opens a ticket, or nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use blindrelay_client::{Client, KeyTerms};
use blindrelay_engine::Error as EngineError;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::Handle;
use blindrelay_engine::params::preset;
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::content_digest;
use blindrelay_routing::find::FindKind;
use blindrelay_server::Registry;

use super::relay::{Relay, Seen};
use crate::failure::Failure;
use crate::finder::{EQUAL, Finder};
use crate::meeting::Meeting;
use crate::printable::hex;
use crate::room_kind::RoomKind;
use crate::tickets::Ticket;

/// What the demonstration's room does.
pub(super) const KIND: RoomKind = RoomKind::Find;
/// How many participants enrol at the same time, and up to how many of them do so one after the other.
const AT_ONCE: usize = 4;
const IN_TURN: usize = 12;

/// The tables of the room's parameters, as the service has them.
pub(super) fn context(registry: &mut Registry) -> Result<Arc<Context>, Failure> {
    let failed = |what: &dyn std::fmt::Display| Failure::Service(what.to_string());
    let digest = preset(KIND.parameter_set())?.digest();
    let parameters = registry.by_digest(digest).cloned().ok_or_else(|| failed(&"its operators are incomplete"))?;
    registry.context(&parameters).map_err(|error| failed(&error))
}

/// A participant's enrolment, as the participant knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Enrolment {
    /// The handle that the service gave.
    pub(super) handle: Handle,
    /// The record that was sent: the same bytes as the relay saw.
    pub(super) record: Seen,
}

/// A ticket that was presented.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Connection {
    /// Its SHA-256.
    pub(super) ticket_sha256: String,
    /// The handle that the relay connects.
    pub(super) handle: String,
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
    /// The tickets that the newcomer opened, and whom the relay connects for them.
    pub(super) connections: Vec<Connection>,
    /// The least score that matches: that of equal identities.
    pub(super) threshold: i64,
    pub(super) timings: Timings,
}

impl Play {
    /// Makes a room, lets everybody enrol and the newcomer ask. Every step goes through the client.
    pub(super) fn perform(
        meeting: &Meeting,
        client: &Client,
        relay: &Relay,
        context: &Arc<Context>,
    ) -> Result<Self, Failure> {
        // The one secret. Whoever invites somebody passes it on; no request carries it.
        let seed = Seed::random().map_err(EngineError::from)?;
        let member = || Finder::of_room(context, &seed);

        let host = member();
        let keys = host.evaluation_keys()?;
        let digest = hex(&content_digest(&keys));
        client.upload_keys(&digest, &keys, KeyTerms::default(), |_| ())?;
        let room = client.create_room(KIND.id(), Some(&digest))?;

        let names: Vec<&str> = meeting.participants.iter().map(|participant| participant.name.as_str()).collect();
        let enrolments = enrol_all(&names, client, relay, &room, member)?;

        let newcomer = member();
        let start = Instant::now();
        let token = newcomer.token(&meeting.newcomer.looks_for);
        let probe = newcomer.question(&token, FindKind::Tickets, EQUAL)?;
        let encrypt_probe = start.elapsed();
        let start = Instant::now();
        let answer = client.matching(&room, &probe.bytes, newcomer.longest_answer(names.len()))?;
        let round_trip = start.elapsed();
        let start = Instant::now();
        let opened = newcomer.open_tickets(&newcomer.read(&probe, &answer)?)?;
        let open = start.elapsed();
        let tickets = opened.found.iter().map(|found| Ticket::from_bytes(&found.payload));
        let present = |ticket: Ticket| {
            let handle = relay.connect(&ticket).ok_or_else(|| Failure::Service("a ticket is not known".to_owned()))?;
            Ok(Connection { ticket_sha256: ticket.digest(), handle: handle.to_string() })
        };
        let connections = tickets.map(present).collect::<Result<Vec<_>, Failure>>()?;
        Ok(Self {
            room,
            keys: Seen::of(&keys),
            enrolments,
            probe: Seen::of(&probe.bytes),
            answer: Seen::of(&answer),
            connections,
            threshold: EQUAL,
            timings: Timings { encrypt_probe: encrypt_probe.into(), round_trip: round_trip.into(), open: open.into() },
        })
    }
}

/// How many of so many people do something at the same time: in turn where everybody is shown.
pub(super) const fn at_once(people: usize) -> usize {
    if people > IN_TURN { AT_ONCE } else { 1 }
}

/// Every participant derives the room's key from the seed and enrols their own encryption of their own name with a ticket, whose SHA-256 the relay is told.
fn enrol_all(
    names: &[&str],
    client: &Client,
    relay: &Relay,
    room: &str,
    member: impl Fn() -> Finder + Sync,
) -> Result<Vec<Enrolment>, Failure> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(names.len()));
    let enrol = |index: usize, name: &str| -> Result<(), Failure> {
        let participant = member();
        let ticket = Ticket::random()?;
        let record = participant.record(&participant.token(name), ticket.as_bytes())?;
        let idempotency = Handle::random().map_err(EngineError::from)?.to_string();
        let handles = client.enroll(room, &record, 1, &idempotency)?;
        for &handle in &handles {
            relay.register(ticket.digest(), handle);
        }
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
