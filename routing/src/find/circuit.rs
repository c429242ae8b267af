//! What is computed: score, decision, selection.

use std::ops::RangeInclusive;

use blindrelay_engine::Error;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::circuit::{Arithmetic, Circuit, Shape, Threshold, ValueSet};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::params::Level;
use blindrelay_engine::ring::NttDivision;

use super::layout::FindLayout;
use super::record::PAYLOAD_LEVEL;
use super::request::{FindKind, FindRequest};
use crate::layout::TOKEN_ENTRIES;

/// The thresholds that decide something about a sum of 128 signs. An odd one decides as the even one above it.
pub const THRESHOLDS: RangeInclusive<i64> = -127..=128;

/// Levels that the decision takes: a polynomial of degree 128.
const DECISION_LEVELS: usize = 7;

/// The decision; refused for a threshold outside [`THRESHOLDS`].
pub(super) fn threshold(threshold: i64) -> Result<Threshold, Error> {
    let most = TOKEN_ENTRIES as i64;
    Threshold::new(ValueSet::new(-most, most, 2)?, threshold)
}

/// The circuit of one group. Inputs: probe, sum of tokens, sum of payloads (not for a count). Output: of a request for tickets the payloads of those who match, zero in the slots of everybody
/// else; of a count 1 in the slots of those who match, and of empty places where the threshold is not above 0. Held as it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindCircuit {
    layout: FindLayout,
    threshold: Threshold,
    kind: FindKind,
}

impl FindCircuit {
    /// Refused for a threshold outside [`THRESHOLDS`].
    pub fn new(layout: FindLayout, least: i64, kind: FindKind) -> Result<Self, Error> {
        Ok(Self { layout, threshold: threshold(least)?, kind })
    }
}

/// Noise of a fresh record's ciphertext at `level` after the mask and one level lower.
pub(super) fn masked_noise(context: &Context, level: Level) -> Result<NoiseBound, Error> {
    let degree = context.parameters().degree();
    let ring = context.parameters().at(level).ok_or(Error::LevelExhausted)?;
    let divisor = ring.drop_prime().map(NttDivision::divisor_log2).ok_or(Error::LevelExhausted)?;
    let mask = libm::log2(degree as f64 * context.plaintext_limit() as f64);
    Ok(NoiseBound::fresh_secret(degree).times_one_norm(mask).scaled(-divisor).plus(NoiseBound::rounding(2, degree)))
}

/// Noise of a sum of so many ciphertexts of this noise.
pub(super) fn sum_noise(one: NoiseBound, count: usize) -> NoiseBound {
    one.scaled(libm::log2(count as f64))
}

impl Circuit for FindCircuit {
    fn name(&self) -> String {
        format!("a find with threshold {}", self.threshold.threshold())
    }

    /// Full groups.
    fn inputs(&self, context: &Context) -> Result<Vec<Shape>, Error> {
        let parameters = context.parameters();
        let fresh = NoiseBound::fresh_secret(parameters.degree());
        let probe = Shape { level: FindRequest::probe_level(parameters), noise: fresh, factor: 1 };
        let sum = |level: Level| {
            let noise = sum_noise(masked_noise(context, level)?, self.layout.capacity());
            Ok::<_, Error>(Shape { level: Level(level.0 - 1), noise, factor: 1 })
        };
        Ok(vec![probe, sum(parameters.top_level())?, sum(PAYLOAD_LEVEL)?])
    }

    fn run<A: Arithmetic>(&self, arithmetic: &A, inputs: &[A::Value]) -> Result<Vec<A::Value>, Error> {
        let short = || Error::Inputs { expected: 3, found: inputs.len() };
        let [probe, tokens, rest @ ..] = inputs else { return Err(short()) };
        let score = self.layout.score().apply(arithmetic, probe, tokens)?;
        match self.kind {
            FindKind::Count => Ok(vec![self.threshold.apply(arithmetic, &score, 1)?]),
            FindKind::Tickets => {
                let payloads = rest.first().ok_or_else(short)?;
                // Held so that the product with the payloads is held as it is meant: at level l it gains Q_l mod t.
                let context = arithmetic.context();
                let level =
                    arithmetic.shape(&score).level.0.checked_sub(DECISION_LEVELS).ok_or(Error::LevelExhausted)?;
                let gained = context.modulus_residue(Level(level));
                let factor = context.plaintext_modulus().inverse(gained).ok_or(Error::LevelExhausted)?;
                let decisions = self.threshold.apply(arithmetic, &score, factor)?;
                Ok(vec![arithmetic.multiply_in_place(&decisions, payloads)?])
            }
        }
    }
}
