//! Bytes as 128 residues modulo 65,537: two bytes a chunk, the length first.
//!
//! ```text
//! chunk 0        1 + length in bytes, so that no payload is all zeros
//! chunk 1 + i    byte 2 i + 256 byte 2 i + 1; 0 after the last byte
//! ```
//!
//! Every payload has exactly one coding. A residue of 65,536 is in none.

use zeroize::Zeroizing;

use super::error::FindError;
use crate::layout::TOKEN_ENTRIES;

/// Fewest bytes of a payload.
pub const MIN_PAYLOAD_BYTES: usize = 1;
/// Most bytes of a payload: two in each chunk but the first.
pub const MAX_PAYLOAD_BYTES: usize = 2 * (TOKEN_ENTRIES - 1);

/// The plaintext modulus that chunks need: every number of 16 bits is a residue.
pub(super) const CHUNK_MODULUS: u64 = 65_537;

/// The chunks of a payload, from 0 to 65,535.
pub(super) fn encode(payload: &[u8]) -> Result<Zeroizing<[i64; TOKEN_ENTRIES]>, FindError> {
    if !(MIN_PAYLOAD_BYTES..=MAX_PAYLOAD_BYTES).contains(&payload.len()) {
        return Err(FindError::PayloadLength { found: payload.len() });
    }
    let mut chunks = Zeroizing::new([0; TOKEN_ENTRIES]);
    let pairs = payload.chunks(2).map(|pair| {
        let byte = |index: usize| i64::from(pair.get(index).copied().unwrap_or_default());
        byte(0) + 256 * byte(1)
    });
    let coded = std::iter::once(1 + payload.len() as i64).chain(pairs);
    chunks.iter_mut().zip(coded).for_each(|(chunk, value)| *chunk = value);
    Ok(chunks)
}

/// What the slots of a place say.
pub(super) enum Decoded {
    /// All are zero.
    Nothing,
    /// A payload in its only coding.
    Payload(Zeroizing<Vec<u8>>),
    /// Anything else.
    Inconsistent,
}

/// The payload of chunks from 0 to 65,536. All of them are looked at, whatever they are.
pub(super) fn decode(chunks: &[u64; TOKEN_ENTRIES]) -> Decoded {
    let [first, rest @ ..] = chunks;
    let length = first.wrapping_sub(1) as usize;
    let sized = (MIN_PAYLOAD_BYTES..=MAX_PAYLOAD_BYTES).contains(&length);
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * rest.len()));
    let (mut nothing, mut consistent) = (*first == 0, sized);
    for &chunk in rest {
        nothing &= chunk == 0;
        consistent &= chunk < CHUNK_MODULUS - 1;
        bytes.extend_from_slice(&[chunk as u8, (chunk >> 8) as u8]);
    }
    let length = if sized { length } else { 0 };
    consistent &= bytes.iter().skip(length).fold(0, |all, byte| all | byte) == 0;
    bytes.truncate(length);
    match (nothing, consistent) {
        (true, _) => Decoded::Nothing,
        (false, true) => Decoded::Payload(bytes),
        (false, false) => Decoded::Inconsistent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn residues(payload: &[u8]) -> [u64; TOKEN_ENTRIES] {
        encode(payload).unwrap().map(|chunk| chunk as u64)
    }

    #[test]
    fn every_length_comes_back_and_others_are_refused() {
        for length in MIN_PAYLOAD_BYTES..=MAX_PAYLOAD_BYTES {
            for fill in [0, 255] {
                let payload: Vec<u8> = (0..length).map(|index| fill ^ (index * 7) as u8).collect();
                let Decoded::Payload(found) = decode(&residues(&payload)) else { panic!("{length}") };
                assert_eq!(*found, payload);
            }
        }
        for found in [0, MAX_PAYLOAD_BYTES + 1, 1000] {
            assert_eq!(encode(&vec![7; found]), Err(FindError::PayloadLength { found }));
        }
    }

    #[test]
    fn only_the_coding_of_a_payload_is_taken() {
        assert!(matches!(decode(&[0; TOKEN_ENTRIES]), Decoded::Nothing));
        let good = residues(b"odd");
        let changed = |at: usize, value: u64| {
            let mut chunks = good;
            chunks[at] = value;
            decode(&chunks)
        };
        assert!(matches!(changed(1, 65_535), Decoded::Payload(_)));
        // No length, a length of 0, lengths above the most, a byte after the last, a chunk after the last, and a residue that is no chunk.
        for (at, value) in [(0, 0), (0, 1), (0, 256), (0, 65_536), (0, 3), (2, 0x0164), (3, 1), (127, 256), (1, 65_536)]
        {
            assert!(matches!(changed(at, value), Decoded::Inconsistent), "{at} {value}");
        }
    }
}
