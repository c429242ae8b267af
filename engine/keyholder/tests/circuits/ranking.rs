//! The largest, sums over slots and scores.

use blindrelay_engine::Error;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::circuit::{Arithmetic, Circuit, PairLayout, RotationSum, Score, Shape, TopK, ValueSet};
use blindrelay_engine::noise::NoiseBound;

use crate::world::{Choices, World, centred, spec};

/// Which places are chosen: larger values first, of equal ones the first place.
fn chosen(values: &[i64], k: usize) -> Vec<bool> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    places.sort_by_key(|&place| (std::cmp::Reverse(values[place]), place));
    let mut chosen = vec![false; values.len()];
    places.into_iter().take(k).for_each(|place| chosen[place] = true);
    chosen
}

fn check(world: &World, candidates: usize, ks: &[usize], rounds: u64) {
    let layout = PairLayout::new(world.context(), candidates).unwrap();
    assert_eq!(layout.candidates(), candidates);
    let mut choices = Choices(candidates as u64);
    for values in [(-3, 3, 1), (-8, 8, 2), (10, 25, 3)] {
        let values = ValueSet::new(values.0, values.1, values.2).unwrap();
        let all: Vec<i64> = values.values().collect();
        for &k in ks {
            let circuit = TopK::new(layout, values, k).unwrap();
            assert_eq!((circuit.values(), circuit.layout()), (values, layout));
            let plan = circuit.plan(world.context()).unwrap();
            let keys = world.keys(plan.relinearizes(), &plan.galois());
            for round in 0..rounds {
                // All equal, only two different ones, or any.
                let kinds = [1, 2, all.len() as u64][(round % 3) as usize];
                let first = choices.below(all.len() as u64);
                let candidates: Vec<i64> = (0..candidates)
                    .map(|_| all[((first + choices.below(kinds)) % all.len() as u64) as usize])
                    .collect();
                let inputs = layout.spread(&candidates, values.step());
                let slots = world.run_with(&circuit, &inputs, &keys).remove(0);
                let expected = chosen(&candidates, k);
                for (slot, &found) in slots.iter().enumerate() {
                    assert_eq!(found, i64::from(expected[layout.first(slot)]), "{k} of {candidates:?}, slot {slot}");
                }
            }
        }
    }
}

#[test]
fn the_largest_of_two_and_four() {
    let world = World::new(&spec(256, 8));
    check(&world, 2, &[1], 12);
    check(&world, 4, &[1, 2, 3], 6);
}

#[test]
fn the_largest_of_eight() {
    check(&World::new(&spec(256, 9)), 8, &[1, 2, 3, 4, 5, 6, 7], 3);
}

#[test]
fn the_largest_of_sixteen() {
    check(&World::new(&spec(512, 10)), 16, &(1..16).collect::<Vec<_>>(), 3);
}

#[test]
fn a_place_that_nobody_has_taken_comes_last() {
    let world = World::new(&spec(256, 8));
    let layout = PairLayout::new(world.context(), 5).unwrap();
    assert_eq!(layout.candidates(), 8);
    let values = ValueSet::new(-4, 4, 2).unwrap();
    let places = [-4, 2, -4, 0, -4, -4, -4, -4];
    for k in [1, 4, 5] {
        let circuit = TopK::new(layout, values, k).unwrap();
        let slots = world.run(&circuit, &layout.spread(&places, values.step())).remove(0);
        let found: Vec<bool> = slots[..8].iter().map(|&slot| slot == 1).collect();
        assert_eq!(found, chosen(&places, k));
        assert!(found[5..].iter().all(|chosen| !chosen));
    }
}

#[test]
fn pairs_stand_where_the_layout_says() {
    let world = World::new(&spec(512, 2));
    for candidates in [2, 4, 8, 16] {
        let layout = PairLayout::new(world.context(), candidates).unwrap();
        let row = world.slots() / 2;
        let mut met = vec![0; candidates * candidates];
        for slot in 0..world.slots() {
            let (first, second) = (layout.first(slot), layout.second(slot));
            met[first * candidates + second] += 1;
            // The rotations of the sum go from one opponent to the next.
            let next = slot / row * row + (slot % row + candidates) % row;
            assert_eq!((layout.first(next), layout.second(next)), (first, (second + 1) % candidates));
        }
        assert!(met.iter().all(|&times| times == world.slots() / candidates / candidates));
    }
}

/// A verb as a circuit of fresh inputs.
enum Verb {
    Sum(RotationSum),
    Score(Score),
    Columns,
}

impl Circuit for Verb {
    fn name(&self) -> String {
        "a verb".into()
    }

    fn inputs(&self, context: &Context) -> Result<Vec<Shape>, Error> {
        let parameters = context.parameters();
        let noise = NoiseBound::fresh_secret(parameters.degree());
        let count = if matches!(self, Self::Score(_)) { 2 } else { 1 };
        Ok(vec![Shape { level: parameters.top_level(), noise, factor: 1 }; count])
    }

    fn run<A: Arithmetic>(&self, arithmetic: &A, inputs: &[A::Value]) -> Result<Vec<A::Value>, Error> {
        Ok(vec![match self {
            Self::Sum(sum) => sum.apply(arithmetic, &inputs[0])?,
            Self::Score(score) => score.apply(arithmetic, &inputs[0], &inputs[1])?,
            Self::Columns => arithmetic.rotate_columns(&inputs[0])?,
        }])
    }
}

#[test]
fn sums_over_slots_with_either_radix() {
    let world = World::new(&spec(256, 2));
    let row = world.slots() / 2;
    let mut choices = Choices(10);
    let values: Vec<i64> = (0..world.slots()).map(|_| choices.residue()).collect();
    for (stride, count) in [(1, 2), (1, 8), (4, 4), (2, 16), (8, 16), (1, 128), (128, 1), (3, 32)] {
        let expected: Vec<i64> = (0..world.slots())
            .map(|slot| {
                let of = |k: usize| i128::from(values[slot / row * row + (slot % row + k * stride) % row]);
                centred((0..count).map(of).sum())
            })
            .collect();
        for radix in [2, 4] {
            let sum = RotationSum { stride, count, radix };
            let found = world.run(&Verb::Sum(sum), std::slice::from_ref(&values)).remove(0);
            assert_eq!(found, expected, "stride {stride}, {count} of them, radix {radix}");
        }
    }
    let steps = |radix| RotationSum { stride: 4, count: 32, radix }.steps();
    assert_eq!(steps(2), [4, 8, 16, 32, 64]);
    assert_eq!(steps(4), [4, 16, 64]);
}

#[test]
fn rows_are_exchanged() {
    let world = World::new(&spec(256, 1));
    let values: Vec<i64> = (0..256).collect();
    let found = world.run(&Verb::Columns, std::slice::from_ref(&values)).remove(0);
    assert_eq!(found, [&values[128..], &values[..128]].concat());
}

#[test]
fn scores_of_a_roster() {
    let world = World::new(&spec(512, 3));
    let row = world.slots() / 2;
    let mut choices = Choices(11);
    // 16 entries of each token, 16 participants in a row.
    let (entries, stride) = (16, row / 16);
    for radix in [2, 4] {
        let score = Score { sum: RotationSum { stride, count: entries, radix } };
        let [probe, roster] =
            [0; 2].map(|_| -> Vec<i64> { (0..world.slots()).map(|_| choices.below(15) as i64 - 7).collect() });
        let found = world.run(&Verb::Score(score), &[probe.clone(), roster.clone()]).remove(0);
        for (slot, &value) in found.iter().enumerate() {
            let participant = slot / row * row + slot % stride;
            let entry = |d: usize| participant + d * stride;
            let expected: i64 = (0..entries).map(|d| probe[entry(d)] * roster[entry(d)]).sum();
            assert_eq!(value, expected, "slot {slot}");
        }
    }
}
