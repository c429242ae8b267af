//! BFV: exact arithmetic modulo a plaintext prime `t` (Brakerski, *Fully homomorphic encryption without modulus switching from classical
//! `GapSVP`*, 2012; Fan and Vercauteren, *Somewhat practical fully homomorphic encryption*, 2012).
//!
//! A ciphertext of `m` has phase `sum c_i s^i = round(Q m / t) + e`, with `m` centred. Components are kept in evaluation form.

mod answer;
mod ciphertext;
mod context;
mod encoder;
mod encrypt;
mod evaluator;
mod levelled;
mod mask;
mod multiply;
mod plain;
mod prepared;
mod rotate;

pub use answer::Answer;
pub use ciphertext::{Ciphertext, LevelledSeededCiphertext, SeededCiphertext};
pub use context::Context;
pub use encoder::Plaintext;
pub use evaluator::Evaluator;
pub use mask::{DISTANCE_LIMIT_LOG2, Flood};
pub use plain::PreparedPlaintext;
pub use prepared::PreparedMultiplicand;
