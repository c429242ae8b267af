//! Circuits on BFV ciphertexts: decisions, polynomials, comparisons, selection, ranking.
//!
//! A circuit is written once against [`Arithmetic`] and run twice: on shapes alone ([`Planner`], the dry run: depth, products, keys, noise, before anything is computed) and
//! on ciphertexts ([`Evaluation`]). Both make the same checks in the same order, so what was planned also runs.
//!
//! Products are those of [`crate::bfv::Evaluator::multiply_add_and_switch_down`]: every one multiplies the message by a public factor that depends on its level only. A value of a circuit
//! therefore is a ciphertext with a *factor* `f`: it means `m` and holds `f m`. Factors cost nothing: they are taken into the public constants of linear combinations.

mod arithmetic;
mod compare;
mod evaluation;
mod plan;
mod polynomial;
mod rank;
mod score;

pub use arithmetic::{Arithmetic, Shape};
pub use compare::{Comparison, Equality, Membership, Threshold, ValueSet};
pub use evaluation::{Evaluation, Operand};
pub use plan::{Circuit, CircuitPlan, Planner};
pub use polynomial::{Polynomial, evaluate_polynomials};
pub use rank::{PairLayout, TopK};
pub use score::{RotationSum, Score};
