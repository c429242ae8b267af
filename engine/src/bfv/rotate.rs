//! Rotations of slots and other automorphisms.

use super::ciphertext::Ciphertext;
use super::evaluator::Evaluator;
use crate::error::{Error, Object};
use crate::ring::GaloisElement;
use crate::rlwe::{self, EvaluationKeys};

impl Evaluator {
    /// Rotates both rows of slots by `step` to the left (negative: to the right). Step 0 is the ciphertext itself.
    pub fn rotate_rows(&self, a: &Ciphertext, step: i64, keys: &EvaluationKeys) -> Result<Ciphertext, Error> {
        self.apply_automorphism(a, GaloisElement::row_rotation(step, self.context().parameters().degree()), keys)
    }

    /// Exchanges the two rows of slots.
    pub fn rotate_columns(&self, a: &Ciphertext, keys: &EvaluationKeys) -> Result<Ciphertext, Error> {
        self.apply_automorphism(a, GaloisElement::row_exchange(self.context().parameters().degree()), keys)
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
        let [c0, c1] = Self::pair("an automorphism", a)?;
        let key = keys.galois_at(element, a.level())?;
        let parameters = self.context().parameters();
        let ring = parameters.at(a.level()).ok_or(Error::LevelExhausted)?;
        let noise = a.noise().plus(rlwe::key_switch_noise(parameters, ring));
        self.context().admit("an automorphism", noise, a.level())?;
        let image = rlwe::automorphism(ring, c0, c1, key, a.level());
        self.finish("an automorphism", image, noise)
    }
}
