//! The parameter sets of the registered operators.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use blindrelay_engine::params::{Parameters, Scheme};
use serde::Serialize;
use utoipa::ToSchema;

use super::entity::Entity;
use crate::error::ApiError;
use crate::id::BodyDigest;
use crate::openapi::Refusals;
use crate::openapi::refusals::Served;
use crate::state::AppState;

#[derive(Serialize, ToSchema)]
pub(super) struct ParameterList {
    sets: Vec<ParameterSet>,
}

#[derive(Serialize, ToSchema)]
struct ParameterSet {
    name: String,
    #[schema(value_type = BodyDigest)]
    digest: String,
    /// `bfv` or `ckks`.
    scheme: &'static str,
    ring_degree: usize,
    /// Of `bfv` only.
    #[schema(required)]
    plaintext_modulus: Option<u64>,
    /// Of `ckks` only: base-2 logarithm of the scale of fresh encodings.
    #[schema(required)]
    scale_bits: Option<u32>,
    ciphertext_primes: Vec<u64>,
    special_primes: Vec<u64>,
    modulus_bits: u32,
    policy: &'static str,
    #[schema(required)]
    answer_prime: Option<u64>,
}

impl From<&Parameters> for ParameterSet {
    fn from(parameters: &Parameters) -> Self {
        let spec = parameters.spec();
        let (scheme, plaintext_modulus, scale_bits) = match spec.scheme {
            Scheme::Bfv { plaintext_modulus } => ("bfv", Some(plaintext_modulus), None),
            Scheme::Ckks { scale_bits } => ("ckks", None, Some(scale_bits)),
            _ => ("other", None, None),
        };
        Self {
            name: spec.name.clone(),
            digest: parameters.digest().to_string(),
            scheme,
            ring_degree: spec.ring_degree,
            plaintext_modulus,
            scale_bits,
            ciphertext_primes: spec.ciphertext_primes.clone(),
            special_primes: spec.special_primes.clone(),
            modulus_bits: parameters.modulus_bits(),
            policy: spec.policy.name(),
            answer_prime: spec.answer_prime,
        }
    }
}

/// The parameter sets that are in use
#[utoipa::path(get, path = "/v1/parameters", tag = "service", operation_id = "listParameters",
    responses((status = 200, description = "All sets, by name.", body = ParameterList),
        (status = 304, description = "It is what `If-None-Match` names."),
        Refusals<(Served,)>))]
pub(super) async fn list(State(state): State<AppState>, headers: HeaderMap) -> Result<Response, ApiError> {
    let sets = state.registry().parameter_sets().into_iter().map(ParameterSet::from).collect();
    Ok(Entity::json(&ParameterList { sets })?.answer(&headers))
}
