//! Products for deep circuits: pointwise within the basis, relinearized, and one prime lower, in one verb.
//!
//! A phase `phi = (Q / t) m + e` times `t` is the integer `t e` modulo `Q`, and `t e = -Q m mod t`: the message sits in the least significant digit (BGV form;
//! Alperin-Sheriff and Peikert, *Practical bootstrapping in quasilinear time*, 2013, section 2.2; Brakerski, Gentry, Vaikuntanathan, *(Leveled) fully homomorphic encryption without
//! bootstrapping*, 2012). There products are pointwise: `-t phi_1 phi_2` has the noise `-t e_1 e_2`, exactly, and the message `r m_1 m_2` with `r = Q mod t`
//! ([`Context::modulus_residue`]). No basis is extended and nothing is scaled. Dropping a prime `q` by division brings the noise back to the size of a
//! rounding (`q` has to be about `t` times that large), and the message stays. Leaving primes out without division
//! keeps the noise and multiplies the message by `Q / Q' mod t`.
//!
//! These factors are public and depend on levels only; [`crate::circuit`] keeps account of them.

use super::ciphertext::Ciphertext;
use super::context::Context;
use super::evaluator::Evaluator;
use crate::error::{Error, Object};
use crate::noise::NoiseBound;
use crate::params::Level;
use crate::ring::{NttDivision, Poly};
use crate::rlwe::{self, EvaluationKeys};

/// So many residues of one limb are combined at a time: all terms' pieces fit a second-level cache.
const PIECE: usize = 2048;

impl Context {
    /// `Q mod t` at a level; 0 where there is no such level.
    pub fn modulus_residue(&self, level: Level) -> u64 {
        let t = self.plaintext_modulus();
        let Some(ring) = self.parameters().at(level) else { return 0 };
        ring.basis().moduli().iter().fold(1, |all, m| t.mul(all, t.reduce(m.value())))
    }

    /// Noise of [`Evaluator::multiply_add_and_switch_down`] for operands of these noises at a level above 0.
    pub fn levelled_product_noise(&self, [e1, e2, addend]: [NoiseBound; 3], level: Level) -> Result<NoiseBound, Error> {
        const OPERATION: &str = "a product within the basis";
        let parameters = self.parameters();
        let degree = parameters.degree();
        let ring = parameters.at(level).ok_or(Error::LevelExhausted)?;
        let product = self.tensor_noise(e1, e2).plus(rlwe::key_switch_noise(parameters, ring)).plus(addend);
        self.admit(OPERATION, product, level)?;
        let divisor = ring.drop_prime().map(NttDivision::divisor_log2).ok_or(Error::LevelExhausted)?;
        let noise = product.scaled(-divisor).plus(NoiseBound::rounding(2, degree));
        self.admit(OPERATION, noise, Level(level.0 - 1))?;
        Ok(noise)
    }

    /// Noise of the product of two ciphertexts within the basis before anything else: `t e_1 e_2`.
    pub fn tensor_noise(&self, e1: NoiseBound, e2: NoiseBound) -> NoiseBound {
        let t_log2 = libm::log2(self.plaintext_modulus().value() as f64);
        e1.times(e2, self.parameters().degree()).scaled(t_log2)
    }
}

impl Evaluator {
    /// `r a b + addend` with `r = Q mod t`, relinearized and one level lower; all operands have two components and the same level, above 0. The addend's
    /// noise is divided with that of the product, at no cost.
    pub fn multiply_add_and_switch_down(
        &self,
        a: &Ciphertext,
        b: &Ciphertext,
        addend: Option<&Ciphertext>,
        keys: &EvaluationKeys,
    ) -> Result<Ciphertext, Error> {
        self.context().same_parameters(Object::EvaluationKeys, keys.parameters())?;
        let key = keys.relinearization_at(a.level())?;
        self.check_pair(a, b)?;
        let of_addend = addend.map_or(NoiseBound::NONE, Ciphertext::noise);
        let noise = self.context().levelled_product_noise([a.noise(), b.noise(), of_addend], a.level())?;
        let [mut c0, mut c1, c2] = self.levelled_tensor(a, b)?;
        if let Some(addend) = addend {
            self.check_pair(a, addend)?;
            let [d0, d1] = Self::pair("addition", addend)?;
            c0.add_assign(d0);
            c1.add_assign(d1);
        }
        let parameters = self.context().parameters();
        let ring = parameters.at(a.level()).ok_or(Error::LevelExhausted)?;
        let digits = c2.to_coeff();
        let product = rlwe::relinearize_and_drop_prime(parameters, ring, [c0, c1], &digits, Some(&c2), key, a.level());
        self.finish("a product within the basis", product.ok_or(Error::LevelExhausted)?, noise)
    }

    /// `r a b` with `r = Q mod t`, with two components and at the level of the operands.
    pub fn multiply_within_basis(
        &self,
        a: &Ciphertext,
        b: &Ciphertext,
        keys: &EvaluationKeys,
    ) -> Result<Ciphertext, Error> {
        self.context().same_parameters(Object::EvaluationKeys, keys.parameters())?;
        let key = keys.relinearization_at(a.level())?;
        self.check_pair(a, b)?;
        let parameters = self.context().parameters();
        let ring = parameters.at(a.level()).ok_or(Error::LevelExhausted)?;
        let noise = self.context().tensor_noise(a.noise(), b.noise()).plus(rlwe::key_switch_noise(parameters, ring));
        self.context().admit("a product within the basis", noise, a.level())?;
        let [c0, c1, c2] = self.levelled_tensor(a, b)?;
        let digits = c2.to_coeff();
        let product = rlwe::relinearize(ring, [c0, c1], &digits, Some(&c2), key, a.level());
        self.finish("a product within the basis", product, noise)
    }

    /// The three components of `-t a b` over the basis.
    fn levelled_tensor(&self, a: &Ciphertext, b: &Ciphertext) -> Result<[Poly<crate::ring::Ntt>; 3], Error> {
        let (c, d) = (Self::pair("multiplication", a)?, Self::pair("multiplication", b)?);
        let factor = -(self.context().plaintext_modulus().value() as i64);
        let [mut d0, mut d1] = d.map(Clone::clone);
        d0.mul_scalar_assign(factor);
        d1.mul_scalar_assign(factor);
        Ok(Poly::tensor(c, [&d0, &d1]))
    }

    /// The same noise over fewer primes, nothing divided: the message is multiplied by `Q / Q' mod t`. `a` itself where it is at `level` already.
    pub fn truncate_to(&self, a: &Ciphertext, level: Level) -> Result<Ciphertext, Error> {
        self.check(a)?;
        if level > a.level() {
            return Err(Error::LevelMismatch { left: a.level(), right: level });
        }
        let ring = self.context().parameters().at(level).ok_or(Error::LevelExhausted)?;
        let components = a.rlwe().components().iter().map(|component| component.truncated(ring.basis())).collect();
        self.finish("leaving primes out", rlwe::Ciphertext::new(components, level), a.noise())
    }

    /// `sum_i c_i a_i` over the primes of `level`; every `a_i` is at that level or above it, and primes above it are left out without division, so that
    /// each message is multiplied by its own `Q / Q' mod t` as in [`Evaluator::truncate_to`]. All have two components. Refused where no `c_i` differs
    /// from 0: everybody could read such a sum.
    pub fn linear_combination(&self, terms: &[(&Ciphertext, i64)], level: Level) -> Result<Ciphertext, Error> {
        const OPERATION: &str = "a linear combination";
        let context = self.context();
        let ring = context.parameters().at(level).ok_or(Error::LevelExhausted)?;
        let mut noise = NoiseBound::NONE;
        let mut pairs = Vec::with_capacity(terms.len());
        for &(a, factor) in terms {
            self.check(a)?;
            if a.level() < level {
                return Err(Error::LevelMismatch { left: a.level(), right: level });
            }
            noise = noise.plus(a.noise().scaled(libm::log2(factor.unsigned_abs() as f64)));
            pairs.push((Self::pair(OPERATION, a)?, factor));
        }
        if terms.iter().all(|(_, factor)| *factor == 0) {
            return Err(Error::Transparent);
        }
        context.admit(OPERATION, noise, level)?;
        let mut sums = [Poly::zero(ring.basis()), Poly::zero(ring.basis())];
        for (component, sum) in sums.iter_mut().enumerate() {
            for (index, (limb, values)) in sum.limbs_mut().enumerate() {
                let scaled: Vec<(&[u64], u64)> = pairs
                    .iter()
                    .filter_map(|(pair, factor)| {
                        Some((pair.get(component)?.limb(index), limb.modulus().from_signed(*factor)))
                    })
                    .collect();
                for (piece, values) in values.chunks_mut(PIECE).enumerate() {
                    let range = piece * PIECE..piece * PIECE + values.len();
                    for (source, factor) in &scaled {
                        let source = source.get(range.clone()).unwrap_or_default();
                        limb.arithmetic().mul_scalar_add_assign(values, source, *factor);
                    }
                }
            }
        }
        self.finish(OPERATION, rlwe::Ciphertext::new(sums.into(), level), noise)
    }

    /// `a + c` in every slot (and in the coefficient of `X^0`), `c` of magnitude at most [`Context::plaintext_limit`].
    pub fn add_constant(&self, a: &Ciphertext, constant: i64) -> Result<Ciphertext, Error> {
        let plaintext = self.context().encode_coefficients_within(&[constant], constant.unsigned_abs())?;
        self.add_plain(a, &plaintext)
    }
}
