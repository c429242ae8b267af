//! Finds at the named set open to what the clear function gives, and their noise stays within its bound. More runs with
//! `cargo run --release -p blindrelay-tests --bin find -- 1000`.

use blindrelay_tests::find::Bench;

#[test]
fn finds_are_as_on_clear_values_and_within_their_noise() {
    let bench = Bench::new(4);
    for number in 0..2 {
        let outcome = bench.run(number);
        assert!(outcome.margin.bound < outcome.margin.limit);
    }
}
