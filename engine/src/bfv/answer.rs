//! Answers: ciphertexts that will only be opened, cut to what the opening needs.
//!
//! Every component is switched to the answer prime, and of the first only the coefficients that carry results are kept: that
//! shrinks the answer, and nothing else can be opened from it.

use super::ciphertext::Ciphertext;
use super::context::Context;
use super::evaluator::Evaluator;
use crate::error::Error;
use crate::noise::NoiseBound;
use crate::params::{Level, Parameters};
use crate::ring::{Coeff, Poly};

/// The part of a ciphertext that opens the coefficients at `positions`, modulo the answer prime.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    parameters: Parameters,
    positions: Vec<u32>,
    body: Vec<u64>,
    rest: Vec<Poly<Coeff>>,
}

impl Answer {
    /// From its parts. `positions` must ascend and be below `n`, `body` hold one residue a position, `rest` one or two polynomials
    /// over the answer prime; `None` otherwise.
    pub fn new(parameters: &Parameters, positions: Vec<u32>, body: Vec<u64>, rest: Vec<Poly<Coeff>>) -> Option<Self> {
        let basis = parameters.answer_basis()?;
        let ascending = positions.is_sorted_by(|a, b| a < b);
        let inside = positions.last().is_none_or(|&last| (last as usize) < parameters.degree());
        let shaped = body.len() == positions.len() && (1..=2).contains(&rest.len());
        let canonical = basis.moduli().first().is_some_and(|p| body.iter().all(|&x| x < p.value()));
        let right_basis = rest.iter().all(|poly| poly.basis() == basis);
        (ascending && inside && shaped && canonical && right_basis).then(|| Self {
            parameters: parameters.clone(),
            positions,
            body,
            rest,
        })
    }

    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Which coefficients can be opened, ascending.
    pub fn positions(&self) -> &[u32] {
        &self.positions
    }

    /// The first component at those coefficients, residues modulo the answer prime.
    pub fn body(&self) -> &[u64] {
        &self.body
    }

    /// The other components.
    pub fn rest(&self) -> &[Poly<Coeff>] {
        &self.rest
    }
}

impl Evaluator {
    /// The answer that opens the coefficients of `a` at `positions` (ascending, below `n`). It consumes the ciphertext: its buffers are
    /// transformed in place.
    pub fn answer(&self, a: Ciphertext, positions: &[u32]) -> Result<Answer, Error> {
        self.check(&a)?;
        let parameters = self.context().parameters();
        let ring = parameters.at(a.level()).ok_or(Error::LevelExhausted)?;
        let scaling = ring.to_answer().ok_or_else(|| Error::Unsupported {
            name: parameters.name().to_owned(),
            operation: "answers",
            reason: "it has no answer prime",
        })?;
        self.context().answer_noise(a.noise(), a.level(), a.rlwe().components().len())?;
        let mut components = a.into_rlwe().into_components().into_iter().map(Poly::into_coeff);
        let body = components.next().map(|first| gather(&first, positions)).unwrap_or_default();
        let mut switched = vec![0; positions.len()];
        if body.len() != positions.len() * ring.basis().len() {
            return Err(Error::TooManyValues { found: positions.len(), capacity: parameters.degree() });
        }
        scaling.apply_into(&body, None, &mut switched);
        let rest = components.map(|component| scaling.apply(&component)).collect();
        Answer::new(parameters, positions.to_vec(), switched, rest)
            .ok_or(Error::TooManyValues { found: positions.len(), capacity: parameters.degree() })
    }
}

/// The coefficients at `positions`, for one prime after the other; those beyond the degree are left out.
fn gather(poly: &Poly<Coeff>, positions: &[u32]) -> Vec<u64> {
    let of_limb =
        |values: &[u64]| positions.iter().filter_map(|&p| values.get(p as usize).copied()).collect::<Vec<_>>();
    poly.limbs().flat_map(|(_, values)| of_limb(values)).collect()
}

impl Context {
    /// The noise of an answer made from a ciphertext of this noise, level and number of components; refused where it could fail to open.
    /// This is the dry run of [`Evaluator::answer`].
    pub fn answer_noise(&self, noise: NoiseBound, level: Level, components: usize) -> Result<NoiseBound, Error> {
        let degree = self.parameters().degree();
        let answer_log2 = self.parameters().answer_basis().map_or(0.0, |basis| basis.log2());
        let log2_q = self.parameters().at(level).ok_or(Error::LevelExhausted)?.basis().log2();
        let noise = noise.scaled(answer_log2 - log2_q).plus(NoiseBound::rounding(components, degree));
        let limit_log2 = self.answer_limit_log2();
        if noise.sup_log2() <= limit_log2 {
            Ok(noise)
        } else {
            Err(Error::Noise { operation: "switching to the answer prime", bound_log2: noise.sup_log2(), limit_log2 })
        }
    }
}
