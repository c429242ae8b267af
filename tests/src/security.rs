//! The cost of the primal attack on the parameter sets, in the core-SVP model.
//!
//! The attack finds the secret and the error of `n`-dimensional LWE with `m` samples as the unique shortest vector of a lattice of
//! dimension `d = n + m + 1` (Bai and Galbraith, *Lattice decoding attacks on binary LWE*, 2014: the secret's coordinates are scaled by
//! `xi = sigma_e / sigma_s`, so that all coordinates are equally large; the volume becomes `q^m xi^n`). BKZ with blocks of
//! size `b` is expected to find it when
//!
//! `sigma_e sqrt(b) <= delta(b)^(2b - d - 1) (q^m xi^n)^(1/d)`, `delta(b) = ((pi b)^(1/b) b / (2 pi e))^(1 / (2 (b - 1)))`
//!
//! (Alkim, Ducas, Poeppelmann, Schwabe, *Post-quantum key exchange: a new hope*, 2016, section 6.3; the basis profile is the geometric series
//! assumption). Core-SVP counts one call of the shortest-vector oracle in dimension `b`: `2^(0.265 b)` with quantum sieves, `2^(0.292 b)`
//! with classical ones. Everything else that an attack costs (the number of calls, polynomial factors, memory) is counted as free.
//!
//! This is an estimate of one attack in one model, conservative in what it leaves free; it is not a proof of security.

use std::f64::consts::{E, PI};

use blindrelay_engine::params::ParameterSpec;
use blindrelay_engine::ring::ERROR_STANDARD_DEVIATION;

/// Smallest block size that is looked at; the formula for `delta` means nothing for smaller ones.
const SMALLEST_BLOCK: u32 = 50;

/// The cheapest primal attack that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// BKZ block size `b`.
    pub block: u32,
    /// Number of samples `m` that it uses.
    pub samples: u32,
}

impl Estimate {
    /// Bits of work with quantum sieves, `0.265 b`.
    pub fn post_quantum_bits(self) -> f64 {
        0.265 * f64::from(self.block)
    }

    /// Bits of work with classical sieves, `0.292 b`.
    pub fn classical_bits(self) -> f64 {
        0.292 * f64::from(self.block)
    }
}

/// An LWE instance of which up to `2 n` samples are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lwe {
    /// Dimension `n`, the ring degree.
    pub dimension: usize,
    /// Base-2 logarithm of the modulus, special primes included.
    pub modulus_log2: f64,
    /// Standard deviation of the errors.
    pub error_deviation: f64,
    /// Standard deviation of the secret's coordinates.
    pub secret_deviation: f64,
}

impl Lwe {
    /// The instance of a parameter set.
    pub fn of(spec: &ParameterSpec) -> Self {
        let primes = spec.ciphertext_primes.iter().chain(&spec.special_primes);
        Self::with_modulus(spec.ring_degree, primes.map(|&prime| (prime as f64).log2()).sum())
    }

    /// The instance of the project's distributions with a modulus just below `2^bits`: the weakest one of that bit length.
    pub fn with_modulus_bits(dimension: usize, bits: u32) -> Self {
        Self::with_modulus(dimension, f64::from(bits))
    }

    /// Centred binomial errors with eta = 21 and uniform ternary secrets, whose variance is 2/3.
    fn with_modulus(dimension: usize, modulus_log2: f64) -> Self {
        let secret_deviation = (2.0_f64 / 3.0).sqrt();
        Self { dimension, modulus_log2, error_deviation: ERROR_STANDARD_DEVIATION, secret_deviation }
    }

    /// The smallest block size with which the attack succeeds, over all numbers of samples.
    pub fn estimate(self) -> Estimate {
        let (mut fails, mut succeeds) = (SMALLEST_BLOCK, 3 * self.dimension as u32);
        while succeeds - fails > 1 {
            let block = u32::midpoint(fails, succeeds);
            if self.best(block).1 >= 0.0 {
                succeeds = block;
            } else {
                fails = block;
            }
        }
        Estimate { block: succeeds, samples: self.best(succeeds).0 }
    }

    /// The best number of samples for a block size, with its [`Lwe::margin`].
    ///
    /// With `d = n + m + 1` the margin is `-d log(delta) - K / d` and constants, where `K = (n + 1) log q - n log xi`: concave in `d`, greatest at
    /// `sqrt(K / log(delta))`.
    pub fn best(self, block: u32) -> (u32, f64) {
        let n = self.dimension as f64;
        let peak = (((n + 1.0) * self.modulus() - n * self.scaling()) / delta(block)).sqrt() - n - 1.0;
        let most = 2 * self.dimension as u32;
        let below = (peak.max(1.0) as u32).min(most);
        let candidates = [below, (below + 1).min(most)].map(|samples| (samples, self.margin(block, samples)));
        if candidates[0].1 >= candidates[1].1 { candidates[0] } else { candidates[1] }
    }

    /// Natural logarithm of the right side of the condition over its left side: the attack succeeds where it is not negative.
    pub fn margin(self, block: u32, samples: u32) -> f64 {
        let (n, m, b) = (self.dimension as f64, f64::from(samples), f64::from(block));
        let d = n + m + 1.0;
        let volume = (m * self.modulus() + n * self.scaling()) / d;
        (2.0 * b - d - 1.0) * delta(block) + volume - (self.error_deviation * b.sqrt()).ln()
    }

    fn modulus(self) -> f64 {
        self.modulus_log2 * std::f64::consts::LN_2
    }

    /// `log(xi)`.
    fn scaling(self) -> f64 {
        (self.error_deviation / self.secret_deviation).ln()
    }
}

/// `log(delta(b))`.
fn delta(block: u32) -> f64 {
    let b = f64::from(block);
    ((PI * b).ln() / b + (b / (2.0 * PI * E)).ln()) / (2.0 * (b - 1.0))
}
