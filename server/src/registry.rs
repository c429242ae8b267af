//! The operators that the service offers, and the tables of their parameter sets.

use std::collections::BTreeMap;
use std::sync::Arc;

use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::{Operator, OperatorCard};
use blindrelay_engine::params::{MATCH_2048, MATCH_4096, ParameterDigest, ParameterError, Parameters, preset};
use blindrelay_engine::{Backend, Error};
use blindrelay_routing::{MatchKind, Matching};

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
    /// Its parameters cannot be used.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// It cannot be made.
    #[error(transparent)]
    Engine(#[from] Error),
}

/// Operators by id, tables by parameter digest. Adding an operator is one call of [`Registry::register`].
#[derive(Default)]
pub struct Registry {
    operators: BTreeMap<String, Arc<dyn Operator>>,
    contexts: BTreeMap<ParameterDigest, Arc<Context>>,
}

impl Registry {
    /// No operators.
    pub fn new() -> Self {
        Self::default()
    }

    /// The operators of this project.
    pub fn standard(backend: Backend) -> Result<Self, RegistryError> {
        let mut registry = Self::new();
        for (kind, set) in [(MatchKind::Signs, MATCH_2048), (MatchKind::Embeddings, MATCH_4096)] {
            let context = registry.context(&Parameters::new(preset(set)?, backend)?)?;
            registry.register(Arc::new(Matching::new(kind, &context)?))?;
        }
        Ok(registry)
    }

    /// The tables of a parameter set, built the first time they are asked for.
    pub fn context(&mut self, parameters: &Parameters) -> Result<Arc<Context>, RegistryError> {
        let digest = parameters.digest();
        if let Some(context) = self.contexts.get(&digest) {
            return Ok(Arc::clone(context));
        }
        let context = Context::new(parameters)?;
        self.contexts.insert(digest, Arc::clone(&context));
        Ok(context)
    }

    /// Offers an operator under the id of its card.
    pub fn register(&mut self, operator: Arc<dyn Operator>) -> Result<(), RegistryError> {
        let id = operator.card().id.clone();
        if !is_operator_id(&id) {
            return Err(RegistryError::Id { id });
        }
        if self.operators.contains_key(&id) {
            return Err(RegistryError::Repeated { id });
        }
        self.context(operator.parameters())?;
        self.operators.insert(id, operator);
        Ok(())
    }

    /// The operator of an id.
    pub fn operator(&self, id: &str) -> Option<&Arc<dyn Operator>> {
        self.operators.get(id)
    }

    /// All cards, by id.
    pub fn cards(&self) -> impl Iterator<Item = &OperatorCard> {
        self.operators.values().map(|operator| operator.card())
    }

    /// The tables of the parameter set with this digest, if an operator uses it.
    pub fn by_digest(&self, digest: ParameterDigest) -> Option<&Arc<Context>> {
        self.contexts.get(&digest)
    }

    /// All parameter sets, by name.
    pub fn parameter_sets(&self) -> Vec<&Parameters> {
        let mut all: Vec<&Parameters> = self.contexts.values().map(|context| context.parameters()).collect();
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
        let ids: Vec<&str> = registry.cards().map(|card| card.id.as_str()).collect();
        assert_eq!(ids, ["match-embeddings/1", "match-signs/1"]);
        let names: Vec<&str> = registry.parameter_sets().iter().map(|parameters| parameters.name()).collect();
        assert_eq!(names, [MATCH_2048, MATCH_4096]);
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
