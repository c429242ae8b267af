//! The evaluator: every verb on BFV ciphertexts checks parameters, levels and noise first and returns an error instead of
//! a wrong result. Sums and levels are here, products in `multiply`, `prepared` and `plain`, automorphisms in `rotate`.

use std::sync::Arc;

use super::ciphertext::Ciphertext;
use super::context::Context;
use crate::error::{Error, Object};
use crate::noise::NoiseBound;
use crate::params::Level;
use crate::ring::{Ntt, NttDivision, Poly};
use crate::rlwe;

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

    /// `a + b`.
    pub fn add(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, Error> {
        let mut sum = a.clone();
        self.add_assign(&mut sum, b)?;
        Ok(sum)
    }

    /// `a += b`. On error `a` is unchanged.
    pub fn add_assign(&self, a: &mut Ciphertext, b: &Ciphertext) -> Result<(), Error> {
        self.check_pair(a, b)?;
        let noise = a.noise().plus(b.noise());
        self.context.admit("addition", noise, a.level())?;
        let (rlwe, bound) = a.parts_mut();
        rlwe.add_assign(b.rlwe());
        *bound = noise;
        Ok(())
    }

    /// `a - b`.
    pub fn sub(&self, a: &Ciphertext, b: &Ciphertext) -> Result<Ciphertext, Error> {
        self.add(a, &self.neg(b)?)
    }

    /// `-a`.
    pub fn neg(&self, a: &Ciphertext) -> Result<Ciphertext, Error> {
        self.check(a)?;
        let mut negated = a.clone();
        negated.parts_mut().0.neg_assign();
        Ok(negated)
    }

    /// Drops the level's last prime: the same message, one level lower, with less noise in absolute terms and a smaller ciphertext.
    pub fn switch_down(&self, a: &Ciphertext) -> Result<Ciphertext, Error> {
        self.check(a)?;
        let parameters = self.context.parameters();
        let dropped = rlwe::drop_prime(parameters, a.rlwe()).ok_or(Error::LevelExhausted)?;
        let divisor =
            parameters.at(a.level()).and_then(|ring| ring.drop_prime()).map_or(0.0, NttDivision::divisor_log2);
        let components = a.rlwe().components().len();
        let noise = a.noise().scaled(-divisor).plus(NoiseBound::rounding(components, parameters.degree()));
        self.finish("switching to a lower level", dropped, noise)
    }

    /// [`Evaluator::switch_down`] until `level` is reached.
    pub fn switch_down_to(&self, a: &Ciphertext, level: Level) -> Result<Ciphertext, Error> {
        if level > a.level() {
            return Err(Error::LevelMismatch { left: a.level(), right: level });
        }
        let mut current = a.clone();
        while current.level() > level {
            current = self.switch_down(&current)?;
        }
        Ok(current)
    }

    pub(super) fn check(&self, a: &Ciphertext) -> Result<(), Error> {
        self.context.same_parameters(Object::Ciphertext, a.parameters())
    }

    pub(super) fn check_pair(&self, a: &Ciphertext, b: &Ciphertext) -> Result<(), Error> {
        self.check(a)?;
        self.context.same_parameters(Object::SecondCiphertext, b.parameters())?;
        if a.level() != b.level() {
            return Err(Error::LevelMismatch { left: a.level(), right: b.level() });
        }
        Ok(())
    }

    /// The two components of a ciphertext that must not have three.
    pub(super) fn pair<'a>(operation: &'static str, a: &'a Ciphertext) -> Result<[&'a Poly<Ntt>; 2], Error> {
        match a.rlwe().components() {
            [c0, c1] => Ok([c0, c1]),
            more => Err(Error::Components { operation, expected: 2, found: more.len() }),
        }
    }

    pub(super) fn finish(
        &self,
        operation: &'static str,
        rlwe: rlwe::Ciphertext,
        noise: NoiseBound,
    ) -> Result<Ciphertext, Error> {
        self.context.admit(operation, noise, rlwe.level())?;
        Ciphertext::new(&self.context, rlwe, noise)
    }
}
