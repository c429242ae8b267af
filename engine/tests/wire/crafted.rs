//! Bytes that no encoder writes.

use blindrelay_engine::wire::HEADER_BYTES;

/// Where the payload begins.
pub(crate) fn payload_start(bytes: &[u8]) -> usize {
    HEADER_BYTES + usize::from(u16::from_le_bytes([bytes[6], bytes[7]]))
}

/// The object with another typed header of the right length.
pub(crate) fn with_typed(bytes: &[u8], typed: &[u8]) -> Vec<u8> {
    let mut crafted = bytes[..HEADER_BYTES].to_vec();
    crafted[6..8].copy_from_slice(&u16::try_from(typed.len()).unwrap().to_le_bytes());
    crafted.extend_from_slice(typed);
    crafted.extend_from_slice(&bytes[payload_start(bytes)..]);
    crafted
}

/// The typed header.
pub(crate) fn typed(bytes: &[u8]) -> &[u8] {
    &bytes[HEADER_BYTES..payload_start(bytes)]
}

/// The object with `width` bits of the payload replaced, from bit `start` on, bit by bit.
pub(crate) fn with_bits(bytes: &[u8], start: usize, width: usize, value: u64) -> Vec<u8> {
    let mut crafted = bytes.to_vec();
    let payload = payload_start(bytes);
    for bit in 0..width {
        let byte = &mut crafted[payload + (start + bit) / 8];
        let mask = 1 << ((start + bit) % 8);
        *byte = if value >> bit & 1 == 1 { *byte | mask } else { *byte & !mask };
    }
    crafted
}

/// The shortest encoding of an unsigned integer.
pub(crate) fn varint(value: u32) -> Vec<u8> {
    match value {
        0..=250 => vec![value as u8],
        251..=0xffff => [&[251][..], &(value as u16).to_le_bytes()].concat(),
        _ => [&[252][..], &value.to_le_bytes()].concat(),
    }
}

/// The shortest encoding of a signed integer.
pub(crate) fn zigzag(value: i32) -> Vec<u8> {
    varint(((value << 1) ^ (value >> 31)) as u32)
}
