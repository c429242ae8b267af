//! The cards of the operators.

use axum::Json;
use axum::extract::State;
use blindrelay_engine::operator::OperatorCard;
use serde::Serialize;

use crate::error::{ApiError, Resource};
use crate::extract::Segments;
use crate::state::AppState;

#[derive(Serialize)]
pub(super) struct CardList {
    operators: Vec<OperatorCard>,
}

/// `GET /v1/operators`
pub(super) async fn list(State(state): State<AppState>) -> Json<CardList> {
    Json(CardList { operators: state.registry().cards().into_iter().cloned().collect() })
}

/// `GET /v1/operators/{name}/{revision}`
pub(super) async fn card(
    State(state): State<AppState>,
    Segments((name, revision)): Segments<(String, String)>,
) -> Result<Json<OperatorCard>, ApiError> {
    let card = state.registry().card(&format!("{name}/{revision}"));
    card.map(|card| Json(card.clone())).ok_or(ApiError::Unknown(Resource::Operator))
}
