//! Statistics of how far approximate results are from exact ones.

use super::embedding::Complex;

/// Why there are no statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrecisionError {
    /// The two lists are not of one length.
    #[error("{expected} expected values, but {found} found")]
    Length {
        /// Number of expected values.
        expected: usize,
        /// Number of values to be judged.
        found: usize,
    },
    /// There is nothing to judge.
    #[error("no values")]
    Empty,
    /// A value is not finite.
    #[error("value {index} is not a finite number")]
    NotFinite {
        /// Its position.
        index: usize,
    },
}

/// Magnitudes of the errors of a list of values. Each figure is a statistic of the errors themselves; bits are logarithms of such a figure, never averages of
/// logarithms, which a single exact value would turn into infinity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Precision {
    /// How many values were judged.
    pub count: usize,
    /// Largest error.
    pub maximum: f64,
    /// Mean error.
    pub mean: f64,
    /// Root of the mean square error.
    pub root_mean_square: f64,
    /// The error that half of the values do not exceed (the lower one of the two middle errors of an even number).
    pub median: f64,
}

impl Precision {
    /// Compares complex values.
    pub fn of_complex(expected: &[Complex], found: &[Complex]) -> Result<Self, PrecisionError> {
        if expected.len() != found.len() {
            return Err(PrecisionError::Length { expected: expected.len(), found: found.len() });
        }
        let errors = expected.iter().zip(found).map(|(a, b)| Complex::new(a.re - b.re, a.im - b.im).abs());
        Self::of_errors(errors.collect())
    }

    /// Compares real values.
    pub fn of_real(expected: &[f64], found: &[f64]) -> Result<Self, PrecisionError> {
        if expected.len() != found.len() {
            return Err(PrecisionError::Length { expected: expected.len(), found: found.len() });
        }
        Self::of_errors(expected.iter().zip(found).map(|(a, b)| (a - b).abs()).collect())
    }

    fn of_errors(mut errors: Vec<f64>) -> Result<Self, PrecisionError> {
        if let Some(index) = errors.iter().position(|error| !error.is_finite()) {
            return Err(PrecisionError::NotFinite { index });
        }
        errors.sort_by(f64::total_cmp);
        let count = errors.len();
        let maximum = errors.last().copied().ok_or(PrecisionError::Empty)?;
        let median = errors.get((count - 1) / 2).copied().ok_or(PrecisionError::Empty)?;
        let mean = errors.iter().sum::<f64>() / count as f64;
        let root_mean_square = libm::sqrt(errors.iter().map(|error| error * error).sum::<f64>() / count as f64);
        Ok(Self { count, maximum, mean, root_mean_square, median })
    }

    /// Correct bits after the point of the worst value: `-log2` of the largest error, infinite where all are exact.
    pub fn worst_bits(&self) -> f64 {
        -libm::log2(self.maximum)
    }

    /// `-log2` of the mean error.
    pub fn mean_bits(&self) -> f64 {
        -libm::log2(self.mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_a_hand_worked_list() {
        let precision = Precision::of_real(&[1.0, 2.0, 3.0, 4.0], &[1.0, 2.5, 2.75, 4.0]).unwrap();
        assert_eq!((precision.count, precision.maximum, precision.mean, precision.median), (4, 0.5, 0.1875, 0.0));
        assert!((precision.root_mean_square - (0.3125_f64 / 4.0).sqrt()).abs() < 1e-15);
        assert!((precision.worst_bits() - 1.0).abs() < 1e-15);
        let exact = Precision::of_real(&[1.0], &[1.0]).unwrap();
        assert_eq!((exact.worst_bits(), exact.mean), (f64::INFINITY, 0.0));
    }

    #[test]
    fn complex_errors_are_distances() {
        let precision = Precision::of_complex(&[Complex::new(0.0, 0.0)], &[Complex::new(3.0, 4.0)]).unwrap();
        assert_eq!((precision.maximum, precision.median), (5.0, 5.0));
    }

    #[test]
    fn nothing_can_hide_in_the_input() {
        assert_eq!(Precision::of_real(&[1.0], &[]), Err(PrecisionError::Length { expected: 1, found: 0 }));
        assert_eq!(Precision::of_real(&[], &[]), Err(PrecisionError::Empty));
        assert_eq!(Precision::of_real(&[0.0, 1.0], &[0.0, f64::NAN]), Err(PrecisionError::NotFinite { index: 1 }));
    }
}
