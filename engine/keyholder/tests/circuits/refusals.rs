//! Bad input: each its named error with a sentence that can be acted on, before anything is computed.

use std::collections::BTreeSet;

use blindrelay_engine::bfv::Context;
use blindrelay_engine::circuit::{
    Arithmetic, Circuit, Comparison, Equality, Evaluation, Membership, Operand, PairLayout, Planner, Threshold, TopK,
    ValueSet,
};
use blindrelay_engine::params::{Level, MATCH_2048, Parameters, preset};
use blindrelay_engine::{Backend, Error};

use crate::world::{World, spec};

fn scores() -> ValueSet {
    ValueSet::new(-128, 128, 2).unwrap()
}

#[test]
fn thresholds_that_decide_nothing() {
    for threshold in [-128, -129, 129, 200, i64::MIN, i64::MAX] {
        let refused = Threshold::new(scores(), threshold).unwrap_err();
        assert_eq!(refused, Error::Threshold { threshold, minimum: -128, maximum: 128 });
    }
    assert_eq!(
        Threshold::new(scores(), 200).unwrap_err().to_string(),
        "threshold 200 decides nothing: scores are from -128 to 128, so it has to be above -128 and at most 128"
    );
    for threshold in [-127, 0, 128] {
        let accepted = Threshold::new(scores(), threshold).unwrap();
        assert_eq!((accepted.threshold(), accepted.values()), (threshold, scores()));
        assert!(accepted.decide(threshold) && !accepted.decide(threshold - 1));
    }
}

#[test]
fn value_sets_that_are_none() {
    let order = "the largest has to be above the smallest";
    let steps = "the steps have to lead from the smallest to the largest";
    let many = "there are more than 16,384 of them";
    for (minimum, maximum, step, expected) in [
        (5, 5, 1, order),
        (6, 5, 1, order),
        (i64::MIN, i64::MAX, 1, order),
        (0, 10, 0, steps),
        (0, 10, 3, steps),
        (0, 10, 11, steps),
        (0, 16_384, 1, many),
        (-16_384, 16_384, 2, many),
    ] {
        let refused = ValueSet::new(minimum, maximum, step).unwrap_err();
        assert_eq!(refused, Error::ValueSet { minimum, maximum, step, reason: expected });
    }
    let text = ValueSet::new(0, 10, 3).unwrap_err().to_string();
    assert_eq!(text, "values from 0 to 10 in steps of 3: the steps have to lead from the smallest to the largest");
    let largest = ValueSet::new(0, 16_383, 1).unwrap();
    assert_eq!(largest.count(), ValueSet::MOST);
    // Its differences are twice as many.
    assert!(matches!(largest.differences(), Err(Error::ValueSet { minimum: -16_383, maximum: 16_383, .. })));
    assert!(Comparison::new(largest).is_err());
    let wide = ValueSet::new(-(1 << 62), 1 << 62, 1 << 55).unwrap_err();
    assert!(matches!(wide, Error::ValueSet { reason, .. } if reason == order), "{wide}");
}

#[test]
fn values_that_are_the_same_modulo_t() {
    let world = World::new(&spec(256, 9));
    let same = |result: Result<_, Error>, reason: &str| {
        let refused = result.map(|_: blindrelay_engine::circuit::CircuitPlan| ()).unwrap_err();
        assert!(matches!(refused, Error::ValueSet { reason: found, .. } if found == reason), "{refused}");
    };
    let values = ValueSet::new(0, 65_537, 65_537).unwrap();
    let reason = "two of them are the same modulo the plaintext modulus";
    same(Threshold::new(values, 1).unwrap().plan(world.context()), reason);
    same(Membership::public(values, &[0]).unwrap().plan(world.context()), reason);
    same(Comparison::new(values).unwrap().plan(world.context()), reason);
    let reason = "two differences have the same square modulo the plaintext modulus";
    same(Equality::Within(values).plan(world.context()), reason);
}

#[test]
fn sets_for_membership() {
    let refuse = |elements: &[i64]| Membership::public(scores(), elements).unwrap_err();
    let elements = |reason| Error::SetElements { capacity: 128, reason };
    assert_eq!(refuse(&[]), elements("it has none"));
    assert_eq!(refuse(&[0, 1]), elements("one is outside"));
    assert_eq!(refuse(&[130]), elements("one is outside"));
    assert_eq!(refuse(&[4, 0, 4]), Error::RepeatedElement { first: 0, second: 2 });
    let all: Vec<i64> = scores().values().collect();
    assert_eq!(refuse(&all), elements("it has all of them, so that there is nothing to decide"));
    assert!(Membership::public(scores(), &all[1..]).is_ok());
    assert_eq!(refuse(&[4, 0, 4]).to_string(), "elements 0 and 2 of the set are the same");
    assert_eq!(refuse(&[]).to_string(), "a set has 1 to 128 elements of the declared range: it has none");
    for count in [0, 1025] {
        let refused = Membership::encrypted(count).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "a set has 1 to 1024 elements of the declared range: this encrypted set has another number"
        );
    }
    assert!(Membership::encrypted(1024).is_ok());
}

#[test]
fn choices_and_candidates() {
    let world = World::new(&spec(256, 1));
    for found in [0, 1, 9, 16, usize::MAX] {
        let refused = PairLayout::new(world.context(), found).unwrap_err();
        assert_eq!(refused, Error::Candidates { found, least: 2, most: 8 });
    }
    let text = PairLayout::new(world.context(), 9).unwrap_err().to_string();
    assert_eq!(text, "9 candidates: the slots hold all pairs of 2 to 8");
    // A row of 256 slots holds 16 by 16 pairs.
    let wider = World::new(&spec(512, 1));
    assert_eq!(PairLayout::new(wider.context(), 16).unwrap().candidates(), 16);
    let layout = PairLayout::new(world.context(), 3).unwrap();
    for chosen in [0, 4, 5] {
        let refused = TopK::new(layout, scores(), chosen).unwrap_err();
        assert_eq!(refused, Error::Choice { chosen, places: 4 });
    }
    let text = TopK::new(layout, scores(), 4).unwrap_err().to_string();
    assert_eq!(text, "a choice of 4 among 4 places: choose at least 1 and leave at least 1 out");
    let without_slots = Context::new(&Parameters::new(preset(MATCH_2048).unwrap(), Backend::detect()).unwrap());
    let refused = PairLayout::new(&without_slots.unwrap(), 4).unwrap_err();
    assert_eq!(refused, Error::NoSlots { plaintext: 257, order: 4096 });
}

#[test]
fn circuits_with_too_few_inputs_or_levels() {
    let world = World::new(&spec(256, 3));
    let side = &world.sides[0];
    let keys = world.keys(true, &BTreeSet::new());
    let evaluation = Evaluation::new(&side.evaluator, &keys[0]);
    let fresh = Operand::fresh(world.encrypt(&[1], 0).remove(0));
    let values = ValueSet::new(0, 7, 1).unwrap();
    let threshold = Threshold::new(values, 3).unwrap();
    let refused = threshold.run(&evaluation, &[]).unwrap_err();
    assert_eq!(refused, Error::Inputs { expected: 1, found: 0 });
    let one = std::slice::from_ref(&fresh);
    let refused = Equality::Within(values).run(&evaluation, one).unwrap_err();
    assert_eq!(refused.to_string(), "the circuit takes at least 2 inputs, but 1 were given");
    let refused = Membership::encrypted(3).unwrap().run(&evaluation, one).unwrap_err();
    assert_eq!(refused, Error::Inputs { expected: 4, found: 1 });
    // Three levels are enough for degree 7, not for 9; and not for 7 from one level lower.
    assert!(threshold.run(&evaluation, one).is_ok());
    let ten = Threshold::new(ValueSet::new(0, 9, 1).unwrap(), 3).unwrap();
    assert!(matches!(ten.plan(world.context()), Err(Error::CircuitTooDeep { .. })));
    let refused = ten.run(&evaluation, one).unwrap_err();
    assert!(matches!(refused, Error::LevelExhausted | Error::Noise { .. }), "{refused}");
    let lower = evaluation.switch_down(&fresh).unwrap();
    let refused = threshold.run(&evaluation, &[lower]).unwrap_err();
    assert!(matches!(refused, Error::LevelExhausted | Error::Noise { .. }), "{refused}");
}

/// The verbs of both interpreters on operands that do not fit.
fn verbs<A: Arithmetic>(arithmetic: &A, fresh: &A::Value) {
    let top = arithmetic.shape(fresh).level;
    let product = arithmetic.multiply_in_place(fresh, fresh).map(|value| (arithmetic.shape(&value).factor, value));
    let (factor, product) = product.unwrap();
    assert_ne!(factor, 1);
    let mismatch = |result: Result<A::Value, Error>, left, right| {
        let refused = result.map(|_| ()).unwrap_err();
        assert_eq!(refused, Error::FactorMismatch { left, right });
    };
    mismatch(arithmetic.add(fresh, &product), 1, factor);
    let of_product = arithmetic.context().modulus_residue(top);
    mismatch(arithmetic.multiply_add(fresh, fresh, Some(fresh)), of_product, 1);
    for terms in [vec![], vec![(fresh, 0)]] {
        let refused = arithmetic.combine(&terms, 3, top, 1).map(|_| ()).unwrap_err();
        assert_eq!(refused, Error::Transparent);
    }
    let lower = arithmetic.switch_down(fresh).unwrap();
    let refused = arithmetic.combine(&[(&lower, 1)], 0, top, 1).map(|_| ()).unwrap_err();
    assert_eq!(refused, Error::LevelMismatch { left: Level(top.0 - 1), right: top });
    let lowest = (0..top.0).fold(fresh.clone(), |value, _| arithmetic.switch_down(&value).unwrap());
    assert_eq!(arithmetic.switch_down(&lowest).map(|_| ()).unwrap_err(), Error::LevelExhausted);
}

#[test]
fn evaluation_and_dry_run_refuse_the_same() {
    let world = World::new(&spec(256, 3));
    let side = &world.sides[0];
    let keys = world.keys(true, &BTreeSet::new());
    let fresh = Operand::fresh(world.encrypt(&[1], 0).remove(0));
    let evaluation = Evaluation::new(&side.evaluator, &keys[0]);
    verbs(&evaluation, &fresh);
    verbs(&Planner::new(world.context()), &evaluation.shape(&fresh));
    let product = evaluation.multiply_in_place(&fresh, &fresh).unwrap();
    let left = product.factor();
    assert_eq!(product.into_plain().unwrap_err(), Error::FactorMismatch { left, right: 1 });
}
