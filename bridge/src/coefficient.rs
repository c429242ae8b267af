//! One coefficient of a BFV ciphertext as an LWE ciphertext.
