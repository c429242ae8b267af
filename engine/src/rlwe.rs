//! What BFV and CKKS share: ciphertexts as polynomials, public and evaluation keys, key switching, automorphisms, modulus
//! switching. Nothing here knows a plaintext or a secret.

mod ciphertext;
mod encrypt;
mod galois;
mod keys;
mod keyswitch;
mod modswitch;

pub use ciphertext::{Ciphertext, SeededCiphertext};
pub use encrypt::{encrypt_message, encrypt_zero};
pub use galois::{automorphism, automorphism_sum, automorphisms};
pub use keys::{
    EvaluationKeys, GaloisKey, KeyPlan, KeyRow, KeySwitchingKey, PublicKey, RelinearizationKey, row_uniform,
    row_uniform_over,
};
pub use keyswitch::{
    key_switch, key_switch_canonical, key_switch_noise, key_switch_sum_noise, relinearize, relinearize_and_drop_prime,
};
pub use modswitch::drop_prime;
