//! Bytes of probes and answers, and the time to write and read them.

use blindrelay_engine::bfv::{Answer, SeededCiphertext};
use blindrelay_engine::operator::Collection;
use blindrelay_engine::wire::Wire;
use blindrelay_routing::{MatchAnswer, MatchKind};
use fhe_traits::{DeserializeParametrized, Serialize};

use super::{Ours, Recorder, Theirs, call};
use crate::measure::Figure;
use crate::meeting::Meeting;
use crate::peer;
use crate::report::{Goal, Peer, Row, Unit};
use crate::{Error, agree};

pub(super) fn wire(recorder: &mut Recorder<'_>) -> Result<(), Error> {
    for (kind, probe_goal, answer_goal) in
        [(MatchKind::Signs, 10_600.0, 22_000.0), (MatchKind::Embeddings, 43_000.0, 43_000.0)]
    {
        let meeting = Meeting::new(kind, recorder.options.backend)?;
        lengths(recorder, &meeting, probe_goal, answer_goal)?;
        times(recorder, &meeting)?;
        request(recorder, &meeting, kind)?;
    }
    Ok(())
}

fn lengths(recorder: &mut Recorder<'_>, meeting: &Meeting, probe_goal: f64, answer_goal: f64) -> Result<(), Error> {
    let context = meeting.room.context();
    let probe = meeting.room.probe(&meeting.probe)?;
    let answers = meeting.room.snapshot().scores(&probe.expand(context)?, None)?;
    let answer = answers.first().map(|block| block.answer.to_bytes()).unwrap_or_default();
    let peer_probe = meeting.packed.probe(&meeting.probe)?;
    let slot_answer = meeting.slots.scores(&meeting.slots.probe(&meeting.probe)?)?.to_bytes();
    let rows = [
        ("probe on the wire", probe.to_bytes().len(), probe_goal, peer_probe.to_bytes().len()),
        ("answer of a group on the wire", answer.len(), answer_goal, slot_answer.len()),
    ];
    for (subject, ours, goal, theirs) in rows {
        let peer = Peer {
            name: format!("{}, slots", peer::NAME),
            parameters: meeting.peer_parameters(),
            figure: Figure::exact(theirs as f64),
        };
        let row = Row::new(subject, &meeting.parameters(), Unit::Bytes, Figure::exact(ours as f64));
        recorder.add(row.beside(peer).towards(Some(Goal::AtMost(goal))).sized(Some(ours)));
    }
    Ok(())
}

fn times(recorder: &mut Recorder<'_>, meeting: &Meeting) -> Result<(), Error> {
    let (context, parameters) = (meeting.room.context(), meeting.parameters());
    let theirs = |call| {
        let name = format!("{}, our packing", peer::NAME);
        vec![Theirs { name, parameters: meeting.peer_parameters(), call }]
    };
    let ours = |subject, bytes, call| Ours { subject, parameters: &parameters, goal: None, bytes: Some(bytes), call };

    let (probe, peer_probe) = (meeting.room.probe(&meeting.probe)?, meeting.packed.probe(&meeting.probe)?);
    let (bytes, peer_bytes) = (probe.to_bytes(), peer_probe.to_bytes());
    agree("probe on the wire", "blindrelay", &SeededCiphertext::from_bytes(&bytes, context)?, &probe)?;
    recorder
        .compare(ours("write a probe", bytes.len(), call(|| probe.to_bytes())), theirs(call(|| peer_probe.to_bytes())));
    let read = || Ok::<_, Error>(SeededCiphertext::from_bytes(&bytes, context)?.expand(context)?);
    let peer_parameters = meeting.packed.holder().parameters();
    recorder.compare(
        ours("read a probe and expand its seed", bytes.len(), call(read)),
        theirs(call(|| fhe::bfv::Ciphertext::from_bytes(&peer_bytes, peer_parameters))),
    );

    let blocks = meeting.room.snapshot().scores(&probe.expand(context)?, None)?;
    let peer_answer = meeting.packed.scores(&peer_probe);
    let Some(answer) = blocks.first().map(|block| &block.answer) else { return Ok(()) };
    let (bytes, peer_bytes) = (answer.to_bytes(), peer_answer.to_bytes());
    agree("answer on the wire", "blindrelay", &Answer::from_bytes(&bytes, context)?, answer)?;
    recorder.compare(
        ours("write an answer", bytes.len(), call(|| answer.to_bytes())),
        theirs(call(|| peer_answer.to_bytes())),
    );
    recorder.compare(
        ours("read an answer", bytes.len(), call(|| Answer::from_bytes(&bytes, context))),
        theirs(call(|| fhe::bfv::Ciphertext::from_bytes(&peer_bytes, peer_parameters))),
    );
    Ok(())
}

/// The service's whole part: from the bytes of a request to the bytes of the answer, digests of both included.
fn request(recorder: &mut Recorder<'_>, meeting: &Meeting, kind: MatchKind) -> Result<(), Error> {
    let request = meeting.room.probe(&meeting.probe)?.to_bytes();
    let snapshot = meeting.room.roster().snapshot();
    let bytes = snapshot.evaluate(&request, None)?;
    let answer = MatchAnswer::from_bytes(&bytes, kind, meeting.room.context())
        .map_err(|error| Error::Received(error.to_string()))?;
    let opened = meeting.room.open_all(&answer.blocks, &meeting.room.expectation())?;
    agree("request of 32 scores", "blindrelay", &opened, &meeting.scores)?;
    let peer_request = meeting.packed.probe(&meeting.probe)?.to_bytes();
    let peer_parameters = meeting.packed.holder().parameters();
    let theirs = || {
        let probe = fhe::bfv::Ciphertext::from_bytes(&peer_request, peer_parameters)?;
        Ok::<_, Error>(meeting.packed.scores(&probe).to_bytes())
    };
    recorder.compare(
        Ours {
            subject: "32 scores from request bytes to answer bytes",
            parameters: &meeting.parameters(),
            goal: None,
            bytes: Some(bytes.len()),
            call: call(|| snapshot.evaluate(&request, None)),
        },
        vec![Theirs {
            name: format!("{}, our packing", peer::NAME),
            parameters: meeting.peer_parameters(),
            call: call(theirs),
        }],
    );
    Ok(())
}
