//! Dry runs: what they count and what they advise. That shapes, products and automorphisms are those of the evaluation is asserted for every circuit that `World::run` runs.

use std::sync::Arc;

use blindrelay_engine::bfv::Context;
use blindrelay_engine::circuit::{
    Circuit, Comparison, Equality, Evaluation, Operand, PairLayout, Threshold, TopK, ValueSet,
};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::params::{
    DECIDE_16384, DECIDE_32768, MATCH_2048, MATCH_4096, Parameters, STATS_8192, preset, presets,
};
use blindrelay_engine::{Backend, Error};

use crate::world::{World, spec};

fn named(name: &str) -> Arc<Context> {
    Context::new(&Parameters::new(preset(name).unwrap(), Backend::detect()).unwrap()).unwrap()
}

fn threshold(count: i64) -> Threshold {
    Threshold::new(ValueSet::new(0, count - 1, 1).unwrap(), count / 2).unwrap()
}

#[test]
fn the_named_sets_carry_what_they_were_made_for() {
    let context = named(DECIDE_16384);
    let scores = ValueSet::new(-128, 128, 2).unwrap();
    for value in scores.values().skip(1) {
        let plan = Threshold::new(scores, value).unwrap().plan(&context).unwrap();
        assert_eq!((plan.depth, plan.products, plan.automorphisms), (7, 24, 0));
        assert!(plan.relinearizes() && plan.galois().is_empty());
        assert!(plan.noise_log2 < plan.limit_log2, "threshold {value}");
        assert_eq!(plan.outputs.len(), 1);
        assert_eq!((plan.outputs[0].factor, plan.outputs[0].level.0), (1, 1));
    }
    let plan = threshold(513).plan(&named(DECIDE_32768)).unwrap();
    assert_eq!(plan.depth, 9);
}

#[test]
fn a_circuit_too_deep_names_the_smallest_set_that_is_enough() {
    let sets = bfv_sets();
    for (on, count, expected) in [
        (MATCH_2048, 129, Some(DECIDE_16384)),
        (MATCH_4096, 129, Some(DECIDE_16384)),
        (DECIDE_16384, 200, Some(DECIDE_32768)),
        (DECIDE_16384, 513, Some(DECIDE_32768)),
        (DECIDE_16384, 1025, None),
        (DECIDE_32768, 2049, None),
    ] {
        let error = threshold(count).plan(&named(on)).unwrap_err();
        let Error::CircuitTooDeep { circuit, parameters, reason, enough } = &error else { panic!("{error}") };
        assert_eq!((circuit, parameters.as_str()), (&format!("a threshold among {count} values"), on));
        assert!(matches!(**reason, Error::LevelExhausted | Error::Noise { .. }), "{reason}");
        // The advice holds, and no smaller set would have done.
        let smallest = sets.iter().find(|context| threshold(count).plan_on(context).is_ok());
        assert_eq!(enough.as_deref(), smallest.map(|context| context.parameters().name()), "{error}");
        assert!(expected.is_none() || enough.as_deref() == expected, "{error}");
    }
    let error = Equality::Anywhere.plan(&named(DECIDE_16384)).unwrap_err();
    assert!(matches!(error, Error::CircuitTooDeep { enough: None, .. }), "{error}");
}

/// All BFV sets by degree.
fn bfv_sets() -> Vec<Arc<Context>> {
    let mut all: Vec<_> = presets().into_iter().filter(|spec| !spec.name.starts_with("stats")).collect();
    all.sort_by(|a, b| (a.ring_degree, &a.name).cmp(&(b.ring_degree, &b.name)));
    all.into_iter().map(|spec| named(&spec.name)).collect()
}

#[test]
fn the_sentence_says_what_to_do() {
    let context = named(DECIDE_16384);
    let text = threshold(513).plan(&context).unwrap_err().to_string();
    assert!(
        text.starts_with("a threshold among 513 values does not fit parameter set decide-16384: ")
            && text.ends_with("; decide-32768 is enough"),
        "{text}"
    );
    let text = Equality::Anywhere.plan(&context).unwrap_err().to_string();
    assert!(
        text.starts_with("an equality of any two residues does not fit parameter set decide-16384: ")
            && text.ends_with("; no named set is enough: choose a smaller range of values or fewer of them"),
        "{text}"
    );
    let stats = Parameters::new(preset(STATS_8192).unwrap(), Backend::detect()).unwrap();
    assert_eq!(Context::new(&stats).unwrap_err().to_string(), "parameter set stats-8192 is not a BFV set");
}

#[test]
fn other_refusals_than_depth_come_without_advice() {
    let context = named(MATCH_2048);
    // Two values that are the same modulo 257.
    let circuit = Threshold::new(ValueSet::new(0, 257, 257).unwrap(), 1).unwrap();
    assert!(matches!(circuit.plan(&context), Err(Error::ValueSet { minimum: 0, maximum: 257, step: 257, .. })));
}

#[test]
fn plans_are_the_same_on_every_backend() {
    let world = World::new(&spec(256, 9));
    let values = ValueSet::new(-5, 5, 1).unwrap();
    let layout = PairLayout::new(world.context(), 8).unwrap();
    let plans = |context: &Arc<Context>| {
        [
            TopK::new(layout, values, 3).unwrap().plan(context).unwrap(),
            Comparison::new(values).unwrap().plan(context).unwrap(),
        ]
    };
    assert!(world.sides.iter().all(|side| plans(&side.context) == plans(world.context())));
}

#[test]
fn inputs_with_less_noise_than_planned_run_and_stay_below_the_plan() {
    let world = World::new(&spec(256, 8));
    let side = &world.sides[0];
    let circuit = threshold(100);
    let plan = circuit.plan(world.context()).unwrap();
    let keys = world.keys(true, &plan.galois());
    // Encrypted with the secret key, then claimed to be noisier, as a public-key encryption is.
    let fresh = world.encrypt(&(0..100).collect::<Vec<_>>(), 0).remove(0);
    let noisy = fresh.clone().with_noise_of_at_least(NoiseBound::fresh_public(256));
    let evaluation = Evaluation::new(&side.evaluator, &keys[0]);
    let bound = |input| {
        let output = circuit.run(&evaluation, &[Operand::fresh(input)]).unwrap().remove(0);
        output.ciphertext().noise().sup_log2()
    };
    assert!(bound(noisy) >= plan.noise_log2);
    let lower = side.evaluator.linear_combination(&[(&fresh, 1)], world.top()).unwrap();
    assert!((bound(lower) - plan.noise_log2).abs() < 1e-12);
}
