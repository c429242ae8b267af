//! Each statistic equals its reference within the bound that it states.

use blindrelay_analytics::{Contribution, Findings, STATISTICS_WIDE, Stay, reference};
use blindrelay_engine::operator::{Accumulation, Accumulator};
use blindrelay_engine::params::STATS_16384;

use crate::rig::{Generator, HOST, Host, Panel, assert_admits};

fn attention(panel: &mut Panel<'_>, generator: &mut Generator, slots: usize, contributions: usize) -> Vec<Vec<f64>> {
    let mut scores = vec![Vec::new(); slots];
    for _ in 0..contributions {
        let given: Vec<Option<f64>> =
            (0..slots).map(|_| (generator.below(4) > 0).then(|| generator.between(0.0, 1.0))).collect();
        scores.iter_mut().zip(&given).for_each(|(all, score)| all.extend(score));
        panel.add(&Contribution::attention(&panel.plan, &given).unwrap());
    }
    scores
}

fn assert_attention(findings: &Findings, scores: &[Vec<f64>]) {
    let Findings::Attention { overall, slots } = findings else { panic!("{findings:?}") };
    assert_eq!(slots.len(), scores.len());
    let all: Vec<f64> = scores.concat();
    for (found, values) in slots.iter().zip(scores).chain([(overall, &all)]) {
        assert_admits(found.mean.count, values.len() as f64, 0.0);
        match reference::mean_and_variance(values) {
            Some((mean, variance)) => {
                assert_admits(found.mean.mean.unwrap(), mean, 1e-6);
                assert_admits(found.variance.unwrap(), variance, 1e-5);
                assert!(found.standard_deviation.unwrap().admits(variance.sqrt()));
            }
            None => assert_eq!((found.mean.mean, found.variance), (None, None)),
        }
    }
}

#[test]
fn attention_has_the_mean_and_variance_of_the_scores() {
    for (seed, slots, contributions) in [(1, 1, 1), (2, 3, 5), (3, 40, 12), (4, 2048, 3)] {
        let mut panel = HOST.panel(&format!(r#"{{"attention": {{"slots": {slots}}}}}"#), 1);
        let scores = attention(&mut panel, &mut Generator(seed), slots, contributions);
        assert_attention(&panel.findings(), &scores);
        // Without keys, three components leave instead of two.
        assert_attention(&panel.findings_with(None), &scores);
    }
}

#[test]
fn the_wide_set_has_twice_the_slots() {
    let host = Host::new(STATS_16384, 6);
    assert_eq!(host.operator.card().id, STATISTICS_WIDE);
    let mut panel = host.panel(r#"{"attention": {"slots": 4096}}"#, 2);
    let scores = attention(&mut panel, &mut Generator(9), 4096, 2);
    assert_attention(&panel.findings(), &scores);
}

#[test]
fn speaking_times_add_up_to_shares_and_a_histogram() {
    let mut generator = Generator(11);
    for participants in [1, 4, 300, 4096] {
        let collect = format!(
            r#"{{"speaking": {{"participants": {participants}, "limit_seconds": 60, "edges": [0, 30, 100]}}}}"#
        );
        let mut panel = HOST.panel(&collect, 1);
        let mut totals = vec![0.0; participants];
        for _ in 0..5 {
            let seconds: Vec<f64> = totals.iter().map(|_| generator.between(0.0, 60.0)).collect();
            totals.iter_mut().zip(&seconds).for_each(|(total, seconds)| *total += seconds);
            panel.add(&Contribution::speaking(&panel.plan, &seconds).unwrap());
        }
        let Findings::Speaking { seconds, histogram } = panel.findings() else { panic!("another statistic") };
        assert_admits(seconds.total, totals.iter().sum(), 1e-2);
        let shares = seconds.shares.unwrap();
        for ((found, share), (total, expected)) in
            seconds.parts.iter().zip(&shares).zip(totals.iter().zip(reference::shares(&totals).unwrap()))
        {
            assert_admits(*found, *total, 1e-5);
            assert_admits(*share, expected, 1e-6);
        }
        for (found, expected) in histogram.counts.iter().zip(reference::histogram(&[0.0, 30.0, 100.0], &totals)) {
            assert_admits(*found, expected as f64, 2.0);
        }
    }
}

#[test]
fn durations_have_mean_variance_and_an_exact_histogram() {
    let mut generator = Generator(21);
    let edges = [0.0, 60.0, 300.0, 900.0, 3600.0];
    for calls in [1, 7] {
        let collect = format!(
            r#"{{"durations": {{"limit_seconds": 14400, "edges": [0, 60, 300, 900, 3600], "calls": {calls}}}}}"#
        );
        let mut panel = HOST.panel(&collect, 10);
        let mut all = Vec::new();
        for _ in 0..12 {
            let count = 1 + generator.below(calls);
            let seconds: Vec<f64> = (0..count).map(|_| generator.between(0.0, 1.0).powi(4) * 14_400.0).collect();
            panel.add(&Contribution::durations(&panel.plan, &seconds).unwrap());
            all.extend(seconds);
        }
        let Findings::Durations { seconds, histogram } = panel.findings() else { panic!("another statistic") };
        let (mean, variance) = reference::mean_and_variance(&all).unwrap();
        assert_admits(seconds.mean.count, all.len() as f64, 0.0);
        assert_admits(seconds.mean.mean.unwrap(), mean, 1e-2);
        assert_admits(seconds.variance.unwrap(), variance, 1e2);
        for (found, expected) in histogram.counts.iter().zip(reference::histogram(&edges, &all)) {
            assert_admits(*found, expected as f64, 0.0);
        }
    }
}

#[test]
fn concurrency_counts_who_was_there_in_each_bucket() {
    let mut generator = Generator(31);
    let mut panel = HOST.panel(r#"{"concurrency": {"buckets": 120, "bucket_seconds": 60}}"#, 5);
    let mut coverages = Vec::new();
    for _ in 0..25 {
        let stays: Vec<Stay> = (0..=generator.below(3))
            .map(|_| {
                let join = generator.between(0.0, 7000.0);
                Stay { join, leave: generator.between(join, 7200.0) }
            })
            .collect();
        let contribution = Contribution::concurrency(&panel.plan, &stays).unwrap();
        coverages.push(contribution.slots().next().unwrap().to_vec());
        panel.add(&contribution);
    }
    let expected = reference::concurrency(coverages.iter().map(Vec::as_slice), 120);
    let Findings::Concurrency { participants, peak, bucket_seconds } = panel.findings() else {
        panic!("another statistic")
    };
    assert!((bucket_seconds - 60.0).abs() < f64::EPSILON);
    for (found, expected) in participants.iter().zip(&expected) {
        assert_admits(*found, *expected, 1e-6);
    }
    assert_admits(peak.unwrap().largest, expected.iter().copied().fold(0.0, f64::max), 1e-6);
}

#[test]
fn correlation_is_that_of_all_pairs() {
    let mut generator = Generator(41);
    for (pairs, slope) in [(1, 0.7), (5, -2.0), (1000, 0.0)] {
        let collect = format!(r#"{{"correlation": {{"pairs": {pairs}, "x_limit": 100, "y_limit": 250}}}}"#);
        let mut panel = HOST.panel(&collect, 3);
        let mut all = Vec::new();
        for _ in 0..9 {
            let given: Vec<(f64, f64)> = (0..=generator.below(pairs))
                .map(|_| {
                    let x = generator.between(-100.0, 100.0);
                    (x, slope * x + generator.between(-50.0, 50.0))
                })
                .collect();
            panel.add(&Contribution::correlation(&panel.plan, &given).unwrap());
            all.extend(given);
        }
        for findings in [panel.findings(), panel.findings_with(None)] {
            let Findings::Correlation(found) = findings else { panic!("another statistic") };
            assert_admits(found.count, all.len() as f64, 0.0);
            assert_admits(found.correlation.unwrap(), reference::correlation(&all).unwrap(), 1e-3);
        }
    }
}

#[test]
fn a_series_that_does_not_vary_has_no_correlation() {
    let mut panel = HOST.panel(r#"{"correlation": {"pairs": 2, "x_limit": 10, "y_limit": 10}}"#, 1);
    for value in [1.0, 5.0, -3.0] {
        panel.add(&Contribution::correlation(&panel.plan, &[(4.0, value), (4.0, -value)]).unwrap());
    }
    let Findings::Correlation(found) = panel.findings() else { panic!("another statistic") };
    assert_eq!(found.correlation, None);
    assert!(found.sum_x.admits(24.0));
}

#[test]
fn the_stated_bounds_hold_for_the_extremes_of_the_ranges() {
    let mut panel = HOST.panel(r#"{"attention": {"slots": 2}}"#, 1);
    for scores in [[Some(0.0), Some(1.0)], [Some(0.0), Some(1.0)], [Some(0.0), None]] {
        panel.add(&Contribution::attention(&panel.plan, &scores).unwrap());
    }
    assert_attention(&panel.findings(), &[vec![0.0; 3], vec![1.0; 2]]);
    let mut panel = HOST.panel(r#"{"durations": {"limit_seconds": 14400, "edges": [0]}}"#, 1);
    for seconds in [0.0, 14_400.0] {
        panel.add(&Contribution::durations(&panel.plan, &[seconds]).unwrap());
    }
    let Findings::Durations { seconds, histogram } = panel.findings() else { panic!("another statistic") };
    assert_admits(seconds.variance.unwrap(), 7200.0 * 7200.0, 1e2);
    assert_admits(histogram.counts[0], 2.0, 0.0);
    assert_eq!(panel.sums.batches(), 2);
}

#[test]
fn the_worked_example_of_the_documentation() {
    let mut panel = HOST.panel(r#"{"attention": {"slots": 1}}"#, 3);
    for score in [0.25, 0.5, 1.0] {
        panel.add(&Contribution::attention(&panel.plan, &[Some(score)]).unwrap());
    }
    let Findings::Attention { overall, .. } = panel.findings() else { panic!("another statistic") };
    assert_admits(overall.mean.sum, 1.75, 2.0e-8);
    assert_admits(overall.sum_of_squares, 1.3125, 4.0e-8);
    assert_admits(overall.mean.mean.unwrap(), 1.75 / 3.0, 6.8e-9);
    assert_admits(overall.variance.unwrap(), 1.3125 / 3.0 - (1.75_f64 / 3.0).powi(2), 2.2e-8);
}
