//! Samples from random words, one at a time.

use crate::modulus::Modulus;
use crate::sampling::CENTRED_BINOMIAL_ETA;

/// The 21 bits whose sum counts positively; the next 21 count negatively.
const POSITIVE: u64 = (1 << CENTRED_BINOMIAL_ETA) - 1;

pub(crate) fn centred_binomial(out: &mut [i8], words: &[u64]) {
    for (out, &word) in out.iter_mut().zip(words) {
        // Inverted bits count their zeros: sum of the first + (21 - sum of the second).
        let bits = (word ^ (POSITIVE << CENTRED_BINOMIAL_ETA)) & ((1 << (2 * CENTRED_BINOMIAL_ETA)) - 1);
        *out = bits.count_ones() as i8 - CENTRED_BINOMIAL_ETA as i8;
    }
}

pub(crate) fn ternary(out: &mut [i8], words: &[u64]) {
    for (out, &word) in out.iter_mut().zip(words) {
        *out = ((3 * u128::from(word)) >> 64) as i8 - 1;
    }
}

/// Keeps the low bits of every word; whether any is not below the modulus.
pub(crate) fn mask_and_test(modulus: Modulus, words: &mut [u64]) -> bool {
    let mask = (1 << modulus.bits()) - 1;
    words.iter_mut().fold(false, |rejected, word| {
        *word &= mask;
        rejected | (*word >= modulus.value())
    })
}

/// Moves the words below the modulus to the front, in order, and returns how many there are.
pub(crate) fn keep_canonical(modulus: Modulus, words: &mut [u64]) -> usize {
    let mut kept = 0;
    for position in 0..words.len() {
        let word = words[position];
        words[kept] = word;
        kept += usize::from(word < modulus.value());
    }
    kept
}
