//! Plaintexts: slots scaled, interpolated and rounded to integer coefficients.

use blindrelay_kernels::Modulus;
use zeroize::{Zeroize, Zeroizing};

use super::bounds::{self, Bounds, log2_sum};
use super::context::Context;
use super::embedding::Complex;
use super::scale::Scale;
use crate::error::Error;
use crate::params::{Level, ParameterDigest, ParameterError};
use crate::ring::{Coeff, Ntt, Poly};

/// How values are encoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    /// The level of the ciphertexts that it will meet.
    pub level: Level,
    /// The scale.
    pub scale: Scale,
    /// A public bound on the magnitude of every value: part of the ciphertext's shape, never measured from the values.
    pub limit: f64,
}

impl Encoding {
    /// For a level.
    #[must_use]
    pub fn at(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// With another scale.
    #[must_use]
    pub fn with_scale(self, scale: Scale) -> Self {
        Self { scale, ..self }
    }

    /// For values up to this magnitude.
    #[must_use]
    pub fn within(self, limit: f64) -> Self {
        Self { limit, ..self }
    }
}

/// An encoded vector. It is wiped on drop and never printed.
#[derive(Clone)]
pub struct Plaintext {
    poly: Poly<Ntt>,
    encoding: Encoding,
    bounds: Bounds,
    parameters: ParameterDigest,
}

impl Drop for Plaintext {
    fn drop(&mut self) {
        self.poly.zeroize();
    }
}

impl std::fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Plaintext(..)")
    }
}

impl Plaintext {
    /// The polynomial over the primes of its level.
    pub fn poly(&self) -> &Poly<Ntt> {
        &self.poly
    }

    /// Level, scale and limit.
    pub fn encoding(&self) -> &Encoding {
        &self.encoding
    }

    /// Bounds on the values and on the rounding.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Digest of the parameter set it was encoded for.
    pub fn parameters(&self) -> ParameterDigest {
        self.parameters
    }
}

/// `2^-48` of the largest value covers the errors of the transform in double precision (13 to 16 layers with errors of `2^-53` each, of random signs) and of the
/// scale's value: what an encoding at a very large scale is limited by.
const TRANSFORM_LOG2: f64 = -48.0;

impl Context {
    /// Values up to 1 in magnitude, at the top level and the default scale.
    pub fn encoding(&self) -> Encoding {
        Encoding { level: self.parameters().top_level(), scale: self.default_scale(), limit: 1.0 }
    }

    /// Value `j` goes to slot `j`; absent slots are zero. Refused: more values than slots, a value that is not finite or above the
    /// encoding's limit, a scale at which the limit does not fit the level.
    pub fn encode_real(&self, values: &[f64], encoding: &Encoding) -> Result<Plaintext, Error> {
        let values: Zeroizing<Vec<Complex>> =
            Zeroizing::new(values.iter().map(|&value| Complex::new(value, 0.0)).collect());
        self.encode_complex(&values, encoding)
    }

    /// [`Context::encode_real`] for complex values.
    pub fn encode_complex(&self, values: &[Complex], encoding: &Encoding) -> Result<Plaintext, Error> {
        if values.len() > self.slot_count() {
            return Err(Error::TooManyValues { found: values.len(), capacity: self.slot_count() });
        }
        // The scan does not stop early, so that its time does not tell where a private value is.
        let refused = |z: &Complex| !z.abs().is_finite() || z.abs() > encoding.limit;
        let outside = values
            .iter()
            .enumerate()
            .rev()
            .fold(None, |found, (index, z)| if refused(z) { Some(index) } else { found });
        if let Some(index) = outside {
            return Err(Error::NumberOutOfRange { index, limit: encoding.limit });
        }
        let bounds = self.encoding_bounds(encoding, bounds::encoding(self.parameters().degree()))?;
        let ring = self.ring(encoding.level)?;
        let scale = encoding.scale.value();
        let mut scaled: Zeroizing<Vec<f64>> = Zeroizing::new(self.embedding().interpolate(values));
        scaled.iter_mut().for_each(|value| *value = libm::rint(*value * scale));
        let mut poly = Poly::<Coeff>::zero(ring.basis());
        fill(&mut poly, &scaled, bounds.phase())?;
        Ok(Plaintext {
            poly: poly.into_ntt(),
            encoding: encoding.clone(),
            bounds,
            parameters: self.parameters().digest(),
        })
    }

    /// The bounds of an encoding whose rounding is at most `2^rounding` at every root; refused where it does not fit its level.
    pub(super) fn encoding_bounds(&self, encoding: &Encoding, rounding: f64) -> Result<Bounds, Error> {
        let (message, limit_log2) =
            (encoding.scale.log2() + libm::log2(encoding.limit), self.limit_log2(encoding.level));
        if !(encoding.limit > 0.0 && encoding.limit.is_finite()) {
            return Err(Error::NumberOutOfRange { index: 0, limit: encoding.limit });
        }
        self.ring(encoding.level)?;
        let bounds = Bounds { message, error: log2_sum(rounding, message + TRANSFORM_LOG2) };
        if bounds.phase() > limit_log2 || message > 1000.0 {
            return Err(Error::Magnitude { operation: "encoding", bound_log2: bounds.phase(), limit_log2 });
        }
        Ok(bounds)
    }

    /// The slots of a polynomial with these coefficients, divided by the scale.
    pub fn decode(&self, coefficients: &[f64], scale: &Scale) -> Vec<Complex> {
        let factor = 1.0 / scale.value();
        let slots = self.embedding().evaluate(coefficients);
        slots.into_iter().map(|z| Complex::new(z.re * factor, z.im * factor)).collect()
    }
}

/// A 50-bit prime: what is below half of it travels to the other primes as a centred residue of it, by vectors.
const CARRIER: u64 = 1_125_899_906_826_241;

/// The residues of integers given as doubles, of magnitudes up to about `2^bound_log2`, a public bound that chooses the way.
fn fill(poly: &mut Poly<Coeff>, integers: &[f64], bound_log2: f64) -> Result<(), Error> {
    if bound_log2 < 48.0 {
        let carrier = Modulus::new(CARRIER).map_err(ParameterError::from)?;
        let signed = integers.iter().map(|&integer| integer as i64);
        // A negative integer gets the prime added, without a branch.
        let carried: Zeroizing<Vec<u64>> =
            Zeroizing::new(signed.map(|integer| (integer + (CARRIER as i64 & (integer >> 63))) as u64).collect());
        for (limb, residues) in poly.limbs_mut() {
            limb.arithmetic().lift_centred(residues, &carried, carrier);
        }
        return Ok(());
    }
    for (limb, residues) in poly.limbs_mut() {
        let modulus = limb.modulus();
        for (residue, &integer) in residues.iter_mut().zip(integers) {
            *residue = residue_of(integer, modulus);
        }
    }
    Ok(())
}

/// The residue of an integer given as a double.
pub(super) fn residue_of(integer: f64, modulus: Modulus) -> u64 {
    if integer.abs() < 9.0e18 {
        return modulus.from_signed(integer as i64);
    }
    // Above 2^62 a double is a 53-bit integer times a power of two.
    let (fraction, exponent) = libm::frexp(integer);
    let mantissa = modulus.from_signed(libm::ldexp(fraction, 53) as i64);
    modulus.mul(mantissa, modulus.pow(2, u64::from((exponent - 53).unsigned_abs())))
}

#[cfg(test)]
mod tests {
    use blindrelay_kernels::Backend;
    use sha3::{Digest, Sha3_256};

    use super::*;
    use crate::params::{Parameters, STATS_8192, preset};

    fn digest(plaintext: &Plaintext) -> u64 {
        let bytes: Vec<u8> = plaintext.poly().residues().iter().flat_map(|residue| residue.to_le_bytes()).collect();
        Sha3_256::digest(&bytes).iter().take(8).fold(0, |word, &byte| word << 8 | u64::from(byte))
    }

    /// Encodings are part of what a service computes, so every platform has to give the same integers.
    #[test]
    fn encodings_are_the_same_integers_everywhere() {
        for backend in Backend::available() {
            let parameters = Parameters::new(preset(STATS_8192).unwrap(), backend).unwrap();
            let context = Context::new(&parameters).unwrap();
            let values: Vec<f64> =
                (0..4096).map(|j| libm::sin(f64::from(j) * 0.37) / (1.0 + f64::from(j % 11))).collect();
            for (scale, expected) in [(40, 0xd356_d50c_6af4_a8a1), (70, 0xef2a_c307_6470_b339)] {
                let encoding = context.encoding().with_scale(Scale::power_of_two(scale));
                assert_eq!(digest(&context.encode_real(&values, &encoding).unwrap()), expected, "scale 2^{scale}");
            }
        }
    }
}
