//! Request bodies: read as a stream, within a limit for each and one for all of them together.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use warp::Buf;
use warp::http::HeaderMap;
use warp::http::header::CONTENT_LENGTH;

use super::reply::ApiError;
use super::state::Shared;

/// Largest webhook body, in bytes: GitHub sends nothing above 25 MB.
pub(super) const WEBHOOK_BYTES_MAX: u64 = 25 * 1024 * 1024;

/// Largest body of an API request, in bytes: the fields of one have a few hundred.
pub(super) const API_BYTES_MAX: u64 = 64 * 1024;

/// All bodies being read at one time, in KiB: ten of the largest. Further ones are turned away for a moment.
pub(super) const BODIES_KIB_MAX: usize = 256 * 1024;

/// How long a body may take to arrive.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(15);

/// A body, with its share of the memory set aside for bodies.
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    _share: Option<OwnedSemaphorePermit>,
}

/// Refuses a body that says itself that it is too large, before any of it is read.
pub(super) fn check_announced(headers: &HeaderMap, limit: u64) -> Result<(), ApiError> {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit) { Err(ApiError::TooLarge(limit)) } else { Ok(()) }
}

/// Reads a body of at most `limit` bytes; stops reading at the first chunk beyond it.
pub(super) async fn read<B: Buf>(
    body: impl Stream<Item = Result<B, warp::Error>>,
    limit: u64,
    memory: &Arc<Semaphore>,
) -> Result<Body, ApiError> {
    let reading = tokio::time::timeout(ARRIVAL_TIMEOUT, read_all(body, limit, memory));
    reading.await.map_err(|_elapsed| ApiError::Timeout)?
}

async fn read_all<B: Buf>(
    body: impl Stream<Item = Result<B, warp::Error>>,
    limit: u64,
    memory: &Arc<Semaphore>,
) -> Result<Body, ApiError> {
    let mut body = std::pin::pin!(body);
    let mut bytes = Vec::new();
    let mut share: Option<OwnedSemaphorePermit> = None;
    while let Some(chunk) = body.next().await {
        let mut chunk = chunk.map_err(|error| ApiError::BadRequest(format!("the body broke off: {error}")))?;
        let length = chunk.remaining();
        if (bytes.len() + length) as u64 > limit {
            return Err(ApiError::TooLarge(limit));
        }
        let kib = u32::try_from(length.div_ceil(1024)).unwrap_or(u32::MAX);
        let Ok(more) = Arc::clone(memory).try_acquire_many_owned(kib) else {
            return Err(ApiError::Unavailable("too many large requests at once"));
        };
        match &mut share {
            Some(share) => share.merge(more),
            None => share = Some(more),
        }
        while chunk.has_remaining() {
            let part = chunk.chunk();
            bytes.extend_from_slice(part);
            let read = part.len();
            chunk.advance(read);
        }
    }
    Ok(Body { bytes, _share: share })
}

/// Reads a JSON body; an empty one counts as `{}`.
pub(super) async fn json<T: DeserializeOwned, B: Buf>(
    body: impl Stream<Item = Result<B, warp::Error>>,
    shared: &Shared,
) -> Result<T, ApiError> {
    let body = read(body, API_BYTES_MAX, &shared.bodies).await?;
    let bytes = if body.bytes.is_empty() { b"{}" } else { body.bytes.as_slice() };
    serde_json::from_slice(bytes).map_err(|error| ApiError::BadRequest(format!("the body is not valid: {error}")))
}

/// Reads a query string; a parameter that is not known or not valid is named.
pub(super) fn query<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    serde_urlencoded::from_str(text).map_err(|error| ApiError::BadRequest(format!("the query is not valid: {error}")))
}
