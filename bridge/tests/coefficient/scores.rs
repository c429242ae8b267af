//! Decisions against clear comparisons.

use blindrelay_bridge::coefficient::{Decision, ShortintSet};
use blindrelay_engine::operator::ValueRange;
use blindrelay_routing::{MatchKind, TOKEN_ENTRIES, Token};

use crate::room::{HALVED_SIGNS, Room, SIGNS, scoring, somebody};

fn scoring_all(probe: &Token, step: usize) -> Vec<Token> {
    (-128..=128).step_by(step).map(|score| scoring(probe, score)).collect()
}

#[test]
fn every_score_of_signs_is_compared_as_in_the_clear() {
    let room = &*HALVED_SIGNS;
    let probe = somebody();
    let scored = room.ask(&probe, &scoring_all(&probe, 2), true);
    // The outermost thresholds, one between two scores, and the first above zero.
    let errors = room.compare(&scored, |_| vec![-126, -37, 2, 128]);
    assert_eq!(errors.len(), 129 * 4);
}

#[test]
fn scores_next_to_the_threshold_are_told_apart() {
    let room = &*HALVED_SIGNS;
    let probe = somebody();
    let scored = room.ask(&probe, &scoring_all(&probe, 8), true);
    room.compare(&scored, |score| vec![(score - 1).max(-127), (score + 1).min(128)]);
}

#[test]
fn scores_of_signs_at_the_larger_set_are_compared_without_halving() {
    let room = Room::new(MatchKind::Embeddings, ShortintSet::Message2Carry2, SIGNS, 1);
    let probe = somebody();
    let scored = room.ask(&probe, &scoring_all(&probe, 8), true);
    room.compare(&scored, |score| vec![score.max(-127), (score + 2).min(128)]);
}

#[test]
fn the_smaller_set_of_the_tfhe_crate_decides_too() {
    let room = Room::new(MatchKind::Signs, ShortintSet::Message1Carry1, SIGNS, 2);
    let probe = somebody();
    let scored = room.ask(&probe, &scoring_all(&probe, 8), true);
    room.compare(&scored, |score| vec![score.max(-127), (score + 2).min(128)]);
}

#[test]
fn scores_of_embeddings_are_compared_to_the_last_unit() {
    let scores = ValueRange { minimum: -6272, maximum: 6272, step: 1 };
    let room = Room::new(MatchKind::Embeddings, ShortintSet::Message2Carry2, scores, 1);
    let mut state = 1_u64;
    let mut next = |values: &[i8]| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        values[(state >> 33) as usize % values.len()]
    };
    let probe = Token::from_entries(&std::array::from_fn::<i8, TOKEN_ENTRIES, _>(|_| next(&[-7, 7]))).unwrap();
    let opposite = Token::from_entries(&probe.entries().map(|entry| -entry)).unwrap();
    let mut tokens = vec![probe.clone(), opposite];
    let small: Vec<i8> = (-7..=7).collect();
    for agreement in 0..18 {
        // From unlike to alike: the more leading entries agree, the higher the score.
        let entries = std::array::from_fn::<i8, TOKEN_ENTRIES, _>(|i| {
            if i < 7 * agreement { probe.entries()[i] } else { next(&small) }
        });
        tokens.push(Token::from_entries(&entries).unwrap());
    }
    let scored = room.ask(&probe, &tokens, true);
    room.compare(&scored, |score| vec![score.max(-6271), (score + 1).min(6272), 3000]);
}

#[test]
fn decisions_are_combined_by_the_service() {
    let room = &*HALVED_SIGNS;
    let probe = somebody();
    let tokens: Vec<Token> = [-64, 30, 32, 62, 64, 128].iter().map(|&score| scoring(&probe, score)).collect();
    for case in room.ask(&probe, &tokens, true) {
        let low = room.bridge.at_least(&case.answer, case.position, 32).unwrap();
        let high = room.bridge.at_least(&case.answer, case.position, 64).unwrap();
        let key = room.bridge.server_key();
        let between = key.bitxor(low.ciphertext(), high.ciphertext());
        let between = Decision::new(room.bridge.set(), between).unwrap();
        assert_eq!(room.decisions.open(&between).unwrap(), (32..64).contains(&case.score), "{}", case.score);
    }
}
