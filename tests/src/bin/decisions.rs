//! `cargo run --release -p blindrelay-tests --bin decisions`: every threshold over the whole range of scores at `decide-16384`, decided on ciphertexts and compared with
//! the clear comparison in every slot; then some runs of other circuits, with their noise against its bound.

use std::time::{Duration, Instant};

use blindrelay_engine::circuit::{Circuit, Comparison, Equality, Membership, ValueSet};
use blindrelay_engine::params::DECIDE_16384;
use blindrelay_tests::decisions::{Bench, Outcome, closer, scores, thresholds};

fn main() {
    let begun = Instant::now();
    let all = thresholds();
    let bench = Bench::new(DECIDE_16384, &all[0]);
    let plan = bench.plan();
    println!(
        "{} thresholds over {} values at {DECIDE_16384}, {} slots: {} products, {} levels, noise bound 2^{:.2} of 2^{:.2}",
        all.len(),
        all[0].values().count(),
        bench.slots(),
        plan.products,
        plan.depth,
        plan.noise_log2,
        plan.limit_log2
    );
    let (mut compared, mut wrong, mut time) = (0, 0, Duration::ZERO);
    let (mut fastest, mut slowest) = (Duration::MAX, Duration::ZERO);
    let mut margins = Vec::new();
    for (number, threshold) in all.iter().enumerate() {
        let outcome = bench.threshold(threshold, number as u64);
        compared += outcome.compared;
        wrong += outcome.wrong;
        time += outcome.time;
        (fastest, slowest) = (fastest.min(outcome.time), slowest.max(outcome.time));
        margins.push(outcome.margin);
        if number % 16 == 15 {
            eprintln!("{} thresholds, {compared} slots, {wrong} wrong", number + 1);
        }
    }
    let largest = margins.iter().map(|margin| margin.largest).fold(f64::NEG_INFINITY, f64::max);
    let closest = margins.iter().copied().reduce(closer).expect("at least one threshold");
    println!(
        "largest noise measured 2^{largest:.2}; closest to its bound: 2^{:.2} of 2^{:.2}, {:.2} bits below; limit 2^{:.2}",
        closest.largest,
        closest.bound,
        closest.bound - closest.largest,
        closest.limit
    );
    println!(
        "{:.3} s a threshold on {} cores (from {:.3} to {:.3})",
        time.as_secs_f64() / all.len() as f64,
        std::thread::available_parallelism().map_or(1, usize::from),
        fastest.as_secs_f64(),
        slowest.as_secs_f64()
    );
    println!(
        "{compared} decisions compared with the clear ones, {wrong} wrong ({:.0} s)",
        begun.elapsed().as_secs_f64()
    );
    assert_eq!(wrong, 0, "decisions differ from the clear ones");
    others();
}

/// Runs of each of the other circuits.
const RUNS: u64 = 8;

fn others() {
    let values = ValueSet::new(-32, 32, 1).expect("65 values");
    let scores = scores();
    let elements: Vec<i64> = scores.values().filter(|score| score % 3 == 0).collect();
    let comparison = Comparison::new(values).expect("129 differences");
    let bench = Bench::new(DECIDE_16384, &comparison);
    println!("{:<52} {:>6} {:>10} {:>10} {:>10} {:>10}", "circuit", "runs", "measured", "bound", "limit", "margin");
    row(&comparison, |number| bench.pairs(&comparison, number, values, |a, b| a >= b));
    let equality = Equality::Within(values);
    row(&equality, |number| bench.pairs(&equality, number, values, |a, b| a == b));
    let membership = Membership::public(scores, &elements).expect("some of them");
    row(&membership, |number| bench.membership(number, scores, &elements));
    let encrypted = Membership::encrypted(64).expect("64 elements");
    row(&encrypted, |number| bench.encrypted_membership(number, 64));
    println!("base-2 logarithms of the run closest to its bound; margin = bound - measured");
}

fn row<C: Circuit>(circuit: &C, run: impl Fn(u64) -> Outcome) {
    let outcomes: Vec<Outcome> = (0..RUNS).map(run).collect();
    let wrong: usize = outcomes.iter().map(|outcome| outcome.wrong).sum();
    assert_eq!(wrong, 0, "{}: {wrong} slots differ from the clear values", circuit.name());
    let worst = outcomes.iter().map(|outcome| outcome.margin).reduce(closer).expect("at least one run");
    println!(
        "{:<52} {RUNS:>6} {:>10.2} {:>10.2} {:>10.2} {:>10.2}",
        circuit.name(),
        worst.largest,
        worst.bound,
        worst.limit,
        worst.bound - worst.largest
    );
}
