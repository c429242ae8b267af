//! A large roster under one key: memory a token, and time a probe as the roster grows.

use blindrelay_engine::operator::{Collection, Snapshot};
use blindrelay_engine::wire::Wire;
use blindrelay_routing::{MatchKind, Token, reference};

use super::{Ours, Recorder, call};
use crate::measure::Figure;
use crate::random::SplitMix64;
use crate::report::{Row, Unit};
use crate::room::Room;
use crate::{Error, agree};

/// Tokens in a record: a full ciphertext of the set.
const TOGETHER: usize = 16;

pub(super) fn roster(recorder: &mut Recorder<'_>) -> Result<(), Error> {
    let largest = recorder.options.roster;
    let sizes = [1_000, 10_000, 100_000].into_iter().filter(|&size| size < largest).chain([largest]);
    let mut random = SplitMix64::new(4);
    let mut room = Room::new(MatchKind::Signs, recorder.options.backend)?;
    let probe = random.token(MatchKind::Signs)?;
    let received = room.received_probe(&probe)?;
    let request = room.probe(&probe)?.to_bytes();
    let mut enrolled: Vec<Token> = Vec::with_capacity(largest);
    for size in sizes {
        let before = enrolled.len();
        // Every record is full, so that every answer has the same positions.
        while enrolled.len() < size.next_multiple_of(TOGETHER) {
            enrolled.push(random.token(MatchKind::Signs)?);
        }
        let added: Vec<Token> = enrolled.iter().skip(before).cloned().collect();
        room.enrol(&added, TOGETHER)?;
        let snapshot = room.snapshot();
        let opened = room.open_all(&snapshot.scores(&received, None)?, &room.expectation())?;
        let expected: Vec<i64> =
            enrolled.iter().map(|token| reference::score(probe.entries(), token.entries())).collect();
        agree("large roster", "blindrelay", &opened, &expected)?;
        let parameters = format!("match-2048, {} tokens", enrolled.len());
        recorder.compare(
            Ours {
                subject: "a large roster, request to answer bytes",
                parameters: &parameters,
                goal: None,
                bytes: Some(room.roster().byte_len()),
                call: call(|| snapshot.evaluate(&request, None)),
            },
            Vec::new(),
        );
    }
    let bytes = room.roster().byte_len() as f64 / enrolled.len().max(1) as f64;
    let parameters = format!("match-2048, {} tokens", enrolled.len());
    recorder.add(Row::new("memory a token", &parameters, Unit::Bytes, Figure::exact(bytes)));
    Ok(())
}
