//! The verbs that evaluation and its dry run share.

use crate::bfv::Context;
use crate::error::Error;
use crate::noise::NoiseBound;
use crate::params::Level;

/// What is public about a value of a circuit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// The level.
    pub level: Level,
    /// The bound on the noise.
    pub noise: NoiseBound,
    /// The value means `m` and holds `factor m` modulo `t`; never 0.
    pub factor: u64,
}

/// Arithmetic on ciphertexts ([`super::Evaluation`]) or on their shapes alone ([`super::Planner`]).
///
/// Every verb is about what values mean, not about the factors with which they hold it. Operands at different levels are brought to the lower one by leaving out primes.
pub trait Arithmetic: Sync {
    /// A ciphertext with its factor, or a shape.
    type Value: Clone + Send + Sync;

    /// The tables.
    fn context(&self) -> &Context;

    /// Level, noise and factor.
    fn shape(&self, a: &Self::Value) -> Shape;

    /// `a b + addend`, relinearized, one level below the lowest of the three. The addend has to be held with the product's factor at that lowest level.
    fn multiply_add(
        &self,
        a: &Self::Value,
        b: &Self::Value,
        addend: Option<&Self::Value>,
    ) -> Result<Self::Value, Error>;

    /// `a b`, relinearized, one level below the lower of the two.
    fn multiply(&self, a: &Self::Value, b: &Self::Value) -> Result<Self::Value, Error> {
        self.multiply_add(a, b, None)
    }

    /// `a b`, relinearized, at the lower of the two levels: for results that are added up or opened.
    fn multiply_in_place(&self, a: &Self::Value, b: &Self::Value) -> Result<Self::Value, Error>;

    /// One level lower by division: the noise shrinks by the prime that is dropped.
    fn switch_down(&self, a: &Self::Value) -> Result<Self::Value, Error>;

    /// `sum_i c_i a_i + constant`, constants modulo `t`, at `level`, held with `factor`. Refused where no `c_i` differs from 0.
    fn combine(
        &self,
        terms: &[(&Self::Value, u64)],
        constant: u64,
        level: Level,
        factor: u64,
    ) -> Result<Self::Value, Error>;

    /// `a + b`; both have to be held with the same factor once they are at the lower of the two levels.
    fn add(&self, a: &Self::Value, b: &Self::Value) -> Result<Self::Value, Error>;

    /// Both rows of slots rotated by `step` to the left.
    fn rotate_rows(&self, a: &Self::Value, step: i64) -> Result<Self::Value, Error>;

    /// The two rows of slots exchanged.
    fn rotate_columns(&self, a: &Self::Value) -> Result<Self::Value, Error>;
}

/// Factors and levels.
impl Context {
    /// The factor of a value after its primes above `level` were left out.
    pub(super) fn truncated_factor(&self, from: Level, level: Level, factor: u64) -> u64 {
        let t = self.plaintext_modulus();
        let moduli = self.parameters().at(from).map(|ring| ring.basis().moduli()).unwrap_or_default();
        moduli.iter().skip(level.0 + 1).fold(factor, |all, m| t.mul(all, t.reduce(m.value())))
    }

    /// The factor of a product at `level` of values that are held with these factors there.
    pub(super) fn product_factor(&self, level: Level, a: u64, b: u64) -> u64 {
        let t = self.plaintext_modulus();
        t.mul(self.modulus_residue(level), t.mul(a, b))
    }

    /// The integer by which a value is multiplied so that it stands with constant `c` in a sum with factor `factor` at `level`.
    pub(super) fn multiplier(&self, a: Shape, c: u64, level: Level, factor: u64) -> Result<i64, Error> {
        let t = self.plaintext_modulus();
        let held = self.truncated_factor(a.level, level, a.factor);
        let inverse = t.inverse(held).ok_or(Error::LevelExhausted)?;
        Ok(t.centre(t.mul(t.mul(c, factor), inverse)))
    }

    /// Refuses a factor mismatch in a sum.
    pub(super) fn same_factor(a: u64, b: u64) -> Result<(), Error> {
        if a == b { Ok(()) } else { Err(Error::FactorMismatch { left: a, right: b }) }
    }
}
