//! Samples from random words, eight at a time; the last `len % 8` take the scalar code.

use core::arch::x86_64::{
    __m512i, _mm_cvtsi128_si64, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpge_epu64_mask, _mm512_cmplt_epu64_mask,
    _mm512_cvtepi64_epi8, _mm512_madd52lo_epu64, _mm512_mask_add_epi64, _mm512_setzero_si512, _mm512_srli_epi64,
    _mm512_sub_epi64, _mm512_xor_si512,
};

use super::lanes::{load, store};
use super::residues::broadcast;
use crate::modulus::Modulus;
use crate::sampling::CENTRED_BINOMIAL_ETA;
use crate::scalar;

entries! {
    centred_binomial(out: &mut [i8], words: &[u64]);
    ternary(out: &mut [i8], words: &[u64]);
    mask_and_test(modulus: Modulus, words: &mut [u64]) -> bool;
}

/// The low byte of every lane.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn bytes(lanes: __m512i) -> [i8; 8] {
    _mm_cvtsi128_si64(_mm512_cvtepi64_epi8(lanes)).to_le_bytes().map(u8::cast_signed)
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn centred_binomial(out: &mut [i8], words: &[u64]) {
    let ((out, out_tail), (words, words_tail)) = (out.as_chunks_mut::<8>(), words.as_chunks());
    let used = broadcast((1 << (2 * CENTRED_BINOMIAL_ETA)) - 1);
    let negative = broadcast(((1 << CENTRED_BINOMIAL_ETA) - 1) << CENTRED_BINOMIAL_ETA);
    let (pairs, quads) = (broadcast(u64::MAX / 3), broadcast(u64::MAX / 5));
    let (octets, ones) = (broadcast(u64::MAX / 17), broadcast(0x0101_0101_0101));
    let eta = broadcast(u64::from(CENTRED_BINOMIAL_ETA));
    for (out, words) in out.iter_mut().zip(words) {
        let bits = _mm512_and_si512(_mm512_xor_si512(load(words), negative), used);
        // The population count in 2, 4 and 8 bits; the six bytes are summed into bits 40 to 47 of a product.
        let count = _mm512_sub_epi64(bits, _mm512_and_si512(_mm512_srli_epi64::<1>(bits), pairs));
        let upper = _mm512_and_si512(_mm512_srli_epi64::<2>(count), quads);
        let count = _mm512_add_epi64(_mm512_and_si512(count, quads), upper);
        let count = _mm512_and_si512(_mm512_add_epi64(count, _mm512_srli_epi64::<4>(count)), octets);
        let count = _mm512_srli_epi64::<40>(_mm512_madd52lo_epu64(_mm512_setzero_si512(), count, ones));
        *out = bytes(_mm512_sub_epi64(count, eta));
    }
    scalar::sampling::centred_binomial(out_tail, words_tail);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn ternary(out: &mut [i8], words: &[u64]) {
    let ((out, out_tail), (words, words_tail)) = (out.as_chunks_mut::<8>(), words.as_chunks());
    let one = broadcast(1);
    for (out, words) in out.iter_mut().zip(words) {
        let word = load(words);
        // The two carries of w + 2 w.
        let triple = _mm512_add_epi64(word, _mm512_add_epi64(word, word));
        let carry = _mm512_srli_epi64::<63>(word);
        let carries = _mm512_mask_add_epi64(carry, _mm512_cmplt_epu64_mask(triple, word), carry, one);
        *out = bytes(_mm512_sub_epi64(carries, one));
    }
    scalar::sampling::ternary(out_tail, words_tail);
}

#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn mask_and_test(modulus: Modulus, words: &mut [u64]) -> bool {
    let (p, mask) = (broadcast(modulus.value()), broadcast((1 << modulus.bits()) - 1));
    let (vectors, tail) = words.as_chunks_mut();
    let mut rejected = 0;
    for vector in vectors {
        let word = _mm512_and_si512(load(vector), mask);
        rejected |= _mm512_cmpge_epu64_mask(word, p);
        store(vector, word);
    }
    let rejected_in_tail = scalar::sampling::mask_and_test(modulus, tail);
    rejected != 0 || rejected_in_tail
}
