//! Sums of shifted rows of digits.

use tfhe::integer::RadixCiphertext;
use tfhe::shortint::Ciphertext;

use super::keys::ServerKey;

/// A radix ciphertext of so many blocks with digits from block `shift` on and zeros elsewhere. Digits beyond the last block are dropped, which is
/// arithmetic modulo `4^blocks`.
pub(super) fn row(key: &ServerKey, shift: usize, blocks: usize, digits: Vec<Ciphertext>) -> RadixCiphertext {
    let zero = || key.blocks().create_trivial(0);
    let below = std::iter::repeat_with(zero).take(shift);
    let above = std::iter::repeat_with(zero);
    RadixCiphertext::from(below.chain(digits).chain(above).take(blocks).collect::<Vec<_>>())
}

/// The sum of rows modulo `4^blocks`, carries propagated: digits are gathered column by column, five at a time, before any carry moves on.
pub(super) fn sum(key: &ServerKey, blocks: usize, rows: Vec<RadixCiphertext>) -> RadixCiphertext {
    let zero = || key.integers().create_trivial_zero_radix(blocks);
    key.integers().unchecked_sum_ciphertexts_vec_parallelized(rows).unwrap_or_else(zero)
}
