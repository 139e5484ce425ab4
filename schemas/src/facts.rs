//! What single files tell the rules that judge a whole repository, and what such a rule is given: the tree.
//!
//! Facts travel with the result of the file that they are about and are cached with it, so that a later audit has those of files
//! that it does not read. Like everything that the record keeps of a repository they hold no secret.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::ids::{ObjectId, RuleId};
use crate::packed::{Names, Windows};

/// What a file tells; empty for most files. Each field but `allowed` is written by one rule, and read by that rule alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Facts {
    /// Where its comments allow what rules over the whole repository find.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<Allowed>,
    /// Marks that take code out of the coverage report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage_exclusions: Option<Repeated>,
    /// Windows of its code, by which copies are found.
    #[serde(skip_serializing_if = "Windows::is_empty")]
    pub windows: Windows,
    /// What links can lead to, and where links go, in a document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    /// What tests could be about, and what tests are about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub testing: Option<Testing>,
    /// How many of its functions do something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub functions: Option<Functions>,
    /// Whether it is part of a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Server>,
}

impl Facts {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A place where a comment allows what a rule finds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Allowed {
    /// The rule.
    pub rule: RuleId,
    /// The line, from 1; absent where it is allowed in all of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The last day on which it is; absent where it is for ever. Facts hold on every day, so they say it instead of heeding it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

/// What a document says to links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// Its places that links can lead to; absent where there are too many of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchors: Option<Names>,
    /// Its links to files of the same repository.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
}

/// A link to a file of the same repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// The file, from the root of the repository.
    pub path: String,
    /// The place in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<String>,
    /// The link.
    pub spot: Spot,
}

/// What tests could be about in a file, and what its own tests are about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Testing {
    /// Decisions that its functions make; none where nobody expects a test of it.
    pub decisions: u32,
    /// Whether tests stand in it, beside what they test.
    pub has_tests: bool,
    /// The first function that decides something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Spot>,
    /// Names of what it offers to others.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub offers: Names,
    /// Names that tests in it mention; of a file without tests, names that it uses.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub mentions: Names,
}

/// The functions of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Functions {
    /// How many.
    pub count: u64,
    /// Independent paths through all of them.
    pub paths: u64,
    /// Those that do nothing yet.
    pub stubs: u64,
    /// The first of those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_stub: Option<Spot>,
}

/// A part of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Server {
    /// Where it begins to listen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Spot>,
    /// Whether it logs, measures, or tells whether it is well.
    pub watches: bool,
}

/// Something that a file has several times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Repeated {
    /// How often.
    pub count: u32,
    /// The first time.
    pub first: Spot,
}

/// A place in a file, with what a finding there would show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spot {
    /// First line, from 1.
    pub line: u32,
    /// First column, from 1, in characters.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column after the last character.
    pub end_column: u32,
    /// The place itself, secrets masked.
    pub snippet: String,
}

/// A repository at one commit: its paths, and the facts of its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tree {
    /// The commit.
    pub commit: ObjectId,
    /// The commit that the audit looks back to; absent where the audit is about all of the tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<ObjectId>,
    /// Files that findings may be about, where these are not all of them: those that changed since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<BTreeSet<String>>,
    /// Every path in it, files that are not examined among them; that of a directory which is not opened ends with `/`.
    pub paths: BTreeSet<String>,
    /// Files that have something to tell, by path.
    pub files: Vec<FileFacts>,
    /// Why the facts are not those of all files, if they are not: then nothing is to be concluded from what is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<String>,
}

/// A file with its facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileFacts {
    /// Path from the root of the repository.
    pub path: String,
    /// What it tells.
    pub facts: Facts,
}

impl Tree {
    /// Whether findings may be about this file.
    pub fn is_asked(&self, path: &str) -> bool {
        self.changed.as_ref().is_none_or(|changed| changed.contains(path))
    }
}
