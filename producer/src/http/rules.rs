//! The rules over HTTP: the catalogue, documentation included.

use warp::http::StatusCode;
use warp::reply::Response;

use super::reply::{ApiError, json};
use super::state::Shared;

/// `GET /api/v1/rules`
pub(super) fn list(shared: &Shared) -> Response {
    json(StatusCode::OK, &shared.catalogue)
}

/// `GET /api/v1/rules/{magic}/{name}`
pub(super) fn one(shared: &Shared, magic: &str, name: &str) -> Result<Response, ApiError> {
    let id = format!("{magic}/{name}");
    let rule = shared.catalogue.rules.iter().find(|rule| rule.id.as_str() == id);
    let rule =
        rule.ok_or_else(|| ApiError::NotFound("there is no such rule; GET /api/v1/rules lists them all".into()))?;
    Ok(json(StatusCode::OK, rule))
}
