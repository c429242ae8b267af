//! Both sides of a played meeting: what the relay saw, and what members, tenant and host knew and learned.

mod step;
pub(super) mod text;
mod told;

use std::time::Duration;

use blindrelay_billing::{CHARGE, Invoice};
use blindrelay_engine::Backend;
use blindrelay_engine::params::{BILL_8192, STATS_8192};
use serde::Serialize;

use self::step::{Step, Steps};
use super::cast::{Connection, KIND, Micros, Play};
use super::charge::{self, Charge};
use super::relay::{Passage, Seen};
use super::statistics::{self, Statistics};
use crate::meeting::Meeting;
use crate::printable::hex;

/// Everything, in the shape of the JSON.
#[derive(Serialize)]
pub(super) struct Report {
    title: String,
    operators: [&'static str; 3],
    parameters: [&'static str; 3],
    backend: &'static str,
    room: String,
    relay: Vec<Sighting>,
    participants: Vec<Member>,
    newcomer: Learned,
    charge: Charged,
    panels: Vec<Collected>,
    timings_us: AllTimings,
    bytes: Sizes,
}

/// One request and its reply, as the relay saw them.
#[derive(Serialize)]
struct Sighting {
    at_us: Micros,
    took_us: Micros,
    method: String,
    path: String,
    status: u16,
    request_bytes: usize,
    request_digest: String,
    response_bytes: usize,
    response_digest: String,
    #[serde(skip)]
    step: Step,
}

/// A participant, with what only the participant knows.
#[derive(Serialize)]
struct Member {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    handle: String,
    record_digest: String,
}

/// What the newcomer learned.
#[derive(Serialize)]
struct Learned {
    name: String,
    looks_for: String,
    threshold: i64,
    /// The tickets that were opened and presented, with the handles that the relay connects for them.
    matches: Vec<Connection>,
}

/// What the relay counted, and what the tenant made of it.
#[derive(Serialize)]
struct Charged {
    meter: String,
    readings: usize,
    invoice: Invoice,
}

/// A panel, with what only the host learned.
#[derive(Serialize)]
struct Collected {
    panel: String,
    devices: usize,
    report: blindrelay_analytics::Report,
}

#[derive(Serialize)]
struct AllTimings {
    encrypt_probe: Micros,
    service: Micros,
    open: Micros,
    round_trip: Micros,
    charge: charge::Timings,
    statistics: statistics::Timings,
    whole_demonstration: Micros,
}

#[derive(Serialize)]
struct Sizes {
    probe: usize,
    answer: usize,
    record: usize,
    evaluation_keys: usize,
    batches: usize,
    contribution: usize,
    host_evaluation_keys: usize,
    through_the_relay: usize,
}

fn short(digest: &[u8; 32]) -> String {
    digest.first_chunk::<4>().map_or_else(String::new, |first| hex(first))
}

/// Everybody's side.
pub(super) struct Sides<'a> {
    pub(super) meeting: &'a Meeting,
    pub(super) play: Play,
    pub(super) charge: Charge,
    pub(super) statistics: Statistics,
}

impl Report {
    /// Joins both sides: a request belongs to whoever sent the bytes of its digest.
    pub(super) fn new(sides: Sides<'_>, passages: &[Passage], backend: Backend, whole: Duration) -> Self {
        let steps = Steps::of(&sides);
        let mut relay: Vec<Sighting> =
            passages.iter().map(|passage| Sighting::new(passage, steps.step(passage))).collect();
        relay.sort_by(|a, b| a.at_us.0.total_cmp(&b.at_us.0));
        let contribution = relay.iter().find(|seen| matches!(seen.step, Step::Contribution));
        let contribution = contribution.map_or(0, |seen| seen.request_bytes);
        let Sides { meeting, play, charge, statistics } = sides;
        let service = passages.iter().find(|passage| passage.request == play.probe).map(|passage| passage.took);
        let participants = meeting.participants.iter().zip(&play.enrolments).map(|(participant, enrolment)| Member {
            name: participant.name.clone(),
            label: participant.handle.clone(),
            handle: enrolment.handle.to_string(),
            record_digest: short(&enrolment.record.digest),
        });
        let passed = |seen: &Passage| seen.request.bytes + seen.response.bytes;
        Self {
            title: meeting.title.clone(),
            operators: [KIND.id(), CHARGE, blindrelay_analytics::STATISTICS],
            parameters: [KIND.parameter_set(), BILL_8192, STATS_8192],
            backend: backend.name(),
            room: play.room.clone(),
            relay,
            participants: participants.collect(),
            newcomer: Learned {
                name: meeting.newcomer.name.clone(),
                looks_for: meeting.newcomer.looks_for.clone(),
                threshold: play.threshold,
                matches: play.connections.clone(),
            },
            charge: Charged { meter: charge.meter, readings: charge.readings, invoice: charge.invoice },
            panels: statistics
                .panels
                .into_iter()
                .map(|panel| Collected { panel: panel.id, devices: statistics.devices, report: panel.report })
                .collect(),
            timings_us: AllTimings {
                encrypt_probe: play.timings.encrypt_probe,
                service: service.unwrap_or_default().into(),
                open: play.timings.open,
                round_trip: play.timings.round_trip,
                charge: charge.timings,
                statistics: statistics.timings,
                whole_demonstration: whole.into(),
            },
            bytes: Sizes {
                probe: play.probe.bytes,
                answer: play.answer.bytes,
                record: play.enrolments.first().map_or(0, |enrolment| enrolment.record.bytes),
                evaluation_keys: play.keys.bytes,
                batches: charge.batches.iter().map(|batch| batch.bytes).sum(),
                contribution,
                host_evaluation_keys: statistics.keys.bytes,
                through_the_relay: passages.iter().map(passed).sum(),
            },
        }
    }
}

impl Sighting {
    fn new(passage: &Passage, step: Step) -> Self {
        let Seen { bytes: request_bytes, digest: request } = passage.request;
        let Seen { bytes: response_bytes, digest: response } = passage.response;
        Self {
            at_us: passage.at.into(),
            took_us: passage.took.into(),
            method: passage.method.clone(),
            path: passage.path.clone(),
            status: passage.status,
            request_bytes,
            request_digest: short(&request),
            response_bytes,
            response_digest: short(&response),
            step,
        }
    }
}
