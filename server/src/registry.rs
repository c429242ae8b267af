//! The operators that the service offers, and their parameter sets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use blindrelay_analytics::Statistics;
use blindrelay_billing::Charging;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::{Accumulation, KeyNeed, Operator, OperatorCard, Resource};
use blindrelay_engine::params::{
    BILL_8192, DECIDE_32768, MATCH_2048, MATCH_4096, ParameterDigest, ParameterError, Parameters, SEARCH_8192,
    STATS_8192, STATS_16384, preset,
};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::evaluation_keys_len;
use blindrelay_engine::{Backend, Error, ckks};
use blindrelay_routing::find::Finding;
use blindrelay_routing::search::Searching;
use blindrelay_routing::{MatchKind, Matching};

use crate::error::ApiError;
use crate::family::Family;

/// Why an operator cannot be registered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Its id is taken.
    #[error("an operator with the id '{id}' is registered already")]
    Repeated {
        /// The id.
        id: String,
    },
    /// Its id cannot stand in an address.
    #[error("'{id}' is not a name of a-z, 0-9 and '-', a slash and a revision number")]
    Id {
        /// The id.
        id: String,
    },
    /// Its card names a resource for which it is not made.
    #[error("operator '{id}' cannot be used through {resource:?}")]
    Resource {
        /// The operator.
        id: String,
        /// What its card says.
        resource: Resource,
    },
    /// Its parameters cannot be used.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// It cannot be made.
    #[error(transparent)]
    Engine(#[from] Error),
}

/// An operator that keeps sums, with the family of ledgers that it is used through.
type Placed = (Family, Arc<dyn Accumulation>);

/// Operators by id, parameters by digest. Adding an operator is one call of [`Registry::register`] or [`Registry::register_accumulation`].
#[derive(Default)]
pub struct Registry {
    operators: BTreeMap<String, Arc<dyn Operator>>,
    accumulations: BTreeMap<String, Placed>,
    parameters: BTreeMap<ParameterDigest, Parameters>,
    contexts: BTreeMap<ParameterDigest, Arc<Context>>,
}

impl Registry {
    /// No operators.
    pub fn new() -> Self {
        Self::default()
    }

    /// The operators of this project, those that need a secret with a new one: their answers are not those of another service.
    pub fn standard(backend: Backend) -> Result<Self, RegistryError> {
        Self::with_secret(backend, Seed::random().map_err(Error::from)?)
    }

    /// The operators of this project, those that need a secret with this one: services with one secret give the same answers. The tables of the largest parameter set take as long as all others together and are built beside them.
    pub fn with_secret(backend: Backend, secret: Seed) -> Result<Self, RegistryError> {
        let largest = || {
            let context = Context::new(&Parameters::new(preset(DECIDE_32768)?, backend)?)?;
            let finding = Finding::new(&context)?;
            Ok::<_, RegistryError>((context, finding))
        };
        let (largest, others) = rayon::join(largest, || Self::with_small_sets(backend, secret));
        let (mut registry, (context, finding)) = (others?, largest?);
        registry.contexts.insert(context.parameters().digest(), context);
        registry.register(Arc::new(finding))?;
        Ok(registry)
    }

    fn with_small_sets(backend: Backend, secret: Seed) -> Result<Self, RegistryError> {
        let mut registry = Self::new();
        for (kind, set) in [(MatchKind::Signs, MATCH_2048), (MatchKind::Embeddings, MATCH_4096)] {
            let context = registry.context(&Parameters::new(preset(set)?, backend)?)?;
            registry.register(Arc::new(Matching::new(kind, &context)?))?;
        }
        let context = registry.context(&Parameters::new(preset(SEARCH_8192)?, backend)?)?;
        registry.register(Arc::new(Searching::new(&context, secret)?))?;
        let context = registry.context(&Parameters::new(preset(BILL_8192)?, backend)?)?;
        registry.register_accumulation(Arc::new(Charging::new(&context)?))?;
        for set in [STATS_8192, STATS_16384] {
            let context = ckks::Context::new(&Parameters::new(preset(set)?, backend)?)?;
            registry.register_accumulation(Arc::new(Statistics::new(&context)?))?;
        }
        Ok(registry)
    }

    /// The tables of a BFV parameter set, built the first time they are asked for.
    pub fn context(&mut self, parameters: &Parameters) -> Result<Arc<Context>, RegistryError> {
        let digest = parameters.digest();
        if let Some(context) = self.contexts.get(&digest) {
            return Ok(Arc::clone(context));
        }
        let context = Context::new(parameters)?;
        self.contexts.insert(digest, Arc::clone(&context));
        Ok(context)
    }

    /// Offers an operator on records under the id of its card.
    pub fn register(&mut self, operator: Arc<dyn Operator>) -> Result<(), RegistryError> {
        let card = operator.card();
        if card.resource != Resource::Rooms {
            return Err(RegistryError::Resource { id: card.id.clone(), resource: card.resource });
        }
        let id = self.admit(card, operator.parameters())?;
        self.operators.insert(id, operator);
        Ok(())
    }

    /// Offers an operator that keeps sums under the id of its card, in the family that its card names.
    pub fn register_accumulation(&mut self, operator: Arc<dyn Accumulation>) -> Result<(), RegistryError> {
        let card = operator.card();
        let family = Family::of(card.resource)
            .ok_or_else(|| RegistryError::Resource { id: card.id.clone(), resource: card.resource })?;
        let id = self.admit(card, operator.parameters())?;
        self.accumulations.insert(id, (family, operator));
        Ok(())
    }

    /// Refuses an id that is improper or taken, and makes the parameters known.
    fn admit(&mut self, card: &OperatorCard, parameters: &Parameters) -> Result<String, RegistryError> {
        let id = card.id.clone();
        if !is_operator_id(&id) {
            return Err(RegistryError::Id { id });
        }
        if self.operators.contains_key(&id) || self.accumulations.contains_key(&id) {
            return Err(RegistryError::Repeated { id });
        }
        self.parameters.entry(parameters.digest()).or_insert_with(|| parameters.clone());
        Ok(id)
    }

    /// The operator on records of an id.
    pub fn operator(&self, id: &str) -> Option<&Arc<dyn Operator>> {
        self.operators.get(id)
    }

    /// The operator of an id that keeps sums, with its family.
    pub fn accumulation(&self, id: &str) -> Option<(Family, &Arc<dyn Accumulation>)> {
        self.accumulations.get(id).map(|(family, operator)| (*family, operator))
    }

    /// The operator that a new room is for.
    pub(crate) fn for_room(&self, id: &str) -> Result<&Arc<dyn Operator>, ApiError> {
        self.operator(id).ok_or_else(|| self.misplaced(id, "rooms"))
    }

    /// The operator that a new ledger is for.
    pub(crate) fn for_ledger(&self, family: Family, id: &str) -> Result<&Arc<dyn Accumulation>, ApiError> {
        match self.accumulation(id) {
            Some((belongs, operator)) if belongs == family => Ok(operator),
            _ => Err(self.misplaced(id, family.plural())),
        }
    }

    fn misplaced(&self, id: &str, asked: &'static str) -> ApiError {
        let belongs = match (self.operators.get(id), self.accumulations.get(id)) {
            (Some(_), _) => "rooms",
            (None, Some((family, _))) => family.plural(),
            (None, None) => return ApiError::Unknown(crate::error::Resource::Operator),
        };
        ApiError::Misplaced { operator: id.to_owned(), belongs, asked }
    }

    /// The card of an operator.
    pub fn card(&self, id: &str) -> Option<&OperatorCard> {
        let sums = || self.accumulations.get(id).map(|(_, operator)| operator.card());
        self.operators.get(id).map(|operator| operator.card()).or_else(sums)
    }

    /// All cards, by id.
    pub fn cards(&self) -> Vec<&OperatorCard> {
        let records = self.operators.values().map(|operator| operator.card());
        let sums = self.accumulations.values().map(|(_, operator)| operator.card());
        let mut all: Vec<&OperatorCard> = records.chain(sums).collect();
        all.sort_by_key(|card| card.id.as_str());
        all
    }

    /// The parameters with this digest, if an operator uses them.
    pub fn by_digest(&self, digest: ParameterDigest) -> Option<&Parameters> {
        self.parameters.get(&digest)
    }

    /// Most bytes of evaluation keys that the operators of these parameters need, all of them together.
    pub(crate) fn keys_limit(&self, parameters: &Parameters) -> usize {
        let digest = parameters.digest().to_string();
        let cards = || self.cards().into_iter().filter(|card| card.parameter_digest == digest);
        let relinearization = cards().any(|card| card.relinearization != KeyNeed::None);
        let elements: BTreeSet<u32> = cards().flat_map(|card| card.galois_elements.iter().copied()).collect();
        evaluation_keys_len(parameters, usize::from(relinearization) + elements.len())
    }

    /// All parameter sets, by name.
    pub fn parameter_sets(&self) -> Vec<&Parameters> {
        let mut all: Vec<&Parameters> = self.parameters.values().collect();
        all.sort_by_key(|parameters| parameters.name());
        all
    }
}

fn is_operator_id(id: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    id.len() <= 64
        && id.split_once('/').is_some_and(|(name, revision)| {
            let number = !revision.is_empty() && revision.bytes().all(|byte| byte.is_ascii_digit());
            !name.is_empty() && name.bytes().all(legal) && number
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_operators_are_there_once() {
        let mut registry = Registry::standard(Backend::Scalar).unwrap();
        let ids: Vec<&str> = registry.cards().iter().map(|card| card.id.as_str()).collect();
        let records = ["find-signs/1", "match-embeddings/1", "match-signs/1", "search/1"];
        assert_eq!(ids, [&["charge/1"][..], &records, &["statistics-wide/1", "statistics/1"]].concat());
        let names: Vec<&str> = registry.parameter_sets().iter().map(|parameters| parameters.name()).collect();
        assert_eq!(names, [BILL_8192, DECIDE_32768, MATCH_2048, MATCH_4096, SEARCH_8192, STATS_16384, STATS_8192]);
        let twice = Arc::clone(registry.operator("match-signs/1").unwrap());
        assert!(matches!(registry.register(twice), Err(RegistryError::Repeated { .. })));
    }

    #[test]
    fn ids_fit_into_addresses() {
        assert!(is_operator_id("match-signs/1"));
        for id in ["", "match", "/1", "match/", "match/one", "Match/1", "a/b/1", "a b/1"] {
            assert!(!is_operator_id(id), "{id}");
        }
    }
}
