//! Random CKKS circuits: engine on every backend, reference in big integers, clear numbers. And measured errors against their bounds; many more with
//! `cargo run --release -p blindrelay-tests --bin precision -- 100000`.

use blindrelay_tests::approximate::worlds;
use blindrelay_tests::circuits::Tally;
use blindrelay_tests::precision::{Bench, SUBJECTS};

const CIRCUITS: u64 = 3000;

#[test]
fn approximate_circuits_agree_with_the_reference() {
    let worlds = worlds();
    let mut total = Tally::default();
    for number in 0..CIRCUITS {
        let tally = worlds[number as usize % worlds.len()].run(number);
        total.computed += tally.computed;
        total.refused += tally.refused;
    }
    // A run in which little was computed would show nothing.
    assert!(total.computed > 2 * CIRCUITS, "{total:?}");
}

#[test]
fn errors_stay_below_their_bounds() {
    for subject in SUBJECTS {
        let bench = Bench::new(subject);
        for number in 0..20 {
            let margin = bench.run(number);
            // A bound far above every error would say nothing; sums over all slots add errors as if they were equal.
            assert!(margin.bound < margin.largest * 2_f64.powi(16), "{}: {margin:?}", subject.name());
        }
    }
}
