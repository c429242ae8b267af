//! CKKS: approximate arithmetic on real and complex numbers (Cheon, Kim, Kim, Song, *Homomorphic encryption for arithmetic of approximate
//! numbers*, ASIACRYPT 2017), in the residue number system (Cheon, Han, Kim, Kim, Song, *A full RNS variant of approximate homomorphic
//! encryption*, SAC 2018).
//!
//! A ciphertext of the slots `z` at scale `S` has phase `m + e`, where `m` is the polynomial whose values at the primitive roots are `S z`.
//! Scales are exact rational numbers ([`Scale`]); two ciphertexts are added only at equal ones. Every ciphertext carries a [`Shape`]: level, scale, and
//! public bounds on what the slots hold and on how far they are off. An operation is first done on shapes, which is also the dry run ([`Planner`]), and
//! refused there if its result could wrap around the modulus.

mod arithmetic;
mod bounds;
mod ciphertext;
mod context;
mod embedding;
mod encoder;
mod encrypt;
mod evaluator;
mod plan;
mod polynomial;
mod precision;
mod rotate;
mod scale;

pub use arithmetic::Arithmetic;
pub use bounds::Bounds;
pub use ciphertext::{Ciphertext, SeededCiphertext, Shape};
pub use context::Context;
pub use embedding::{Complex, Embedding};
pub use encoder::{Encoding, Plaintext};
pub use evaluator::{Evaluator, KeyedEvaluator};
pub use plan::{Plan, Planner};
pub use polynomial::evaluate_polynomial;
pub use precision::{Precision, PrecisionError};
pub use scale::Scale;
