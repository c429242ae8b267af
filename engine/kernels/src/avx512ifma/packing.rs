//! Packing of residues into bits, a group of eight a vector.

use core::arch::x86_64::{
    __m512i, _mm512_and_si512, _mm512_cmpgt_epu64_mask, _mm512_loadu_si512, _mm512_maskz_permutexvar_epi8,
    _mm512_or_si512, _mm512_permutexvar_epi8, _mm512_sllv_epi64, _mm512_srlv_epi64, _mm512_storeu_si512,
};

use super::lanes::{load, store};
use super::residues::broadcast;

entries! {
    pack_leading(residues: &[u64], bits: u32, bytes: &mut [u8]) -> usize;
    unpack_leading(bytes: &[u8], bits: u32, limit: u64, residues: &mut [u64]) -> (usize, bool);
}

/// Bytes of a vector.
const VECTOR: usize = 64;

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[expect(unsafe_code, reason = "vector loads take pointers")]
fn load_bytes(from: &[u8; VECTOR]) -> __m512i {
    // SAFETY: the reference is valid for reading 64 bytes, and this load needs no alignment.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
#[expect(unsafe_code, reason = "vector stores take pointers")]
fn store_bytes(to: &mut [u8; VECTOR], lanes: __m512i) {
    // SAFETY: the reference is valid for writing 64 bytes, and this store needs no alignment.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), lanes) };
}

/// By how many bits each residue of a group is away from the byte in which it begins.
fn shifts(bits: u32) -> [u64; 8] {
    core::array::from_fn(|lane| (lane * bits as usize % 8) as u64)
}

/// Fewer bits than a byte put more than two residues into one; those few widths are left to the caller.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512ifma,avx512vbmi")]
fn pack_leading(residues: &[u64], bits: u32, bytes: &mut [u8]) -> usize {
    if bits < 8 {
        return 0;
    }
    // A residue that has been shifted to its place in its first byte has at most 57 bits. Each byte of the group takes bits of one residue
    // or of two neighbours, one of which is in an even and the other in an odd lane.
    let mut sources = [[0_u8; VECTOR]; 2];
    let mut masks = [0_u64; 2];
    for lane in 0..8 {
        let first = lane * bits as usize / 8;
        let last = ((lane + 1) * bits as usize - 1) / 8;
        for (byte, place) in (first..=last).enumerate() {
            sources[lane % 2][place] = (8 * lane + byte) as u8;
            masks[lane % 2] |= 1 << place;
        }
    }
    let shifts = load(&shifts(bits));
    let [even, odd] = [load_bytes(&sources[0]), load_bytes(&sources[1])];
    let mut packed = 0;
    for (index, group) in residues.as_chunks().0.iter().enumerate() {
        let Some(place) = bytes[index * bits as usize..].first_chunk_mut() else { break };
        let shifted = _mm512_sllv_epi64(load(group), shifts);
        let even = _mm512_maskz_permutexvar_epi8(masks[0], even, shifted);
        let odd = _mm512_maskz_permutexvar_epi8(masks[1], odd, shifted);
        store_bytes(place, _mm512_or_si512(even, odd));
        packed += 8;
    }
    packed
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512ifma,avx512vbmi")]
fn unpack_leading(bytes: &[u8], bits: u32, limit: u64, residues: &mut [u64]) -> (usize, bool) {
    // Each lane gets the eight bytes from the one in which its residue begins: the last of a group begins in byte 43 at most.
    let sources = core::array::from_fn(|byte| (byte / 8 * bits as usize / 8 + byte % 8) as u8);
    let (sources, shifts) = (load_bytes(&sources), load(&shifts(bits)));
    let (mask, limit) = (broadcast((1 << bits) - 1), broadcast(limit));
    let (mut unpacked, mut above) = (0, 0);
    for (index, group) in residues.as_chunks_mut().0.iter_mut().enumerate() {
        let Some(place) = bytes[index * bits as usize..].first_chunk() else { break };
        let lanes = _mm512_srlv_epi64(_mm512_permutexvar_epi8(sources, load_bytes(place)), shifts);
        let lanes = _mm512_and_si512(lanes, mask);
        above |= _mm512_cmpgt_epu64_mask(lanes, limit);
        store(group, lanes);
        unpacked += 8;
    }
    (unpacked, above == 0)
}
