//! Parameter sets of the tests, built once.

use std::sync::{Arc, LazyLock};

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::{Answer, Ciphertext, Context, SeededCiphertext};
use blindrelay_engine::params::{BILL_8192, MATCH_2048, MATCH_4096, ParameterSpec, Parameters, preset};
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::{Header, Kind, Message, Wire, WireError, public_key_from_bytes, public_key_to_bytes};

use crate::objects;

/// One limb, key switching by parts of it, a 24-bit answer prime.
pub(crate) static SMALL: LazyLock<Arc<Context>> = LazyLock::new(|| objects::context(MATCH_2048).unwrap());
/// Two limbs, a 32-bit answer prime.
pub(crate) static WIDE: LazyLock<Arc<Context>> = LazyLock::new(|| objects::context(MATCH_4096).unwrap());
/// Four limbs, no answer prime.
pub(crate) static BILL: LazyLock<Arc<Context>> = LazyLock::new(|| objects::context(BILL_8192).unwrap());

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

/// Decodes as whatever the header says and encodes again.
pub(crate) fn recode(bytes: &[u8], context: &Context) -> Result<Vec<u8>, WireError> {
    let parameters = context.parameters();
    match Header::parse(bytes)?.kind {
        Kind::SeededCiphertext => SeededCiphertext::from_bytes(bytes, context).map(|object| object.to_bytes()),
        Kind::Ciphertext => Ciphertext::from_bytes(bytes, context).map(|object| object.to_bytes()),
        Kind::Answer => Answer::from_bytes(bytes, context).map(|object| object.to_bytes()),
        Kind::PublicKey => public_key_from_bytes(bytes, parameters).map(|key| public_key_to_bytes(&key, parameters)),
        Kind::EvaluationKeys => EvaluationKeys::from_bytes(bytes, context.parameters()).map(|object| object.to_bytes()),
        kind => {
            assert_eq!(kind, Kind::Message);
            Message::from_bytes(bytes, parameters.digest(), 1000, 100_000)?.to_bytes()
        }
    }
}

/// One object of every kind under a set.
pub(crate) fn every_kind(context: &Context) -> Vec<Vec<u8>> {
    let parameters = context.parameters();
    let mut all = vec![
        objects::seeded_ciphertext(context, 1).to_bytes(),
        objects::ciphertext(context, 3, parameters.top_level(), 2).unwrap().to_bytes(),
        public_key_to_bytes(&objects::public_key(parameters, 5), parameters),
        objects::evaluation_keys(parameters, true, &[3, 2 * parameters.degree() as u32 - 1], 6).unwrap().to_bytes(),
        objects::message(parameters).to_bytes().unwrap(),
    ];
    all.extend(objects::answer(parameters, vec![1, 5, 300], 2, 9).map(|answer| answer.to_bytes()));
    all
}
