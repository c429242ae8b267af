//! Evaluation on ciphertexts: rings, parameters, ciphertexts with public noise bounds, the schemes BFV and CKKS, and the wire format.
//!
//! No type in this crate can hold a secret key; keys are made and results opened in `blindrelay-keyholder`.

pub mod bfv;
pub mod circuit;
pub mod ckks;
mod error;
pub mod noise;
pub mod operator;
pub mod params;
pub mod ring;
pub mod rlwe;
pub mod wire;

pub use blindrelay_kernels::{Backend, KernelError, Modulus, ntt_primes_below};
pub use error::{Error, KeyName, Object, ScaleFault};
