//! The tables that BFV adds to a parameter set.

use std::sync::Arc;

use blindrelay_kernels::{Modulus, NttPlan, RnsScaler, ntt_primes_below};

use super::multiply::{Extended, auxiliary_log2};
use crate::error::Error;
use crate::params::{Level, ParameterError, Parameters, Scheme};
use crate::ring::{Basis, Coeff, Poly};

/// Width of the auxiliary primes of a product: as wide as the transform without corrections takes at `n = 8192`.
const AUXILIARY_BITS: u32 = 46;

/// Where the slots are: evaluation positions of both rows, and the transform modulo `t`.
#[derive(Debug)]
pub(super) struct Slots {
    pub(super) plan: NttPlan,
    /// `positions[i]` is the place of slot `i` in the transform's order.
    pub(super) positions: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct BfvLevel {
    /// `m -> round(Q m / t)`.
    pub(super) scale_up: RnsScaler,
    /// `x -> round(t x / Q) mod t`.
    pub(super) scale_down: RnsScaler,
    pub(super) extended: Extended,
    /// `log2(Q)` of the level.
    pub(super) log2_q: f64,
    /// Whether `Q = 1 mod t`, which lets a product stay in the basis.
    pub(super) unit_residue: bool,
}

/// A BFV parameter set with the tables of encoding, decoding and products.
#[derive(Debug)]
pub struct Context {
    parameters: Parameters,
    plaintext: Modulus,
    levels: Vec<BfvLevel>,
    answer_down: Option<RnsScaler>,
    slots: Option<Slots>,
}

impl Context {
    /// Builds the tables. Refused for a set of another scheme.
    pub fn new(parameters: &Parameters) -> Result<Arc<Self>, ParameterError> {
        let Scheme::Bfv { plaintext_modulus } = parameters.spec().scheme else {
            return Err(ParameterError::WrongScheme { name: parameters.name().to_owned(), wanted: "BFV" });
        };
        let plaintext = Modulus::new(plaintext_modulus)?;
        let backend = parameters.backend();
        let auxiliary = auxiliary_basis(parameters, plaintext)?;
        let levels = (0..=parameters.top_level().0)
            .filter_map(|level| parameters.at(Level(level)))
            .map(|ring| {
                let (basis, moduli) = (ring.basis(), ring.basis().moduli());
                let numerator: Vec<u64> = moduli.iter().map(|m| m.value()).collect();
                let residue = moduli.iter().fold(1, |all, m| plaintext.mul(all, plaintext.reduce(m.value())));
                Ok(BfvLevel {
                    scale_up: RnsScaler::divide(&[plaintext], &moduli, &numerator, backend)?,
                    scale_down: RnsScaler::divide(&moduli, &[plaintext], &[plaintext_modulus], backend)?,
                    extended: Extended::new(basis, &auxiliary, plaintext_modulus, backend)?,
                    log2_q: basis.log2(),
                    unit_residue: residue == 1,
                })
            })
            .collect::<Result<Vec<_>, ParameterError>>()?;
        let answer_down = parameters
            .answer_basis()
            .map(|basis| RnsScaler::divide(&basis.moduli(), &[plaintext], &[plaintext_modulus], backend))
            .transpose()?;
        let slots = slots(parameters, plaintext);
        Ok(Arc::new(Self { parameters: parameters.clone(), plaintext, levels, answer_down, slots }))
    }

    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The plaintext modulus `t`.
    pub fn plaintext_modulus(&self) -> Modulus {
        self.plaintext
    }

    /// The largest magnitude of a plaintext value, `(t - 1) / 2`.
    pub fn plaintext_limit(&self) -> u64 {
        self.plaintext.value() / 2
    }

    /// How many slots a plaintext has; `None` where `t` is not 1 modulo `2 n`.
    pub fn slot_count(&self) -> Option<usize> {
        self.slots.as_ref().map(|slots| slots.positions.len())
    }

    /// Base-2 logarithm of the largest noise that decrypts correctly at a level: `Q / (2 t)`.
    pub fn noise_limit_log2(&self, level: Level) -> f64 {
        self.at(level).map_or(f64::NEG_INFINITY, |tables| self.limit(tables.log2_q))
    }

    /// The same for answers switched to the answer prime.
    pub fn answer_limit_log2(&self) -> f64 {
        self.parameters.answer_basis().map_or(f64::NEG_INFINITY, |basis| self.limit(basis.log2()))
    }

    fn limit(&self, log2_q: f64) -> f64 {
        log2_q - 1.0 - libm::log2(self.plaintext.value() as f64)
    }

    /// `round(t x / Q) mod t`, coefficient by coefficient: what a phase says. Canonical residues modulo `t`.
    pub fn round_phase(&self, phase: &Poly<Coeff>, level: Level) -> Vec<u64> {
        let mut message = vec![0; self.parameters.degree()];
        if let Some(tables) = self.at(level) {
            tables.scale_down.apply(phase.residues(), None, &mut message);
        }
        message
    }

    /// The same for residues modulo the answer prime, any number of them. `None` where the set has no answer prime.
    pub fn round_answer(&self, residues: &[u64]) -> Option<Vec<u64>> {
        let mut message = vec![0; residues.len()];
        self.answer_down.as_ref()?.apply(residues, None, &mut message);
        Some(message)
    }

    pub(super) fn at(&self, level: Level) -> Option<&BfvLevel> {
        self.levels.get(level.0)
    }

    pub(super) fn slots(&self) -> Result<&Slots, Error> {
        let order = 2 * self.parameters.degree() as u64;
        self.slots.as_ref().ok_or(Error::NoSlots { plaintext: self.plaintext.value(), order })
    }
}

/// Auxiliary primes for the top level, wide enough by [`auxiliary_log2`].
fn auxiliary_basis(parameters: &Parameters, plaintext: Modulus) -> Result<Arc<Basis>, ParameterError> {
    let degree = parameters.degree();
    let needed = auxiliary_log2(parameters.top().basis(), plaintext.value());
    let count = libm::ceil(needed / (f64::from(AUXILIARY_BITS) - 0.01)) as usize;
    // A set may itself use primes of this width; take enough candidates to leave those out.
    let taken: Vec<u64> = parameters
        .key_basis()
        .moduli()
        .iter()
        .map(|m| m.value())
        .chain([plaintext.value()])
        .chain(parameters.spec().answer_prime)
        .collect();
    let primes: Vec<u64> = ntt_primes_below(AUXILIARY_BITS, 2 * degree as u64, count + taken.len())?
        .into_iter()
        .filter(|prime| !taken.contains(prime))
        .take(count)
        .collect();
    Ok(Basis::new(degree, &primes, parameters.backend())?)
}

fn slots(parameters: &Parameters, plaintext: Modulus) -> Option<Slots> {
    let degree = parameters.degree();
    let order = 2 * degree;
    let plan = NttPlan::new(plaintext, degree, parameters.backend()).ok()?;
    let mut place = vec![0; order];
    for i in 0..degree {
        *place.get_mut(blindrelay_kernels::evaluation_exponent(degree, i))? = i;
    }
    // Row 0 holds the exponents 3^i, row 1 their negatives, so that X -> X^3 rotates both rows by one.
    let first: Vec<usize> = std::iter::successors(Some(1), |power| Some(power * 3 % order)).take(degree / 2).collect();
    let second = first.iter().map(|exponent| order - exponent).collect::<Vec<_>>();
    let positions = first.iter().chain(&second).filter_map(|&exponent| place.get(exponent).copied()).collect();
    Some(Slots { plan, positions })
}
