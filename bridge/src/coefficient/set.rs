//! The parameter sets of the `tfhe` crate that a bridge leads to.

use tfhe::shortint::parameters::current_params::{
    V1_8_PARAM_MESSAGE_1_CARRY_1_KS_PBS_TUNIFORM_2M128, V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128,
};
use tfhe::shortint::{CarryModulus, ClassicPBSParameters, MessageModulus};

/// A named set of the crate: 132 bits of security by its authors' estimate, uniform errors, the centred modulus switch, ciphertexts under the large
/// key. Sets are chosen by name and never by number, so that nobody's own parameters have to be judged here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShortintSet {
    /// One bit of message, one of carry: the fastest, without room for other integers.
    Message1Carry1,
    /// Two bits of message, two of carry: what the crate's integers are made of.
    Message2Carry2,
}

impl ShortintSet {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Message1Carry1, Self::Message2Carry2];

    /// The parameters.
    pub const fn parameters(self) -> ClassicPBSParameters {
        match self {
            Self::Message1Carry1 => V1_8_PARAM_MESSAGE_1_CARRY_1_KS_PBS_TUNIFORM_2M128,
            Self::Message2Carry2 => V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128,
        }
    }

    /// The name of the parameters in the crate.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message1Carry1 => "V1_8_PARAM_MESSAGE_1_CARRY_1_KS_PBS_TUNIFORM_2M128",
            Self::Message2Carry2 => "V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128",
        }
    }

    /// The number on the wire.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Message1Carry1 => 1,
            Self::Message2Carry2 => 2,
        }
    }

    pub(super) fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.number() == number)
    }

    /// Dimension of the large LWE key: that of ciphertexts.
    pub const fn large_dimension(self) -> usize {
        let parameters = self.parameters();
        parameters.glwe_dimension.0 * parameters.polynomial_size.0
    }

    /// Dimension of the small LWE key, which bootstrapping reads.
    pub const fn small_dimension(self) -> usize {
        self.parameters().lwe_dimension.0
    }

    /// The torus value (in units of 2^-64) of the integer 1: one bit of padding, carry and message stand above it.
    pub const fn unit(self) -> u64 {
        let ClassicPBSParameters {
            message_modulus: MessageModulus(message), carry_modulus: CarryModulus(carry), ..
        } = self.parameters();
        (1 << 63) / (message * carry)
    }
}

impl std::fmt::Display for ShortintSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
