//! The crate `fhe` 0.1.1 doing the same jobs: as its documentation shows, and taught our packing.

pub mod charge;
#[cfg(feature = "tfhe")]
pub mod threshold;

use std::sync::Arc;

use blindrelay_routing::{TOKEN_ENTRIES, Token};
use fhe::bfv::{
    BfvParameters, BfvParametersBuilder, Ciphertext, Encoding, EvaluationKey, EvaluationKeyBuilder, Multiplicator,
    Plaintext, PublicKey, RelinearizationKey, SecretKey,
};
use fhe_traits::{FheDecoder, FheDecrypter, FheEncoder, FheEncrypter};

use crate::Error;

/// How reports call it.
pub const NAME: &str = "fhe 0.1.1";

/// The moduli of `BfvParameters::default_parameters_128` at N = 4096: 109 bits.
const MODULI_4096: [u64; 3] = [0xf_fffe_e001, 0xf_fffc_4001, 0x1f_fffe_0001];
/// The same at N = 8192: 218 bits.
const MODULI_8192: [u64; 5] = [0x7ff_fffd_8001, 0x7ff_fffc_8001, 0xfff_ffff_c001, 0xfff_fff6_c001, 0xfff_ffeb_c001];
/// As many bits as our set for charges, in as few primes as have room: fewer bits and primes than [`MODULI_8192`], and faster.
const SIZES_FOR_CHARGES: [usize; 3] = [55, 55, 55];
/// With as many slots as coefficients at both degrees.
const PLAINTEXT_MODULUS: u64 = 65_537;

/// Its 128-bit default moduli for a ring degree, 4096 or 8192.
pub fn parameters(degree: usize) -> Result<Arc<BfvParameters>, Error> {
    let moduli: &[u64] = if degree == 4096 { &MODULI_4096 } else { &MODULI_8192 };
    let mut builder = BfvParametersBuilder::new();
    builder.set_degree(degree).set_plaintext_modulus(PLAINTEXT_MODULUS).set_moduli(moduli);
    Ok(builder.build_arc()?)
}

/// How reports describe its parameters; `origin` says where its moduli come from.
pub fn describe(parameters: &BfvParameters, origin: &str) -> String {
    let bits: usize = parameters.moduli_sizes().iter().sum();
    format!("N={} log2(QP)={bits} t={} ({origin}, transforms by tfhe-ntt)", parameters.degree(), parameters.plaintext())
}

/// The origin of [`parameters`].
pub const DEFAULT: &str = "its 128-bit default";

/// A key holder with its parameters.
pub struct KeyHolder {
    parameters: Arc<BfvParameters>,
    key: SecretKey,
    encoding: Encoding,
}

impl KeyHolder {
    /// With values in slots.
    pub fn slots(degree: usize) -> Result<Self, Error> {
        Self::new(degree, Encoding::simd())
    }

    /// With values in coefficients.
    pub fn coefficients(degree: usize) -> Result<Self, Error> {
        Self::new(degree, Encoding::poly())
    }

    /// With values in slots at N = 8192, modulo a prime below 2^54. Decryption goes through the first ciphertext prime, so that the default
    /// moduli, of 43 bits, would cut such values off.
    pub fn charging(plaintext_modulus: u64) -> Result<Self, Error> {
        let mut builder = BfvParametersBuilder::new();
        builder.set_degree(8192).set_plaintext_modulus(plaintext_modulus).set_moduli_sizes(&SIZES_FOR_CHARGES);
        Ok(Self::of(builder.build_arc()?, Encoding::simd()))
    }

    fn new(degree: usize, encoding: Encoding) -> Result<Self, Error> {
        Ok(Self::of(parameters(degree)?, encoding))
    }

    fn of(parameters: Arc<BfvParameters>, encoding: Encoding) -> Self {
        let key = SecretKey::random(&parameters, &mut rand::rng());
        Self { parameters, key, encoding }
    }

    /// The parameters.
    pub fn parameters(&self) -> &Arc<BfvParameters> {
        &self.parameters
    }

    /// Encodes and encrypts with the secret key; half of the result is a seed when it is written.
    pub fn encrypt(&self, values: &[i64]) -> Result<Ciphertext, Error> {
        Ok(self.key.try_encrypt(&self.encode(values)?, &mut rand::rng())?)
    }

    /// Encodes.
    pub fn encode(&self, values: &[i64]) -> Result<Plaintext, Error> {
        Ok(Plaintext::try_encode(values, self.encoding.clone(), &self.parameters)?)
    }

    /// Encodes and encrypts with the public key.
    pub fn encrypt_public(&self, values: &[i64], key: &PublicKey) -> Result<Ciphertext, Error> {
        Ok(key.try_encrypt(&self.encode(values)?, &mut rand::rng())?)
    }

    /// The public key.
    pub fn public_key(&self) -> PublicKey {
        PublicKey::new(&self.key, &mut rand::rng())
    }

    /// Decrypts and decodes.
    pub fn decrypt(&self, ciphertext: &Ciphertext) -> Result<Vec<i64>, Error> {
        let plaintext = self.key.try_decrypt(ciphertext)?;
        Ok(Vec::<i64>::try_decode(&plaintext, self.encoding.clone())?)
    }

    /// Product and relinearization in one step.
    pub fn multiplicator(&self) -> Result<Multiplicator, Error> {
        Ok(Multiplicator::default(&RelinearizationKey::new(&self.key, &mut rand::rng())?)?)
    }

    /// The key of sums over all slots.
    pub fn inner_sums(&self) -> Result<EvaluationKey, Error> {
        let mut builder = EvaluationKeyBuilder::new(&self.key)?;
        builder.enable_inner_sum()?;
        Ok(builder.build(&mut rand::rng())?)
    }

    /// The key of rotations by these steps.
    pub fn rotations(&self, steps: impl IntoIterator<Item = usize>) -> Result<EvaluationKey, Error> {
        let mut builder = EvaluationKeyBuilder::new(&self.key)?;
        for step in steps {
            builder.enable_column_rotation(step)?;
        }
        Ok(builder.build(&mut rand::rng())?)
    }
}

fn entries(token: &Token) -> impl DoubleEndedIterator<Item = i64> + '_ {
    token.entries().iter().map(|&entry| i64::from(entry))
}

/// 32 tokens in slots: product, relinearization, and the sum of every 128 slots by seven rotations.
pub struct SlotMatcher {
    holder: KeyHolder,
    enrolled: Ciphertext,
    multiplicator: Multiplicator,
    rotations: EvaluationKey,
}

/// The steps that add 128 neighbouring slots up.
const STEPS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

impl SlotMatcher {
    /// Enrols as many tokens as have room.
    pub fn new(tokens: &[Token]) -> Result<Self, Error> {
        let holder = KeyHolder::slots(4096)?;
        let values: Vec<i64> = tokens.iter().flat_map(entries).collect();
        let enrolled = holder.encrypt(&values)?;
        let (multiplicator, rotations) = (holder.multiplicator()?, holder.rotations(STEPS)?);
        Ok(Self { holder, enrolled, multiplicator, rotations })
    }

    /// The key holder.
    pub fn holder(&self) -> &KeyHolder {
        &self.holder
    }

    /// Encodes and encrypts a probe: the token once for each place.
    pub fn probe(&self, token: &Token) -> Result<Ciphertext, Error> {
        let places = self.holder.parameters.degree() / TOKEN_ENTRIES;
        let values: Vec<i64> = std::iter::repeat_n(token, places).flat_map(entries).collect();
        self.holder.encrypt(&values)
    }

    /// The scores, in every 128th slot.
    pub fn scores(&self, probe: &Ciphertext) -> Result<Ciphertext, Error> {
        let mut sum = self.multiplicator.multiply(probe, &self.enrolled)?;
        for step in STEPS {
            let rotated = self.rotations.rotates_columns_by(&sum, step)?;
            sum += &rotated;
        }
        Ok(sum)
    }

    /// Decrypts and decodes.
    pub fn open(&self, answer: &Ciphertext) -> Result<Vec<i64>, Error> {
        Ok(self.holder.decrypt(answer)?.into_iter().step_by(TOKEN_ENTRIES).collect())
    }
}

/// 32 tokens in coefficients, packed as we do: one product, nothing else.
pub struct PackedMatcher {
    holder: KeyHolder,
    enrolled: Ciphertext,
}

impl PackedMatcher {
    /// Enrols as many tokens as have room.
    pub fn new(tokens: &[Token]) -> Result<Self, Error> {
        let holder = KeyHolder::coefficients(4096)?;
        let values: Vec<i64> = tokens.iter().flat_map(entries).collect();
        let enrolled = holder.encrypt(&values)?;
        Ok(Self { holder, enrolled })
    }

    /// The key holder.
    pub fn holder(&self) -> &KeyHolder {
        &self.holder
    }

    /// Encodes and encrypts a probe.
    pub fn probe(&self, token: &Token) -> Result<Ciphertext, Error> {
        self.holder.encrypt(&entries(token).rev().collect::<Vec<_>>())
    }

    /// The scores, in every 128th coefficient, with three components.
    pub fn scores(&self, probe: &Ciphertext) -> Ciphertext {
        probe * &self.enrolled
    }

    /// Decrypts and decodes.
    pub fn open(&self, answer: &Ciphertext) -> Result<Vec<i64>, Error> {
        let values = self.holder.decrypt(answer)?;
        Ok(values.into_iter().skip(TOKEN_ENTRIES - 1).step_by(TOKEN_ENTRIES).collect())
    }
}
