//! The plan's keys are exactly those that a circuit uses.

use std::collections::BTreeSet;

use blindrelay_engine::circuit::{
    Circuit, Comparison, Equality, Evaluation, Membership, Operand, PairLayout, Threshold, TopK, ValueSet,
};
use blindrelay_engine::ring::GaloisElement;
use blindrelay_engine::{Error, KeyName};
use blindrelay_keyholder::KeyRequirements;

use crate::world::{World, spec};

/// Runs with all planned keys, then with each of them missing alone, then with none.
fn check<C: Circuit>(world: &World, circuit: &C) -> usize {
    let plan = circuit.plan(world.context()).unwrap();
    let side = &world.sides[0];
    let inputs: Vec<Operand> = (0..circuit.inputs(world.context()).unwrap().len() as u64)
        .map(|index| Operand::fresh(world.encrypt(&[1, 2, 1], index).remove(0)))
        .collect();
    let run = |relinearization, galois: &BTreeSet<GaloisElement>| {
        let keys = side.key.evaluation_keys(&KeyRequirements { relinearization, galois: galois.clone() });
        let outcome = circuit.run(&Evaluation::new(&side.evaluator, &keys), &inputs).map(|outputs| outputs.len());
        (outcome, plan.check_keys(Some(&keys)))
    };
    assert_eq!(run(plan.relinearizes(), &plan.galois()), (Ok(plan.outputs.len()), Ok(())));
    let mut all = Vec::new();
    if plan.relinearizes() {
        let key = KeyName::Relinearization;
        let refused = (Err(Error::MissingKey { key }), Err(Error::MissingKeys { missing: vec![key] }));
        assert_eq!(run(false, &plan.galois()), refused, "{}", circuit.name());
        all.push(key);
    }
    for element in &plan.galois() {
        let key = KeyName::Galois(element.value());
        let rest: BTreeSet<_> = plan.galois().iter().copied().filter(|other| other != element).collect();
        let refused = (Err(Error::MissingKey { key }), Err(Error::MissingKeys { missing: vec![key] }));
        assert_eq!(run(plan.relinearizes(), &rest), refused, "{}", circuit.name());
        all.push(key);
    }
    let refused = if all.is_empty() { Ok(()) } else { Err(Error::MissingKeys { missing: all.clone() }) };
    assert_eq!(run(false, &BTreeSet::new()).1, refused);
    assert_eq!(plan.check_keys(None), refused);
    assert_eq!(plan.missing_keys(None), all);
    all.len()
}

#[test]
fn circuits_run_with_the_planned_keys_and_with_none_of_them_less() {
    let world = World::new(&spec(256, 9));
    let values = ValueSet::new(-6, 6, 2).unwrap();
    assert_eq!(check(&world, &Threshold::new(values, 2).unwrap()), 1);
    assert_eq!(check(&world, &Comparison::new(values).unwrap()), 1);
    assert_eq!(check(&world, &Equality::Within(values)), 1);
    assert_eq!(check(&world, &Membership::public(values, &[-6, 2]).unwrap()), 1);
    assert_eq!(check(&world, &Membership::encrypted(3).unwrap()), 1);
    assert_eq!(check(&world, &Membership::encrypted(1).unwrap()), 0);
    for (candidates, rotations) in [(2, 1), (4, 1), (8, 2)] {
        let layout = PairLayout::new(world.context(), candidates).unwrap();
        for chosen in [1, candidates - 1] {
            assert_eq!(check(&world, &TopK::new(layout, values, chosen).unwrap()), 1 + rotations);
        }
    }
}

#[test]
fn missing_keys_are_named_in_one_sentence() {
    let world = World::new(&spec(256, 9));
    let layout = PairLayout::new(world.context(), 8).unwrap();
    let circuit = TopK::new(layout, ValueSet::new(0, 3, 1).unwrap(), 1).unwrap();
    let plan = circuit.plan(world.context()).unwrap();
    // Rotations by 8 and 32: 3^8 = 417 and 3^32 = 129 modulo 512.
    assert_eq!(
        plan.check_keys(None).unwrap_err().to_string(),
        "the evaluation keys lack relinearization key, key for the automorphism X -> X^129, key for the automorphism X -> X^417"
    );
}
