//! One thing that a rule found, and the fingerprint by which it is known again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ids::{ObjectId, RuleId};
use crate::severity::Severity;

/// Longest snippet kept, in characters: a line wider than this is not read by anyone, and minified files have lines of megabytes.
pub const SNIPPET_CHARS_MAX: usize = 200;

/// Full confidence, in permille. Confidence is an integer so that sums do not depend on their order.
pub const CONFIDENCE_FULL: u16 = 1_000;

/// Where a finding is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// In a file, lines and columns counted from 1, columns in characters.
    File {
        /// Path from the root of the repository, with `/`; control characters and bytes that are not UTF-8 as `%XX`.
        path: String,
        /// First line.
        line: u32,
        /// First column.
        column: u32,
        /// Last line.
        end_line: u32,
        /// Column after the last character.
        end_column: u32,
    },
    /// In a commit.
    Commit {
        /// The commit.
        sha: ObjectId,
    },
}

impl Location {
    /// How people write the place: `src/lib.rs:12` or `commit 0123456789`.
    pub fn display(&self) -> String {
        match self {
            Self::File { path, line, .. } => format!("{path}:{line}"),
            Self::Commit { sha } => format!("commit {}", sha.short()),
        }
    }

    /// The path, or the commit where there is none: the part of the place that is not a position.
    fn scope(&self) -> &str {
        match self {
            Self::File { path, .. } => path,
            Self::Commit { sha } => sha.as_str(),
        }
    }
}

/// One thing that a rule found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// How bad it is here.
    pub severity: Severity,
    /// How sure the rule is, 0 to 1000.
    pub confidence_permille: u16,
    /// Where it is.
    pub location: Location,
    /// The place itself, at most [`SNIPPET_CHARS_MAX`] characters, secrets masked.
    pub snippet: String,
    /// What is wrong here.
    pub message: String,
    /// What to do about it.
    pub suggestion: String,
    /// 32 hex digits over rule, path, normalised place and ordinal: the same after lines moved.
    pub fingerprint: String,
    /// 32 hex digits over rule, normalised place and ordinal: the same after the file was renamed too.
    pub content_fingerprint: String,
}

impl Finding {
    /// Fills both fingerprints. `place` is the text that makes this finding what it is (white space is folded);
    /// `ordinal` counts equal places of one rule in one file from 0.
    pub fn identify(&mut self, place: &str, ordinal: u32) {
        let place = place.split_whitespace().collect::<Vec<_>>().join(" ");
        let ordinal = ordinal.to_string();
        let rule = self.rule.as_str();
        self.fingerprint = short_hash(&[rule, self.location.scope(), &place, &ordinal]);
        self.content_fingerprint = short_hash(&[rule, &place, &ordinal]);
    }
}

/// The first 128 bits of SHA-256 over the parts, each preceded by its length so that no two lists share a hash.
fn short_hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hex::encode(&hasher.finalize()[..16])
}

/// `text` as one line of at most [`SNIPPET_CHARS_MAX`] characters, control characters replaced by spaces.
pub fn snippet(text: &str) -> String {
    let line = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    line.take(SNIPPET_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(path: &str, line: u32) -> Finding {
        Finding {
            rule: "integrity/todo-marker".parse().unwrap(),
            severity: Severity::Low,
            confidence_permille: CONFIDENCE_FULL,
            location: Location::File { path: path.into(), line, column: 1, end_line: line, end_column: 5 },
            snippet: String::new(),
            message: String::new(),
            suggestion: String::new(),
            fingerprint: String::new(),
            content_fingerprint: String::new(),
        }
    }

    fn identified(path: &str, line: u32, place: &str, ordinal: u32) -> Finding {
        let mut found = finding(path, line);
        found.identify(place, ordinal);
        found
    }

    #[test]
    fn a_finding_survives_moved_lines_and_reindentation() {
        let before = identified("a.rs", 3, "// TODO  x", 0);
        let after = identified("a.rs", 90, "   // TODO x", 0);
        assert_eq!(before.fingerprint, after.fingerprint);
    }

    #[test]
    fn a_renamed_file_keeps_the_content_half_only() {
        let before = identified("a.rs", 3, "// TODO x", 0);
        let after = identified("b.rs", 3, "// TODO x", 0);
        assert_ne!(before.fingerprint, after.fingerprint);
        assert_eq!(before.content_fingerprint, after.content_fingerprint);
    }

    #[test]
    fn equal_places_in_one_file_stay_two_findings() {
        assert_ne!(identified("a", 1, "x", 0).fingerprint, identified("a", 2, "x", 1).fingerprint);
    }

    #[test]
    fn snippets_are_clipped_by_characters_and_hold_no_control_characters() {
        let long = "é\u{1b}".repeat(500);
        let clipped = snippet(&long);
        assert_eq!(clipped.chars().count(), SNIPPET_CHARS_MAX);
        assert!(!clipped.contains('\u{1b}'));
    }
}
