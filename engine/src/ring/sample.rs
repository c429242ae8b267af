//! Randomness: seeds, their expansion, and the distributions of the schemes.
//!
//! A 32-byte seed is expanded by AES-256 in counter mode under a key derived with SHAKE256 from the seed and a domain
//! string, so that streams of different purposes never meet. Errors are centred binomial with eta = 21, secrets uniform
//! ternary; both are sampled without branches on the values.

use std::sync::Arc;

use aes::Aes256;
use blindrelay_kernels::sampling;
use ctr::cipher::{KeyIvInit, StreamCipher};
use shake::digest::{ExtendableOutput, Update, XofReader};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::basis::Basis;
use super::poly::{Coeff, Poly, Representation};

/// Bytes of a seed.
pub const SEED_BYTES: usize = 32;

/// Standard deviation of the centred binomial error with eta = 21: `sqrt(21 / 2)`.
pub const ERROR_STANDARD_DEVIATION: f64 = 3.240_370_349_203_93;

/// A 32-byte seed. Public where it stands for the uniform half of a ciphertext, secret where keys come from it; it is wiped in
/// either case and never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; SEED_BYTES]);

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(..)")
    }
}

impl Seed {
    /// A seed from given bytes.
    pub const fn from_bytes(bytes: [u8; SEED_BYTES]) -> Self {
        Self(bytes)
    }

    /// A fresh seed from the operating system. Fails where the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; SEED_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// A seed for one purpose, derived with SHAKE256 from this one, a domain string and a context.
    #[must_use]
    pub fn derive(&self, domain: &str, context: &[u8]) -> Self {
        let mut out = [0; SEED_BYTES];
        absorb(domain, &self.0, context).read(&mut out);
        Self(out)
    }

    /// The bytes, for the wire (public seeds) and key files.
    pub const fn as_bytes(&self) -> &[u8; SEED_BYTES] {
        &self.0
    }
}

/// SHAKE256 over length-prefixed fields, so that no two lists of fields absorb the same bytes.
fn absorb(domain: &str, seed: &[u8; SEED_BYTES], context: &[u8]) -> impl XofReader {
    let mut hash = shake::Shake256::default();
    for field in [b"blindrelay/1".as_slice(), domain.as_bytes(), seed, context] {
        hash.update(&(field.len() as u64).to_le_bytes());
        hash.update(field);
    }
    hash.finalize_xof()
}

/// A polynomial with small signed coefficients that has to stay secret: an error or a ternary secret.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SmallPoly(Vec<i8>);

impl SmallPoly {
    /// The coefficients, the one of `X^0` first.
    pub fn coefficients(&self) -> &[i8] {
        &self.0
    }

    /// The residues over a basis.
    pub fn to_poly(&self, basis: &Arc<Basis>) -> Poly<Coeff> {
        Poly::from_small(basis, &self.0)
    }
}

impl From<Vec<i8>> for SmallPoly {
    fn from(coefficients: Vec<i8>) -> Self {
        Self(coefficients)
    }
}

/// The expansion of a seed for one purpose: numbered independent streams of 64-bit words.
#[derive(ZeroizeOnDrop)]
pub struct Expander {
    key: [u8; 32],
}

impl Expander {
    /// Derives the stream key from the seed and a domain string.
    pub fn new(seed: &Seed, domain: &str) -> Self {
        let mut key = [0; 32];
        absorb(domain, &seed.0, &[]).read(&mut key);
        Self { key }
    }

    /// Stream number `index`: AES-256 in counter mode with the counter block `index * 2^64 + block`, big-endian.
    pub fn stream(&self, index: u64) -> WordStream {
        let mut counter = [0; 16];
        let (high, _) = counter.split_at_mut(8);
        high.copy_from_slice(&index.to_be_bytes());
        WordStream { cipher: ctr::Ctr64BE::<Aes256>::new(&self.key.into(), &counter.into()) }
    }

    /// A uniform polynomial: stream `i` gives the residues modulo prime `i` of the basis, by rejection.
    pub fn uniform<R: Representation>(&self, basis: &Arc<Basis>) -> Poly<R> {
        let mut poly = Poly::stale(basis);
        for (index, (limb, residues)) in (0..).zip(poly.limbs_mut()) {
            let mut stream = self.stream(index);
            sampling::uniform(limb.modulus(), limb.arithmetic().backend(), residues, &mut |words| stream.fill(words));
        }
        poly
    }

    /// A centred binomial polynomial (eta = 21) of the given degree from stream `index`.
    pub fn error(&self, degree: usize, index: u64, backend: blindrelay_kernels::Backend) -> SmallPoly {
        self.small(degree, index, |out, words| sampling::centred_binomial(backend, out, words))
    }

    /// A uniform ternary polynomial of the given degree from stream `index`.
    pub fn ternary(&self, degree: usize, index: u64, backend: blindrelay_kernels::Backend) -> SmallPoly {
        self.small(degree, index, |out, words| sampling::ternary(backend, out, words))
    }

    /// One coefficient for each word of stream `index`. Few words are held at a time: they stay in the cache and are quickly wiped.
    fn small(&self, degree: usize, index: u64, sample: impl Fn(&mut [i8], &[u64])) -> SmallPoly {
        let mut stream = self.stream(index);
        let mut words = Zeroizing::new([0; 512]);
        let mut coefficients = vec![0; degree];
        for out in coefficients.chunks_mut(words.len()) {
            if let Some(words) = words.get_mut(..out.len()) {
                stream.fill(words);
                sample(out, words);
            }
        }
        SmallPoly(coefficients)
    }

    #[cfg(test)]
    fn words(&self, count: usize, index: u64) -> Vec<u64> {
        let mut words = vec![0; count];
        self.stream(index).fill(&mut words);
        words
    }
}

/// A stream of 64-bit words, little-endian in the key stream.
pub struct WordStream {
    cipher: ctr::Ctr64BE<Aes256>,
}

impl WordStream {
    /// Overwrites `words` with the next words of the stream.
    pub fn fill(&mut self, words: &mut [u64]) {
        self.cipher.write_keystream(bytemuck::cast_slice_mut(words));
        if cfg!(target_endian = "big") {
            for word in words {
                *word = word.swap_bytes();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blindrelay_kernels::Backend;

    #[test]
    fn streams_are_deterministic_and_separate() {
        let seed = Seed::from_bytes([7; 32]);
        let expander = Expander::new(&seed, "test");
        assert_eq!(expander.words(8, 0), expander.words(8, 0));
        assert_ne!(expander.words(8, 0), expander.words(8, 1));
        assert_ne!(expander.words(8, 0), Expander::new(&seed, "other").words(8, 0));
        assert_ne!(expander.words(8, 0), Expander::new(&Seed::from_bytes([8; 32]), "test").words(8, 0));
        let mut whole = [0; 6];
        expander.stream(3).fill(&mut whole);
        let mut parts = [0; 6];
        let mut stream = expander.stream(3);
        let (first, second) = parts.split_at_mut(2);
        stream.fill(first);
        stream.fill(second);
        assert_eq!(whole, parts);
    }

    #[test]
    fn errors_have_the_declared_variance_and_ternary_values_are_balanced() {
        let expander = Expander::new(&Seed::from_bytes([1; 32]), "test");
        let count = 1 << 16;
        let error = expander.error(count, 0, Backend::Scalar);
        let variance = error.coefficients().iter().map(|&e| f64::from(e) * f64::from(e)).sum::<f64>() / count as f64;
        assert!((variance - 10.5).abs() < 0.3, "{variance}");
        assert!(error.coefficients().iter().all(|e| e.abs() <= 21));
        let ternary = expander.ternary(count, 1, Backend::Scalar);
        for value in -1..=1_i8 {
            let share = ternary.coefficients().iter().filter(|&&c| c == value).count() as f64 / count as f64;
            assert!((share - 1.0 / 3.0).abs() < 0.01, "{value}: {share}");
        }
    }

    #[test]
    fn a_seed_is_never_printed() {
        assert_eq!(format!("{:?}", Seed::from_bytes([42; 32])), "Seed(..)");
    }
}
