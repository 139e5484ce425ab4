//! Identifiers as types: each parses at the edge, so that text from outside never travels further as a bare `String`.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Longest project slug, in bytes. A slug is a NATS subject token and a URL segment; DNS labels end at 63 too.
pub const PROJECT_SLUG_BYTES_MAX: usize = 63;

/// Longest revision name, in bytes: git itself stops at the file system's 255 per component; four of them are plenty.
pub const REVISION_BYTES_MAX: usize = 1_024;

/// Namespace of every UUIDv5 that this program derives from an idempotency key.
const AUDIT_NAMESPACE: Uuid = Uuid::from_u128(0x5f1c_6c0e_9d0a_4f4e_8f57_6a1d_0c3b_2e71);

/// Text that is not a valid identifier of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{text}` is not valid: {expected}")]
pub struct InvalidId {
    /// What the text should have been, e.g. `project slug`.
    pub kind: &'static str,
    /// The text, clipped to 80 characters and with control characters escaped.
    pub text: String,
    /// What a valid one looks like.
    pub expected: &'static str,
}

impl InvalidId {
    fn new(kind: &'static str, text: &str, expected: &'static str) -> Self {
        let text = text.chars().take(80).flat_map(char::escape_debug).collect();
        Self { kind, text, expected }
    }
}

/// Declares a newtype over `String` that is checked wherever it is made, deserialised or parsed.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $expected:literal, $is_valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                let is_valid: fn(&str) -> bool = $is_valid;
                if is_valid(&text) { Ok(Self(text)) } else { Err(InvalidId::new($kind, &text, $expected)) }
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// A project's name in URLs, subjects and commands: lower-case letters, digits and inner dashes.
    ProjectSlug,
    "project slug",
    "use 1 to 63 lower-case letters, digits and dashes, starting and ending with a letter or digit",
    |text| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !text.is_empty()
            && text.len() <= PROJECT_SLUG_BYTES_MAX
            && text.bytes().all(inner)
            && !text.starts_with('-')
            && !text.ends_with('-')
    }
);

text_id!(
    /// A schedule's name within its project, of the same letters as a project's.
    ScheduleName,
    "schedule name",
    "use 1 to 63 lower-case letters, digits and dashes, starting and ending with a letter or digit",
    |text| ProjectSlug::from_str(text).is_ok()
);

text_id!(
    /// An operator's name for a group of workers, of the same letters as a project's.
    PoolName,
    "pool name",
    "use 1 to 63 lower-case letters, digits and dashes, starting and ending with a letter or digit",
    |text| ProjectSlug::from_str(text).is_ok()
);

impl Default for PoolName {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

text_id!(
    /// A git object id: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits.
    ObjectId,
    "git object id",
    "use 40 or 64 lower-case hex digits",
    |text| matches!(text.len(), 40 | 64) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
);

text_id!(
    /// The SHA-256 of some bytes, as 64 lower-case hex digits.
    Digest,
    "digest",
    "use 64 lower-case hex digits",
    |text| text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
);

text_id!(
    /// A rule's stable name, `magic/rule-name`; reads well after "allow".
    RuleId,
    "rule id",
    "use `magic/rule-name` in lower-case letters and dashes",
    |text| {
        let word = |part: &str| {
            !part.is_empty() && part.len() <= 64 && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        };
        text.split_once('/').is_some_and(|(magic, name)| word(magic) && word(name))
    }
);

text_id!(
    /// What to audit, as git would name it: a branch, a tag, a commit or `HEAD`.
    Revision,
    "revision",
    "use a branch, tag or commit without spaces, control characters or `..`, at most 1024 bytes, not starting with a dash",
    |text| {
        !text.is_empty()
            && text.len() <= REVISION_BYTES_MAX
            && !text.starts_with('-')
            && !text.contains("..")
            && !text.contains("@{")
            && !text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '~' | '^' | ':' | '?' | '*' | '[' | '\\'))
    }
);

impl ObjectId {
    /// Whether every digit is zero: how git writes "no such commit" in a push.
    pub fn is_zero(&self) -> bool {
        self.0.bytes().all(|byte| byte == b'0')
    }

    /// The first ten digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }
}

/// One audit. Derived from an idempotency key where there is one, so that asking twice gives the same audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct AuditId(pub Uuid);

impl AuditId {
    /// The audit that `key` always means within `project`.
    pub fn from_key(project: &ProjectSlug, key: &str) -> Self {
        Self(Uuid::new_v5(&AUDIT_NAMESPACE, format!("{project}\n{key}").as_bytes()))
    }

    /// A fresh audit that nobody can ask for again.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for AuditId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for AuditId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match Uuid::parse_str(text) {
            Ok(uuid) => Ok(Self(uuid)),
            Err(_not_a_uuid) => Err(InvalidId::new("audit id", text, "use a UUID, e.g. from `uuidgen`")),
        }
    }
}

/// The 128 bits that tie every log line and message of one audit together, as 32 hex digits (W3C trace context).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TraceId(#[schemars(with = "String")] Uuid);

impl TraceId {
    /// A fresh trace.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The value of a W3C `traceparent` header for this trace.
    pub fn traceparent(self) -> String {
        format!("00-{}-{}-01", self, &self.0.simple().to_string()[16..])
    }

    /// Reads the trace out of a W3C `traceparent`; `None` if it is not one.
    pub fn from_traceparent(text: &str) -> Option<Self> {
        let trace = text.strip_prefix("00-")?.get(..32)?;
        Uuid::try_parse(trace).ok().map(Self)
    }

    /// The same bits as a UUID, as Postgres keeps them.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for TraceId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_that_could_break_a_subject_or_url_are_refused() {
        for bad in ["", "-a", "a-", "A", "a.b", "a b", "*", ">", "ä", "a\n", &"a".repeat(64)] {
            assert!(bad.parse::<ProjectSlug>().is_err(), "accepted {bad:?}");
        }
        for good in ["a", "shop-api", "0", &"a".repeat(63)] {
            assert!(good.parse::<ProjectSlug>().is_ok(), "refused {good:?}");
        }
    }

    #[test]
    fn revisions_that_mean_something_to_git_or_a_shell_are_refused() {
        for bad in ["-h", "--upload-pack=x", "a..b", "@{-1}", "a b", "a\nb", "HEAD~1", "a\0", ""] {
            assert!(bad.parse::<Revision>().is_err(), "accepted {bad:?}");
        }
        for good in ["HEAD", "main", "feature/x", "v1.2.3", "refs/heads/main"] {
            assert!(good.parse::<Revision>().is_ok(), "refused {good:?}");
        }
    }

    #[test]
    fn deserialising_checks_too_and_names_the_text() {
        let error = serde_json::from_str::<ProjectSlug>("\"Not A Slug\"").unwrap_err().to_string();
        assert!(error.contains("project slug `Not A Slug`"), "{error}");
    }

    #[test]
    fn the_same_key_is_the_same_audit_only_within_a_project() {
        let (a, b) = ("a".parse().unwrap(), "b".parse().unwrap());
        assert_eq!(AuditId::from_key(&a, "k"), AuditId::from_key(&a, "k"));
        assert_ne!(AuditId::from_key(&a, "k"), AuditId::from_key(&b, "k"));
    }

    #[test]
    fn a_trace_survives_its_header() {
        let trace = TraceId::random();
        assert_eq!(TraceId::from_traceparent(&trace.traceparent()), Some(trace));
        assert_eq!(TraceId::from_traceparent("00-short"), None);
    }
}
