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

/// The published card promises the worst case: no product of a full group carries a larger bound, and its limits are the parameters'.
#[test]
fn cards_hold_what_they_promise() {
    for kind in [MatchKind::Signs, MatchKind::Embeddings] {
        let bench = Bench::new(Subject::Match(kind));
        let card = kind.card(bench.context()).expect("the named sets carry their operators");
        let margin = bench.run(1 << 40);
        let promised = card.noise.bound_log2;
        assert!((promised - margin.bound).abs() < 1e-9, "{promised} and {}", margin.bound);
        assert!(margin.largest <= promised);
        assert!(bench.full_group_product(kind, 1 << 40).noise().sup_log2() < promised);
        assert!(card.noise.bound_log2 < card.noise.limit_log2);
        assert!(card.noise.answer_bound_log2 < card.noise.answer_limit_log2);
    }
}
