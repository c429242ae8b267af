//! Decisions at the named sets: slots, shapes and noise. Every threshold over the whole range with `cargo run --release -p blindrelay-tests --bin decisions`.

use blindrelay_engine::circuit::{Circuit, Comparison, Equality, Membership, ValueSet};
use blindrelay_engine::params::DECIDE_16384;
use blindrelay_tests::decisions::{Bench, Outcome, thresholds};
use blindrelay_tests::generator::Generator;

fn hold(outcome: Outcome, slots: usize) {
    assert_eq!((outcome.compared, outcome.wrong), (slots, 0));
    assert!(outcome.margin.bound < outcome.margin.limit, "{outcome:?}");
}

#[test]
fn thresholds_at_both_ends_and_between() {
    let all = thresholds();
    assert_eq!(all.len(), 128);
    let bench = Bench::new(DECIDE_16384, &all[0]);
    for number in [0, 1, 63, 64, 90, 127] {
        hold(bench.threshold(&all[number], number as u64), 16_384);
    }
}

/// Random values of the set in all slots, equal ones in about every second.
fn pairs(bench: &Bench, values: ValueSet, domain: &str) -> [Vec<i64>; 2] {
    let mut generator = Generator::new(domain, 0);
    let all: Vec<i64> = values.values().collect();
    let a: Vec<i64> = (0..bench.slots()).map(|_| *generator.choose(&all)).collect();
    let b = a.iter().map(|&a| if generator.below(2) == 0 { a } else { *generator.choose(&all) }).collect();
    [a, b]
}

fn decided<C: Circuit>(circuit: &C, values: ValueSet, decide: impl Fn(i64, i64) -> bool) {
    let bench = Bench::new(DECIDE_16384, circuit);
    let [a, b] = pairs(&bench, values, &circuit.name());
    let expected: Vec<i64> = a.iter().zip(&b).map(|(&a, &b)| i64::from(decide(a, b))).collect();
    hold(bench.run(circuit, 0, &[a, b], &[expected]), 16_384);
}

#[test]
fn comparisons_and_equalities_of_encrypted_values() {
    let values = ValueSet::new(-32, 32, 1).expect("65 values");
    decided(&Comparison::new(values).expect("129 differences"), values, |a, b| a >= b);
    decided(&Equality::Within(values), values, |a, b| a == b);
}

#[test]
fn membership_in_a_public_and_in_an_encrypted_set() {
    let values = ValueSet::new(0, 128, 1).expect("129 values");
    let elements: Vec<i64> = values.values().filter(|value| value * value % 7 == 2).collect();
    let public = Membership::public(values, &elements).expect("some of them");
    let bench = Bench::new(DECIDE_16384, &public);
    let [x, element] = pairs(&bench, values, "membership");
    let expected: Vec<i64> = x.iter().map(|x| i64::from(elements.contains(x))).collect();
    hold(bench.run(&public, 0, &[x.clone()], &[expected]), 16_384);
    let encrypted = Membership::encrypted(3).expect("three elements");
    let product: Vec<i64> = x.iter().zip(&element).map(|(x, e)| (x - e) * (x - e - 1) * (x - 1)).collect();
    let t = 65_537;
    let expected: Vec<i64> = product.iter().map(|p| (p + t / 2).rem_euclid(t) - t / 2).collect();
    let next: Vec<i64> = element.iter().map(|e| e + 1).collect();
    let ones = vec![1; bench.slots()];
    hold(Bench::new(DECIDE_16384, &encrypted).run(&encrypted, 0, &[x, element, next, ones], &[expected]), 16_384);
}
