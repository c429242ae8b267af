//! Rotations of slots, conjugation, and sums over slots.

use super::arithmetic::Arithmetic;
use super::ciphertext::Ciphertext;
use super::context::Context;
use super::evaluator::{Evaluator, pair};
use crate::error::{Error, Object};
use crate::ring::GaloisElement;
use crate::rlwe::{self, EvaluationKeys};

impl Evaluator {
    /// Slot `j` of the result is slot `j + step` (modulo their number) of `a`. Step 0 is the ciphertext itself.
    pub fn rotate(&self, a: &Ciphertext, step: i64, keys: &EvaluationKeys) -> Result<Ciphertext, Error> {
        self.apply_automorphism(a, GaloisElement::row_rotation(step, self.context().parameters().degree()), keys)
    }

    /// The complex conjugate of every slot.
    pub fn conjugate(&self, a: &Ciphertext, keys: &EvaluationKeys) -> Result<Ciphertext, Error> {
        self.apply_automorphism(a, GaloisElement::row_exchange(self.context().parameters().degree()), keys)
    }

    /// Slot `j` of the result is the sum of slots `j` to `j + count - 1` (modulo their number); `count` is a power of two. Needs the keys of
    /// [`Context::sum_slots_elements`].
    pub fn sum_slots(&self, a: &Ciphertext, count: usize, keys: &EvaluationKeys) -> Result<Ciphertext, Error> {
        self.with_keys(keys).sum_slots(a, count)
    }

    /// `a` plus its rotations by all of these steps, none of them zero modulo the number of slots.
    pub fn add_rotations(&self, a: &Ciphertext, steps: &[i64], keys: &EvaluationKeys) -> Result<Ciphertext, Error> {
        self.check(a)?;
        self.context().same_parameters(Object::EvaluationKeys, keys.parameters())?;
        let shape = self.context().rotations_shape(a.shape(), steps.len())?;
        let [c0, c1] = pair(a)?;
        let degree = self.context().parameters().degree();
        let wanted = steps.iter().map(|&step| {
            let element = GaloisElement::row_rotation(step, degree);
            keys.galois_at(element, shape.level)
        });
        let wanted = wanted.collect::<Result<Vec<_>, _>>()?;
        let ring = self.context().ring_of(&shape)?;
        let mut sum = rlwe::automorphism_sum(ring, c0, c1, &wanted, shape.level);
        sum.add_assign(a.rlwe());
        Ciphertext::new(self.context(), sum, shape)
    }

    /// The image under `X -> X^k`.
    pub fn apply_automorphism(
        &self,
        a: &Ciphertext,
        element: GaloisElement,
        keys: &EvaluationKeys,
    ) -> Result<Ciphertext, Error> {
        self.check(a)?;
        self.context().same_parameters(Object::EvaluationKeys, keys.parameters())?;
        if element.value() == 1 {
            return Ok(a.clone());
        }
        let shape = self.context().automorphism_shape(a.shape())?;
        let [c0, c1] = pair(a)?;
        let key = keys.galois_at(element, shape.level)?;
        let ring = self.context().ring_of(&shape)?;
        let image = rlwe::automorphism(ring, c0, c1, key, shape.level);
        Ciphertext::new(self.context(), image, shape)
    }
}

impl Context {
    /// The automorphisms that a sum over `count` slots uses.
    pub fn sum_slots_elements(&self, count: usize) -> Vec<GaloisElement> {
        let degree = self.parameters().degree();
        self.slot_sum_steps(count).flatten().map(|step| GaloisElement::row_rotation(step, degree)).collect()
    }
}
