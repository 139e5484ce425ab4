//! A message that nobody could use, kept with the reason.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::Digest;
use crate::retry::ErrorClass;

/// Most bytes of a dead message that are kept: enough to see what it was; the whole of every valid task.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Why a message died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It could not be read.
    Undecodable,
    /// It was delivered too often without success.
    Exhausted,
    /// It asked for something that does not exist or is not allowed.
    Refused,
}

/// A word that is none of the causes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cause `{0}` is not known: use undecodable, exhausted or refused")]
pub struct UnknownCause(String);

impl FromStr for Cause {
    type Err = UnknownCause;
    fn from_str(text: &str) -> Result<Self, UnknownCause> {
        let known = Self::ALL.into_iter().find(|cause| cause.as_str() == text);
        known.ok_or_else(|| UnknownCause(text.chars().take(80).flat_map(char::escape_debug).collect()))
    }
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 3] = [Self::Undecodable, Self::Exhausted, Self::Refused];

    /// The name in subjects, columns and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::Exhausted => "exhausted",
            Self::Refused => "refused",
        }
    }
}

/// Who noticed that a message died.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticedBy {
    /// Whoever received it last.
    #[default]
    Receiver,
    /// The server, which will not deliver it any more and said so.
    Advisory,
    /// The reconciler: nobody else has said a word about it.
    Reconciler,
}

impl NoticedBy {
    /// The name in columns and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::Advisory => "advisory",
            Self::Reconciler => "reconciler",
        }
    }
}

/// A message that nobody could use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeadLetter {
    /// Where it was published.
    pub subject: String,
    /// Why it died.
    pub cause: Cause,
    /// What exactly was wrong, naming the input.
    pub reason: String,
    /// How often it was delivered.
    pub attempts: u64,
    /// What went wrong the last time, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<ErrorClass>,
    /// Who had it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// The file or commit that causes it, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Who noticed.
    #[serde(default)]
    pub noticed_by: NoticedBy,
    /// Its first [`BODY_BYTES_MAX`] bytes, what is not UTF-8 replaced.
    pub body: String,
}

impl DeadLetter {
    /// A letter about a message on `subject`.
    pub fn new(subject: &str, cause: Cause, reason: impl Into<String>, attempts: u64, body: &[u8]) -> Self {
        let clipped = &body[..body.len().min(BODY_BYTES_MAX)];
        let body = String::from_utf8_lossy(clipped).replace('\0', "\u{fffd}");
        let (subject, reason) = (subject.to_owned(), reason.into());
        let (class, worker, item, noticed_by) = (None, None, None, NoticedBy::Receiver);
        Self { subject, cause, reason, attempts, class, worker, item, noticed_by, body }
    }

    /// What makes two letters the same: where the message was, why it died and what it said. The same message buried
    /// twice is one letter, in the queue as in the record.
    pub fn identity(&self) -> Digest {
        Digest::of(format!("{}\n{}\n{}", self.subject, self.reason, self.body).as_bytes())
    }
}
