//! Answers: JSON for everything, errors included; what went wrong inside stays in the log.

use std::convert::Infallible;
use std::future::Future;

use broker::error::{StoreError, chain};
use serde::Serialize;
use warp::Rejection;
use warp::http::StatusCode;
use warp::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use warp::reply::Response;

/// Seconds after which it makes sense to ask again while a store is away.
const RETRY_AFTER_SECS: &str = "5";

/// What a caller is told when a request cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    Unauthorized(&'static str),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Conflict(String),
    #[error("the body is larger than {0} bytes")]
    TooLarge(u64),
    #[error("{0}")]
    UnsupportedMediaType(&'static str),
    #[error("the body did not arrive in time")]
    Timeout,
    #[error("{0}; try again later")]
    Unavailable(&'static str),
    #[error("{0}")]
    TooManyRequests(String),
    #[error("{0}")]
    Overloaded(String),
    #[error("something went wrong here; the log says what")]
    Internal,
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Unavailable(_) | Self::Overloaded(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooManyRequests(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Exists { .. } => Self::Conflict(error.to_string()),
            error if error.is_transient() => {
                tracing::warn!(error = %chain(&error), "the record is away");
                Self::Unavailable("the database cannot be reached")
            }
            error => {
                tracing::error!(error = %chain(&error), "a request failed");
                Self::Internal
            }
        }
    }
}

#[derive(Serialize)]
struct ErrorBody {
    error: String,
}

/// Turns a handler's outcome into a response.
pub(crate) async fn answer(handler: impl Future<Output = Result<Response, ApiError>>) -> Response {
    match handler.await {
        Ok(response) => response,
        Err(error) => {
            let mut response = json(error.status(), &ErrorBody { error: error.to_string() });
            if matches!(error, ApiError::Unavailable(_) | ApiError::TooManyRequests(_) | ApiError::Overloaded(_)) {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECS));
            }
            if matches!(error, ApiError::Unauthorized(_)) {
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            response
        }
    }
}

/// A JSON response.
pub(crate) fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    let (status, text) = match serde_json::to_vec(body) {
        Ok(text) => (status, text),
        Err(error) => {
            tracing::error!(%error, "an answer could not be encoded");
            (StatusCode::INTERNAL_SERVER_ERROR, b"{}".to_vec())
        }
    };
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The answer to what no route matched.
pub(crate) async fn unmatched(rejection: Rejection) -> Result<Response, Infallible> {
    let (status, error) = if rejection.find::<warp::reject::MethodNotAllowed>().is_some() {
        (StatusCode::METHOD_NOT_ALLOWED, "this path does not take this method; README lists the routes")
    } else {
        (StatusCode::NOT_FOUND, "there is nothing at this path; README lists the routes")
    };
    Ok(json(status, &ErrorBody { error: error.to_owned() }))
}
