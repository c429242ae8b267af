//! Sums and products of ciphertexts and plaintexts.

use super::ciphertext::Ciphertext;
use super::encoder::Plaintext;
use super::evaluator::Evaluator;
use crate::error::{Error, Object};
use crate::noise::NoiseBound;
use crate::params::{Level, Parameters};
use crate::ring::{Ntt, Poly};
use crate::rlwe;

/// A plaintext multiplicand in evaluation form at one level.
#[derive(Clone, Debug)]
pub struct PreparedPlaintext {
    parameters: Parameters,
    level: Level,
    poly: Poly<Ntt>,
    one_norm_log2: f64,
}

impl Evaluator {
    /// `a + m`.
    pub fn add_plain(&self, a: &Ciphertext, plaintext: &Plaintext) -> Result<Ciphertext, Error> {
        self.combine_plain(a, plaintext, Poly::add_assign)
    }

    /// `a - m`.
    pub fn sub_plain(&self, a: &Ciphertext, plaintext: &Plaintext) -> Result<Ciphertext, Error> {
        self.combine_plain(a, plaintext, Poly::sub_assign)
    }

    fn combine_plain(
        &self,
        a: &Ciphertext,
        plaintext: &Plaintext,
        verb: fn(&mut Poly<Ntt>, &Poly<Ntt>),
    ) -> Result<Ciphertext, Error> {
        self.check(a)?;
        let message = self.context().scale_message(plaintext, a.level())?.into_ntt();
        // The rounding of Q m' / t.
        let noise = a.noise().plus(NoiseBound::from_sup(0.5, self.context().parameters().degree()));
        self.context().admit("addition of a plaintext", noise, a.level())?;
        let mut sum = a.clone();
        let (rlwe, bound) = sum.parts_mut();
        if let Some(body) = rlwe.components_mut().first_mut() {
            verb(body, &message);
        }
        *bound = noise;
        Ok(sum)
    }

    /// Brings a plaintext multiplicand to evaluation form, once for many products.
    pub fn prepare_plaintext(&self, plaintext: &Plaintext, level: Level) -> Result<PreparedPlaintext, Error> {
        self.context().check_plaintext(plaintext)?;
        let ring = self.context().parameters().at(level).ok_or(Error::LevelExhausted)?;
        let t = self.context().plaintext_modulus();
        let mut poly = Poly::stale(ring.basis());
        for (limb, values) in poly.limbs_mut() {
            limb.arithmetic().lift_centred(values, plaintext.residues(), t);
        }
        let parameters = self.context().parameters().clone();
        Ok(PreparedPlaintext { parameters, level, poly: poly.into_ntt(), one_norm_log2: plaintext.one_norm_log2() })
    }

    /// `a m`. The plaintext is not hidden by the product: whoever can open the result and `a` learns it.
    pub fn mul_plain(&self, a: &Ciphertext, plaintext: &Plaintext) -> Result<Ciphertext, Error> {
        self.mul_prepared_plain(a, &self.prepare_plaintext(plaintext, a.level())?)
    }

    /// `a m` for a prepared plaintext. Refused where the product is transparent (a zero plaintext).
    pub fn mul_prepared_plain(&self, a: &Ciphertext, plaintext: &PreparedPlaintext) -> Result<Ciphertext, Error> {
        self.check(a)?;
        self.context().same_parameters(Object::Plaintext, &plaintext.parameters)?;
        if a.level() != plaintext.level {
            return Err(Error::LevelMismatch { left: a.level(), right: plaintext.level });
        }
        let noise = a.noise().times_one_norm(plaintext.one_norm_log2.max(0.0));
        self.context().admit("multiplication by a plaintext", noise, a.level())?;
        let components = a
            .rlwe()
            .components()
            .iter()
            .map(|component| {
                let mut component = component.clone();
                component.mul_assign(&plaintext.poly);
                component
            })
            .collect();
        let product = rlwe::Ciphertext::new(components, a.level());
        if product.is_transparent() {
            return Err(Error::Transparent);
        }
        self.finish("multiplication by a plaintext", product, noise)
    }

    /// `X^exponent a`: moves every coefficient by `exponent` places, negated on wrapping. It costs no noise.
    pub fn mul_monomial(&self, a: &Ciphertext, exponent: usize) -> Result<Ciphertext, Error> {
        self.check(a)?;
        let components = a
            .rlwe()
            .components()
            .iter()
            .map(|component| component.clone().into_coeff().mul_monomial(exponent).into_ntt())
            .collect();
        self.finish("multiplication by a monomial", rlwe::Ciphertext::new(components, a.level()), a.noise())
    }
}
