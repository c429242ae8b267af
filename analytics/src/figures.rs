//! Results by type: each keeps the sums it was made of beside the figure, and every figure has the bound on its error.

use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::settings::bin;

/// A mean: sum over count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The sum.
    pub sum: Estimate,
    /// How many values there are.
    pub count: Estimate,
    /// The mean; absent without values.
    pub mean: Option<Estimate>,
}

impl Mean {
    /// From a sum and a count.
    pub fn new(sum: Estimate, count: Estimate) -> Self {
        Self { sum, count, mean: sum.over(count) }
    }
}

/// Mean and variance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variance {
    /// The mean.
    pub mean: Mean,
    /// The sum of the squares.
    pub sum_of_squares: Estimate,
    /// The mean square distance from the mean (divided by the count, not by the count less one); absent without values.
    pub variance: Option<Estimate>,
    /// Its square root.
    pub standard_deviation: Option<Estimate>,
}

impl Variance {
    /// From sums and a count.
    pub fn new(sum: Estimate, sum_of_squares: Estimate, count: Estimate) -> Self {
        let mean = Mean::new(sum, count);
        let variance = sum_of_squares
            .over(count)
            .zip(mean.mean)
            .map(|(square, mean)| square.minus(mean.times(mean)).within(0.0, f64::MAX));
        let standard_deviation = variance.map(Estimate::sqrt);
        Self { mean, sum_of_squares, variance, standard_deviation }
    }
}

/// How many values lie in each bin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Lower edges of the bins; the last bin is open.
    pub edges: Vec<f64>,
    /// How many values each bin has.
    pub counts: Vec<Estimate>,
}

impl Histogram {
    /// The histogram of values that are known with a bound: a value near an edge may belong to another bin, and the counts' bounds say so.
    pub fn of(edges: &[f64], values: &[Estimate]) -> Self {
        let mut counts = vec![(0.0, 0.0_f64, 0.0_f64); edges.len()];
        for value in values {
            let (low, found, high) =
                (bin(edges, value.low().max(0.0)), bin(edges, value.value.max(0.0)), bin(edges, value.high().max(0.0)));
            for (index, (count, fewer, more)) in counts.iter_mut().enumerate().skip(low).take(high + 1 - low) {
                if index == found {
                    *count += 1.0;
                    *fewer += if low == high { 0.0 } else { 1.0 };
                } else {
                    *more += 1.0;
                }
            }
        }
        let counts = counts.into_iter().map(|(count, fewer, more)| Estimate::new(count, fewer.max(more))).collect();
        Self { edges: edges.to_vec(), counts }
    }

    /// The bins' names, for example `300 to 900`.
    pub fn labels(&self) -> Vec<String> {
        let next = self.edges.iter().skip(1).map(Some).chain(std::iter::once(None));
        let label = |(low, high): (&f64, Option<&f64>)| match high {
            Some(high) => format!("{low} to {high}"),
            None => format!("{low} and more"),
        };
        self.edges.iter().zip(next).map(label).collect()
    }
}

/// The largest of several values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peak {
    /// Where the largest value was found, from 0; another one may be as large within the bounds.
    pub index: usize,
    /// The largest value.
    pub largest: Estimate,
}

impl Peak {
    /// The peak; `None` without values.
    pub fn of(values: &[Estimate]) -> Option<Self> {
        let (index, found) = values.iter().enumerate().reduce(|a, b| if b.1.value > a.1.value { b } else { a })?;
        // The true maximum is at least every value's lower end, and at most the highest upper end.
        let low = values.iter().fold(f64::NEG_INFINITY, |low, value| low.max(value.low()));
        let high = values.iter().fold(f64::NEG_INFINITY, |high, value| high.max(value.high()));
        Some(Self { index, largest: Estimate::new(found.value, (high - found.value).max(found.value - low)) })
    }
}

/// Shares of a total.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// The parts.
    pub parts: Vec<Estimate>,
    /// Their sum.
    pub total: Estimate,
    /// Each part over the total, from 0 to 1; absent where the total may be zero.
    pub shares: Option<Vec<Estimate>>,
}

impl Shares {
    /// Of parts that are known not to be negative.
    pub fn new(parts: Vec<Estimate>) -> Self {
        let total = Estimate::sum(parts.iter().copied());
        let share = |part: &Estimate| Some(part.over(total)?.within(0.0, 1.0));
        Self { shares: parts.iter().map(share).collect(), total, parts }
    }
}

/// Pearson's correlation of two series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// How many pairs there are.
    pub count: Estimate,
    /// The sum of the first series.
    pub sum_x: Estimate,
    /// The sum of the second series.
    pub sum_y: Estimate,
    /// The sum of the first series' squares.
    pub sum_xx: Estimate,
    /// The sum of the second series' squares.
    pub sum_yy: Estimate,
    /// The sum of the products.
    pub sum_xy: Estimate,
    /// `(n sum xy - sum x sum y) / sqrt((n sum xx - (sum x)^2) (n sum yy - (sum y)^2))`; absent where a series may be constant within its bound.
    pub correlation: Option<Estimate>,
}

impl Correlation {
    /// From the count, the sums `[x, y]` and the sums `[xx, yy, xy]`.
    pub fn new(count: Estimate, [sum_x, sum_y]: [Estimate; 2], [sum_xx, sum_yy, sum_xy]: [Estimate; 3]) -> Self {
        let spread = |product: Estimate, a: Estimate, b: Estimate| count.times(product).minus(a.times(b));
        let (x, y) = (spread(sum_xx, sum_x, sum_x), spread(sum_yy, sum_y, sum_y));
        let varies = x.low() > 0.0 && y.low() > 0.0;
        let correlation = varies
            .then(|| spread(sum_xy, sum_x, sum_y).over(x.times(y).sqrt()))
            .flatten()
            .map(|correlation| correlation.within(-1.0, 1.0));
        Self { count, sum_x, sum_y, sum_xx, sum_yy, sum_xy, correlation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact<const N: usize>(values: [f64; N]) -> [Estimate; N] {
        values.map(Estimate::exact)
    }

    #[test]
    fn figures_of_exact_sums_worked_by_hand() {
        // 1, 2, 6: mean 3, variance (4 + 1 + 9) / 3.
        let [sum, squares, count] = exact([9.0, 41.0, 3.0]);
        let variance = Variance::new(sum, squares, count);
        assert!(variance.mean.mean.unwrap().admits(3.0) && variance.variance.unwrap().admits(14.0 / 3.0));
        assert!(variance.standard_deviation.unwrap().admits((14.0_f64 / 3.0).sqrt()));
        assert_eq!(Mean::new(sum, count), variance.mean);
        let none = Variance::new(Estimate::exact(0.0), Estimate::exact(0.0), Estimate::exact(0.0));
        assert_eq!((none.mean.mean, none.variance, none.standard_deviation), (None, None, None));
        // (1, 2), (2, 4), (3, 7): r = 5 / sqrt(2 * 38/3).
        let r = Correlation::new(Estimate::exact(3.0), exact([6.0, 13.0]), exact([14.0, 69.0, 31.0]));
        assert!(r.correlation.unwrap().admits(5.0 / (2.0_f64 * 38.0 / 3.0).sqrt()));
        assert!(r.correlation.unwrap().bound < 1e-12);
        // (1, 2), (1, 3): the first series does not vary.
        let constant = Correlation::new(Estimate::exact(2.0), exact([2.0, 5.0]), exact([2.0, 13.0, 5.0]));
        assert_eq!(constant.correlation, None);
    }

    #[test]
    fn values_near_an_edge_widen_the_counts_of_both_bins() {
        let values =
            [Estimate::new(5.0, 0.1), Estimate::new(9.95, 0.1), Estimate::new(10.02, 0.1), Estimate::new(10.0, 0.0)];
        let histogram = Histogram::of(&[0.0, 10.0, 20.0], &values);
        assert_eq!(histogram.counts, [Estimate::new(2.0, 1.0), Estimate::new(2.0, 1.0), Estimate::exact(0.0)]);
        assert_eq!(histogram.labels(), ["0 to 10", "10 to 20", "20 and more"]);
        // A bound as wide as two bins, and one that reaches below zero.
        let wide = Histogram::of(&[0.0, 10.0, 20.0], &[Estimate::new(10.0, 15.0)]);
        assert_eq!(wide.counts, [Estimate::new(0.0, 1.0), Estimate::new(1.0, 1.0), Estimate::new(0.0, 1.0)]);
    }

    #[test]
    fn peaks_admit_the_largest_of_all_that_may_be() {
        let peak = Peak::of(&[Estimate::new(3.0, 0.1), Estimate::new(5.0, 0.1), Estimate::new(4.9, 0.5)]).unwrap();
        assert_eq!(peak.index, 1);
        assert!((peak.largest.high() - 5.4).abs() < 1e-12);
        assert_eq!(Peak::of(&[]), None);
    }

    #[test]
    fn shares_add_up_and_need_a_total() {
        let shares = Shares::new(exact([1.0, 3.0]).to_vec());
        let found = shares.shares.unwrap();
        assert!(found.first().unwrap().admits(0.25) && found.last().unwrap().admits(0.75));
        assert_eq!(Shares::new(vec![Estimate::new(1e-9, 1e-6)]).shares, None);
    }
}
