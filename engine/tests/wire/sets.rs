//! Parameter sets of the tests, built once.

use std::sync::{Arc, LazyLock};

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::{Answer, Ciphertext, Context, LevelledSeededCiphertext, SeededCiphertext};
use blindrelay_engine::ckks;
use blindrelay_engine::params::{
    BILL_8192, Level, MATCH_2048, MATCH_4096, ParameterSpec, Parameters, STATS_8192, STATS_16384, preset,
};
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::{
    Header, Kind, Message, Wire, WireError, exact_len, public_key_from_bytes, public_key_to_bytes,
};

use crate::objects;

/// One limb, key switching by parts of it, a 24-bit answer prime.
pub(crate) static SMALL: LazyLock<Arc<Context>> = LazyLock::new(|| objects::context(MATCH_2048).unwrap());
/// Two limbs, a 32-bit answer prime.
pub(crate) static WIDE: LazyLock<Arc<Context>> = LazyLock::new(|| objects::context(MATCH_4096).unwrap());
/// Four limbs, no answer prime.
pub(crate) static BILL: LazyLock<Arc<Context>> = LazyLock::new(|| objects::context(BILL_8192).unwrap());
/// Approximate numbers: three limbs of 42, 40 and 41 bits, a special prime.
pub(crate) static STATS: LazyLock<Arc<ckks::Context>> =
    LazyLock::new(|| objects::approximate_context(STATS_8192).unwrap());
/// Approximate numbers: seven limbs, a special prime.
pub(crate) static DEEP: LazyLock<Arc<ckks::Context>> =
    LazyLock::new(|| objects::approximate_context(STATS_16384).unwrap());

fn custom(spec: ParameterSpec) -> Arc<Context> {
    Context::new(&Parameters::new(spec, Backend::Scalar).unwrap()).unwrap()
}

/// `match-2048` with an answer prime of 23 bits, so that a body of a few residues does not fill its last byte.
pub(crate) static PADDED: LazyLock<Arc<Context>> =
    LazyLock::new(|| custom(ParameterSpec { answer_prime: Some(8_380_417), ..preset(MATCH_2048).unwrap() }));

/// Limbs of 41 and 40 bits and a special prime of 42 bits: hybrid key switching.
pub(crate) static HYBRID: LazyLock<Arc<Context>> = LazyLock::new(|| {
    custom(ParameterSpec {
        name: "hybrid".to_owned(),
        ciphertext_primes: vec![2_199_023_190_017, 1_099_511_480_321],
        special_primes: vec![4_398_046_150_657],
        ..preset(BILL_8192).map(with_small_plaintext).unwrap()
    })
});

fn with_small_plaintext(spec: ParameterSpec) -> ParameterSpec {
    ParameterSpec { scheme: preset(MATCH_4096).unwrap().scheme, ..spec }
}

/// The tables of a scheme, for tests that hold for every scheme.
pub(crate) trait Scheme {
    fn parameters(&self) -> &Parameters;

    /// Ciphertexts of every kind that the scheme has under the set.
    fn ciphertexts(&self) -> Vec<Vec<u8>>;

    /// Decodes a ciphertext of this kind and encodes it again; `None` for the kinds of other schemes.
    fn recode_ciphertext(&self, bytes: &[u8], kind: Kind) -> Option<Result<Vec<u8>, WireError>>;
}

fn recode_as<T: Wire>(bytes: &[u8], context: &T::Context) -> Result<Vec<u8>, WireError> {
    T::from_bytes(bytes, context).map(|object| object.to_bytes())
}

impl Scheme for Context {
    fn parameters(&self) -> &Parameters {
        self.parameters()
    }

    fn ciphertexts(&self) -> Vec<Vec<u8>> {
        let parameters = self.parameters();
        let mut all = vec![
            objects::seeded_ciphertext(self, 1).to_bytes(),
            objects::ciphertext(self, 3, parameters.top_level(), 2).unwrap().to_bytes(),
            objects::levelled(self, Level(0), 10).unwrap().to_bytes(),
        ];
        all.extend(objects::answer(parameters, vec![1, 5, 300], 2, 9).map(|answer| answer.to_bytes()));
        all
    }

    fn recode_ciphertext(&self, bytes: &[u8], kind: Kind) -> Option<Result<Vec<u8>, WireError>> {
        match kind {
            Kind::SeededCiphertext => Some(recode_as::<SeededCiphertext>(bytes, self)),
            Kind::Ciphertext => Some(recode_as::<Ciphertext>(bytes, self)),
            Kind::Answer => Some(recode_as::<Answer>(bytes, self)),
            Kind::LevelledSeededCiphertext => Some(recode_as::<LevelledSeededCiphertext>(bytes, self)),
            _ => None,
        }
    }
}

impl Scheme for ckks::Context {
    fn parameters(&self) -> &Parameters {
        self.parameters()
    }

    fn ciphertexts(&self) -> Vec<Vec<u8>> {
        vec![
            objects::seeded_approximate(self, 1).unwrap().to_bytes(),
            objects::approximate(self, 3, Level(1), 2).unwrap().to_bytes(),
        ]
    }

    fn recode_ciphertext(&self, bytes: &[u8], kind: Kind) -> Option<Result<Vec<u8>, WireError>> {
        match kind {
            Kind::ApproximateCiphertext => Some(recode_as::<ckks::Ciphertext>(bytes, self)),
            Kind::SeededApproximateCiphertext => Some(recode_as::<ckks::SeededCiphertext>(bytes, self)),
            _ => None,
        }
    }
}

impl<S: Scheme> Scheme for LazyLock<Arc<S>> {
    fn parameters(&self) -> &Parameters {
        S::parameters(self)
    }

    fn ciphertexts(&self) -> Vec<Vec<u8>> {
        S::ciphertexts(self)
    }

    fn recode_ciphertext(&self, bytes: &[u8], kind: Kind) -> Option<Result<Vec<u8>, WireError>> {
        S::recode_ciphertext(self, bytes, kind)
    }
}

/// Decodes as whatever the header says and encodes again. A ciphertext of another scheme has no decoder under these tables; what
/// [`exact_len`] says against it is the refusal.
pub(crate) fn recode(bytes: &[u8], context: &impl Scheme) -> Result<Vec<u8>, WireError> {
    let parameters = context.parameters();
    match Header::parse(bytes)?.kind {
        Kind::PublicKey => public_key_from_bytes(bytes, parameters).map(|key| public_key_to_bytes(&key, parameters)),
        Kind::EvaluationKeys => recode_as::<EvaluationKeys>(bytes, parameters),
        Kind::Message => Message::from_bytes(bytes, parameters.digest(), 1000, 100_000)?.to_bytes(),
        kind => {
            let foreign = || Err(exact_len(bytes, parameters).unwrap_err());
            context.recode_ciphertext(bytes, kind).unwrap_or_else(foreign)
        }
    }
}

/// One object of every kind under a set.
pub(crate) fn every_kind(context: &impl Scheme) -> Vec<Vec<u8>> {
    let parameters = context.parameters();
    let mut all = context.ciphertexts();
    all.extend([
        public_key_to_bytes(&objects::public_key(parameters, 5), parameters),
        objects::evaluation_keys(parameters, true, &[3, 2 * parameters.degree() as u32 - 1], 6).unwrap().to_bytes(),
        objects::message(parameters).to_bytes().unwrap(),
    ]);
    all
}
