//! The evaluator: every verb computes the shape of its result first, which refuses what does not fit, and then the result.

use std::sync::Arc;

use super::arithmetic::Arithmetic;
use super::ciphertext::{Ciphertext, Shape};
use super::context::Context;
use super::encoder::{Plaintext, residue_of};
use super::scale::Scale;
use crate::error::{Error, Object};
use crate::params::Level;
use crate::ring::{Ntt, Poly};
use crate::rlwe::{self, EvaluationKeys};

/// Computes on ciphertexts of one parameter set.
#[derive(Clone, Debug)]
pub struct Evaluator {
    context: Arc<Context>,
}

impl Evaluator {
    /// An evaluator over prepared tables.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// The tables.
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// The evaluator with the keys that products and rotations need.
    pub fn with_keys<'a>(&'a self, keys: &'a EvaluationKeys) -> KeyedEvaluator<'a> {
        KeyedEvaluator { evaluator: self, keys }
    }

    /// `a + b`, at equal levels and scales.
    pub fn add(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, Error> {
        let mut sum = a.clone();
        self.add_assign(&mut sum, b)?;
        Ok(sum)
    }

    /// `a += b`. On error `a` is unchanged.
    pub fn add_assign(&self, a: &mut Ciphertext, b: &Ciphertext) -> Result<(), Error> {
        self.check_pair(a, b)?;
        let shape = self.context.sum_shape("addition", a.shape(), b.shape())?;
        let (rlwe, target) = a.parts_mut();
        rlwe.add_assign(b.rlwe());
        *target = shape;
        Ok(())
    }

    /// `a - b`, at equal levels and scales.
    pub fn sub(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, Error> {
        self.check_pair(a, b)?;
        let shape = self.context.sum_shape("subtraction", a.shape(), b.shape())?;
        let mut difference = self.neg(b)?;
        difference.parts_mut().0.add_assign(a.rlwe());
        *difference.parts_mut().1 = shape;
        Ok(difference)
    }

    /// `-a`.
    pub fn neg(&self, a: &Ciphertext) -> Result<Ciphertext, Error> {
        self.check(a)?;
        let mut negated = a.clone();
        negated.parts_mut().0.neg_assign();
        Ok(negated)
    }

    /// `a + m`, at equal levels and scales.
    pub fn add_plain(&self, a: &Ciphertext, plaintext: &Plaintext) -> Result<Ciphertext, Error> {
        self.combine_plain("addition of a plaintext", a, plaintext, Poly::add_assign)
    }

    /// `a - m`, at equal levels and scales.
    pub fn sub_plain(&self, a: &Ciphertext, plaintext: &Plaintext) -> Result<Ciphertext, Error> {
        self.combine_plain("subtraction of a plaintext", a, plaintext, Poly::sub_assign)
    }

    fn combine_plain(
        &self,
        operation: &'static str,
        a: &Ciphertext,
        plaintext: &Plaintext,
        verb: fn(&mut Poly<Ntt>, &Poly<Ntt>),
    ) -> Result<Ciphertext, Error> {
        self.check(a)?;
        self.context.check_plaintext(plaintext)?;
        let shape = self.context.plain_sum_shape(operation, a.shape(), plaintext.encoding(), plaintext.bounds())?;
        let mut sum = a.clone();
        let (rlwe, target) = sum.parts_mut();
        if let Some(body) = rlwe.components_mut().first_mut() {
            verb(body, plaintext.poly());
        }
        *target = shape;
        Ok(sum)
    }

    /// `a m` slot by slot, at equal levels; the scales multiply. The plaintext is not hidden by the product. Refused where the product is
    /// transparent (a zero plaintext).
    pub fn mul_plain(&self, a: &Ciphertext, plaintext: &Plaintext) -> Result<Ciphertext, Error> {
        self.check(a)?;
        self.context.check_plaintext(plaintext)?;
        let shape = self.context.plain_product_shape(a.shape(), plaintext.encoding(), plaintext.bounds())?;
        let mut product = a.clone();
        let (rlwe, target) = product.parts_mut();
        rlwe.components_mut().iter_mut().for_each(|component| component.mul_assign(plaintext.poly()));
        if rlwe.is_transparent() {
            return Err(Error::Transparent);
        }
        *target = shape;
        Ok(product)
    }

    /// `a + c` in every slot.
    pub fn add_constant(&self, a: &Ciphertext, constant: f64) -> Result<Ciphertext, Error> {
        self.check(a)?;
        let (shape, integer) = self.context.constant_sum_shape(a.shape(), constant)?;
        let mut sum = a.clone();
        let (rlwe, target) = sum.parts_mut();
        if let Some(body) = rlwe.components_mut().first_mut() {
            for (limb, residues) in body.limbs_mut() {
                let modulus = limb.modulus();
                let residue = residue_of(integer, modulus);
                for value in residues {
                    *value = modulus.add(*value, residue);
                }
            }
        }
        *target = shape;
        Ok(sum)
    }

    /// `c a` in every slot; the constant is rounded at `scale`, by which the result's scale is larger. Refused where that rounds to zero.
    pub fn mul_constant(&self, a: &Ciphertext, constant: f64, scale: &Scale) -> Result<Ciphertext, Error> {
        self.check(a)?;
        let (shape, integer) = self.context.constant_product_shape(a.shape(), constant, scale)?;
        let mut product = a.clone();
        let (rlwe, target) = product.parts_mut();
        for component in rlwe.components_mut() {
            for (limb, residues) in component.limbs_mut() {
                limb.arithmetic().mul_scalar_assign(residues, residue_of(integer, limb.modulus()));
            }
        }
        *target = shape;
        Ok(product)
    }

    /// `a b` slot by slot, at equal levels, with three components; the scales multiply.
    pub fn multiply(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, Error> {
        self.check_pair(a, b)?;
        let shape = self.context.product_shape(a.shape(), b.shape())?;
        let product = Poly::tensor(pair(a)?, pair(b)?);
        Ciphertext::new(&self.context, rlwe::Ciphertext::new(product.into(), shape.level), shape)
    }

    /// Two components from three; a ciphertext of two is returned as it is.
    pub fn relinearize(&self, a: &Ciphertext, keys: &EvaluationKeys) -> Result<Ciphertext, Error> {
        self.check(a)?;
        self.context.same_parameters(Object::EvaluationKeys, keys.parameters())?;
        if a.shape().components == 2 {
            return Ok(a.clone());
        }
        self.relinearize_owned(a.clone(), keys)
    }

    /// [`Evaluator::multiply`] followed by [`Evaluator::relinearize`].
    pub fn multiply_relinearize(
        &self,
        a: &Ciphertext,
        b: &Ciphertext,
        keys: &EvaluationKeys,
    ) -> Result<Ciphertext, Error> {
        self.context.same_parameters(Object::EvaluationKeys, keys.parameters())?;
        self.relinearize_owned(self.multiply(a, b)?, keys)
    }

    /// [`Evaluator::multiply_relinearize`] followed by [`Evaluator::rescale`]: the same result, with one division for both.
    pub fn multiply_rescale(&self, a: &Ciphertext, b: &Ciphertext, keys: &EvaluationKeys) -> Result<Ciphertext, Error> {
        self.context.same_parameters(Object::EvaluationKeys, keys.parameters())?;
        let key = keys.relinearization_at(a.shape().level)?;
        self.check_pair(a, b)?;
        let product = self.context.relinearized_shape(&self.context.product_shape(a.shape(), b.shape())?)?;
        let shape = self.context.rescaled_shape(&product)?;
        let ring = self.context.ring_of(&product)?;
        let [c0, c1, c2] = Poly::tensor(pair(a)?, pair(b)?);
        let digits = c2.to_coeff();
        let parameters = self.context.parameters();
        let rlwe = rlwe::relinearize_and_drop_prime(parameters, ring, [c0, c1], &digits, Some(&c2), key, product.level);
        Ciphertext::new(&self.context, rlwe.ok_or(Error::LevelExhausted)?, shape)
    }

    fn relinearize_owned(&self, a: Ciphertext, keys: &EvaluationKeys) -> Result<Ciphertext, Error> {
        let key = keys.relinearization_at(a.shape().level)?;
        let shape = self.context.relinearized_shape(a.shape())?;
        let ring = self.context.ring_of(&shape)?;
        let components: Result<[Poly<Ntt>; 3], _> = a.into_rlwe().into_components().try_into();
        let [c0, c1, c2] = components.map_err(|found| Error::Components {
            operation: "relinearization",
            expected: 3,
            found: found.len(),
        })?;
        let digits = c2.to_coeff();
        let rlwe = rlwe::relinearize(ring, [c0, c1], &digits, Some(&c2), key, shape.level);
        Ciphertext::new(&self.context, rlwe, shape)
    }

    /// Divides by the level's last prime, one level lower; the scale is divided by that prime exactly.
    pub fn rescale(&self, a: &Ciphertext) -> Result<Ciphertext, Error> {
        self.check(a)?;
        let shape = self.context.rescaled_shape(a.shape())?;
        let rlwe = rlwe::drop_prime(self.context.parameters(), a.rlwe()).ok_or(Error::LevelExhausted)?;
        Ciphertext::new(&self.context, rlwe, shape)
    }

    /// The same message at a lower level and the same scale: primes are left out, nothing is divided.
    pub fn drop_to_level(&self, a: &Ciphertext, level: Level) -> Result<Ciphertext, Error> {
        self.check(a)?;
        let shape = self.context.dropped_shape(a.shape(), level)?;
        let basis = self.context.ring_of(&shape)?.basis();
        let components = a.rlwe().components().iter().map(|component| component.truncated(basis)).collect();
        Ciphertext::new(&self.context, rlwe::Ciphertext::new(components, level), shape)
    }

    pub(super) fn check(&self, a: &Ciphertext) -> Result<(), Error> {
        self.context.same_parameters(Object::Ciphertext, a.parameters())
    }

    fn check_pair(&self, a: &Ciphertext, b: &Ciphertext) -> Result<(), Error> {
        self.check(a)?;
        self.context.same_parameters(Object::SecondCiphertext, b.parameters())
    }
}

/// The two components of a ciphertext whose shape says that it has two.
pub(super) fn pair(a: &Ciphertext) -> Result<[&Poly<Ntt>; 2], Error> {
    match a.rlwe().components() {
        [c0, c1] => Ok([c0, c1]),
        more => Err(Error::Components { operation: "multiplication", expected: 2, found: more.len() }),
    }
}

/// An evaluator with evaluation keys: [`Arithmetic`] on ciphertexts.
#[derive(Clone, Copy, Debug)]
pub struct KeyedEvaluator<'a> {
    evaluator: &'a Evaluator,
    keys: &'a EvaluationKeys,
}

impl Arithmetic for KeyedEvaluator<'_> {
    type Value = Ciphertext;

    fn context(&self) -> &Context {
        self.evaluator.context()
    }

    fn shape<'a>(&self, a: &'a Ciphertext) -> &'a Shape {
        a.shape()
    }

    fn add(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, Error> {
        self.evaluator.add(a, b)
    }

    fn sub(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, Error> {
        self.evaluator.sub(a, b)
    }

    fn add_constant(&self, a: &Ciphertext, constant: f64) -> Result<Ciphertext, Error> {
        self.evaluator.add_constant(a, constant)
    }

    fn mul_constant(&self, a: &Ciphertext, constant: f64, scale: &Scale) -> Result<Ciphertext, Error> {
        self.evaluator.mul_constant(a, constant, scale)
    }

    fn multiply(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, Error> {
        self.evaluator.multiply_relinearize(a, b, self.keys)
    }

    fn rescale(&self, a: &Ciphertext) -> Result<Ciphertext, Error> {
        self.evaluator.rescale(a)
    }

    fn multiply_rescale(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, Error> {
        self.evaluator.multiply_rescale(a, b, self.keys)
    }

    fn add_rotations(&self, a: &Ciphertext, steps: &[i64]) -> Result<Ciphertext, Error> {
        self.evaluator.add_rotations(a, steps, self.keys)
    }

    fn drop_to_level(&self, a: &Ciphertext, level: Level) -> Result<Ciphertext, Error> {
        self.evaluator.drop_to_level(a, level)
    }

    fn rotate(&self, a: &Ciphertext, step: i64) -> Result<Ciphertext, Error> {
        self.evaluator.rotate(a, step, self.keys)
    }

    fn conjugate(&self, a: &Ciphertext) -> Result<Ciphertext, Error> {
        self.evaluator.conjugate(a, self.keys)
    }
}
