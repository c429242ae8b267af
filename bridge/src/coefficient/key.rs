//! What the service needs from the key holder: the key that switches BFV coefficients to the `tfhe` crate's large key, and the crate's keys of its own.

use blindrelay_engine::params::{ParameterDigest, Parameters};
use tfhe::core_crypto::commons::math::random::Seed;
use tfhe::core_crypto::prelude::{
    CiphertextModulus, DecompositionBaseLog, DecompositionLevelCount, FourierLweBootstrapKeyOwned, LweDimension,
    LweKeyswitchKeyOwned, SeededLweBootstrapKey, SeededLweKeyswitchKey,
    par_convert_standard_lwe_bootstrap_key_to_fourier,
};
use tfhe::shortint::atomic_pattern::{AtomicPatternServerKey, StandardAtomicPatternServerKey};
use tfhe::shortint::ciphertext::MaxDegree;
use tfhe::shortint::server_key::{ModulusSwitchConfiguration, ShortintBootstrappingKey};
use tfhe::shortint::{PBSOrder, ServerKey};

use super::error::BridgeError;
use super::lift::{LIFT_BASE_LOG, LIFT_LEVELS};
use super::set::ShortintSet;

const OBJECT: &str = "a bridge key";
const MAGIC: [u8; 4] = *b"BRBK";
const VERSION: u8 = 1;
/// Magic, version, number of the set, two zeros, digest of the BFV parameters, three seeds.
const HEADER_BYTES: usize = 4 + 1 + 1 + 2 + 32 + 3 * 16;

/// The seeded bodies of the three keys, and their public seeds. It is made by `blindrelay_keyholder::coefficient::DecisionKey`.
#[derive(Clone, PartialEq, Eq)]
pub struct BridgeKey {
    set: ShortintSet,
    parameters: ParameterDigest,
    seeds: [u128; 3],
    lift: Vec<u64>,
    key_switching: Vec<u64>,
    bootstrapping: Vec<u64>,
}

impl std::fmt::Debug for BridgeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BridgeKey({}, {}, ..)", self.parameters, self.set)
    }
}

/// Numbers of bodies.
#[derive(Clone, Copy)]
struct Lengths {
    lift: usize,
    key_switching: usize,
    bootstrapping: usize,
}

impl Lengths {
    fn of(set: ShortintSet, degree: usize) -> Self {
        let parameters = set.parameters();
        let rows = (parameters.glwe_dimension.0 + 1) * parameters.pbs_level.0;
        Self {
            lift: degree * LIFT_LEVELS as usize,
            key_switching: set.large_dimension() * parameters.ks_level.0,
            bootstrapping: set.small_dimension() * rows * parameters.polynomial_size.0,
        }
    }

    fn words(self) -> usize {
        self.lift + self.key_switching + self.bootstrapping
    }
}

impl BridgeKey {
    /// From bodies: of the key switching of BFV coefficients (`n` times [`LIFT_LEVELS`]), of the crate's key switching and of its bootstrapping, with
    /// the public seeds of their masks in this order.
    pub fn new(
        set: ShortintSet,
        parameters: &Parameters,
        seeds: [u128; 3],
        [lift, key_switching, bootstrapping]: [Vec<u64>; 3],
    ) -> Result<Self, BridgeError> {
        let lengths = Lengths::of(set, parameters.degree());
        let pairs = [
            (lengths.lift, lift.len()),
            (lengths.key_switching, key_switching.len()),
            (lengths.bootstrapping, bootstrapping.len()),
        ];
        match pairs.into_iter().find(|(expected, found)| expected != found) {
            Some((expected, found)) => {
                Err(BridgeError::Length { object: OBJECT, expected: 8 * expected, found: 8 * found })
            }
            None => Ok(Self { set, parameters: parameters.digest(), seeds, lift, key_switching, bootstrapping }),
        }
    }

    /// The set of the `tfhe` crate.
    pub fn set(&self) -> ShortintSet {
        self.set
    }

    /// Digest of the BFV parameters.
    pub fn parameters(&self) -> ParameterDigest {
        self.parameters
    }

    /// Bytes of the encoding under these parameters: the limit for a request.
    pub fn byte_len(set: ShortintSet, parameters: &Parameters) -> usize {
        HEADER_BYTES + 8 * Lengths::of(set, parameters.degree()).words()
    }

    /// The only encoding: header and bodies, little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let words = [&self.lift, &self.key_switching, &self.bootstrapping];
        let mut bytes = Vec::with_capacity(HEADER_BYTES + 8 * words.iter().map(|part| part.len()).sum::<usize>());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, self.set.number(), 0, 0]);
        bytes.extend_from_slice(self.parameters.as_bytes());
        self.seeds.iter().for_each(|seed| bytes.extend_from_slice(&seed.to_le_bytes()));
        words.into_iter().flatten().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
        bytes
    }

    /// Decodes foreign bytes. Refused where they are not a bridge key of these BFV parameters and this set, or not exactly as long as those
    /// ask for; nothing is allocated before. Any body is a valid one: a wrong key gives wrong bits to the one who sent it.
    pub fn from_bytes(bytes: &[u8], set: ShortintSet, parameters: &Parameters) -> Result<Self, BridgeError> {
        let expected = Self::byte_len(set, parameters);
        let length = BridgeError::Length { object: OBJECT, expected, found: bytes.len() };
        let (magic, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| length.clone())?;
        if *magic != MAGIC {
            return Err(BridgeError::Magic { object: OBJECT });
        }
        let ([version, number, zero, also_zero], rest) = rest.split_first_chunk::<4>().ok_or_else(|| length.clone())?;
        if *version != VERSION || *zero != 0 || *also_zero != 0 {
            return Err(BridgeError::Version { object: OBJECT, expected: VERSION, found: *version });
        }
        let found =
            ShortintSet::of_number(*number).ok_or(BridgeError::UnknownSet { object: OBJECT, found: *number })?;
        if found != set {
            return Err(BridgeError::Set { object: OBJECT, expected: set, found });
        }
        let (digest, rest) = rest.split_first_chunk::<32>().ok_or_else(|| length.clone())?;
        let (expected, found) = (parameters.digest(), ParameterDigest::from_bytes(*digest));
        if found != expected {
            return Err(BridgeError::Parameters { object: OBJECT, expected, found });
        }
        if bytes.len() != Self::byte_len(set, parameters) {
            return Err(length);
        }
        let (seeds, words) = rest.split_at_checked(48).ok_or(length)?;
        let mut seeds = seeds.as_chunks::<16>().0.iter().map(|chunk| u128::from_le_bytes(*chunk));
        let seeds = std::array::from_fn(|_| seeds.next().unwrap_or_default());
        let mut words = words.as_chunks::<8>().0.iter().map(|chunk| u64::from_le_bytes(*chunk));
        let lengths = Lengths::of(set, parameters.degree());
        let mut take = |count: usize| words.by_ref().take(count).collect::<Vec<_>>();
        let bodies = [take(lengths.lift), take(lengths.key_switching), take(lengths.bootstrapping)];
        Self::new(set, parameters, seeds, bodies)
    }

    /// The key from BFV coefficients to the large key, with its masks.
    pub(super) fn lift_key(&self) -> LweKeyswitchKeyOwned<u64> {
        let [lift, ..] = self.seeds;
        SeededLweKeyswitchKey::from_container(
            self.lift.clone(),
            DecompositionBaseLog(LIFT_BASE_LOG as usize),
            DecompositionLevelCount(LIFT_LEVELS as usize),
            LweDimension(self.set.large_dimension()).to_lwe_size(),
            Seed(lift).into(),
            CiphertextModulus::new_native(),
        )
        .par_decompress_into_lwe_keyswitch_key()
    }

    /// The `tfhe` crate's server key, with which bits are computed on. It is the same as one the crate would make for these parameters.
    pub fn server_key(&self) -> ServerKey {
        let parameters = self.set.parameters();
        let [_, key_switching, bootstrapping] = self.seeds;
        let modulus = CiphertextModulus::new_native();
        let key_switching_key = SeededLweKeyswitchKey::from_container(
            self.key_switching.clone(),
            parameters.ks_base_log,
            parameters.ks_level,
            parameters.lwe_dimension.to_lwe_size(),
            Seed(key_switching).into(),
            modulus,
        )
        .par_decompress_into_lwe_keyswitch_key();
        let standard = SeededLweBootstrapKey::from_container(
            self.bootstrapping.clone(),
            parameters.glwe_dimension.to_glwe_size(),
            parameters.polynomial_size,
            parameters.pbs_base_log,
            parameters.pbs_level,
            Seed(bootstrapping).into(),
            modulus,
        )
        .par_decompress_into_lwe_bootstrap_key();
        let mut bsk = FourierLweBootstrapKeyOwned::new(
            standard.input_lwe_dimension(),
            standard.glwe_size(),
            standard.polynomial_size(),
            standard.decomposition_base_log(),
            standard.decomposition_level_count(),
        );
        par_convert_standard_lwe_bootstrap_key_to_fourier(&standard, &mut bsk);
        let bootstrapping_key = ShortintBootstrappingKey::Classic {
            bsk,
            modulus_switch_noise_reduction_key: ModulusSwitchConfiguration::CenteredMeanNoiseReduction,
        };
        let standard = StandardAtomicPatternServerKey::from_raw_parts(
            key_switching_key,
            bootstrapping_key,
            PBSOrder::KeyswitchBootstrap,
        );
        ServerKey {
            atomic_pattern: AtomicPatternServerKey::Standard(standard),
            message_modulus: parameters.message_modulus,
            carry_modulus: parameters.carry_modulus,
            max_degree: MaxDegree::from_msg_carry_modulus(parameters.message_modulus, parameters.carry_modulus),
            max_noise_level: parameters.max_noise_level,
            ciphertext_modulus: modulus,
        }
    }
}
