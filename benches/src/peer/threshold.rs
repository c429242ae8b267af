//! The crate `tfhe` 1.8 deciding about one score: a signed integer of 16 bits at or above a clear value.

use tfhe::integer::{BooleanBlock, RadixClientKey, ServerKey, SignedRadixCiphertext, gen_keys_radix};
use tfhe::shortint::parameters::v1_8::V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128;

use crate::decisions::THRESHOLD;
use crate::{Error, agree};

/// How reports call it.
pub const NAME: &str = "tfhe 1.8, 16-bit ge";

/// Blocks of two bits in 16 bits.
const BLOCKS: usize = 8;

/// One encrypted score with the server key.
pub struct PeerThreshold {
    key: RadixClientKey,
    server: ServerKey,
    score: SignedRadixCiphertext,
}

impl PeerThreshold {
    /// Refused where any of several scores around the threshold is decided otherwise than in the clear.
    pub fn new() -> Result<Self, Error> {
        let (key, server) = gen_keys_radix(V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128, BLOCKS);
        let score = key.encrypt_signed(THRESHOLD);
        let peer = Self { key, server, score };
        for score in [-128, -2, 0, THRESHOLD - 2, THRESHOLD, THRESHOLD + 2, 128] {
            let decided = peer.decide(&peer.key.encrypt_signed(score));
            agree("threshold", "tfhe", &peer.key.decrypt_bool(&decided), &(score >= THRESHOLD))?;
        }
        Ok(peer)
    }

    /// Whether the stored score reaches the threshold.
    pub fn decided(&self) -> BooleanBlock {
        self.decide(&self.score)
    }

    fn decide(&self, score: &SignedRadixCiphertext) -> BooleanBlock {
        self.server.scalar_ge_parallelized(score, THRESHOLD)
    }

    /// The parameters in words.
    pub fn parameters() -> String {
        format!(
            "{BLOCKS} blocks of 2 bits, V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128, failure probability 2^-128"
        )
    }
}
