//! Vectors of eight 64-bit lanes: loads, stores, 52-bit modular steps and the permutations of the innermost layers.

use core::arch::x86_64::{
    __m512i, _mm_loadu_si128, _mm256_loadu_si256, _mm512_broadcast_i64x2, _mm512_broadcast_i64x4, _mm512_loadu_si512,
    _mm512_permutex2var_epi64, _mm512_setr_epi64, _mm512_shuffle_i64x2, _mm512_storeu_si512,
};

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

/// Two lanes from memory, four times over.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[expect(unsafe_code, reason = "vector loads take pointers")]
pub(super) fn load_two(from: &[u64; 2]) -> __m512i {
    // SAFETY: the reference is valid for reading 16 bytes, and this load needs no alignment.
    _mm512_broadcast_i64x2(unsafe { _mm_loadu_si128(from.as_ptr().cast()) })
}

/// Four lanes from memory, twice over.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[expect(unsafe_code, reason = "vector loads take pointers")]
pub(super) fn load_four(from: &[u64; 4]) -> __m512i {
    // SAFETY: the reference is valid for reading 32 bytes, and this load needs no alignment.
    _mm512_broadcast_i64x4(unsafe { _mm256_loadu_si256(from.as_ptr().cast()) })
}

/// Two vectors that are the left and right operands of eight butterflies, lane by lane.
pub(super) type Operands = (__m512i, __m512i);

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn pick(from: Operands, left: [i64; 8], right: [i64; 8]) -> Operands {
    let [a, b, c, d, e, f, g, h] = left;
    let left = _mm512_setr_epi64(a, b, c, d, e, f, g, h);
    let [a, b, c, d, e, f, g, h] = right;
    let right = _mm512_setr_epi64(a, b, c, d, e, f, g, h);
    (_mm512_permutex2var_epi64(from.0, left, from.1), _mm512_permutex2var_epi64(from.0, right, from.1))
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn halves(from: Operands) -> Operands {
    (_mm512_shuffle_i64x2::<0x44>(from.0, from.1), _mm512_shuffle_i64x2::<0xee>(from.0, from.1))
}

// Sixteen residues r0 .. r15 in two vectors pass through four arrangements. They are chosen so that the twiddles of the
// forward layers repeat with period 2, 4 and 8 lanes, and a broadcasting load spreads each from memory for nothing.
//
// in order:  r0 r1 r2 r3 r4 r5 r6 r7      r8 r9 r10 r11 r12 r13 r14 r15
// stride 4:  r0 r8 r1 r9 r2 r10 r3 r11    r4 r12 r5 r13 r6 r14 r7 r15
// stride 2:  r0 r8 r4 r12 r1 r9 r5 r13    r2 r10 r6 r14 r3 r11 r7 r15
// stride 1:  r0 r8 r4 r12 r2 r10 r6 r14   r1 r9 r5 r13 r3 r11 r7 r15

/// From order to stride 4.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn order_to_stride4(from: Operands) -> Operands {
    pick(from, [0, 8, 1, 9, 2, 10, 3, 11], [4, 12, 5, 13, 6, 14, 7, 15])
}

/// From stride 4 to stride 2.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn stride4_to_stride2(from: Operands) -> Operands {
    pick(from, [0, 1, 8, 9, 2, 3, 10, 11], [4, 5, 12, 13, 6, 7, 14, 15])
}

/// From stride 2 to stride 1; its own inverse.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn stride2_to_stride1(from: Operands) -> Operands {
    halves(from)
}

/// From stride 1 to order; its own inverse.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn stride1_to_order(from: Operands) -> Operands {
    pick(from, [0, 8, 4, 12, 2, 10, 6, 14], [1, 9, 5, 13, 3, 11, 7, 15])
}

/// From stride 2 to stride 4.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn stride2_to_stride4(from: Operands) -> Operands {
    pick(from, [0, 1, 4, 5, 8, 9, 12, 13], [2, 3, 6, 7, 10, 11, 14, 15])
}

/// From stride 4 to order.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(super) fn stride4_to_order(from: Operands) -> Operands {
    pick(from, [0, 2, 4, 6, 8, 10, 12, 14], [1, 3, 5, 7, 9, 11, 13, 15])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::avx512ifma::Avx512Ifma;

    const ORDER: [u64; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    const STRIDE4: [u64; 16] = [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15];
    const STRIDE2: [u64; 16] = [0, 8, 4, 12, 1, 9, 5, 13, 2, 10, 6, 14, 3, 11, 7, 15];
    const STRIDE1: [u64; 16] = [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15];

    /// Applies a permutation to a literal vector; a macro, since functions with target features are not values.
    macro_rules! permuted {
        ($permutation:ident, $from:expr) => {{
            #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
            fn apply(from: &[u64; 16]) -> [u64; 16] {
                let mut out = [0; 16];
                let (from, _) = from.as_chunks::<8>();
                let (left, right) = $permutation((load(&from[0]), load(&from[1])));
                let (to, _) = out.as_chunks_mut::<8>();
                store(&mut to[0], left);
                store(&mut to[1], right);
                out
            }
            #[expect(unsafe_code, reason = "entry into a function with target features")]
            // SAFETY: the caller has the token, which exists only on CPUs with these features.
            let out = unsafe { apply(&$from) };
            out
        }};
    }

    #[test]
    fn permutations_take_each_arrangement_to_the_next() {
        let Some(_token) = Avx512Ifma::detect() else { return };
        assert_eq!(permuted!(order_to_stride4, ORDER), STRIDE4);
        assert_eq!(permuted!(stride4_to_stride2, STRIDE4), STRIDE2);
        assert_eq!(permuted!(stride2_to_stride1, STRIDE2), STRIDE1);
        assert_eq!(permuted!(stride1_to_order, STRIDE1), ORDER);
        assert_eq!(permuted!(stride1_to_order, ORDER), STRIDE1);
        assert_eq!(permuted!(stride2_to_stride1, STRIDE1), STRIDE2);
        assert_eq!(permuted!(stride2_to_stride4, STRIDE2), STRIDE4);
        assert_eq!(permuted!(stride4_to_order, STRIDE4), ORDER);
    }
}
