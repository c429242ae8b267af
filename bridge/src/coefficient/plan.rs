//! How a comparison is computed, and how often it could be wrong.
//!
//! Let `u` be the score divided by the step, `T` the threshold's rank, `d = u - T`, and `2^(w-1)` at least the number of steps, so that
//! `-2^(w-1) <= d < 2^(w-1)`. Stage `i` decides bit `i` of `d`: with `c_i = round(t / (spacing 2^(i+1)))`, `c_i` times the ciphertext has the phase
//! `u / 2^(i+1)` up to a drift, and `T / 2^(i+1)` and the bits below are subtracted. What is left is 0 or 1/2. A quarter is added and the half of
//! the torus decided by a bootstrapping, with a margin of 1/4. After `r` bits the last stage does the same for the sign with `i = w - 1`: what is left
//! is a multiple of `2^(r-w)`, half of which is added, with a margin of `2^(r-w-1)` on both sides.
//!
//! A bit that was decided comes back at `2^(j-w)` of the torus and is multiplied by `2^(w-1-i)` in stage `i`, its noise too. Where `w` is large, bootstrappings
//! before `split` give every bit at two scales: at `2^(j-split)` for the stages below `split`, at `2^(j-w)` for the others. Both come from one blind rotation
//! (Carpov, Izabachene and Mollimard, *New techniques for multi-value input homomorphic evaluation and applications*, 2019), which halves the margin of
//! such a stage to 1/8.
//!
//! From each margin are taken, as bounds: the drift, the noise of the answer, the rounding to the torus, one step of the bootstrapping's modulus. The
//! rest are independent errors of known variance; `docs/bridge.md` has the terms.

use blindrelay_engine::noise::SecretNorms;
use tfhe::core_crypto::commons::noise_formulas::lwe_programmable_bootstrap::pbs_variance_132_bits_security_tuniform_fft_mul;
use tfhe::core_crypto::prelude::DynamicDistribution;

use super::error::BridgeError;
use super::lift::{LIFT_BASE_LOG, LIFT_LEVELS};
use super::set::ShortintSet;
use super::source::Source;

/// The largest probability of a wrong bit that is offered, base-2 logarithm.
pub const FAILURE_LIMIT_LOG2: f64 = -128.0;

/// Probability that one coefficient of an answer exceeds its bound: each fact of docs/noise.md fails for one coefficient with less than 2^-143, and
/// at most 16 are used.
const SOURCE_FAILURE_LOG2: f64 = -139.0;

/// Bits of a double's mantissa, which the bootstrapping's transform computes with.
const MANTISSA: f64 = 53.0;

/// The crate's variance of a bootstrapping is a mean over keys; twice of it is assumed.
const BOOTSTRAP_ALLOWANCE: f64 = 2.0;

/// Up to this width one scale is enough.
const ONE_SCALE: u32 = 10;

const TORUS: f64 = 18_446_744_073_709_551_616.0;

/// One bootstrapping of a comparison. Margin and deviations are fractions of the torus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// Which bit is decided, counted from the lowest; the last stage decides the sign.
    pub bit: u32,
    /// What the ciphertext is multiplied by.
    pub factor: u64,
    /// What random errors must stay below: the distance to the next decision, less everything that is bounded.
    pub margin: f64,
    /// Standard deviation of the random errors.
    pub deviation: f64,
    /// Whether the bit comes at two scales.
    pub twice: bool,
}

impl Stage {
    /// Base-2 logarithm of a bound on the probability that this stage is wrong: `2 exp(-z^2 / 2)` for sub-Gaussian errors.
    pub fn failure_log2(&self) -> f64 {
        if self.margin <= 0.0 {
            return 0.0;
        }
        let z = self.margin / self.deviation;
        (1.0 - z * z / 2.0 * std::f64::consts::LOG2_E).min(0.0)
    }
}

/// The bootstrappings of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    width: u32,
    split: u32,
    stages: Vec<Stage>,
}

/// Standard deviations of the errors of single steps, fractions of the torus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deviations {
    /// Key switching from BFV coefficients to the large key.
    pub lift: f64,
    /// Key switching from the large to the small key.
    pub key_switch: f64,
    /// The centred modulus switch before a bootstrapping.
    pub modulus_switch: f64,
    /// What a bootstrapping leaves, with an allowance.
    pub bootstrap: f64,
}

impl Plan {
    /// The plan with the fewest bootstrappings that is wrong with probability at most 2^-128; refused where there is none.
    pub fn of(source: &Source, set: ShortintSet) -> Result<Self, BridgeError> {
        let mut best = 0.0_f64;
        for bits in 0..width(source) {
            let plan = Self::with_bits(source, set, bits);
            let failure = plan.failure_log2();
            if failure <= FAILURE_LIMIT_LOG2 {
                return Ok(plan);
            }
            best = best.min(failure);
        }
        Err(BridgeError::Failure {
            source_set: source.parameters().name().to_owned(),
            set,
            failure_log2: best,
            limit_log2: FAILURE_LIMIT_LOG2,
        })
    }

    /// The plan that takes `bits` low bits away before the sign, whatever its failure probability. `bits` is below the width.
    fn with_bits(source: &Source, set: ShortintSet, bits: u32) -> Self {
        let width = width(source);
        let split = if width <= ONE_SCALE { width } else { width.div_ceil(2) };
        let deviations = Deviations::of(source, set);
        let stage = |bit: u32, taken: u32| {
            let twice = split < width && bit + 1 < split;
            let fraction = (-f64::from(bit) - 1.0).exp2();
            let scale = source.spacing() as f64 / source.plaintext_modulus() as f64;
            let factor = (fraction / scale).round();
            let drift = (factor * scale - fraction).abs() * source.largest_rank() as f64;
            let distance = if bit + 1 == width {
                (f64::from(taken) - f64::from(width) - 1.0).exp2()
            } else if twice {
                0.125
            } else {
                0.25
            };
            let weight = SecretNorms::at(source.parameters().degree()).weight;
            let bounded = source.noise_on_torus() + f64::midpoint(1.0, weight) / TORUS;
            let case = 0.5 / set.parameters().polynomial_size.0 as f64;
            let margin = distance - drift - factor * bounded - case;
            let amplification = f64::from(shift(width, split, bit)).exp2();
            let variance = deviations.modulus_switch.powi(2)
                + deviations.key_switch.powi(2)
                + (factor * deviations.lift).powi(2)
                + f64::from(taken) * (amplification * deviations.bootstrap).powi(2);
            Stage { bit, factor: factor as u64, margin, deviation: variance.sqrt(), twice }
        };
        let stages = (0..bits).map(|bit| stage(bit, bit)).chain([stage(width - 1, bits)]).collect();
        Self { width, split, stages }
    }

    /// Bits of the distance between a score and a threshold, with the sign.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// From this bit on, stages take bits at the smaller scale; the width, where there is one scale.
    pub fn split(&self) -> u32 {
        self.split
    }

    /// Base-2 logarithm of what bits are multiplied by in the stage of `bit`.
    pub(super) fn shift(&self, bit: u32) -> u32 {
        shift(self.width, self.split, bit)
    }

    /// The bootstrappings in their order; the last decides the sign.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Base-2 logarithm of a bound on the probability that a comparison is wrong: the sum over all stages, and over the bound on the noise of the
    /// answer.
    pub fn failure_log2(&self) -> f64 {
        let terms = || self.stages.iter().map(Stage::failure_log2).chain([SOURCE_FAILURE_LOG2]);
        let worst = terms().fold(f64::NEG_INFINITY, f64::max);
        (worst + terms().map(|term| (term - worst).exp2()).sum::<f64>().log2()).min(0.0)
    }
}

/// Base-2 logarithm of a bound on the probability that a comparison is wrong when `bits` low bits are taken away before the sign. `None` where the
/// distance has no more bits than that.
pub fn failure_log2(source: &Source, set: ShortintSet, bits: u32) -> Option<f64> {
    (bits < width(source)).then(|| Plan::with_bits(source, set, bits).failure_log2())
}

/// Bits of `u - T` in two's complement, for all thresholds that make a difference.
fn width(source: &Source) -> u32 {
    source.steps().next_power_of_two().trailing_zeros() + 1
}

fn shift(width: u32, split: u32, bit: u32) -> u32 {
    if bit < split { split - 1 - bit } else { width - 1 - bit }
}

impl Deviations {
    /// The deviations for answers of `source` under `set`.
    pub fn of(source: &Source, set: ShortintSet) -> Self {
        let parameters = set.parameters();
        let (large, small) = (set.large_dimension() as f64, set.small_dimension() as f64);
        let degree = source.parameters().degree() as f64;
        let weight = SecretNorms::at(source.parameters().degree()).weight;
        let lift_base = f64::from(LIFT_BASE_LOG).exp2();
        let lift_levels = f64::from(LIFT_LEVELS);
        let fresh_large = variance(parameters.glwe_noise_distribution);
        let lift = switching(degree, weight, lift_base, lift_levels, fresh_large);
        let base = (parameters.ks_base_log.0 as f64).exp2();
        // The weight of a binary key is at most its dimension, whatever key was drawn.
        let key_switch =
            switching(large, large, base, parameters.ks_level.0 as f64, variance(parameters.lwe_noise_distribution));
        let steps = 2.0 * parameters.polynomial_size.0 as f64;
        let bootstrap = pbs_variance_132_bits_security_tuniform_fft_mul(
            parameters.lwe_dimension,
            parameters.glwe_dimension,
            parameters.polynomial_size,
            parameters.pbs_base_log,
            parameters.pbs_level,
            MANTISSA,
            TORUS,
        );
        Self {
            lift: lift.sqrt(),
            key_switch: key_switch.sqrt(),
            // Centred: sum of e_i (s_i - 1/2) over the mask and e of the body, each e uniform in one step.
            modulus_switch: (small / 48.0 + 1.0 / 12.0).sqrt() / steps,
            bootstrap: (BOOTSTRAP_ALLOWANCE * bootstrap.0).sqrt(),
        }
    }
}

/// Variance of a fresh error, fraction of the torus squared.
fn variance(distribution: DynamicDistribution<u64>) -> f64 {
    match distribution {
        DynamicDistribution::Gaussian(gaussian) => gaussian.standard_dev().0.powi(2),
        // Uniform from -2^b to 2^b, the ends with half the weight.
        DynamicDistribution::TUniform(uniform) => {
            ((2.0 * f64::from(uniform.bound_log2()) + 1.0).exp2() + 1.0) / 6.0 / TORUS.powi(2)
        }
    }
}

/// Variance of a key switching from `dimension` coefficients of squared norm `energy`: balanced digits times fresh errors, and what the digits leave.
fn switching(dimension: f64, energy: f64, base: f64, levels: f64, fresh: f64) -> f64 {
    let digits = levels * dimension * fresh * (base * base / 12.0 + 1.0 / 6.0);
    digits + energy * base.powf(-2.0 * levels) / 12.0
}
