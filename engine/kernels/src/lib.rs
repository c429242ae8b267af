//! Arithmetic kernels of blindrelay: slices in, slices out.
//!
//! Everything works on residues modulo a prime below 2^50 held in `u64`. Public functions take and return canonical
//! residues in `[0, p)`; lazy ranges stay inside this crate. Every backend returns bit-identical results.

// Constants for vector lanes are made on every platform and read by the vector backends only.
#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]

mod automorphism;
#[cfg(target_arch = "x86_64")]
mod avx512ifma;
mod backend;
mod buffer;
mod error;
mod limb;
mod modulus;
pub mod packing;
mod plan;
mod prefetch;
mod prime;
mod reduction;
mod rns;
mod root;
pub mod sampling;
mod scalar;
mod table;

pub use automorphism::NttAutomorphism;
pub use backend::Backend;
pub use buffer::Buffer;
pub use error::KernelError;
pub use limb::{DotTerm, LimbArithmetic};
pub use modulus::{MAX_MODULUS_BITS, Modulus};
pub use plan::NttPlan;
pub use prefetch::Prefetch;
pub use prime::{is_prime, ntt_primes_below};
pub use rns::{MAX_RNS_LIMBS, RnsScaler};
pub use root::{MAX_SIZE, MIN_SIZE};
pub use table::evaluation_exponent;
