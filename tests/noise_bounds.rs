//! Measured noise never exceeds the public bound, and every opened score is right. More runs with
//! `cargo run --release -p blindrelay-tests --bin noise -- 100000`.

use blindrelay_routing::MatchKind;
use blindrelay_tests::noise::{Bench, Subject};

fn run(subject: Subject, runs: u64) {
    let bench = Bench::new(subject);
    for number in 0..runs {
        let margin = bench.run(number);
        assert!(margin.bound < margin.limit);
    }
}

#[test]
fn sign_matching() {
    run(Subject::Match(MatchKind::Signs), 200);
}

#[test]
fn embedding_matching() {
    run(Subject::Match(MatchKind::Embeddings), 50);
}

#[test]
fn general_products() {
    run(Subject::Product, 50);
}

#[test]
fn rotations() {
    run(Subject::Rotation, 50);
}
