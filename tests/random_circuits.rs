//! Ten thousand random circuits: engine on every backend, reference in big integers, clear polynomials. More with
//! `cargo run --release -p blindrelay-tests --bin circuits -- 1000000`.

use blindrelay_tests::circuits::{Tally, World, worlds};

const CIRCUITS: u64 = 10_000;

fn run(worlds: &[World], parity: u64) -> Tally {
    let mut total = Tally::default();
    for number in (0..CIRCUITS).filter(|number| number % 2 == parity) {
        let tally = worlds[(number / 2) as usize % worlds.len()].run(number);
        total.computed += tally.computed;
        total.refused += tally.refused;
    }
    // A run in which little was computed would show nothing.
    assert!(total.computed > 2 * CIRCUITS, "{total:?}");
    total
}

#[test]
fn even_circuits_agree_with_the_reference() {
    run(&worlds(), 0);
}

#[test]
fn odd_circuits_agree_with_the_reference() {
    run(&worlds(), 1);
}
