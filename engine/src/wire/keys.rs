//! Public keys and evaluation keys: seeds and bodies; the uniform halves are expanded by the reader.

use serde::{Deserialize, Serialize};

use super::Wire;
use super::budget::{Shape, TypedHeader};
use super::codec::{self, List};
use super::error::{GaloisFault, HeaderFault, WireError};
use super::header::{Frame, HEADER_BYTES, Kind, Payload, prefix};
use super::poly::{read_poly, read_seed, write_poly};
use crate::params::{Level, Parameters};
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

/// An automorphism has this many bits in the list; above them stands how many of the highest levels its key does not serve.
const ELEMENT_BITS: u32 = 20;

/// Which keys follow: the one for relinearization first, then those of these automorphisms, ascending.
#[derive(Serialize, Deserialize)]
pub(super) struct EvaluationKeysHeader {
    /// 0 without a key for relinearization, otherwise one more than the number of the highest levels that it does not serve.
    pub(super) relinearization: u8,
    pub(super) galois: List<u32>,
}

/// A key of a set, and the highest level that it serves.
type Planned<T> = (T, usize);

impl EvaluationKeysHeader {
    /// The automorphisms, whatever level their keys serve.
    pub(super) fn elements(&self) -> Vec<u32> {
        self.galois.0.iter().map(|entry| entry & ((1 << ELEMENT_BITS) - 1)).collect()
    }

    fn serves(lacking: u32, shape: Shape<'_>) -> Result<usize, WireError> {
        let (found, top) = (lacking as usize, shape.top_level());
        top.checked_sub(found).ok_or(WireError::Level { found: Level(found), top: Level(top) })
    }

    /// The level of the key for relinearization, if there is one.
    fn relinearization(&self, shape: Shape<'_>) -> Result<Option<usize>, WireError> {
        self.relinearization.checked_sub(1).map(|lacking| Self::serves(u32::from(lacking), shape)).transpose()
    }

    /// The automorphisms with the levels of their keys, checked against a ring degree.
    fn galois(&self, shape: Shape<'_>) -> Result<Vec<Planned<GaloisElement>>, WireError> {
        let degree = shape.degree();
        if self.galois.0.len() > MAX_GALOIS_KEYS {
            let (found, limit) = (self.galois.0.len(), MAX_GALOIS_KEYS);
            return Err(WireError::TypedHeader {
                reason: HeaderFault::TooMany { what: "automorphism keys", found, limit },
            });
        }
        let mut before = None;
        let check = |(entry, element): (&u32, u32)| {
            let refuse = |reason| WireError::GaloisElement { element, reason };
            if element % 2 == 0 {
                return Err(refuse(GaloisFault::Even));
            }
            match before.replace(element) {
                Some(last) if last == element => return Err(refuse(GaloisFault::Duplicate)),
                Some(last) if last > element => return Err(refuse(GaloisFault::NotAscending)),
                _ => {}
            }
            let known = GaloisElement::new(element, degree).ok_or_else(|| refuse(GaloisFault::TooLarge))?;
            Ok((known, Self::serves(entry >> ELEMENT_BITS, shape)?))
        };
        self.galois.0.iter().zip(self.elements()).map(check).collect()
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
        let galois = self.galois(shape)?;
        let levels = self.relinearization(shape)?.into_iter().chain(galois.into_iter().map(|(_, level)| level));
        Ok(levels.map(|level| shape.key_up_to(level)).sum())
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

fn read_key(payload: &mut Payload<'_>, parameters: &Parameters, level: usize) -> Result<KeySwitchingKey, WireError> {
    let (level, top) = (Level(level), parameters.top_level());
    let ring = parameters.at(level).ok_or(WireError::Level { found: level, top })?;
    let seed = read_seed(payload)?;
    let decomposition = ring.decomposition();
    let bodies = (0..decomposition.rows().len())
        .map(|_| read_poly(payload, decomposition.target()))
        .collect::<Result<Vec<_>, _>>()?;
    KeySwitchingKey::up_to(parameters, level, bodies, seed).ok_or(WireError::Level { found: level, top })
}

/// How many of the highest levels a key does not serve.
fn lacking(key: &KeySwitchingKey, parameters: &Parameters) -> u32 {
    parameters.top_level().0.saturating_sub(key.level().0) as u32
}

impl Wire for EvaluationKeys {
    type Context = Parameters;

    const KIND: Kind = Kind::EvaluationKeys;

    /// A set of more than [`MAX_GALOIS_KEYS`] automorphism keys is written, but readers refuse it.
    fn to_bytes(&self) -> Vec<u8> {
        let parameters = self.parameters();
        let entry = |key: &GaloisKey| key.element().value() | lacking(key.key(), parameters) << ELEMENT_BITS;
        let galois = List(self.galois_keys().map(entry).collect());
        let relinearization = self.relinearization();
        let of_relinearization = relinearization.map_or(0, |key| 1 + lacking(&key.0, parameters) as u8);
        let typed = EvaluationKeysHeader { relinearization: of_relinearization, galois };
        let shape = Shape::of(parameters);
        let levels = relinearization.into_iter().map(|key| key.0.level());
        let levels = levels.chain(self.galois_keys().map(|key| key.key().level()));
        let payload_len = levels.map(|level| shape.key_up_to(level.0)).sum();
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
        let relinearization = typed.relinearization(shape)?;
        let relinearization = relinearization
            .map(|level| read_key(&mut payload, parameters, level).map(RelinearizationKey))
            .transpose()?;
        let galois = typed
            .galois(shape)?
            .into_iter()
            .map(|(element, level)| Ok(GaloisKey::new(parameters, element, read_key(&mut payload, parameters, level)?)))
            .collect::<Result<Vec<_>, WireError>>()?;
        Ok(Self::new(parameters, relinearization, galois))
    }
}
