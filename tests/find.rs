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

/// The table of docs/decisions.md, from the exact binomial tail.
#[test]
fn the_probabilities_of_a_false_match_are_those_of_the_page() {
    let page = include_str!("../docs/decisions.md");
    let row = |start: &str| -> Vec<f64> {
        let line = page.lines().find(|line| line.starts_with(start)).expect("the table has this row");
        line.split('|').filter_map(|cell| cell.trim().parse().ok()).collect()
    };
    let (thresholds, stated) = (row("| `T` |"), row("| `log2` of the probability |"));
    assert_eq!((thresholds.len(), stated.len()), (9, 9));
    // The binomial coefficients of 128 stay below 2^124.2, and a sum of them below 2^128.
    let mut coefficients = vec![1u128];
    for k in 1..=64u128 {
        coefficients
            .push(coefficients[k as usize - 1] / k * (129 - k) + coefficients[k as usize - 1] % k * (129 - k) / k);
    }
    for (threshold, stated) in thresholds.iter().zip(stated) {
        // At least (128 + T) / 2 signs agree, so at most (128 - T) / 2 differ.
        let tail: u128 = coefficients[..=(128 - *threshold as usize) / 2].iter().sum();
        let log2 = (tail as f64).log2() - 128.0;
        assert!((log2 - stated).abs() <= 0.05 + 1e-9, "at least {threshold}: {log2:.3}, not {stated}");
    }
}
