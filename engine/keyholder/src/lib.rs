//! The key holder's side: secret keys, the keys made from them, secret-key encryption, and the opening of results.
//!
//! No other crate of the project can name a secret key; the service does not depend on this one, so it has no code to decrypt.
//! Results are opened through [`SecretKey::open_answer`] against what the caller expects; bare decryption is in [`hazmat`].

mod approximate;
#[cfg(feature = "tfhe")]
pub mod coefficient;
pub mod decisions;
mod encrypt;
mod evaluation;
pub mod file;
pub mod hazmat;
mod mixed_radix;
mod open;
pub mod release;
mod secret;
#[cfg(feature = "tfhe")]
pub mod tiers;

pub use approximate::Opened;
pub use decisions::DecisionError;
pub use evaluation::KeyRequirements;
pub use file::KeyFileError;
pub use open::{Expectation, OpenError};
pub use secret::{SchemeContext, SecretKey};
