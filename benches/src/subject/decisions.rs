//! Decisions on ciphertexts: thresholds, comparisons, finds, rankings, searches.

use super::{Ours, Recorder, call};
use crate::Error;
use crate::decisions::{CASES, Decision, SCORES};
use crate::measure::Figure;
use crate::report::{Goal, Row, Unit};

/// Most microseconds that a threshold should take for one score.
const SCORE_GOAL: f64 = 30.0;

/// At most this part of the peer's time for one score.
#[cfg(feature = "tfhe")]
const SCORE_PART: f64 = 1.0 / 3000.0;

pub(super) fn decisions(recorder: &mut Recorder<'_>) -> Result<(), Error> {
    let largest = recorder.options.roster;
    for case in CASES.iter().filter(|case| case.stored <= largest) {
        let decision = case.prepare(recorder.options.backend)?;
        let (parameters, answer, keys) = (decision.parameters(), decision.evaluate()?.len(), decision.keys());
        recorder.compare(
            Ours {
                subject: case.subject,
                parameters: &parameters,
                goal: case.goal.map(Goal::AtMost),
                bytes: Some(answer),
                call: call(|| decision.evaluate()),
            },
            Vec::new(),
        );
        if case.name.starts_with("threshold") {
            recorder.compare_each(a_score(&*decision, &parameters, Goal::AtMost(SCORE_GOAL)), SCORES, Vec::new());
            #[cfg(feature = "tfhe")]
            beside_peer(recorder, a_score(&*decision, &parameters, Goal::PartOfPeer(SCORE_PART)))?;
            #[cfg(not(feature = "tfhe"))]
            recorder.note(
                "The threshold has no peer in this run: build with `--features tfhe` to measure it beside the crate tfhe.",
            );
        }
        for (what, bytes) in [("evaluation keys, uploaded", keys.uploaded), ("answer", answer)] {
            if bytes > 0 {
                let subject = format!("{}: {what}", case.name);
                recorder.add(Row::new(&subject, &parameters, Unit::Bytes, Figure::exact(bytes as f64)));
            }
        }
    }
    Ok(())
}

/// One score of the whole ciphertext.
fn a_score<'a>(decision: &'a dyn Decision, parameters: &'a str, goal: Goal) -> Ours<'a> {
    Ours {
        subject: "threshold, a score",
        parameters,
        goal: Some(goal),
        bytes: None,
        call: call(|| decision.evaluate()),
    }
}

#[cfg(feature = "tfhe")]
fn beside_peer(recorder: &mut Recorder<'_>, ours: Ours<'_>) -> Result<(), Error> {
    use crate::peer::threshold::{NAME, PeerThreshold};
    let peer = PeerThreshold::new()?;
    let theirs =
        super::Theirs { name: NAME.to_owned(), parameters: PeerThreshold::parameters(), call: call(|| peer.decided()) };
    recorder.compare_each(ours, SCORES, vec![theirs]);
    Ok(())
}
