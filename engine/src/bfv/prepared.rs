//! The product that stays in the basis `Q`: for results that are opened (or relinearized and opened) after one multiplication.
//!
//! Multiplying a BFV ciphertext by `t` modulo `Q` brings its message to the least significant digit (BGV form; Alperin-Sheriff and Peikert, *Practical
//! bootstrapping in quasilinear time*, 2013, section 2.2), where the tensor product is pointwise. Let `Q = 1 mod t` and `D = (Q - 1) / t`, so that
//! `t D = -1 mod Q`, and let the phases be `D m_i + f_i`. Then the tensor product of one ciphertext with `-t` times the other has phase
//!
//! `-t (D m_1 + f_1) (D m_2 + f_2) = D m_1 m_2 + m_1 f_2 + m_2 f_1 - t f_1 f_2 (mod Q)`,
//!
//! a BFV ciphertext of the product again: no basis extension, no scaling. The noise `t f_1 f_2` has to stay below `Q / (2 t)`. Against
//! `Q m_1 m_2 / t`, `D m_1 m_2` lacks `m_1 m_2 / t`, at most `n t / 4`.

use super::ciphertext::Ciphertext;
use super::evaluator::Evaluator;
use crate::error::{Error, Object};
use crate::noise::NoiseBound;
use crate::params::{Level, Parameters};
use crate::ring::{Ntt, Poly};
use crate::rlwe;

/// A ciphertext times `-t`, ready to be multiplied within the basis. Sums of prepared multiplicands are prepared sums.
#[derive(Clone, Debug, PartialEq)]
pub struct PreparedMultiplicand {
    parameters: Parameters,
    level: Level,
    components: [Poly<Ntt>; 2],
    noise: NoiseBound,
}

impl PreparedMultiplicand {
    /// The parameter set.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Noise bound of the ciphertext it was made from.
    pub fn noise(&self) -> NoiseBound {
        self.noise
    }

    /// Bytes it occupies in memory.
    pub fn byte_len(&self) -> usize {
        self.components.iter().map(|c| std::mem::size_of_val(c.residues())).sum()
    }

    /// Whether its message is readable by everybody.
    pub fn is_transparent(&self) -> bool {
        let [_, uniform] = &self.components;
        uniform.is_zero()
    }
}

impl Evaluator {
    /// Prepares a ciphertext of two components. Refused where `Q` is not 1 modulo `t` at its level.
    pub fn prepare(&self, a: &Ciphertext) -> Result<PreparedMultiplicand, Error> {
        self.check(a)?;
        let [c0, c1] = Self::pair("preparation", a)?;
        let tables = self.context().at(a.level()).ok_or(Error::LevelExhausted)?;
        if !tables.unit_residue {
            return Err(Error::Unsupported {
                name: self.context().parameters().name().to_owned(),
                operation: "products within the basis",
                reason: "its ciphertext modulus is not 1 modulo its plaintext modulus",
            });
        }
        let factor = -(self.context().plaintext_modulus().value() as i64);
        let scaled = |component: &Poly<Ntt>| {
            let mut component = component.clone();
            component.mul_scalar_assign(factor);
            component
        };
        Ok(PreparedMultiplicand {
            parameters: a.parameters().clone(),
            level: a.level(),
            components: [scaled(c0), scaled(c1)],
            noise: a.noise(),
        })
    }

    /// `a += b` for prepared multiplicands. On error `a` is unchanged.
    pub fn add_assign_prepared(&self, a: &mut PreparedMultiplicand, b: &PreparedMultiplicand) -> Result<(), Error> {
        self.combine(a, b, Poly::add_assign)
    }

    /// `a -= b` for prepared multiplicands. The noise bound grows as in a sum. On error `a` is unchanged.
    pub fn sub_assign_prepared(&self, a: &mut PreparedMultiplicand, b: &PreparedMultiplicand) -> Result<(), Error> {
        self.combine(a, b, Poly::sub_assign)
    }

    fn combine(
        &self,
        a: &mut PreparedMultiplicand,
        b: &PreparedMultiplicand,
        verb: fn(&mut Poly<Ntt>, &Poly<Ntt>),
    ) -> Result<(), Error> {
        self.context().same_parameters(Object::PreparedMultiplicand, &a.parameters)?;
        self.context().same_parameters(Object::PreparedMultiplicand, &b.parameters)?;
        if a.level != b.level {
            return Err(Error::LevelMismatch { left: a.level, right: b.level });
        }
        let noise = a.noise.plus(b.noise);
        self.context().admit("addition of prepared multiplicands", noise, a.level)?;
        for (ours, theirs) in a.components.iter_mut().zip(&b.components) {
            verb(ours, theirs);
        }
        a.noise = noise;
        Ok(())
    }

    /// The product of a ciphertext and a prepared one, with three components.
    pub fn multiply_prepared(&self, a: &Ciphertext, b: &PreparedMultiplicand) -> Result<Ciphertext, Error> {
        self.check(a)?;
        self.context().same_parameters(Object::PreparedMultiplicand, &b.parameters)?;
        if a.level() != b.level {
            return Err(Error::LevelMismatch { left: a.level(), right: b.level });
        }
        let c = Self::pair("multiplication", a)?;
        let noise = self.prepared_product_noise(a.noise(), b.noise);
        self.context().admit("multiplication within the basis", noise, b.level)?;
        let [d0, d1] = &b.components;
        let product = Poly::tensor(c, [d0, d1]);
        self.finish("multiplication within the basis", rlwe::Ciphertext::new(product.into(), b.level), noise)
    }

    /// `m_1 f_2 + m_2 f_1 - t f_1 f_2` and `m_1 m_2 / t`, where `f_i = e_i + m_i / t` is the distance from `D m_i`.
    pub fn prepared_product_noise(&self, e1: NoiseBound, e2: NoiseBound) -> NoiseBound {
        let degree = self.context().parameters().degree();
        let t = self.context().plaintext_modulus().value() as f64;
        let message = NoiseBound::from_sup(t / 2.0, degree);
        let half = NoiseBound::from_sup(0.5, degree);
        let (f1, f2) = (e1.plus(half), e2.plus(half));
        message
            .times(f1.plus(f2), degree)
            .plus(f1.times(f2, degree).scaled(libm::log2(t)))
            .plus(NoiseBound::from_sup(degree as f64 * t / 4.0 + 1.0, degree))
    }
}
