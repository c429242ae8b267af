//! The encrypted result of a comparison.

use tfhe::core_crypto::prelude::{CiphertextModulus, LweCiphertextOwned};
use tfhe::shortint::ciphertext::{Degree, NoiseLevel};
use tfhe::shortint::parameters::AtomicPatternKind;
use tfhe::shortint::{Ciphertext, PBSOrder};

use super::error::BridgeError;
use super::set::ShortintSet;

const OBJECT: &str = "a decision";
const MAGIC: [u8; 4] = *b"BRBD";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 8;

/// An encrypted bit, 0 or 1: a ciphertext of the `tfhe` crate under its large key.
#[derive(Clone, Debug)]
pub struct Decision {
    set: ShortintSet,
    ciphertext: Ciphertext,
}

impl Decision {
    /// From a ciphertext of this set, for example the conjunction of two decisions. Refused where its dimension is another one.
    pub fn new(set: ShortintSet, ciphertext: Ciphertext) -> Result<Self, BridgeError> {
        let (expected, found) = (8 * (set.large_dimension() + 1), 8 * ciphertext.ct.lwe_size().0);
        if expected == found {
            Ok(Self { set, ciphertext })
        } else {
            Err(BridgeError::Length { object: OBJECT, expected, found })
        }
    }

    /// The bit of this phase, as the last bootstrapping of a comparison leaves it.
    pub(super) fn of_bit(set: ShortintSet, lwe: LweCiphertextOwned<u64>) -> Self {
        Self { set, ciphertext: shortint(set, lwe) }
    }

    /// The set of the `tfhe` crate.
    pub fn set(&self) -> ShortintSet {
        self.set
    }

    /// The ciphertext, to be computed on with [`super::CoefficientBridge::server_key`].
    pub fn ciphertext(&self) -> &Ciphertext {
        &self.ciphertext
    }

    /// Bytes of every decision of a set.
    pub fn byte_len(set: ShortintSet) -> usize {
        HEADER_BYTES + 8 * (set.large_dimension() + 1)
    }

    /// The only encoding: magic, version, number of the set, two zeros, mask and body, little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::byte_len(self.set));
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, self.set.number(), 0, 0]);
        self.ciphertext.ct.as_ref().iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
        bytes
    }

    /// Decodes foreign bytes. Refused where they are not a decision of this set, exactly as long as that asks for.
    pub fn from_bytes(bytes: &[u8], set: ShortintSet) -> Result<Self, BridgeError> {
        let length = BridgeError::Length { object: OBJECT, expected: Self::byte_len(set), found: bytes.len() };
        let (magic, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| length.clone())?;
        if *magic != MAGIC {
            return Err(BridgeError::Magic { object: OBJECT });
        }
        let ([version, number, zero, also_zero], words) =
            rest.split_first_chunk::<4>().ok_or_else(|| length.clone())?;
        if *version != VERSION || *zero != 0 || *also_zero != 0 {
            return Err(BridgeError::Version { object: OBJECT, expected: VERSION, found: *version });
        }
        let found =
            ShortintSet::of_number(*number).ok_or(BridgeError::UnknownSet { object: OBJECT, found: *number })?;
        if found != set {
            return Err(BridgeError::Set { object: OBJECT, expected: set, found });
        }
        if bytes.len() != Self::byte_len(set) {
            return Err(length);
        }
        let words = words.as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk)).collect();
        Ok(Self::of_bit(set, LweCiphertextOwned::from_container(words, CiphertextModulus::new_native())))
    }
}

/// A ciphertext of the crate that holds at most 1, with the noise of one bootstrapping.
pub(super) fn shortint(set: ShortintSet, lwe: LweCiphertextOwned<u64>) -> Ciphertext {
    let parameters = set.parameters();
    Ciphertext::new(
        lwe,
        Degree::new(1),
        NoiseLevel::NOMINAL,
        parameters.message_modulus,
        parameters.carry_modulus,
        AtomicPatternKind::Standard(PBSOrder::KeyswitchBootstrap),
    )
}
