//! The dry run: a circuit's levels, scales, error bounds and keys, without a ciphertext.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::arithmetic::Arithmetic;
use super::ciphertext::Shape;
use super::context::Context;
use super::encoder::Encoding;
use super::scale::Scale;
use crate::error::Error;
use crate::params::Level;
use crate::ring::GaloisElement;

/// What a circuit used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Ciphertext-ciphertext products, each with a relinearization.
    pub multiplications: usize,
    /// Rescalings.
    pub rescalings: usize,
    /// Rotations and conjugations.
    pub automorphisms: usize,
    /// The automorphisms that need keys.
    pub galois: BTreeSet<GaloisElement>,
}

/// [`Arithmetic`] on shapes: the same checks and bounds as on ciphertexts, at no cost, and a count of what was done.
#[derive(Debug)]
pub struct Planner {
    context: Arc<Context>,
    plan: Mutex<Plan>,
}

impl Planner {
    /// A planner that has done nothing yet.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context), plan: Mutex::default() }
    }

    /// The shape of a fresh public-key encryption.
    pub fn fresh(&self, encoding: &Encoding) -> Result<Shape, Error> {
        let rounding = super::bounds::encoding(self.context.parameters().degree());
        let bounds = self.context.fresh_public_bounds(self.context.encoding_bounds(encoding, rounding)?);
        let shape = Shape { level: encoding.level, scale: encoding.scale.clone(), components: 2, bounds };
        self.context.admit("encryption", &shape)?;
        Ok(shape)
    }

    /// The product with a plaintext of this encoding.
    pub fn mul_plain(&self, a: &Shape, encoding: &Encoding) -> Result<Shape, Error> {
        let rounding = super::bounds::encoding(self.context.parameters().degree());
        self.context.plain_product_shape(a, encoding, self.context.encoding_bounds(encoding, rounding)?)
    }

    /// What was done so far.
    pub fn plan(&self) -> Plan {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn automorphism(&self, a: &Shape, element: GaloisElement) -> Result<Shape, Error> {
        if element.value() == 1 {
            return Ok(a.clone());
        }
        let shape = self.context.automorphism_shape(a)?;
        self.count(|plan| {
            plan.automorphisms += 1;
            plan.galois.insert(element);
        });
        Ok(shape)
    }
}

impl Arithmetic for Planner {
    type Value = Shape;

    fn context(&self) -> &Context {
        &self.context
    }

    fn shape<'a>(&self, a: &'a Shape) -> &'a Shape {
        a
    }

    fn add(&self, a: &Shape, b: &Shape) -> Result<Shape, Error> {
        self.context.sum_shape("addition", a, b)
    }

    fn sub(&self, a: &Shape, b: &Shape) -> Result<Shape, Error> {
        self.context.sum_shape("subtraction", a, b)
    }

    fn add_constant(&self, a: &Shape, constant: f64) -> Result<Shape, Error> {
        Ok(self.context.constant_sum_shape(a, constant)?.0)
    }

    fn mul_constant(&self, a: &Shape, constant: f64, scale: &Scale) -> Result<Shape, Error> {
        Ok(self.context.constant_product_shape(a, constant, scale)?.0)
    }

    fn multiply(&self, a: &Shape, b: &Shape) -> Result<Shape, Error> {
        let shape = self.context.relinearized_shape(&self.context.product_shape(a, b)?)?;
        self.count(|plan| plan.multiplications += 1);
        Ok(shape)
    }

    fn rescale(&self, a: &Shape) -> Result<Shape, Error> {
        let shape = self.context.rescaled_shape(a)?;
        self.count(|plan| plan.rescalings += 1);
        Ok(shape)
    }

    fn drop_to_level(&self, a: &Shape, level: Level) -> Result<Shape, Error> {
        self.context.dropped_shape(a, level)
    }

    fn rotate(&self, a: &Shape, step: i64) -> Result<Shape, Error> {
        self.automorphism(a, GaloisElement::row_rotation(step, self.context.parameters().degree()))
    }

    fn add_rotations(&self, a: &Shape, steps: &[i64]) -> Result<Shape, Error> {
        let shape = self.context.rotations_shape(a, steps.len())?;
        let degree = self.context.parameters().degree();
        self.count(|plan| {
            plan.automorphisms += steps.len();
            plan.galois.extend(steps.iter().map(|&step| GaloisElement::row_rotation(step, degree)));
        });
        Ok(shape)
    }

    fn conjugate(&self, a: &Shape) -> Result<Shape, Error> {
        self.automorphism(a, GaloisElement::row_exchange(self.context.parameters().degree()))
    }
}
