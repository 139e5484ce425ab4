//! Push webhooks as GitHub sends them, signed.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

/// One delivery: change what you like, then [`Push::sign`] it.
#[derive(Debug, Clone)]
pub struct Push {
    /// Number that GitHub gives each delivery; the same again is a redelivery.
    pub delivery: Uuid,
    /// The payload.
    pub payload: Value,
}

/// A delivery as it goes over the wire.
#[derive(Debug, Clone)]
pub struct SignedPush {
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body that was signed.
    pub body: Vec<u8>,
}

impl Push {
    /// A push of `after` to `branch` of the repository that is cloned from `clone_url`.
    pub fn new(repository: &str, clone_url: &str, branch: &str, after: &str) -> Self {
        let (owner, name) = repository.split_once('/').expect("a repository is owner/name");
        let payload = json!({
            "ref": format!("refs/heads/{branch}"),
            "before": "0".repeat(40),
            "after": after,
            "created": false,
            "deleted": false,
            "forced": false,
            "repository": {
                "id": 1,
                "name": name,
                "full_name": repository,
                "private": false,
                "owner": { "login": owner, "name": owner },
                "clone_url": clone_url,
                "html_url": clone_url,
                "default_branch": "main",
            },
            "pusher": { "name": "ada", "email": "ada@example.org" },
            "sender": { "login": "ada", "id": 1 },
            "head_commit": { "id": after, "message": "change", "timestamp": "2026-01-01T00:00:00Z" },
            "commits": [{ "id": after, "message": "change", "added": [], "modified": [], "removed": [] }],
        });
        Self { delivery: Uuid::new_v4(), payload }
    }

    /// Serialises and signs with the secret shared with the server.
    pub fn sign(&self, secret: &str) -> SignedPush {
        let body = serde_json::to_vec(&self.payload).expect("a JSON value can be written");
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("user-agent", "GitHub-Hookshot/0000000".to_owned()),
            ("x-github-event", "push".to_owned()),
            ("x-github-delivery", self.delivery.to_string()),
            ("x-hub-signature-256", signature(secret, &body)),
        ];
        SignedPush { headers, body }
    }
}

/// The value of `X-Hub-Signature-256`.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key may have any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's own documentation of webhook signatures.
    #[test]
    fn signs_as_github_documents() {
        let expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(signature("It's a Secret to Everybody", b"Hello, World!"), expected);
    }
}
