//! BFV and CKKS in big integers, by the schoolbook: the answer that the engine has to match.
//!
//! The schemes are those of Brakerski (CRYPTO 2012) with Fan and Vercauteren (ePrint 2012/144), whose messages are scaled as `round(q m / t)`, and of
//! Cheon, Kim, Kim and Song (ePrint 2016/421), written to be read beside the papers: exact integers, schoolbook products, no residue number system,
//! no NTT. CKKS is as exact: its ciphertexts are integers, and the canonical embedding is computed in fixed point, far below the last bit of an `f64`.
//! Nothing here draws a random number: keys, masks and errors are arguments, so that every result is a function of its
//! inputs and can be compared with another implementation coefficient by coefficient.
//!
//! It is a yardstick for tests and no more: **not constant time, not secure** (any parameters are taken, secrets are plain
//! vectors), **not fast** (a product costs `n^2` big-integer multiplications). Misuse panics with a message.
//!
//! ```
//! use blindrelay_reference::{Bfv, polynomial};
//! let bfv = Bfv::new(2, 1001.into(), 5.into());
//! let (secret, mask, error) = (polynomial(&[1, -1]), polynomial(&[100, -200]), polynomial(&[1, -1]));
//! let ciphertext = bfv.encrypt_with_secret(&polynomial(&[2, 1]), &secret, &mask, &error);
//! assert_eq!(bfv.decrypt(&ciphertext, &secret), polynomial(&[2, 1]));
//! ```
#![expect(
    clippy::missing_panics_doc,
    reason = "the page above says it once: misuse panics, and the message says which"
)]

mod bfv;
mod ckks;
mod embedding;
mod ring;
mod rlwe;

pub use bfv::Bfv;
pub use ckks::Ckks;
pub use embedding::{Complex, Scale};
pub use ring::{Polynomial, Ring, centred, polynomial, round_scaled};
pub use rlwe::{Ciphertext, KeySwitchingKey, Rlwe, base_digits};
