//! Decisions at the named sets: slots, shapes and noise. Every threshold over the whole range with `cargo run --release -p blindrelay-tests --bin decisions`.

use blindrelay_engine::circuit::{Comparison, Equality, Membership, ValueSet};
use blindrelay_engine::params::DECIDE_16384;
use blindrelay_tests::decisions::{Bench, Outcome, thresholds};

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

#[test]
fn comparisons_and_equalities_of_encrypted_values() {
    let values = ValueSet::new(-32, 32, 1).expect("65 values");
    let comparison = Comparison::new(values).expect("129 differences");
    let bench = Bench::new(DECIDE_16384, &comparison);
    hold(bench.pairs(&comparison, 0, values, |a, b| a >= b), 16_384);
    hold(bench.pairs(&Equality::Within(values), 0, values, |a, b| a == b), 16_384);
}

#[test]
fn membership_in_a_public_and_in_an_encrypted_set() {
    let values = ValueSet::new(0, 128, 1).expect("129 values");
    let elements: Vec<i64> = values.values().filter(|value| value * value % 7 == 2).collect();
    let public = Membership::public(values, &elements).expect("some of them");
    let bench = Bench::new(DECIDE_16384, &public);
    hold(bench.membership(0, values, &elements), 16_384);
    hold(bench.encrypted_membership(0, 5), 16_384);
}
