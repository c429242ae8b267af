//! The parameter sets of the registered operators.

use axum::Json;
use axum::extract::State;
use blindrelay_engine::params::{Parameters, Scheme};
use serde::Serialize;

use crate::state::AppState;

#[derive(Serialize)]
pub(super) struct ParameterList {
    sets: Vec<ParameterSet>,
}

#[derive(Serialize)]
struct ParameterSet {
    name: String,
    digest: String,
    scheme: &'static str,
    ring_degree: usize,
    plaintext_modulus: Option<u64>,
    scale_bits: Option<u32>,
    ciphertext_primes: Vec<u64>,
    special_primes: Vec<u64>,
    modulus_bits: u32,
    policy: &'static str,
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

/// `GET /v1/parameters`
pub(super) async fn list(State(state): State<AppState>) -> Json<ParameterList> {
    Json(ParameterList { sets: state.registry().parameter_sets().into_iter().map(ParameterSet::from).collect() })
}
