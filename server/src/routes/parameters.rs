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
use crate::time::UnixMillis;

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
    /// From when on nothing new is made with them; `null` where that is not planned.
    #[schema(required)]
    sunset: Option<UnixMillis>,
}

impl ParameterSet {
    fn new(parameters: &Parameters, sunset: Option<UnixMillis>) -> Self {
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
            sunset,
        }
    }
}

/// The parameter sets that are in use
#[utoipa::path(get, path = "/v1/parameters", tag = "service", operation_id = "listParameters",
    responses((status = 200, description = "All sets, by name.", body = ParameterList),
        (status = 304, description = "It is what `If-None-Match` names."),
        Refusals<(Served,)>))]
pub(super) async fn list(State(state): State<AppState>, headers: HeaderMap) -> Result<Response, ApiError> {
    let told = |set: &Parameters| ParameterSet::new(set, state.sunset(set.digest()));
    let sets = state.registry().parameter_sets().into_iter().map(told).collect();
    Ok(Entity::json(&ParameterList { sets })?.answer(&headers))
}
