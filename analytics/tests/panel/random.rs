//! Random panels: whatever the declared ranges and the contributions are, the true figures lie within the stated bounds, and the bounds say something.

use blindrelay_analytics::{Contribution, Findings, reference};

use crate::rig::{Generator, HOST, assert_admits};

const PANELS: u64 = 150;

/// A limit from `2^-10` to `2^19`.
fn limit(generator: &mut Generator) -> f64 {
    generator.between(-10.0, 19.0).exp2()
}

/// One end of a range or the other, or something between them.
fn value(generator: &mut Generator, low: f64, high: f64) -> f64 {
    match generator.below(8) {
        0 => low,
        1 => high,
        _ => generator.between(low, high),
    }
}

#[test]
fn random_durations() {
    for seed in 0..PANELS {
        let mut generator = Generator(seed);
        let (limit, calls) = (limit(&mut generator), 1 + generator.below(20));
        let edges = [0.0, limit / 3.0, limit / 2.0];
        let collect = format!(r#"{{"durations": {{"limit_seconds": {limit}, "edges": {edges:?}, "calls": {calls}}}}}"#);
        let mut panel = HOST.panel(&collect, 1);
        let mut all = Vec::new();
        for _ in 0..=generator.below(6) {
            let seconds: Vec<f64> = (0..=generator.below(calls)).map(|_| value(&mut generator, 0.0, limit)).collect();
            panel.add(&Contribution::durations(&panel.plan, &seconds).unwrap());
            all.extend(seconds);
        }
        let Findings::Durations { seconds, histogram } = panel.findings() else { panic!("another statistic") };
        let (mean, variance) = reference::mean_and_variance(&all).unwrap();
        let scale = limit.max(calls as f64);
        assert_admits(seconds.mean.count, all.len() as f64, 0.0);
        assert_admits(seconds.mean.mean.unwrap(), mean, scale * calls as f64 * 1e-6);
        assert_admits(seconds.variance.unwrap(), variance, scale * scale * calls as f64 * 1e-5);
        for (found, expected) in histogram.counts.iter().zip(reference::histogram(&edges, &all)) {
            assert_admits(*found, expected as f64, 0.0);
        }
    }
}

#[test]
fn random_correlations() {
    for seed in 0..PANELS {
        let mut generator = Generator(1000 + seed);
        let (x_limit, y_limit, pairs) = (limit(&mut generator), limit(&mut generator), 1 + generator.below(30));
        let collect = format!(r#"{{"correlation": {{"pairs": {pairs}, "x_limit": {x_limit}, "y_limit": {y_limit}}}}}"#);
        let mut panel = HOST.panel(&collect, 1);
        let mut all = Vec::new();
        for _ in 0..=generator.below(6) {
            let pair =
                |generator: &mut Generator| (value(generator, -x_limit, x_limit), value(generator, -y_limit, y_limit));
            let given: Vec<(f64, f64)> = (0..=generator.below(pairs)).map(|_| pair(&mut generator)).collect();
            panel.add(&Contribution::correlation(&panel.plan, &given).unwrap());
            all.extend(given);
        }
        let Findings::Correlation(found) = panel.findings() else { panic!("another statistic") };
        assert_admits(found.count, all.len() as f64, 0.0);
        let sum = |term: fn(&(f64, f64)) -> f64| all.iter().map(term).sum::<f64>();
        let (x, y, n) = (x_limit.max(1.0), y_limit, 30.0 * all.len() as f64);
        assert_admits(found.sum_x, sum(|pair| pair.0), x * n * 1e-6);
        assert_admits(found.sum_y, sum(|pair| pair.1), y * n * 1e-6);
        assert_admits(found.sum_xx, sum(|pair| pair.0 * pair.0), x * x * n * 1e-5);
        assert_admits(found.sum_yy, sum(|pair| pair.1 * pair.1), y * y * n * 1e-5);
        assert_admits(found.sum_xy, sum(|pair| pair.0 * pair.1), x * y * n * 1e-5);
        match (found.correlation, reference::correlation(&all)) {
            (Some(found), Some(expected)) => assert!((found.value - expected).abs() <= found.bound + 1e-9),
            // One pair, or pairs of one value: nothing varies beyond its bound.
            (None, _) => assert!(all.len() < 3 || x_limit < 1.0),
            (Some(found), None) => panic!("{found:?} of series that do not vary"),
        }
    }
}

#[test]
fn random_attention_and_speaking() {
    for seed in 0..PANELS {
        let mut generator = Generator(2000 + seed);
        let slots = 1 + generator.below(50);
        let limit = limit(&mut generator);
        let mut attention = HOST.panel(&format!(r#"{{"attention": {{"slots": {slots}}}}}"#), 1);
        let collect = format!(r#"{{"speaking": {{"participants": {slots}, "limit_seconds": {limit}, "edges": [0]}}}}"#);
        let mut speaking = HOST.panel(&collect, 1);
        let (mut scores, mut totals) = (vec![Vec::new(); slots], vec![0.0; slots]);
        for _ in 0..=generator.below(4) {
            let given: Vec<Option<f64>> =
                (0..slots).map(|_| (generator.below(3) > 0).then(|| value(&mut generator, 0.0, 1.0))).collect();
            attention.add(&Contribution::attention(&attention.plan, &given).unwrap());
            scores.iter_mut().zip(&given).for_each(|(all, score)| all.extend(score));
            let seconds: Vec<f64> = (0..slots).map(|_| value(&mut generator, 0.0, limit)).collect();
            speaking.add(&Contribution::speaking(&speaking.plan, &seconds).unwrap());
            totals.iter_mut().zip(&seconds).for_each(|(total, seconds)| *total += seconds);
        }
        let Findings::Attention { overall, slots: found } = attention.findings() else { panic!("another statistic") };
        let everything = scores.concat();
        for (found, values) in found.iter().zip(&scores).chain([(&overall, &everything)]) {
            assert_admits(found.mean.count, values.len() as f64, 0.0);
            let expected = reference::mean_and_variance(values);
            assert_eq!(found.mean.mean.is_some(), expected.is_some());
            if let Some((mean, variance)) = expected {
                assert_admits(found.mean.mean.unwrap(), mean, 1e-6);
                assert_admits(found.variance.unwrap(), variance, 1e-5);
            }
        }
        let Findings::Speaking { seconds, .. } = speaking.findings() else { panic!("another statistic") };
        for (found, total) in seconds.parts.iter().zip(&totals) {
            assert_admits(*found, *total, limit * 1e-6 + 1e-6);
        }
        for (found, expected) in seconds.shares.iter().flatten().zip(reference::shares(&totals).iter().flatten()) {
            assert!((found.value - expected).abs() <= found.bound + 1e-12);
        }
    }
}
