//! Health: alive means the process answers, ready means that what it would record is kept.

use serde::Serialize;
use warp::http::StatusCode;
use warp::reply::Response;

use super::reply::{ApiError, json};
use super::state::Shared;

#[derive(Serialize)]
struct Live {
    status: &'static str,
}

#[derive(Serialize)]
struct Ready {
    status: &'static str,
    postgres: bool,
    nats: bool,
}

/// `GET /health/live`
pub(super) async fn live() -> Result<Response, ApiError> {
    Ok(json(StatusCode::OK, &Live { status: "live" }))
}

/// `GET /health/ready`: 200 while the record can be written; without NATS, audits are recorded and wait.
pub(super) async fn ready(shared: Shared) -> Result<Response, ApiError> {
    let (postgres, nats) = tokio::join!(shared.store.is_up(), shared.bus.is_up());
    let (code, status) = match (postgres, nats) {
        (true, true) => (StatusCode::OK, "ready"),
        (true, false) => (StatusCode::OK, "degraded"),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    Ok(json(code, &Ready { status, postgres, nats }))
}
