//! Arithmetic kernels of blindrelay: slices in, slices out.
//!
//! Everything works on residues modulo a prime below 2^50 held in `u64`. Public functions take and return canonical
//! residues in `[0, p)`; lazy ranges stay inside this crate. Every backend returns bit-identical results.

#[cfg(target_arch = "x86_64")]
mod avx512ifma;
mod backend;
mod error;
mod modulus;
mod prime;

pub use backend::Backend;
pub use error::KernelError;
pub use modulus::{MAX_MODULUS_BITS, Modulus};
pub use prime::{is_prime, ntt_primes_below};
