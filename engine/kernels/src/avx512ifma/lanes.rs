//! Vectors of eight 64-bit lanes: loads, stores, 52-bit modular steps and the permutations of the innermost layers.

use core::arch::x86_64::{__m512i, _mm512_loadu_si512, _mm512_storeu_si512};

/// Reads eight lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[expect(unsafe_code, reason = "vector loads take pointers")]
pub(super) fn load(from: &[u64; 8]) -> __m512i {
    // SAFETY: the reference is valid for reading 64 bytes, and this load needs no alignment.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

/// Writes eight lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[expect(unsafe_code, reason = "vector stores take pointers")]
pub(super) fn store(to: &mut [u64; 8], lanes: __m512i) {
    // SAFETY: the reference is valid for writing 64 bytes, and this store needs no alignment.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), lanes) };
}
