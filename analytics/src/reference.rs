//! The functions that the statistics compute, on clear values.

use crate::settings::bin;

/// Mean and population variance; `None` without values.
pub fn mean_and_variance(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / count)?;
    Some((mean, values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count))
}

/// Each part over the sum of all; `None` where that is zero.
pub fn shares(parts: &[f64]) -> Option<Vec<f64>> {
    let total: f64 = parts.iter().sum();
    (total > 0.0).then(|| parts.iter().map(|part| part / total).collect())
}

/// How many values lie in each bin with these lower edges; the last bin is open.
pub fn histogram(edges: &[f64], values: &[f64]) -> Vec<u64> {
    let count = |index| values.iter().filter(|&&value| bin(edges, value) == index).count() as u64;
    (0..edges.len()).map(count).collect()
}

/// Pearson's correlation; `None` where a series does not vary.
pub fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let (xs, ys): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let ((mean_x, variance_x), (mean_y, variance_y)) = mean_and_variance(&xs).zip(mean_and_variance(&ys))?;
    let covariance = pairs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / pairs.len() as f64;
    (variance_x > 0.0 && variance_y > 0.0).then(|| covariance / (variance_x * variance_y).sqrt())
}

/// Sums of the participants' coverages of each bucket.
pub fn concurrency<'a>(coverages: impl IntoIterator<Item = &'a [f64]>, buckets: usize) -> Vec<f64> {
    let mut sums = vec![0.0; buckets];
    for coverage in coverages {
        sums.iter_mut().zip(coverage).for_each(|(sum, part)| *sum += part);
    }
    sums
}
