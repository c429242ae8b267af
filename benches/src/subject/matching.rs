//! 32 scores of 128 entries, encrypted x encrypted, from stored tokens and a received probe to an answer that is ready to be encoded;
//! and everything from the probe's entries to the clear scores.

use blindrelay_routing::MatchKind;

use super::{Ours, Recorder, Theirs, call};
use crate::Error;
use crate::meeting::Meeting;
use crate::peer;
use crate::report::Goal;

pub(super) fn signs(recorder: &mut Recorder<'_>) -> Result<(), Error> {
    scores(recorder, MatchKind::Signs, 30.0)
}

pub(super) fn embeddings(recorder: &mut Recorder<'_>) -> Result<(), Error> {
    scores(recorder, MatchKind::Embeddings, 90.0)
}

fn scores(recorder: &mut Recorder<'_>, kind: MatchKind, goal: f64) -> Result<(), Error> {
    let meeting = Meeting::new(kind, recorder.options.backend)?;
    let (snapshot, own) = (meeting.room.snapshot(), meeting.room.received_probe(&meeting.probe)?);
    let (slot_probe, packed_probe) = (meeting.slots.probe(&meeting.probe)?, meeting.packed.probe(&meeting.probe)?);
    recorder.compare(
        Ours {
            subject: "32 scores, encrypted x encrypted",
            parameters: &meeting.parameters(),
            goal: Some(Goal::AtMost(goal)),
            bytes: None,
            call: call(|| snapshot.scores(&own, None)),
        },
        vec![
            Theirs {
                name: format!("{}, slots", peer::NAME),
                parameters: meeting.peer_parameters(),
                call: call(|| meeting.slots.scores(&slot_probe)),
            },
            Theirs {
                name: format!("{}, our packing", peer::NAME),
                parameters: meeting.peer_parameters(),
                call: call(|| meeting.packed.scores(&packed_probe)),
            },
        ],
    );
    Ok(())
}

pub(super) fn whole(recorder: &mut Recorder<'_>) -> Result<(), Error> {
    for (kind, goal) in [(MatchKind::Signs, 90.0), (MatchKind::Embeddings, 250.0)] {
        let meeting = Meeting::new(kind, recorder.options.backend)?;
        let (snapshot, expectation) = (meeting.room.snapshot(), meeting.room.expectation());
        let ours = || {
            let blocks = snapshot.scores(&meeting.room.received_probe(&meeting.probe)?, None)?;
            meeting.room.open_all(&blocks, &expectation)
        };
        recorder.compare(
            Ours {
                subject: "encode + encrypt + expand + 32 scores + open",
                parameters: &meeting.parameters(),
                goal: Some(Goal::AtMost(goal)),
                bytes: None,
                call: call(ours),
            },
            vec![
                Theirs {
                    name: format!("{}, slots", peer::NAME),
                    parameters: meeting.peer_parameters(),
                    call: call(|| meeting.slots.open(&meeting.slots.scores(&meeting.slots.probe(&meeting.probe)?)?)),
                },
                Theirs {
                    name: format!("{}, our packing", peer::NAME),
                    parameters: meeting.peer_parameters(),
                    call: call(|| meeting.packed.open(&meeting.packed.scores(&meeting.packed.probe(&meeting.probe)?))),
                },
            ],
        );
    }
    Ok(())
}
