//! Public keys and evaluation keys: seeds and bodies; the uniform halves are expanded by the reader.

use serde::{Deserialize, Serialize};

use super::Wire;
use super::budget::{Shape, TypedHeader};
use super::codec::{self, List};
use super::error::{GaloisFault, HeaderFault, WireError};
use super::header::{Frame, HEADER_BYTES, Kind, Payload, prefix};
use super::poly::{read_poly, read_seed, write_poly};
use crate::params::Parameters;
use crate::ring::{GaloisElement, SEED_BYTES};
use crate::rlwe::{EvaluationKeys, GaloisKey, KeySwitchingKey, PublicKey, RelinearizationKey};

/// Most automorphism keys in one set. A rotation by any distance needs `log2 n` of them.
pub const MAX_GALOIS_KEYS: usize = 64;

/// Nothing: the shape of a public key follows from the parameters.
#[derive(Serialize, Deserialize)]
pub(super) struct PublicKeyHeader;

impl TypedHeader for PublicKeyHeader {
    fn limit(_: Shape<'_>) -> usize {
        0
    }

    fn max_payload_len(shape: Shape<'_>) -> Option<usize> {
        Some(SEED_BYTES + shape.poly(shape.top_level()))
    }

    fn payload_len(&self, shape: Shape<'_>) -> Result<usize, WireError> {
        Ok(SEED_BYTES + shape.poly(shape.top_level()))
    }
}

/// The encoding of a public key of these parameters, which the key itself does not carry.
pub fn public_key_to_bytes(key: &PublicKey, parameters: &Parameters) -> Vec<u8> {
    let shape = Shape::of(parameters);
    let payload_len = SEED_BYTES + shape.poly(shape.top_level());
    let mut bytes = prefix(Kind::PublicKey, parameters.digest(), &codec::encode(&PublicKeyHeader), payload_len);
    bytes.extend_from_slice(key.seed().as_bytes());
    write_poly(key.body(), &mut bytes);
    bytes
}

/// The public key that these bytes encode; refused for the same reasons as [`Wire::from_bytes`].
pub fn public_key_from_bytes(bytes: &[u8], parameters: &Parameters) -> Result<PublicKey, WireError> {
    let frame = Frame::open_as(bytes, Kind::PublicKey, parameters.digest())?;
    let shape = Shape::of(parameters);
    let typed: PublicKeyHeader = frame.typed(PublicKeyHeader::limit(shape))?;
    let mut payload = frame.payload(typed.payload_len(shape)?)?;
    let seed = read_seed(&mut payload)?;
    let body = read_poly(&mut payload, parameters.top().basis())?;
    Ok(PublicKey::new(parameters, body, seed))
}

/// Which keys follow: the one for relinearization first, then those of these automorphisms, ascending.
#[derive(Serialize, Deserialize)]
pub(super) struct EvaluationKeysHeader {
    pub(super) relinearization: bool,
    pub(super) galois: List<u32>,
}

impl EvaluationKeysHeader {
    /// The automorphisms, checked against a ring degree.
    fn elements(&self, degree: usize) -> Result<Vec<GaloisElement>, WireError> {
        if self.galois.0.len() > MAX_GALOIS_KEYS {
            let (found, limit) = (self.galois.0.len(), MAX_GALOIS_KEYS);
            return Err(WireError::TypedHeader {
                reason: HeaderFault::TooMany { what: "automorphism keys", found, limit },
            });
        }
        let mut before = None;
        let check = |&element: &u32| {
            let refuse = |reason| WireError::GaloisElement { element, reason };
            if element % 2 == 0 {
                return Err(refuse(GaloisFault::Even));
            }
            match before.replace(element) {
                Some(last) if last == element => return Err(refuse(GaloisFault::Duplicate)),
                Some(last) if last > element => return Err(refuse(GaloisFault::NotAscending)),
                _ => {}
            }
            GaloisElement::new(element, degree).ok_or_else(|| refuse(GaloisFault::TooLarge))
        };
        self.galois.0.iter().map(check).collect()
    }
}

impl TypedHeader for EvaluationKeysHeader {
    fn limit(_: Shape<'_>) -> usize {
        1 + 1 + 5 * MAX_GALOIS_KEYS
    }

    fn max_payload_len(shape: Shape<'_>) -> Option<usize> {
        Some((1 + MAX_GALOIS_KEYS) * shape.key())
    }

    fn payload_len(&self, shape: Shape<'_>) -> Result<usize, WireError> {
        let count = usize::from(self.relinearization) + self.elements(shape.degree())?.len();
        Ok(count * shape.key())
    }
}

/// No set of so many evaluation keys is longer, those for relinearization and for automorphisms taken together.
pub fn evaluation_keys_len(parameters: &Parameters, keys: usize) -> usize {
    let shape = Shape::of(parameters);
    HEADER_BYTES + EvaluationKeysHeader::limit(shape) + keys * shape.key()
}

fn write_key(key: &KeySwitchingKey, out: &mut Vec<u8>) {
    out.extend_from_slice(key.seed().as_bytes());
    key.rows().iter().for_each(|row| write_poly(&row.body, out));
}

#[expect(clippy::expect_used, reason = "as many bodies are read as the decomposition has rows")]
fn read_key(payload: &mut Payload<'_>, parameters: &Parameters) -> Result<KeySwitchingKey, WireError> {
    let seed = read_seed(payload)?;
    let bodies = (0..parameters.top().decomposition().rows().len())
        .map(|_| read_poly(payload, parameters.key_basis()))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(KeySwitchingKey::new(parameters, bodies, seed).expect("one body for each row of the decomposition"))
}

impl Wire for EvaluationKeys {
    type Context = Parameters;

    const KIND: Kind = Kind::EvaluationKeys;

    /// A set of more than [`MAX_GALOIS_KEYS`] automorphism keys is written, but readers refuse it.
    fn to_bytes(&self) -> Vec<u8> {
        let galois = List(self.galois_keys().map(|key| key.element().value()).collect());
        let relinearization = self.relinearization();
        let count = usize::from(relinearization.is_some()) + galois.0.len();
        let typed = EvaluationKeysHeader { relinearization: relinearization.is_some(), galois };
        let payload_len = count * Shape::of(self.parameters()).key();
        let mut bytes = prefix(Self::KIND, self.parameters().digest(), &codec::encode(&typed), payload_len);
        let relinearization = relinearization.map(|key| &key.0);
        relinearization
            .into_iter()
            .chain(self.galois_keys().map(GaloisKey::key))
            .for_each(|key| write_key(key, &mut bytes));
        bytes
    }

    fn from_bytes(bytes: &[u8], parameters: &Parameters) -> Result<Self, WireError> {
        let frame = Frame::open_as(bytes, Self::KIND, parameters.digest())?;
        let shape = Shape::of(parameters);
        let typed: EvaluationKeysHeader = frame.typed(EvaluationKeysHeader::limit(shape))?;
        let mut payload = frame.payload(typed.payload_len(shape)?)?;
        let relinearization =
            typed.relinearization.then(|| read_key(&mut payload, parameters).map(RelinearizationKey)).transpose()?;
        let galois = typed
            .elements(parameters.degree())?
            .into_iter()
            .map(|element| Ok(GaloisKey::new(parameters, element, read_key(&mut payload, parameters)?)))
            .collect::<Result<Vec<_>, WireError>>()?;
        Ok(Self::new(parameters, relinearization, galois))
    }
}
