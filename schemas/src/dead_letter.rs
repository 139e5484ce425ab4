//! A message that nobody could use, kept with the reason.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::Digest;

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

impl Cause {
    /// The name in subjects, columns and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undecodable => "undecodable",
            Self::Exhausted => "exhausted",
            Self::Refused => "refused",
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
    /// Its first [`BODY_BYTES_MAX`] bytes, what is not UTF-8 replaced.
    pub body: String,
}

impl DeadLetter {
    /// A letter about a message on `subject`.
    pub fn new(subject: &str, cause: Cause, reason: impl Into<String>, attempts: u64, body: &[u8]) -> Self {
        let clipped = &body[..body.len().min(BODY_BYTES_MAX)];
        let body = String::from_utf8_lossy(clipped).replace('\0', "\u{fffd}");
        Self { subject: subject.to_owned(), cause, reason: reason.into(), attempts, body }
    }

    /// What makes two letters the same: where the message was, why it died and what it said. The same message buried
    /// twice is one letter, in the queue as in the record.
    pub fn identity(&self) -> Digest {
        Digest::of(format!("{}\n{}\n{}", self.subject, self.reason, self.body).as_bytes())
    }
}
