//! Circuits on ciphertexts.

use std::borrow::Cow;

use super::arithmetic::{Arithmetic, Shape};
use crate::bfv::{Ciphertext, Context, Evaluator};
use crate::error::Error;
use crate::params::Level;
use crate::rlwe::EvaluationKeys;

/// A ciphertext that means `m` and holds `factor m`.
#[derive(Clone, Debug)]
pub struct Operand {
    ciphertext: Ciphertext,
    factor: u64,
}

impl Operand {
    /// A ciphertext as it was encrypted: factor 1.
    pub fn fresh(ciphertext: Ciphertext) -> Self {
        Self { ciphertext, factor: 1 }
    }

    /// A ciphertext that holds `factor` times what it means.
    pub fn with_factor(ciphertext: Ciphertext, factor: u64) -> Self {
        Self { ciphertext, factor }
    }

    /// The ciphertext. It holds [`Operand::factor`] times what the value means.
    pub fn ciphertext(&self) -> &Ciphertext {
        &self.ciphertext
    }

    /// The factor, from 1 to `t - 1`.
    pub fn factor(&self) -> u64 {
        self.factor
    }

    /// The ciphertext of a value that is held as it is meant; refused for any other factor, with both.
    pub fn into_plain(self) -> Result<Ciphertext, Error> {
        Context::same_factor(self.factor, 1)?;
        Ok(self.ciphertext)
    }
}

/// An evaluator with evaluation keys: [`Arithmetic`] on ciphertexts.
#[derive(Clone, Copy, Debug)]
pub struct Evaluation<'a> {
    evaluator: &'a Evaluator,
    keys: &'a EvaluationKeys,
}

impl<'a> Evaluation<'a> {
    /// Of an evaluator and the keys that the circuit's plan asks for.
    pub fn new(evaluator: &'a Evaluator, keys: &'a EvaluationKeys) -> Self {
        Self { evaluator, keys }
    }

    fn truncate(&self, a: &Operand, level: Level) -> Result<Operand, Error> {
        let factor = self.context().truncated_factor(a.ciphertext.level(), level, a.factor);
        Ok(Operand { ciphertext: self.evaluator.truncate_to(&a.ciphertext, level)?, factor })
    }

    /// The operand at `level`, copied only where primes have to be left out.
    fn at<'b>(&self, a: &'b Operand, level: Level) -> Result<Cow<'b, Operand>, Error> {
        if a.ciphertext.level() == level { Ok(Cow::Borrowed(a)) } else { self.truncate(a, level).map(Cow::Owned) }
    }

    /// Both operands at the lower of the two levels.
    fn align<'b>(&self, a: &'b Operand, b: &'b Operand) -> Result<[Cow<'b, Operand>; 2], Error> {
        let level = a.ciphertext.level().min(b.ciphertext.level());
        Ok([self.at(a, level)?, self.at(b, level)?])
    }
}

impl Arithmetic for Evaluation<'_> {
    type Value = Operand;

    fn context(&self) -> &Context {
        self.evaluator.context()
    }

    fn shape(&self, a: &Operand) -> Shape {
        Shape { level: a.ciphertext.level(), noise: a.ciphertext.noise(), factor: a.factor }
    }

    fn multiply_add(&self, a: &Operand, b: &Operand, addend: Option<&Operand>) -> Result<Operand, Error> {
        let lowest = addend.map_or(a.ciphertext.level(), |addend| addend.ciphertext.level());
        let level = a.ciphertext.level().min(b.ciphertext.level()).min(lowest);
        let [a, b] = [self.at(a, level)?, self.at(b, level)?];
        let addend = addend.map(|addend| self.at(addend, level)).transpose()?;
        let factor = self.context().product_factor(level, a.factor, b.factor);
        if let Some(addend) = &addend {
            Context::same_factor(factor, addend.factor)?;
        }
        let addend = addend.as_ref().map(|addend| &addend.ciphertext);
        let ciphertext =
            self.evaluator.multiply_add_and_switch_down(&a.ciphertext, &b.ciphertext, addend, self.keys)?;
        Ok(Operand { ciphertext, factor })
    }

    fn multiply_in_place(&self, a: &Operand, b: &Operand) -> Result<Operand, Error> {
        let [a, b] = self.align(a, b)?;
        let ciphertext = self.evaluator.multiply_within_basis(&a.ciphertext, &b.ciphertext, self.keys)?;
        let factor = self.context().product_factor(ciphertext.level(), a.factor, b.factor);
        Ok(Operand { ciphertext, factor })
    }

    fn switch_down(&self, a: &Operand) -> Result<Operand, Error> {
        Ok(Operand { ciphertext: self.evaluator.switch_down(&a.ciphertext)?, factor: a.factor })
    }

    fn combine(&self, terms: &[(&Operand, u64)], constant: u64, level: Level, factor: u64) -> Result<Operand, Error> {
        let context = self.context();
        let scaled = terms
            .iter()
            .filter(|(_, c)| *c != 0)
            .map(|&(a, c)| Ok((&a.ciphertext, context.multiplier(self.shape(a), c, level, factor)?)))
            .collect::<Result<Vec<_>, Error>>()?;
        let sum = self.evaluator.linear_combination(&scaled, level)?;
        let t = context.plaintext_modulus();
        let held = t.mul(constant, factor);
        let ciphertext = if held == 0 { sum } else { self.evaluator.add_constant(&sum, t.centre(held))? };
        Ok(Operand { ciphertext, factor })
    }

    fn add(&self, a: &Operand, b: &Operand) -> Result<Operand, Error> {
        let [a, b] = self.align(a, b)?;
        Context::same_factor(a.factor, b.factor)?;
        Ok(Operand { ciphertext: self.evaluator.add(&a.ciphertext, &b.ciphertext)?, factor: a.factor })
    }

    fn rotate_rows(&self, a: &Operand, step: i64) -> Result<Operand, Error> {
        Ok(Operand { ciphertext: self.evaluator.rotate_rows(&a.ciphertext, step, self.keys)?, factor: a.factor })
    }

    fn rotate_columns(&self, a: &Operand) -> Result<Operand, Error> {
        Ok(Operand { ciphertext: self.evaluator.rotate_columns(&a.ciphertext, self.keys)?, factor: a.factor })
    }
}
