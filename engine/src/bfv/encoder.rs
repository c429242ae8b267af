//! Plaintexts, and the two ways of filling them: coefficients, and slots (SIMD batching; Smart and Vercauteren, *Fully homomorphic SIMD
//! operations*, 2014).

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::context::Context;
use crate::error::Error;

/// A polynomial modulo `t`. It is wiped on drop and never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Plaintext {
    residues: Vec<u64>,
    #[zeroize(skip)]
    parameters: crate::params::ParameterDigest,
    /// Public bound on the sum of the coefficients' magnitudes.
    #[zeroize(skip)]
    one_norm: u128,
}

impl std::fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Plaintext(..)")
    }
}

impl Plaintext {
    /// From canonical residues modulo `t`, one a coefficient.
    pub fn from_residues(context: &Context, residues: Vec<u64>) -> Result<Self, Error> {
        let (degree, t) = (context.parameters().degree(), context.plaintext_modulus().value());
        if residues.len() != degree {
            return Err(Error::TooManyValues { found: residues.len(), capacity: degree });
        }
        if let Some(index) = residues.iter().position(|&value| value >= t) {
            return Err(Error::ValueOutOfRange { index, limit: t / 2 });
        }
        let one_norm = degree as u128 * u128::from(t / 2);
        Ok(Self { residues, parameters: context.parameters().digest(), one_norm })
    }

    /// Canonical residues modulo `t`, one a coefficient.
    pub fn residues(&self) -> &[u64] {
        &self.residues
    }

    /// Digest of the parameter set it was encoded for.
    pub fn parameters(&self) -> crate::params::ParameterDigest {
        self.parameters
    }

    /// Base-2 logarithm of a public bound on the sum of the coefficients' magnitudes. It follows from the encoding (how many values, how
    /// large they may be), not from the values.
    pub fn one_norm_log2(&self) -> f64 {
        libm::log2(self.one_norm.max(1) as f64)
    }
}

impl Context {
    /// Value `i` becomes the coefficient of `X^i`. Every magnitude must be at most `limit`, which must not exceed
    /// [`Context::plaintext_limit`]; absent coefficients are zero. The noise bound of products uses `limit` and the number of values.
    pub fn encode_coefficients_within(&self, values: &[i64], limit: u64) -> Result<Plaintext, Error> {
        let capacity = self.parameters().degree();
        let limit = limit.min(self.plaintext_limit());
        Self::check_values(values, limit, capacity)?;
        let mut residues = vec![0; capacity];
        residues.iter_mut().zip(values).for_each(|(residue, &value)| *residue = self.residue_of(value));
        let one_norm = values.len() as u128 * u128::from(limit);
        Ok(Plaintext { residues, parameters: self.parameters().digest(), one_norm })
    }

    /// [`Context::encode_coefficients_within`] for the whole range of the plaintext.
    pub fn encode_coefficients(&self, values: &[i64]) -> Result<Plaintext, Error> {
        self.encode_coefficients_within(values, self.plaintext_limit())
    }

    /// Value `i` goes to slot `i`: first the `n / 2` slots of row 0, then those of row 1. Absent slots are zero.
    pub fn encode_slots(&self, values: &[i64]) -> Result<Plaintext, Error> {
        let slots = self.slots()?;
        Self::check_values(values, self.plaintext_limit(), slots.positions.len())?;
        let mut residues = vec![0; self.parameters().degree()];
        for (&position, &value) in slots.positions.iter().zip(values) {
            if let Some(place) = residues.get_mut(position) {
                *place = self.residue_of(value);
            }
        }
        slots.plan.inverse(&mut residues);
        let one_norm = residues.len() as u128 * u128::from(self.plaintext_limit());
        Ok(Plaintext { residues, parameters: self.parameters().digest(), one_norm })
    }

    /// The centred coefficients.
    pub fn decode_coefficients(&self, plaintext: &Plaintext) -> Vec<i64> {
        plaintext.residues.iter().map(|&value| self.plaintext_modulus().centre(value)).collect()
    }

    /// The centred slots.
    pub fn decode_slots(&self, plaintext: &Plaintext) -> Result<Vec<i64>, Error> {
        let slots = self.slots()?;
        let mut values = zeroize::Zeroizing::new(plaintext.residues.clone());
        slots.plan.forward(&mut values);
        let t = self.plaintext_modulus();
        Ok(slots.positions.iter().filter_map(|&position| values.get(position)).map(|&value| t.centre(value)).collect())
    }

    /// Refuses too many values, and values beyond the limit.
    fn check_values(values: &[i64], limit: u64, capacity: usize) -> Result<(), Error> {
        if values.len() > capacity {
            return Err(Error::TooManyValues { found: values.len(), capacity });
        }
        // Values within the limit, all or none, take the same time; where one is too large the error tells.
        if !values.iter().fold(false, |outside, value| outside | (value.unsigned_abs() > limit)) {
            return Ok(());
        }
        let index = values.iter().position(|value| value.unsigned_abs() > limit).unwrap_or_default();
        Err(Error::ValueOutOfRange { index, limit })
    }

    /// The canonical residue of a value within the plaintext limit.
    fn residue_of(&self, value: i64) -> u64 {
        (value + (self.plaintext_modulus().value() as i64 & (value >> 63))) as u64
    }
}
