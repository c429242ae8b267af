//! The one set of parameters of tiers.

use tfhe::shortint::parameters::v1_8::V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128;
use tfhe::shortint::parameters::{CiphertextConformanceParams, CompactPublicKeyEncryptionParameters};
use tfhe::shortint::{AtomicPatternParameters, ClassicPBSParameters};
use tfhe::{Config, ConfigBuilder};

/// Two bits of message and two of carry a block, noise uniform over a power-of-two interval, probability that a bootstrap fails 2^-129.58.
/// The modulus switch before a bootstrap is centred on its mean, which that figure includes.
pub const PARAMETERS: ClassicPBSParameters = V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128;

/// Bits of an integer that one block holds.
pub const BLOCK_BITS: u32 = 2;

/// Values of one block: `2^BLOCK_BITS`.
pub(super) const BLOCK_VALUES: u64 = 1 << BLOCK_BITS;

/// What keys are checked against. No other key than the one that computes belongs to it.
pub(super) fn config() -> Config {
    ConfigBuilder::with_custom_parameters(PARAMETERS).use_dedicated_oprf_key(false).build()
}

/// What one block of a ciphertext is checked against: dimension, modulus, degree 3, noise of one bootstrap.
pub(super) fn block() -> CiphertextConformanceParams {
    AtomicPatternParameters::from(PARAMETERS).to_shortint_conformance_param()
}

/// Public-key encryption under the key that computes, without a key of its own.
pub(super) fn public_key() -> Option<CompactPublicKeyEncryptionParameters> {
    CompactPublicKeyEncryptionParameters::try_from(PARAMETERS).ok()
}

/// Dimension of an LWE ciphertext under the large key: 2048.
pub(super) fn dimension() -> usize {
    PARAMETERS.glwe_dimension.to_equivalent_lwe_dimension(PARAMETERS.polynomial_size).0
}
