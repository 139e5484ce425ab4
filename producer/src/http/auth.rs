//! The operator's token.

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use warp::http::HeaderMap;
use warp::http::header::AUTHORIZATION;

use super::reply::ApiError;
use super::state::Shared;

/// Shortest token accepted, in characters: below this it can be guessed.
const TOKEN_CHARS_MIN: usize = 16;

/// Refuses tokens that can be guessed.
pub(super) fn check_strength(token: &SecretString) -> anyhow::Result<()> {
    let length = token.expose_secret().chars().count();
    anyhow::ensure!(
        length >= TOKEN_CHARS_MIN,
        "the API token has {length} characters and needs at least {TOKEN_CHARS_MIN}; set ELDER_API_TOKEN, e.g. to the output of `openssl rand -hex 24`"
    );
    Ok(())
}

/// Lets a request through that carries the token.
pub(super) fn check(shared: &Shared, headers: &HeaderMap) -> Result<(), ApiError> {
    let given = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let given = given.ok_or(ApiError::Unauthorized("send the API token as `Authorization: Bearer TOKEN`"))?;
    // Digests of equal length: comparing them tells nothing about how much of the token was right.
    let matches = Sha256::digest(given) == Sha256::digest(shared.api_token.expose_secret());
    if matches { Ok(()) } else { Err(ApiError::Unauthorized("this API token is not valid")) }
}
