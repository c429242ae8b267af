//! Both sides of a played meeting: what the relay saw, and what the members knew and learned.

pub(super) mod text;

use std::collections::HashMap;
use std::time::Duration;

use blindrelay_engine::Backend;
use serde::Serialize;

use super::cast::{KIND, Micros, Play};
use super::relay::{Passage, Seen};
use crate::meeting::Meeting;
use crate::member::Score;
use crate::printable::hex;

/// Everything, in the shape of the JSON.
#[derive(Serialize)]
pub(super) struct Report {
    title: String,
    operator: &'static str,
    parameters: &'static str,
    backend: &'static str,
    room: String,
    relay: Vec<Sighting>,
    participants: Vec<Member>,
    newcomer: Learned,
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

/// Which step of the play a request was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Keys,
    Room,
    /// The enrolment of the participant with this number.
    Enrolment(usize),
    Match,
    Other,
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
    matches: Vec<Score>,
    /// Highest score of a handle that does not match.
    closest_other: Option<i64>,
    scores: Vec<Score>,
}

#[derive(Serialize)]
struct AllTimings {
    encrypt_probe: Micros,
    service: Micros,
    open: Micros,
    round_trip: Micros,
    whole_demonstration: Micros,
}

#[derive(Serialize)]
struct Sizes {
    probe: usize,
    answer: usize,
    record: usize,
    evaluation_keys: usize,
    through_the_relay: usize,
}

fn short(digest: &[u8; 32]) -> String {
    digest.first_chunk::<4>().map_or_else(String::new, |first| hex(first))
}

impl Report {
    /// Joins both sides: a request belongs to the member who sent the bytes of its digest.
    pub(super) fn new(meeting: &Meeting, play: &Play, passages: &[Passage], backend: Backend, whole: Duration) -> Self {
        let senders: HashMap<[u8; 32], usize> =
            play.enrolments.iter().enumerate().map(|(index, enrolment)| (enrolment.record.digest, index)).collect();
        let mut relay: Vec<Sighting> =
            passages.iter().map(|passage| Sighting::new(passage, step(passage, play, &senders))).collect();
        relay.sort_by(|a, b| a.at_us.0.total_cmp(&b.at_us.0));
        let service = passages.iter().find(|passage| passage.request == play.probe).map(|passage| passage.took);
        let (matches, others): (Vec<Score>, Vec<Score>) =
            play.scores.iter().copied().partition(|score| score.score >= play.threshold);
        let participants = meeting.participants.iter().zip(&play.enrolments).map(|(participant, enrolment)| Member {
            name: participant.name.clone(),
            label: participant.handle.clone(),
            handle: enrolment.handle.to_string(),
            record_digest: short(&enrolment.record.digest),
        });
        let passed = |seen: &Passage| seen.request.bytes + seen.response.bytes;
        Self {
            title: meeting.title.clone(),
            operator: KIND.id(),
            parameters: KIND.parameters(),
            backend: backend.name(),
            room: play.room.clone(),
            relay,
            participants: participants.collect(),
            newcomer: Learned {
                name: meeting.newcomer.name.clone(),
                looks_for: meeting.newcomer.looks_for.clone(),
                threshold: play.threshold,
                matches,
                closest_other: others.first().map(|score| score.score),
                scores: play.scores.clone(),
            },
            timings_us: AllTimings {
                encrypt_probe: play.timings.encrypt_probe,
                service: service.unwrap_or_default().into(),
                open: play.timings.open,
                round_trip: play.timings.round_trip,
                whole_demonstration: whole.into(),
            },
            bytes: Sizes {
                probe: play.probe.bytes,
                answer: play.answer.bytes,
                record: play.enrolments.first().map_or(0, |enrolment| enrolment.record.bytes),
                evaluation_keys: play.keys.bytes,
                through_the_relay: passages.iter().map(passed).sum(),
            },
        }
    }
}

fn step(passage: &Passage, play: &Play, senders: &HashMap<[u8; 32], usize>) -> Step {
    match senders.get(&passage.request.digest) {
        Some(&participant) => Step::Enrolment(participant),
        None if passage.request == play.keys => Step::Keys,
        None if passage.request == play.probe => Step::Match,
        None if passage.method == "POST" && passage.path == "/v1/rooms" => Step::Room,
        None => Step::Other,
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
