//! What is compared: the answers of a BFV set, and the scores in their coefficients.

use blindrelay_engine::bfv::Context;
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::operator::ValueRange;
use blindrelay_engine::params::Parameters;

use super::error::BridgeError;

/// Answers of one BFV parameter set, with the public bound on their noise and the scores in them.
#[derive(Clone, Debug)]
pub struct Source {
    parameters: Parameters,
    plaintext_modulus: u64,
    answer_modulus: u64,
    noise_log2: f64,
    scores: ValueRange,
    divisor: u64,
}

impl Source {
    /// Answers of `context`'s set whose noise is within `noise` (after the switch to the answer prime, two components), and whose coefficients hold
    /// `score / divisor` for the scores of `scores`.
    ///
    /// A divisor above 1 is for scores that have a step above 1 and would fill the plaintext modulus: the key holder multiplies the probe by
    /// the divisor's inverse modulo `t`, which costs no noise, and the scores take less of the torus. At `match-2048` scores of signs run from -128 to
    /// 128 in steps of 2 with `t` = 257; divided by 2 they run from -64 to 64.
    pub fn new(context: &Context, noise: NoiseBound, scores: ValueRange, divisor: u64) -> Result<Self, BridgeError> {
        let parameters = context.parameters();
        let ValueRange { minimum, maximum, step } = scores;
        let limit = context.plaintext_limit();
        let refused = BridgeError::Scores { minimum, maximum, step, divisor, limit };
        if step == 0 || divisor == 0 || !step.is_multiple_of(divisor) || minimum >= maximum {
            return Err(refused);
        }
        let reaches = minimum.unsigned_abs().max(maximum.unsigned_abs());
        let multiples = minimum.unsigned_abs().is_multiple_of(step) && maximum.unsigned_abs().is_multiple_of(step);
        if !multiples || reaches / divisor > limit {
            return Err(refused);
        }
        let answer_modulus = parameters
            .answer_basis()
            .and_then(|basis| basis.moduli().first().map(|modulus| modulus.value()))
            .ok_or_else(|| BridgeError::NoAnswers { name: parameters.name().to_owned() })?;
        let (bound_log2, limit_log2) = (noise.sup_log2(), context.answer_limit_log2());
        if bound_log2.is_nan() || bound_log2 > limit_log2 {
            return Err(BridgeError::Noise { bound_log2, limit_log2 });
        }
        Ok(Self {
            parameters: parameters.clone(),
            plaintext_modulus: context.plaintext_modulus().value(),
            answer_modulus,
            noise_log2: bound_log2,
            scores,
            divisor,
        })
    }

    /// The BFV set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The scores.
    pub fn scores(&self) -> ValueRange {
        self.scores
    }

    /// What scores are divided by in the coefficients.
    pub fn divisor(&self) -> u64 {
        self.divisor
    }

    /// The answer prime.
    pub fn answer_modulus(&self) -> u64 {
        self.answer_modulus
    }

    pub(super) fn plaintext_modulus(&self) -> u64 {
        self.plaintext_modulus
    }

    /// Bound on the noise as a fraction of the torus.
    pub(super) fn noise_on_torus(&self) -> f64 {
        self.noise_log2.exp2() / self.answer_modulus as f64
    }

    /// Distance of neighbouring scores in the coefficients.
    pub(super) fn spacing(&self) -> u64 {
        self.scores.step / self.divisor
    }

    /// Largest magnitude of a score's rank, the score divided by the step.
    pub(super) fn largest_rank(&self) -> u64 {
        self.scores.minimum.unsigned_abs().max(self.scores.maximum.unsigned_abs()) / self.scores.step
    }

    /// Number of steps from the smallest to the largest score.
    pub(super) fn steps(&self) -> u64 {
        self.scores.maximum.abs_diff(self.scores.minimum) / self.scores.step
    }

    /// The smallest rank whose score is at least `threshold`.
    pub(super) fn rank_of(&self, threshold: i64) -> Result<i64, BridgeError> {
        let ValueRange { minimum, maximum, step } = self.scores;
        if threshold <= minimum || threshold > maximum {
            return Err(BridgeError::Threshold { threshold, minimum, maximum });
        }
        let step = step as i64;
        Ok(threshold.div_euclid(step) + i64::from(threshold.rem_euclid(step) != 0))
    }
}
