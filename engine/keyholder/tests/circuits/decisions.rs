//! Decisions against the clear ones: every value with every threshold, every pair of values.

use std::collections::BTreeSet;

use blindrelay_engine::circuit::{Circuit, Comparison, Equality, Membership, Threshold, ValueSet};

use crate::world::{Choices, T, World, spec};

/// Fills all slots with these values again and again.
fn repeated(values: &[i64], slots: usize) -> Vec<i64> {
    values.iter().copied().cycle().take(slots).collect()
}

/// The scores of tokens of 128 signs.
fn scores() -> ValueSet {
    ValueSet::new(-128, 128, 2).unwrap()
}

#[test]
fn every_threshold_over_the_whole_range_of_scores() {
    let world = World::new(&spec(256, 8));
    let keys = world.keys(true, &BTreeSet::new());
    let all: Vec<i64> = scores().values().collect();
    assert_eq!(all.len(), 129);
    let values = repeated(&all, world.slots());
    let mut decisions = 0;
    for threshold in (-126..=128).step_by(2) {
        let circuit = Threshold::new(scores(), threshold).unwrap();
        let expected: Vec<i64> = values.iter().map(|&value| i64::from(value >= threshold)).collect();
        assert_eq!(world.run_with(&circuit, std::slice::from_ref(&values), &keys), [expected], "threshold {threshold}");
        decisions += values.len();
    }
    assert_eq!(decisions, 128 * 256);
}

#[test]
fn thresholds_between_values_and_sets_of_every_kind() {
    let world = World::new(&spec(256, 8));
    let keys = world.keys(true, &BTreeSet::new());
    // Negative, positive and mixed, steps 1, 2, 3, two values only, the widest that t takes.
    for (minimum, maximum, step) in [
        (-9, -1, 1),
        (-20, -2, 3),
        (5, 50, 3),
        (-7, 8, 1),
        (0, 1, 1),
        (-1, 1, 2),
        (-32_768, 32_768, 65_536 / 128),
        (1000, 1004, 2),
    ] {
        let values = ValueSet::new(minimum, maximum, step).unwrap();
        let all: Vec<i64> = values.values().collect();
        assert_eq!(all.len(), values.count());
        assert!(all.iter().all(|&value| values.contains(value)));
        assert!(!values.contains(minimum - 1) && !values.contains(maximum + 1));
        assert_eq!(values.contains(minimum + 1), step == 1);
        let slots = repeated(&all, world.slots());
        // A threshold need not be a value.
        for threshold in [minimum + 1, i64::midpoint(minimum, maximum) + 1, maximum] {
            let circuit = Threshold::new(values, threshold).unwrap();
            let expected: Vec<i64> = slots.iter().map(|&value| i64::from(value >= threshold)).collect();
            assert_eq!(
                world.run_with(&circuit, std::slice::from_ref(&slots), &keys),
                [expected],
                "{values:?} {threshold}"
            );
        }
    }
}

/// All pairs of these values, first and second, in as many blocks of slots as they need.
fn pairs(values: &[i64], slots: usize) -> Vec<[Vec<i64>; 2]> {
    let all: Vec<(i64, i64)> = values.iter().flat_map(|&a| values.iter().map(move |&b| (a, b))).collect();
    let block = |block: &[(i64, i64)]| {
        let full: Vec<_> = block.iter().chain(std::iter::repeat(&all[0])).take(slots).collect();
        [full.iter().map(|pair| pair.0).collect(), full.iter().map(|pair| pair.1).collect()]
    };
    all.chunks(slots).map(block).collect()
}

fn check_pairs<C: Circuit>(world: &World, circuit: &C, values: &[i64], decide: impl Fn(i64, i64) -> bool) -> usize {
    let keys = world.keys(true, &BTreeSet::new());
    let mut compared = 0;
    for [a, b] in pairs(values, world.slots()) {
        let expected: Vec<i64> = a.iter().zip(&b).map(|(&a, &b)| i64::from(decide(a, b))).collect();
        compared += expected.len();
        assert_eq!(world.run_with(circuit, &[a, b], &keys), [expected], "{}", circuit.name());
    }
    compared
}

#[test]
fn every_pair_compares_as_in_the_clear() {
    let world = World::new(&spec(1024, 8));
    for (minimum, maximum, step) in [(-16, 16, 1), (-40, 40, 2), (3, 60, 3), (0, 64, 1)] {
        let values = ValueSet::new(minimum, maximum, step).unwrap();
        let all: Vec<i64> = values.values().collect();
        let compared = check_pairs(&world, &Comparison::new(values).unwrap(), &all, |a, b| a >= b);
        assert!(compared >= all.len() * all.len());
    }
}

#[test]
fn every_pair_is_equal_or_not_as_in_the_clear() {
    let world = World::new(&spec(1024, 9));
    for (minimum, maximum, step) in [(-16, 16, 1), (-30, 34, 2), (3, 60, 3), (0, 1, 1), (0, 64, 1)] {
        let values = ValueSet::new(minimum, maximum, step).unwrap();
        let all: Vec<i64> = values.values().collect();
        check_pairs(&world, &Equality::Within(values), &all, |a, b| a == b);
    }
}

#[test]
fn residues_anywhere_are_equal_or_not() {
    let world = World::new(&spec(512, 17));
    let mut choices = Choices(7);
    let edges = [0, 1, -1, 2, T / 2, -T / 2, T / 2 - 1, 256, -256, 255, 3, 32_767];
    let [mut a, mut b]: [Vec<i64>; 2] = pairs(&edges, edges.len() * edges.len()).remove(0);
    while a.len() < world.slots() {
        let x = choices.residue();
        a.push(x);
        b.push(if choices.below(2) == 0 { x } else { choices.residue() });
    }
    let expected: Vec<i64> = a.iter().zip(&b).map(|(a, b)| i64::from(a == b)).collect();
    assert!(expected.iter().sum::<i64>() > 100);
    assert_eq!(world.run(&Equality::Anywhere, &[a, b]), [expected]);
    // t - 1 = 2^16: squares only.
    let plan = Equality::Anywhere.plan(world.context()).unwrap();
    assert_eq!((plan.depth, plan.products), (16, 16));
}

#[test]
fn membership_in_public_sets() {
    let world = World::new(&spec(256, 8));
    let keys = world.keys(true, &BTreeSet::new());
    let mut choices = Choices(8);
    for (minimum, maximum, step) in [(-64, 63, 1), (-128, 128, 2), (10, 40, 3), (0, 1, 1)] {
        let values = ValueSet::new(minimum, maximum, step).unwrap();
        let all: Vec<i64> = values.values().collect();
        let slots = repeated(&all, world.slots());
        for size in [1, all.len() / 2, all.len() - 1] {
            let mut rest = all.clone();
            let elements: Vec<i64> =
                (0..size).map(|_| rest.swap_remove(choices.below(rest.len() as u64) as usize)).collect();
            let circuit = Membership::public(values, &elements).unwrap();
            let expected: Vec<i64> = slots.iter().map(|value| i64::from(elements.contains(value))).collect();
            assert_eq!(
                world.run_with(&circuit, std::slice::from_ref(&slots), &keys),
                [expected],
                "{size} of {values:?}"
            );
        }
    }
}

#[test]
fn membership_in_encrypted_sets_is_a_product_of_differences() {
    let world = World::new(&spec(256, 6));
    let keys = world.keys(true, &BTreeSet::new());
    let mut choices = Choices(9);
    for count in [1, 2, 3, 4, 5, 7, 8, 13, 16] {
        let circuit = Membership::encrypted(count).unwrap();
        // Another set in each slot, often with a repeated element; the value is a member in about half of the slots.
        let elements: Vec<Vec<i64>> =
            (0..count).map(|_| (0..world.slots()).map(|_| choices.below(40) as i64 - 20).collect()).collect();
        let x: Vec<i64> = (0..world.slots())
            .map(|slot| {
                let member = elements[choices.below(count as u64) as usize][slot];
                if choices.below(2) == 0 { member } else { choices.below(60) as i64 - 30 }
            })
            .collect();
        let inputs: Vec<Vec<i64>> = std::iter::once(x.clone()).chain(elements.iter().cloned()).collect();
        let product = world.run_with(&circuit, &inputs, &keys).remove(0);
        let mut members = 0;
        for (slot, &value) in product.iter().enumerate() {
            let differences = elements.iter().fold(1, |all, set| {
                let next = i128::from(all) * i128::from(x[slot] - set[slot]);
                crate::world::centred(next)
            });
            assert_eq!(value, differences, "{count} elements, slot {slot}");
            let member = elements.iter().any(|set| set[slot] == x[slot]);
            assert_eq!(value == 0, member);
            members += usize::from(member);
        }
        assert!(members > 50 && members < 250, "{members} members of {count} elements show little");
        let plan = circuit.plan(world.context()).unwrap();
        assert_eq!((plan.depth, plan.products), (count.next_power_of_two().ilog2() as usize, count - 1));
    }
}
