//! The general product of two ciphertexts: extend both to a wider basis, multiply there over the integers, scale by `t / Q` and
//! round, come back (Halevi, Polyakov, Shoup, *An improved RNS variant of the BFV homomorphic encryption scheme*, 2019, section 4; here every
//! step is exact, in integers).

use std::sync::Arc;

use blindrelay_kernels::Backend;

use super::ciphertext::Ciphertext;
use super::evaluator::Evaluator;
use crate::error::{Error, Object};
use crate::noise::NoiseBound;
use crate::params::{Level, ParameterError, RingLevel};
use crate::ring::{Basis, Coeff, Ntt, Poly, Scaling};
use crate::rlwe::{self, EvaluationKeys};

/// The auxiliary basis `B` of a level and the maps between it and `Q`.
#[derive(Debug)]
pub(super) struct Extended {
    /// Centred extension `Q -> B`.
    outward: Scaling,
    /// `x -> round(t x / Q)` in `B`, for `x` known over `Q` and `B`.
    scale: Scaling,
    /// Centred extension `B -> Q`.
    inward: Scaling,
}

impl Extended {
    pub(super) fn new(
        basis: &Arc<Basis>,
        auxiliary: &Arc<Basis>,
        t: u64,
        backend: Backend,
    ) -> Result<Self, ParameterError> {
        let auxiliary = &auxiliary_for(basis, auxiliary, t);
        Ok(Self {
            outward: Scaling::extend(basis, auxiliary, backend)?,
            scale: Scaling::divide(basis, auxiliary, &[t], backend)?,
            inward: Scaling::extend(auxiliary, basis, backend)?,
        })
    }

    /// `round(t / Q * c (x) d)` for pairs given in evaluation form: three polynomials over `Q`.
    fn product(&self, c: [&Poly<Ntt>; 2], d: [&Poly<Ntt>; 2]) -> [Poly<Coeff>; 3] {
        let outward = |poly: &Poly<Ntt>| self.outward.apply(&poly.clone().into_coeff());
        let outer = Poly::tensor_of_coeff(c.map(outward), d.map(outward));
        let ([inner0, inner1, inner2], [outer0, outer1, outer2]) = (Poly::tensor_into_coeff(c, d), outer);
        [(inner0, outer0), (inner1, outer1), (inner2, outer2)]
            .map(|(inner, outer)| self.inward.apply(&self.scale.apply_assign(&inner, outer)))
    }
}

/// Base-2 logarithm that the product of the auxiliary primes has to exceed: `2 t n Q`. A coefficient of the tensor product is at most
/// `2 n (Q / 2)^2` in magnitude, so the scaled one is below `t n Q / 2`, a quarter of that product: inside the centred range.
pub(super) fn auxiliary_log2(basis: &Basis, t: u64) -> f64 {
    basis.log2() + libm::log2(t as f64) + libm::log2(basis.degree() as f64) + 1.0
}

/// The first primes of the top level's auxiliary basis that suffice for a level.
fn auxiliary_for(basis: &Basis, auxiliary: &Basis, t: u64) -> Arc<Basis> {
    let needed = auxiliary_log2(basis, t);
    let count = (1..auxiliary.len()).find(|&count| auxiliary.prefix(count).log2() > needed).unwrap_or(auxiliary.len());
    auxiliary.prefix(count)
}

impl Evaluator {
    /// `a b` with three components. It can be opened as it is, or relinearized.
    pub fn multiply(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, Error> {
        let (product, noise, _) = self.scaled_product(a, b)?;
        let components = product.into_iter().map(Poly::into_ntt).collect();
        self.finish("multiplication", rlwe::Ciphertext::new(components, a.level()), noise)
    }

    /// `a b` with two components.
    pub fn multiply_relinearize(
        &self,
        a: &Ciphertext,
        b: &Ciphertext,
        keys: &EvaluationKeys,
    ) -> Result<Ciphertext, Error> {
        self.context().same_parameters(Object::EvaluationKeys, keys.parameters())?;
        let key = keys.relinearization_at(a.level())?;
        let (product, noise, ring) = self.scaled_product(a, b)?;
        let parameters = self.context().parameters();
        let noise = noise.plus(rlwe::key_switch_noise(parameters, ring));
        self.context().admit("multiplication with relinearization", noise, a.level())?;
        let [c0, c1, c2] = product;
        let rlwe = rlwe::relinearize(ring, [c0.into_ntt(), c1.into_ntt()], &c2, None, key, a.level());
        self.finish("multiplication with relinearization", rlwe, noise)
    }

    /// Two components from three; a ciphertext of two is returned as it is.
    pub fn relinearize(&self, a: &Ciphertext, keys: &EvaluationKeys) -> Result<Ciphertext, Error> {
        self.check(a)?;
        self.context().same_parameters(Object::EvaluationKeys, keys.parameters())?;
        let [c0, c1, c2] = a.rlwe().components() else { return Ok(a.clone()) };
        let key = keys.relinearization_at(a.level())?;
        let parameters = self.context().parameters();
        let ring = parameters.at(a.level()).ok_or(Error::LevelExhausted)?;
        let noise = a.noise().plus(rlwe::key_switch_noise(parameters, ring));
        self.context().admit("relinearization", noise, a.level())?;
        let digits = c2.clone().into_coeff();
        let rlwe = rlwe::relinearize(ring, [c0.clone(), c1.clone()], &digits, Some(c2), key, a.level());
        self.finish("relinearization", rlwe, noise)
    }

    fn scaled_product(
        &self,
        a: &Ciphertext,
        b: &Ciphertext,
    ) -> Result<([Poly<Coeff>; 3], NoiseBound, &RingLevel), Error> {
        self.check_pair(a, b)?;
        let (c, d) = (Self::pair("multiplication", a)?, Self::pair("multiplication", b)?);
        let noise = self.product_noise(a.noise(), b.noise(), a.level());
        self.context().admit("multiplication", noise, a.level())?;
        let level = self.context().at(a.level()).zip(self.context().parameters().at(a.level()));
        let (tables, ring) = level.ok_or(Error::LevelExhausted)?;
        Ok((tables.extended.product(c, d), noise, ring))
    }

    /// Noise of the product of ciphertexts of these noises, before relinearization: the dry run of [`Evaluator::multiply`].
    ///
    /// With phases `Q/t m_i + e_i + Q k_i` over the integers, the product scaled by `t / Q` has phase `Q/t m_1 m_2` plus
    /// `m_1 e_2 + m_2 e_1 + t (e_1 k_2 + e_2 k_1) + (t / Q) e_1 e_2`, multiples of `Q`, and the rounding of three components.
    pub fn product_noise(&self, e1: NoiseBound, e2: NoiseBound, level: Level) -> NoiseBound {
        let degree = self.context().parameters().degree();
        let t_log2 = libm::log2(self.context().plaintext_modulus().value() as f64);
        let message = NoiseBound::from_sup(libm::exp2(t_log2 - 1.0), degree);
        let wraps = NoiseBound::wraps(degree).scaled(t_log2);
        let log2_q = self.context().at(level).map_or(0.0, |tables| tables.log2_q);
        message
            .plus(wraps)
            .times(e1.plus(e2), degree)
            .plus(e1.times(e2, degree).scaled(t_log2 - log2_q))
            .plus(NoiseBound::rounding(3, degree))
    }
}
