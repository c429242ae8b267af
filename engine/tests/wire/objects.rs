//! Objects from numbered seeds, without any key: the format does not ask whether a body is an encryption.

use std::sync::Arc;

use blindrelay_engine::bfv::{Answer, Ciphertext, Context, LevelledSeededCiphertext, SeededCiphertext};
use blindrelay_engine::ckks::{self, Bounds};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::params::{Level, MATCH_2048, Parameters, STATS_8192, preset};
use blindrelay_engine::ring::{Basis, Expander, GaloisElement, Poly, Representation, Seed};
use blindrelay_engine::rlwe::{self, EvaluationKeys, GaloisKey, KeySwitchingKey, PublicKey, RelinearizationKey};
use blindrelay_engine::wire::{Message, Wire, public_key_to_bytes};
use blindrelay_engine::{Backend, Error};

/// Tables of a named set on the scalar backend.
pub(crate) fn context(name: &str) -> Result<Arc<Context>, Error> {
    Ok(Context::new(&Parameters::new(preset(name)?, Backend::Scalar)?)?)
}

/// Tables of a named CKKS set on the scalar backend.
pub(crate) fn approximate_context(name: &str) -> Result<Arc<ckks::Context>, Error> {
    Ok(ckks::Context::new(&Parameters::new(preset(name)?, Backend::Scalar)?)?)
}

pub(crate) fn seed(number: u8) -> Seed {
    Seed::from_bytes([number; 32])
}

/// A polynomial of uniform residues.
pub(crate) fn poly<R: Representation>(basis: &Arc<Basis>, number: u8) -> Poly<R> {
    Expander::new(&seed(number), "wire/objects").uniform(basis)
}

pub(crate) fn seeded_ciphertext(context: &Context, number: u8) -> SeededCiphertext {
    let parameters = context.parameters();
    SeededCiphertext::new(
        parameters,
        rlwe::SeededCiphertext::new(poly(parameters.top().basis(), number), seed(number + 1)),
    )
}

pub(crate) fn ciphertext(context: &Context, components: u8, level: Level, number: u8) -> Result<Ciphertext, Error> {
    let ring = context.parameters().at(level).ok_or(Error::LevelExhausted)?;
    let components = (0..components).map(|index| poly(ring.basis(), number + index)).collect();
    // Fixed numbers, so that golden bytes do not move when the noise analysis gets sharper.
    let euclidean = 3051 + 436 * context.parameters().degree().ilog2();
    let noise = NoiseBound::from_log2(4533.0 / 1024.0, f64::from(euclidean) / 1024.0, context.parameters().degree());
    Ciphertext::new(context, rlwe::Ciphertext::new(components, level), noise)
}

pub(crate) fn levelled(context: &Context, level: Level, number: u8) -> Result<LevelledSeededCiphertext, Error> {
    let parameters = context.parameters();
    let ring = parameters.at(level).ok_or(Error::LevelExhausted)?;
    LevelledSeededCiphertext::new(parameters, rlwe::SeededCiphertext::new(poly(ring.basis(), number), seed(number + 1)))
}

/// Slots up to 1, encoded at the default scale.
pub(crate) fn seeded_approximate(context: &ckks::Context, number: u8) -> Result<ckks::SeededCiphertext, Error> {
    let body = poly(context.parameters().top().basis(), number);
    let bounds = Bounds { message: 40.0, error: 8201.0 / 1024.0 };
    let rlwe = rlwe::SeededCiphertext::new(body, seed(number + 1));
    ckks::SeededCiphertext::new(context, rlwe, context.default_scale(), bounds)
}

/// Slots up to 1 at the scale that products leave at the level.
pub(crate) fn approximate(
    context: &ckks::Context,
    components: u8,
    level: Level,
    number: u8,
) -> Result<ckks::Ciphertext, Error> {
    let ring = context.parameters().at(level).ok_or(Error::LevelExhausted)?;
    let bodies = (0..components).map(|index| poly(ring.basis(), number + index)).collect();
    let shape = ckks::Shape {
        level,
        scale: context.scale_at(level),
        components: usize::from(components),
        bounds: Bounds { message: 40.0, error: 20_971.0 / 1024.0 },
    };
    ckks::Ciphertext::new(context, rlwe::Ciphertext::new(bodies, level), shape)
}

/// An answer at these positions; `None` where [`Answer::new`] refuses them.
pub(crate) fn answer(parameters: &Parameters, positions: Vec<u32>, rest: u8, number: u8) -> Option<Answer> {
    let basis = parameters.answer_basis()?;
    let all: Poly<blindrelay_engine::ring::Coeff> = poly(basis, number);
    let body = all.residues().iter().copied().take(positions.len()).collect();
    Answer::new(parameters, positions, body, (1..=rest).map(|index| poly(basis, number + index)).collect())
}

pub(crate) fn public_key(parameters: &Parameters, number: u8) -> PublicKey {
    PublicKey::new(parameters, poly(parameters.top().basis(), number), seed(number + 1))
}

/// `None` for an element that is no automorphism of the ring.
pub(crate) fn evaluation_keys(
    parameters: &Parameters,
    relinearization: bool,
    elements: &[u32],
    number: u8,
) -> Option<EvaluationKeys> {
    let key = |offset: u8| {
        let bodies = parameters.top().decomposition().rows().map(|_| poly(parameters.key_basis(), offset)).collect();
        KeySwitchingKey::new(parameters, bodies, seed(offset))
    };
    let relinearization = if relinearization { Some(RelinearizationKey(key(number)?)) } else { None };
    let galois = (1..)
        .zip(elements)
        .map(|(offset, &element)| {
            let element = GaloisElement::new(element, parameters.degree())?;
            Some(GaloisKey::new(parameters, element, key(number + offset)?))
        })
        .collect::<Option<Vec<_>>>()?;
    Some(EvaluationKeys::new(parameters, relinearization, galois))
}

pub(crate) fn message(parameters: &Parameters) -> Message {
    Message {
        parameters: parameters.digest(),
        operator: "score".to_owned(),
        part: 7,
        items: vec![b"first".to_vec(), b"other".to_vec(), Vec::new(), b"x".to_vec()],
    }
}

/// One object of every kind at `match-2048`, and at `stats-8192` those of CKKS, under the names of the golden files. `None` if any of them cannot be made.
pub(crate) fn golden() -> Option<Vec<(&'static str, Vec<u8>)>> {
    let context = context(MATCH_2048).ok()?;
    let parameters = context.parameters();
    let approximate_context = approximate_context(STATS_8192).ok()?;
    let positions = (0..16).map(|token| 128 * token + 127).collect();
    Some(vec![
        ("seeded-ciphertext.bin", seeded_ciphertext(&context, 10).to_bytes()),
        ("ciphertext.bin", ciphertext(&context, 2, Level(0), 20).ok()?.to_bytes()),
        ("answer.bin", answer(parameters, positions, 1, 30)?.to_bytes()),
        ("public-key.bin", public_key_to_bytes(&public_key(parameters, 40), parameters)),
        ("evaluation-keys.bin", evaluation_keys(parameters, true, &[3], 50)?.to_bytes()),
        ("message.bin", message(parameters).to_bytes().ok()?),
        ("approximate-ciphertext.bin", approximate(&approximate_context, 2, Level(0), 60).ok()?.to_bytes()),
        ("seeded-approximate-ciphertext.bin", seeded_approximate(&approximate_context, 70).ok()?.to_bytes()),
        ("levelled-seeded-ciphertext.bin", levelled(&context, Level(0), 80).ok()?.to_bytes()),
    ])
}
