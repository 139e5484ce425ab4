//! GitHub's webhooks: whether a delivery is genuine, and what it says.

mod field;

use std::borrow::Cow;

use hmac::{Hmac, KeyInit as _, Mac as _};
use schemas::ids::{ObjectId, Revision};
use serde::Deserialize;
use sha2::Sha256;

use self::field::Field;

/// Name of the header with the signature. The older one without a number is SHA-1, and never looked at.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// Hex digits of a SHA-256.
const SIGNATURE_DIGITS: usize = 64;

/// Longest piece of a payload that an error or a reason shows, in characters.
const SHOWN_CHARS_MAX: usize = 80;

/// What a delivery asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hook {
    /// GitHub tries out whether we are there.
    Ping,
    /// Commits came to a branch.
    Push(Push),
    /// Nothing that concerns an audit.
    Ignored {
        /// Why not, for the log of deliveries; without control characters.
        reason: String,
    },
}

/// Commits that came to a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The branch, without `refs/heads/`.
    pub branch: Revision,
    /// Its newest commit now.
    pub after: ObjectId,
    /// Its newest commit before; `None` if the branch is new. After a forced push it may be gone.
    pub before: Option<ObjectId>,
    /// The repository's default branch, if it is told and a name that we take.
    pub default_branch: Option<Revision>,
    /// Where the repository is cloned from over https, as told; not checked.
    pub repository_url: Option<String>,
    /// `owner/name`, as told; not checked.
    pub repository_name: Option<String>,
    /// How many commits are listed; GitHub lists 2,048 at most.
    pub commits: usize,
}

/// A payload that does not say what GitHub says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPayload {
    /// It is not JSON, or a list where an object should be.
    #[error("the payload cannot be read: {0}")]
    Unreadable(String),
    /// A field is missing or of another kind.
    #[error("the payload's `{field}` is {found}, where {expected} should be")]
    Field {
        /// The field.
        field: &'static str,
        /// What it is, e.g. `missing`.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The body is sent as something else than JSON or a form.
    #[error("content type `{0}` is not supported; choose application/json in the webhook's settings")]
    ContentType(String),
    /// A form without the field that GitHub puts the JSON into.
    #[error("the form has no field `payload`; choose application/json in the webhook's settings")]
    NoPayload,
}

/// Whether `header` is the signature of `body` under `secret`: `sha256=` and 64 lower-case hex digits, compared in constant
/// time. Without a secret nothing is genuine.
pub fn verify(secret: &[u8], body: &[u8], header: Option<&str>) -> bool {
    let Some(digits) = header.and_then(|header| header.strip_prefix("sha256=")) else { return false };
    let is_lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if secret.is_empty() || digits.len() != SIGNATURE_DIGITS || !digits.bytes().all(is_lower_hex) {
        return false;
    }
    let Ok(signature) = hex::decode(digits) else { return false };
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
    mac.chain_update(body).verify_slice(&signature).is_ok()
}

/// The JSON in a body that was sent as `content_type`. The signature is over the body as it was sent.
///
/// # Errors
/// [`InvalidPayload::ContentType`] or [`InvalidPayload::NoPayload`].
pub fn payload_bytes<'a>(content_type: &str, body: &'a [u8]) -> Result<Cow<'a, [u8]>, InvalidPayload> {
    let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let kind = kind.trim();
    let charset = parameters.trim().to_ascii_lowercase();
    let is_utf8 = !charset.contains("charset") || charset.contains("utf-8");
    if is_utf8 && kind.eq_ignore_ascii_case("application/json") {
        return Ok(Cow::Borrowed(body));
    }
    if is_utf8 && kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let payload = url::form_urlencoded::parse(body).find(|(name, _)| name == "payload");
        let (_, value) = payload.ok_or(InvalidPayload::NoPayload)?;
        return Ok(Cow::Owned(value.into_owned().into_bytes()));
    }
    Err(InvalidPayload::ContentType(shown(content_type)))
}

/// Reads the JSON `payload` of the event that the header `X-GitHub-Event` names.
///
/// # Errors
/// If the payload of an event that matters is not what GitHub sends; the field is named.
pub fn parse(event: &str, payload: &[u8]) -> Result<Hook, InvalidPayload> {
    match event {
        "ping" => Ok(Hook::Ping),
        "push" => {
            let body = serde_json::from_slice::<PushBody>(payload);
            body.map_err(|error| InvalidPayload::Unreadable(shown(&error.to_string())))?.read()
        }
        other => Ok(ignored(format!("event `{}` asks for no audit", shown(other)))),
    }
}

/// The few fields of a push that matter. Whatever else is in there, however deep, is skipped without being kept.
#[derive(Deserialize)]
#[serde(expecting = "a push as an object")]
struct PushBody {
    #[serde(rename = "ref", default)]
    reference: Field,
    #[serde(default)]
    before: Field,
    #[serde(default)]
    after: Field,
    #[serde(default)]
    deleted: Field,
    #[serde(default)]
    commits: Field,
    #[serde(default)]
    repository: RepositoryBody,
}

#[derive(Default, Deserialize)]
#[serde(expecting = "`repository` as an object")]
struct RepositoryBody {
    #[serde(default)]
    default_branch: Field,
    #[serde(default)]
    clone_url: Field,
    #[serde(default)]
    full_name: Field,
}

impl PushBody {
    fn read(&self) -> Result<Hook, InvalidPayload> {
        let reference = self.reference.text("ref")?;
        let after = commit(&self.after, "after")?;
        if self.deleted.is_true() || after.is_zero() {
            return Ok(ignored(format!("`{}` was deleted", shown(reference))));
        }
        let Some(branch) = reference.strip_prefix("refs/heads/") else {
            return Ok(ignored(format!("`{}` is not a branch", shown(reference))));
        };
        let branch = match branch.parse::<Revision>() {
            Ok(branch) => branch,
            Err(error) => return Ok(ignored(error.to_string())),
        };
        let before = commit(&self.before, "before")?;
        let commits = self.commits.count("commits")?;
        if commits == 0 {
            return Ok(ignored(format!("no commits came to `{branch}`")));
        }
        let repository = &self.repository;
        let default_branch = repository.default_branch.optional_text("repository.default_branch")?;
        Ok(Hook::Push(Push {
            branch,
            after,
            before: Some(before).filter(|before| !before.is_zero()),
            default_branch: default_branch.and_then(|name| name.parse().ok()),
            repository_url: repository.clone_url.optional_text("repository.clone_url")?.map(ToOwned::to_owned),
            repository_name: repository.full_name.optional_text("repository.full_name")?.map(ToOwned::to_owned),
            commits,
        }))
    }
}

fn commit(field: &Field, name: &'static str) -> Result<ObjectId, InvalidPayload> {
    let text = field.text(name)?;
    text.parse::<ObjectId>().map_err(|_named_below| InvalidPayload::Field {
        field: name,
        found: format!("`{}`", shown(text)),
        expected: "a commit of 40 or 64 lower-case hex digits",
    })
}

fn ignored(reason: String) -> Hook {
    Hook::Ignored { reason }
}

/// Text from outside, fit for a log: clipped, with control characters escaped.
fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests;
