//! Samples from uniform random words: centred binomial errors, ternary secrets, uniform residues.
//!
//! The caller expands the randomness; equal words give equal samples on every backend.

use crate::backend::Backend;
use crate::modulus::Modulus;
use crate::scalar;

/// Parameter of the centred binomial distribution: differences of two sums of 21 bits, standard deviation
/// `sqrt(21 / 2) = 3.24`.
pub const CENTRED_BINOMIAL_ETA: u32 = 21;

/// How many words [`uniform`] asks for at a time once the first ones did not suffice.
pub const UNIFORM_REFILL_WORDS: usize = 64;

/// One sample of the centred binomial distribution for each word: the ones among its low 21 bits less those among the
/// next 21. No branch or access depends on the words.
///
/// # Panics
/// If the lengths differ.
pub fn centred_binomial(backend: Backend, out: &mut [i8], words: &[u64]) {
    assert_eq!(out.len(), words.len(), "one word for a sample");
    match backend {
        Backend::Scalar => scalar::sampling::centred_binomial(out, words),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512Ifma(token) => token.centred_binomial(out, words),
    }
}

/// One sample of `{-1, 0, 1}` for each word `w`: `floor(3 w / 2^64) - 1`, whose probabilities differ from 1/3 by less than
/// 2^-63. No branch or access depends on the words.
///
/// # Panics
/// If the lengths differ.
pub fn ternary(backend: Backend, out: &mut [i8], words: &[u64]) {
    assert_eq!(out.len(), words.len(), "one word for a sample");
    match backend {
        Backend::Scalar => scalar::sampling::ternary(out, words),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512Ifma(token) => token.ternary(out, words),
    }
}

/// Uniform residues by rejection: of each word the low `modulus.bits()` bits are taken, values that are not below the modulus
/// are skipped, and the i-th accepted value is `out[i]`.
///
/// `words` fills the slice that it is given with the next words of the stream. The first request is for `out.len()` words
/// (written into `out` itself, so that nothing is copied), each further one for [`UNIFORM_REFILL_WORDS`], until `out` is full; what is
/// left of the last request is discarded. The time depends on which words are rejected, that is on none of the residues.
pub fn uniform(modulus: Modulus, backend: Backend, out: &mut [u64], words: &mut dyn FnMut(&mut [u64])) {
    words(out);
    let rejected = match backend {
        Backend::Scalar => scalar::sampling::mask_and_test(modulus, out),
        #[cfg(target_arch = "x86_64")]
        Backend::Avx512Ifma(token) => token.mask_and_test(modulus, out),
    };
    if rejected {
        let accepted = scalar::sampling::keep_canonical(modulus, out);
        refill(modulus, &mut out[accepted..], words);
    }
}

/// The rest of [`uniform`] once the first words are used up.
#[cold]
fn refill(modulus: Modulus, mut out: &mut [u64], words: &mut dyn FnMut(&mut [u64])) {
    while !out.is_empty() {
        let mut block = [0; UNIFORM_REFILL_WORDS];
        words(&mut block);
        scalar::sampling::mask_and_test(modulus, &mut block);
        let taken = scalar::sampling::keep_canonical(modulus, &mut block).min(out.len());
        let (now, later) = out.split_at_mut(taken);
        now.copy_from_slice(&block[..taken]);
        out = later;
    }
}
