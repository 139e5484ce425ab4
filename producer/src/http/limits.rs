//! Limits over HTTP: how much of the queue projects and teams may have.

use broker::store::limits::{LimitRow, Scope};
use futures::Stream;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use warp::Buf;
use warp::http::StatusCode;
use warp::reply::Response;

use super::body;
use super::reply::{ApiError, json};
use super::state::Shared;
use crate::limits::checked;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLimit {
    tasks_in_flight: Option<u32>,
    weight: Option<u32>,
}

/// `GET /api/v1/limits`
pub(super) async fn list(shared: Shared) -> Result<Response, ApiError> {
    Ok(json(StatusCode::OK, &shared.store.limits().await?))
}

/// `PUT /api/v1/limits/{scope}/{name}`
pub(super) async fn set<B: Buf>(
    shared: Shared,
    scope: String,
    name: String,
    body: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let NewLimit { tasks_in_flight, weight } = body::json(body, &shared).await?;
    let bad = |error: &dyn std::fmt::Display| ApiError::BadRequest(error.to_string());
    let scope: Scope = scope.parse().map_err(|error| bad(&error))?;
    let limit = checked(scope, decoded(&name)?, tasks_in_flight, weight).map_err(|error| bad(&error))?;
    shared.store.set_limit(&limit).await?;
    Ok(json(StatusCode::OK, &limit))
}

/// `DELETE /api/v1/limits/{scope}/{name}`
pub(super) async fn remove(shared: Shared, scope: String, name: String) -> Result<Response, ApiError> {
    let missing = |scope: &str| {
        let shown: String = format!("{scope}/{name}").chars().take(80).flat_map(char::escape_debug).collect();
        ApiError::NotFound(format!("there is no limit `{shown}`"))
    };
    let Ok(known) = scope.parse::<Scope>() else { return Err(missing(&scope)) };
    let name = decoded(&name)?;
    // A name with a NUL cannot be in the record, and cannot even be asked for.
    if name.contains('\0') || !shared.store.remove_limit(known, &name).await? {
        return Err(missing(&scope));
    }
    let (tasks_in_flight, weight) = (None, 1);
    Ok(json(StatusCode::OK, &LimitRow { scope: known, name, tasks_in_flight, weight }))
}

/// A part of a path as it was before it was made part of a path.
fn decoded(part: &str) -> Result<String, ApiError> {
    let decoded = percent_decode_str(part).decode_utf8();
    decoded.map(Into::into).map_err(|_not_text| ApiError::BadRequest("the name is not UTF-8".to_owned()))
}
