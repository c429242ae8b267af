//! What is refused, and with which numbers.

use blindrelay_bridge::coefficient::{
    BridgeError, CoefficientBridge, FAILURE_LIMIT_LOG2, Plan, ShortintSet, Source, failure_log2,
};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::operator::ValueRange;
use blindrelay_engine::params::{BILL_8192, MATCH_2048, MATCH_4096};
use blindrelay_routing::MatchKind;

use crate::room::{HALVED_SIGNS, SIGNS, context, noise, scoring, somebody};

const EMBEDDINGS: ValueRange = ValueRange { minimum: -6272, maximum: 6272, step: 1 };

fn source(kind: MatchKind, scores: ValueRange, divisor: u64) -> Source {
    let context = context(kind.parameters());
    Source::new(&context, noise(kind, &context), scores, divisor).unwrap()
}

#[test]
fn what_is_offered_fails_less_often_than_promised_and_with_one_bootstrapping_less_would_not() {
    let offered = [
        (source(MatchKind::Signs, SIGNS, 2), ShortintSet::Message2Carry2, 5),
        (source(MatchKind::Signs, SIGNS, 2), ShortintSet::Message1Carry1, 6),
        (source(MatchKind::Embeddings, SIGNS, 1), ShortintSet::Message2Carry2, 5),
        (source(MatchKind::Embeddings, EMBEDDINGS, 1), ShortintSet::Message2Carry2, 12),
    ];
    for (source, set, bootstrappings) in offered {
        let plan = Plan::of(&source, set).unwrap();
        println!("{} {set}: {:#?}, 2^{:.1}", source.parameters().name(), plan, plan.failure_log2());
        assert_eq!(plan.stages().len(), bootstrappings);
        assert!(plan.failure_log2() <= FAILURE_LIMIT_LOG2);
        let bits = bootstrappings as u32 - 1;
        assert_eq!(failure_log2(&source, set, bits), Some(plan.failure_log2()));
        assert!(failure_log2(&source, set, bits - 1).unwrap() > FAILURE_LIMIT_LOG2);
        assert_eq!(failure_log2(&source, set, plan.width()), None);
    }
}

#[test]
fn scores_that_fill_the_plaintext_modulus_are_refused() {
    // From -128 to 128 modulo 257, the two ends are neighbours: no margin decides between them.
    let refused = Plan::of(&source(MatchKind::Signs, SIGNS, 1), ShortintSet::Message2Carry2);
    let Err(BridgeError::Failure { failure_log2, limit_log2, .. }) = refused else { panic!("{refused:?}") };
    assert!(failure_log2 > limit_log2);
}

#[test]
fn scores_and_noise_must_fit_the_parameters() {
    let context = context(MATCH_2048);
    let small = NoiseBound::from_sup(10.0, 2048);
    let range = |minimum, maximum, step| ValueRange { minimum, maximum, step };
    for (scores, divisor) in [
        (range(-128, 128, 0), 1),
        (range(-128, 128, 2), 0),
        (range(-128, 128, 2), 3),
        (range(-127, 128, 2), 1),
        (range(-128, 127, 2), 1),
        (range(4, 4, 2), 1),
        (range(8, 4, 2), 1),
        (range(-130, 128, 2), 1),
        (range(i64::MIN, i64::MAX, 1), 1),
    ] {
        let refused = Source::new(&context, small, scores, divisor);
        assert!(matches!(refused, Err(BridgeError::Scores { .. })), "{scores:?} {divisor} {refused:?}");
    }
    let large = NoiseBound::from_sup(40_000.0, 2048);
    assert!(matches!(Source::new(&context, large, SIGNS, 2), Err(BridgeError::Noise { .. })));
    let billing = crate::room::context(BILL_8192);
    assert!(matches!(
        Source::new(&billing, small, SIGNS, 2),
        Err(BridgeError::NoAnswers { name }) if name == BILL_8192
    ));
}

#[test]
fn thresholds_coefficients_and_answers_that_cannot_be_compared_are_named() {
    let room = &*HALVED_SIGNS;
    let probe = somebody();
    let tokens = [scoring(&probe, 0)];
    let case = room.ask(&probe, &tokens, true).remove(0);
    for threshold in [i64::MIN, -129, -128, 129, i64::MAX] {
        assert_eq!(
            room.bridge.at_least(&case.answer, case.position, threshold).unwrap_err(),
            BridgeError::Threshold { threshold, minimum: -128, maximum: 128 }
        );
    }
    for position in [0, 126, 255, u32::MAX] {
        let refused = room.bridge.at_least(&case.answer, position, 0).unwrap_err();
        assert_eq!(refused, BridgeError::Position { position });
    }
    let three = room.ask(&probe, &tokens, false).remove(0);
    let refused = room.bridge.at_least(&three.answer, three.position, 0).unwrap_err();
    assert_eq!(refused, BridgeError::Components { found: 3 });
}

#[test]
fn keys_and_answers_of_other_parameters_are_refused() {
    let room = &*HALVED_SIGNS;
    let other = source(MatchKind::Embeddings, SIGNS, 1);
    let (ours, theirs) = (room.context.parameters().digest(), other.parameters().digest());
    let refused = CoefficientBridge::new(&other, &room.bridge_key).unwrap_err();
    assert_eq!(refused, BridgeError::Parameters { object: "a bridge key", expected: theirs, found: ours });

    let context = context(MATCH_4096);
    let key = blindrelay_keyholder::SecretKey::generate(&context).unwrap();
    let plain = context.encode_coefficients(&[1]).unwrap();
    let ciphertext = key.encrypt(&plain).unwrap().expand(&context).unwrap();
    let answer = blindrelay_engine::bfv::Evaluator::new(&context).answer(ciphertext, &[127]).unwrap();
    let refused = room.bridge.at_least(&answer, 127, 0).unwrap_err();
    assert_eq!(refused, BridgeError::Parameters { object: "an answer", expected: ours, found: theirs });
}
