//! The key holder's side: secret keys, the keys made from them, secret-key encryption, and the opening of results.
//!
//! No other crate of the project can name a secret key; the service does not depend on this one, so it has no code to decrypt.
//! Results are opened through [`SecretKey::open_answer`] against what the caller expects; bare decryption is in [`hazmat`].

pub mod decisions;
mod encrypt;
mod evaluation;
pub mod file;
pub mod hazmat;
mod open;
mod secret;

pub use decisions::DecisionError;
pub use evaluation::KeyRequirements;
pub use file::KeyFileError;
pub use open::{Expectation, OpenError};
pub use secret::SecretKey;
