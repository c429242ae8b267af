//! Seeded encryption with the secret key, and the opening of an answer.

use blindrelay_routing::MatchKind;

use super::{Ours, Recorder, Theirs, call};
use crate::Error;
use crate::meeting::Meeting;
use crate::peer;
use crate::report::Goal;

pub(super) fn encryption(recorder: &mut Recorder<'_>) -> Result<(), Error> {
    for (kind, encrypt, open) in [(MatchKind::Signs, 20.0, 10.0), (MatchKind::Embeddings, 60.0, 30.0)] {
        let meeting = Meeting::new(kind, recorder.options.backend)?;
        let (parameters, peer_parameters) = (meeting.parameters(), meeting.peer_parameters());
        let theirs = |call| Theirs { name: peer::NAME.to_owned(), parameters: peer_parameters.clone(), call };
        recorder.compare(
            Ours {
                subject: "encode + encrypt, secret key, seeded",
                parameters: &parameters,
                goal: Some(Goal::AtMost(encrypt)),
                bytes: None,
                call: call(|| meeting.room.probe(&meeting.probe)),
            },
            vec![theirs(call(|| meeting.packed.probe(&meeting.probe)))],
        );
        let blocks = meeting.room.snapshot().scores(&meeting.room.received_probe(&meeting.probe)?, None)?;
        let expectation = meeting.room.expectation();
        // The peer opens its answer of two components, the cheaper one.
        let answer = meeting.slots.scores(&meeting.slots.probe(&meeting.probe)?)?;
        recorder.compare(
            Ours {
                subject: "open one answer",
                parameters: &parameters,
                goal: Some(Goal::AtMost(open)),
                bytes: None,
                call: call(|| blocks.first().map(|block| meeting.room.open(&block.answer, &expectation))),
            },
            vec![theirs(call(|| meeting.slots.open(&answer)))],
        );
    }
    Ok(())
}
