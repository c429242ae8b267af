//! The rings `R_Q = Z_Q[X] / (X^n + 1)`: bases of primes, polynomials typed by representation, and maps between bases.

mod arithmetic;
mod automorphism;
mod basis;
mod decomposition;
mod division;
mod poly;
mod sample;
mod scaling;

pub use automorphism::{GaloisElement, NttPermutation};
pub use basis::{Basis, Limb};
pub use decomposition::{Decomposition, Digits, GadgetRow};
pub use division::{NttDivision, Remainder, SuccessiveRemainder};
pub use poly::{Coeff, Ntt, Poly, Representation};
pub use sample::{ERROR_STANDARD_DEVIATION, Expander, SEED_BYTES, Seed, SmallPoly, WordStream};
pub use scaling::Scaling;
