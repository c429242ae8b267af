//! Evaluation keys: whether they serve an operator, and the decoded ones that are kept at hand.

use std::sync::Arc;

use blindrelay_engine::KeyName;
use blindrelay_engine::operator::{KeyNeed, OperatorCard};
use blindrelay_engine::params::ParameterDigest;
use blindrelay_engine::ring::GaloisElement;
use blindrelay_engine::rlwe::EvaluationKeys;

use crate::cache::Cache;
use crate::error::KeysError;
use crate::id::{BodyDigest, TenantId};
use crate::store::{KeySet, KeyTerms};
use crate::time::UnixMillis;

/// What a key set says about itself.
pub(crate) fn describe(keys: &EvaluationKeys, bytes: usize, terms: KeyTerms) -> KeySet {
    KeySet {
        parameters: keys.parameters().name().to_owned(),
        bytes,
        relinearization: keys.relinearization().is_some(),
        galois_elements: keys.galois_keys().map(|key| key.element().value()).collect(),
        terms,
    }
}

/// Whether an operator computes nothing without evaluation keys.
pub(crate) fn required(card: &OperatorCard) -> bool {
    card.relinearization == KeyNeed::Required || !card.galois_elements.is_empty()
}

/// Refuses keys that do not belong to an operator or lack one that it needs.
pub(crate) fn check(card: &OperatorCard, expected: ParameterDigest, keys: &EvaluationKeys) -> Result<(), KeysError> {
    let operator = card.id.clone();
    let found = keys.parameters().digest();
    if found != expected {
        return Err(KeysError::Parameters { operator, expected, found });
    }
    let has = |element: u32| {
        GaloisElement::new(element, keys.parameters().degree()).is_some_and(|element| keys.galois(element).is_some())
    };
    let relinearization = card.relinearization == KeyNeed::Required && keys.relinearization().is_none();
    let galois = card.galois_elements.iter().filter(|&&element| !has(element)).map(|&element| KeyName::Galois(element));
    let missing: Vec<KeyName> = relinearization.then_some(KeyName::Relinearization).into_iter().chain(galois).collect();
    if missing.is_empty() { Ok(()) } else { Err(KeysError::Incomplete { operator, missing }) }
}

/// Memory of decoded keys: both halves of every row, and the permutation of each automorphism.
pub(crate) fn decoded_bytes(keys: &EvaluationKeys) -> usize {
    let permutation = keys.parameters().degree() * size_of::<u64>();
    let relinearization = keys.relinearization().map_or(0, |key| key.0.byte_len());
    relinearization + keys.galois_keys().map(|key| key.key().byte_len() + permutation).sum::<usize>()
}

/// Refuses keys whose time is over.
pub(crate) fn check_terms(digest: BodyDigest, terms: KeyTerms, now: UnixMillis) -> Result<(), KeysError> {
    if terms.revoked.is_some() {
        return Err(KeysError::Revoked { digest });
    }
    if terms.expires.is_some_and(|expires| expires <= now) {
        return Err(KeysError::Expired { digest });
    }
    Ok(())
}

/// Decoded keys at hand.
pub type KeyCache = Cache<(TenantId, BodyDigest), Arc<EvaluationKeys>>;
