//! From a coefficient of an answer to an LWE ciphertext over the torus.

use blindrelay_engine::bfv::Answer;

use super::error::BridgeError;

/// Width of a digit of the key switching to the large key, in bits.
pub const LIFT_BASE_LOG: u32 = 15;
/// Digits of the key switching to the large key.
pub const LIFT_LEVELS: u32 = 2;

/// Coefficient `position` of a two-component answer as an LWE ciphertext under the coefficients of the BFV secret: `n` mask elements, then the body, in
/// units of 2^-64 of the torus. Its phase, body minus inner product, is `message / t` plus the noise.
///
/// Every element is rounded from `x` modulo the answer prime `p` to `2^64 x / p`, an error of at most 1/2: with a ternary secret of weight `w` the
/// phase moves by at most `(1 + w) / 2` units.
pub fn extract(answer: &Answer, position: u32) -> Result<Vec<u64>, BridgeError> {
    let [rest] = answer.rest() else {
        return Err(BridgeError::Components { found: answer.rest().len() + 1 });
    };
    let index = answer.positions().binary_search(&position).map_err(|_| BridgeError::Position { position })?;
    let body = *answer.body().get(index).ok_or(BridgeError::Position { position })?;
    let modulus = rest.basis().moduli().first().copied().ok_or(BridgeError::Position { position })?;
    let scaled = |residue: u64| {
        let p = u128::from(modulus.value());
        // 2^64 itself, where a residue rounds up to it, is 0 on the torus.
        (((u128::from(residue) << 64) + p / 2) / p) as u64
    };
    // Coefficient k of c1 s is the sum of c1[k - i] s[i] for i <= k, and of -c1[n + k - i] s[i] above; a phase subtracts its mask.
    let residues = rest.residues();
    let (low, high) = residues.split_at_checked(position as usize + 1).ok_or(BridgeError::Position { position })?;
    let negated = low.iter().rev().map(|&x| modulus.neg(x));
    let kept = high.iter().rev().copied();
    Ok(negated.chain(kept).chain([body]).map(scaled).collect())
}
