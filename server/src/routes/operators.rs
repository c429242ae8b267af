//! The cards of the operators.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use blindrelay_engine::operator::OperatorCard;
use serde::Serialize;
use utoipa::ToSchema;

use super::entity::Entity;
use crate::error::{ApiError, Resource};
use crate::extract::Segments;
use crate::openapi::codes::UnknownOperator;
use crate::openapi::refusals::{Named, Served};
use crate::openapi::{Card, Refusals};
use crate::state::AppState;

#[derive(Serialize, ToSchema)]
pub(super) struct CardList {
    #[schema(value_type = Vec<Card>)]
    operators: Vec<OperatorCard>,
}

/// The cards of all operators
#[utoipa::path(get, path = "/v1/operators", tag = "service", operation_id = "listOperators",
    responses((status = 200, description = "All cards, by id.", body = CardList),
        (status = 304, description = "It is what `If-None-Match` names."),
        Refusals<(Served,)>))]
pub(super) async fn list(State(state): State<AppState>, headers: HeaderMap) -> Result<Response, ApiError> {
    let operators = state.registry().cards().into_iter().cloned().collect();
    Ok(Entity::json(&CardList { operators })?.answer(&headers))
}

/// The card of one operator
#[utoipa::path(get, path = "/v1/operators/{name}/{revision}", tag = "service", operation_id = "showOperator",
    params(("name" = String, Path, description = "Name of the operator.", pattern = "^[a-z0-9-]+$"),
        ("revision" = u32, Path, description = "Its revision.")),
    responses((status = 200, description = "The card.", body = Card),
        (status = 304, description = "It is what `If-None-Match` names."),
        Refusals<(Served, Named, UnknownOperator)>))]
pub(super) async fn card(
    State(state): State<AppState>,
    Segments((name, revision)): Segments<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let card = state.registry().card(&format!("{name}/{revision}")).ok_or(ApiError::Unknown(Resource::Operator))?;
    Ok(Entity::json(card)?.answer(&headers))
}
