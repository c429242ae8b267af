//! Every object of the wire format under three small sets, on every backend.
//!
//! The first byte of an input chooses the set (bits 0 and 1) and whether the rest is an object as it stands (bit 2 clear) or an object without magic, version and digest, which are put in
//! front of it: kind, length of the typed header, typed header, payload.

use blindrelay_engine::bfv::{Answer, Ciphertext, LevelledSeededCiphertext, SeededCiphertext};
use blindrelay_engine::ckks;
use blindrelay_engine::params::Parameters;
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::{
    Header, Kind, MAGIC, Message, VERSION, Wire, WireError, describe, exact_len, max_len, public_key_from_bytes,
    public_key_to_bytes,
};

use crate::sets::{SMALL, Tables};

/// Most items of a message, and most bytes of one: as small as those of a service.
const MESSAGE_LIMITS: (usize, usize) = (1000, 100_000);

/// Decodes an object. What is accepted is encoded to the same bytes, has the length that its header promises and no more than its kind can have, and is accepted by every backend.
pub fn run(input: &[u8]) -> bool {
    let Some((&choice, rest)) = input.split_first() else { return false };
    let sets = &*SMALL;
    let Some(backends) = sets.get(usize::from(choice & 3)) else { return false };
    let Some(parameters) = backends.first().map(Tables::parameters) else { return false };
    let object = if choice & 4 == 0 { rest.to_vec() } else { headed(rest, parameters) };
    let verdicts: Vec<_> = backends.iter().map(|tables| recode(&object, tables)).collect();
    assert!(verdicts.windows(2).all(|pair| pair[0] == pair[1]), "backends disagree: {verdicts:?}");
    let promised = exact_len(&object, parameters);
    let described = describe(&object);
    if let Ok(description) = &described {
        assert!(!description.to_string().is_empty());
    }
    let Some(Ok(recoded)) = verdicts.into_iter().next() else { return false };
    assert!(recoded == object, "two encodings of one object");
    assert_eq!(promised, Ok(object.len()));
    assert_eq!(described.map(|description| description.bytes), Ok(object.len()));
    let kind = Header::parse(&object).expect("an accepted object has a header").kind;
    assert!(kind == Kind::Message || object.len() <= max_len(kind, parameters));
    true
}

/// The object whose kind, length of the typed header, typed header and payload these are.
pub(crate) fn headed(rest: &[u8], parameters: &Parameters) -> Vec<u8> {
    let (kind, rest) = rest.split_at(rest.len().min(1));
    let (typed_len, rest) = rest.split_at(rest.len().min(2));
    [&MAGIC, &[VERSION][..], kind, typed_len, parameters.digest().as_bytes(), rest].concat()
}

/// Decodes as whatever the header says and encodes again. What [`exact_len`] says is the refusal of a kind that the scheme does not have.
fn recode(bytes: &[u8], tables: &Tables) -> Result<Vec<u8>, WireError> {
    let parameters = tables.parameters();
    match (Header::parse(bytes)?.kind, tables) {
        (Kind::PublicKey, _) => {
            public_key_from_bytes(bytes, parameters).map(|key| public_key_to_bytes(&key, parameters))
        }
        (Kind::EvaluationKeys, _) => recode_as::<EvaluationKeys>(bytes, parameters),
        (Kind::Message, _) => {
            let (items, longest) = MESSAGE_LIMITS;
            Message::from_bytes(bytes, parameters.digest(), items, longest)?.to_bytes()
        }
        (Kind::SeededCiphertext, Tables::Bfv(context)) => recode_as::<SeededCiphertext>(bytes, context),
        (Kind::Ciphertext, Tables::Bfv(context)) => recode_as::<Ciphertext>(bytes, context),
        (Kind::Answer, Tables::Bfv(context)) => recode_as::<Answer>(bytes, context),
        (Kind::LevelledSeededCiphertext, Tables::Bfv(context)) => recode_as::<LevelledSeededCiphertext>(bytes, context),
        (Kind::ApproximateCiphertext, Tables::Ckks(context)) => recode_as::<ckks::Ciphertext>(bytes, context),
        (Kind::SeededApproximateCiphertext, Tables::Ckks(context)) => {
            recode_as::<ckks::SeededCiphertext>(bytes, context)
        }
        _ => Err(exact_len(bytes, parameters).expect_err("no object of another scheme has a length")),
    }
}

fn recode_as<T: Wire>(bytes: &[u8], context: &T::Context) -> Result<Vec<u8>, WireError> {
    T::from_bytes(bytes, context).map(|object| object.to_bytes())
}
