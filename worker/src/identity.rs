//! The name of a worker: which host, and which start of it.

use uuid::Uuid;

/// Longest part of a host's name that is kept, in bytes; names of hosts end at 63 per label.
const HOST_BYTES_MAX: usize = 63;

/// A name that no other worker has, nor this one after its next start.
pub(crate) fn new_name() -> String {
    let host = nix::unistd::gethostname().unwrap_or_default();
    let nonce = Uuid::new_v4().simple().to_string();
    format!("{}-{}", token(&host.to_string_lossy()), &nonce[..8])
}

/// The name of a host as one token of a subject.
fn token(host: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    let token: String = host.chars().map(allowed).take(HOST_BYTES_MAX).collect();
    if token.is_empty() { "worker".to_owned() } else { token }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tokens_whatever_the_host_is_called() {
        for (host, expected) in [("build-7.example.org", "build-7-example-org"), ("", "worker"), ("a b*>é", "a-b---")]
        {
            assert_eq!(token(host), expected);
        }
        assert_eq!(token(&"x".repeat(200)).len(), HOST_BYTES_MAX);
    }

    #[test]
    fn two_starts_have_two_names() {
        assert_ne!(new_name(), new_name());
    }
}
