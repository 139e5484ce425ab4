//! What one file or one commit contributed to one magic: the unit that is cached, and never analysed twice.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::finding::Finding;
use crate::ids::{ObjectId, RuleId};

/// Most findings kept of one rule in one file or commit; a generated table of ten thousand markers says no more than a thousand do.
pub const FINDINGS_PER_RULE_MAX: usize = 1_000;

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A file, as one commit has it.
    File {
        /// Path from the root of the repository.
        path: String,
        /// The git blob that holds its bytes.
        blob: ObjectId,
    },
    /// A commit.
    Commit {
        /// The commit.
        sha: ObjectId,
        /// Whether it is reachable from the default branch: some rules only speak then.
        on_default_branch: bool,
    },
    /// A whole repository.
    Tree {
        /// The commit.
        commit: ObjectId,
        /// The commit since which changes are looked at; absent where everything is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<ObjectId>,
    },
}

impl Item {
    /// The key under which a result is cached within a project, magic and rule set: `(path, object)`. A commit has no
    /// path, but may be judged anew once it reaches the default branch.
    pub fn cache_key(&self) -> (&str, &str) {
        match self {
            Self::File { path, blob } => (path, blob.as_str()),
            Self::Commit { sha, on_default_branch: true } => ("@default", sha.as_str()),
            Self::Commit { sha, on_default_branch: false } => ("@branch", sha.as_str()),
            Self::Tree { commit, since: None } => ("@tree", commit.as_str()),
            Self::Tree { commit, since: Some(since) } => (since.as_str(), commit.as_str()),
        }
    }

    /// What people call it: the path, the commit, or what all of them are in.
    pub fn name(&self) -> &str {
        match self {
            Self::File { path, .. } => path,
            Self::Commit { sha, .. } => sha.as_str(),
            Self::Tree { .. } => "the whole repository",
        }
    }
}

/// Why something was not examined. Reported with a count: silence would look like a clean bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// A NUL byte near the start.
    Binary,
    /// Marked as generated in its first lines, or by `.gitattributes`.
    Generated,
    /// Lines so long that a program wrote them.
    Minified,
    /// Larger than the limit for one file.
    TooLarge,
    /// In a directory of other people's code, such as `node_modules`, or marked so by `.gitattributes`.
    Vendored,
    /// Left out by the repository's `.elderignore` or `.elder.toml`.
    Ignored,
    /// Every rule that would read it is switched off there by `.elder.toml`.
    SwitchedOff,
    /// A lock file: written by a package manager, full of hashes.
    LockFile,
    /// A symbolic link: never followed.
    Symlink,
    /// A submodule: another repository, never fetched.
    Submodule,
    /// No rule of this magic reads this language.
    NoLanguage,
    /// The parser ran over its budget of time or size.
    ParseBudget,
    /// The repository has more of them than one audit takes.
    OverLimit,
    /// A commit by a program, or one that only merges.
    NotByHand,
    /// A whole repository of which some files were never examined under these rules: the others alone say nothing of it.
    FactsMissing,
    /// The analyzer failed on it; the message is in the logs.
    AnalyzerFailed,
}

impl SkipReason {
    /// The name in JSON and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Generated => "generated",
            Self::Minified => "minified",
            Self::TooLarge => "too_large",
            Self::Vendored => "vendored",
            Self::Ignored => "ignored",
            Self::SwitchedOff => "switched_off",
            Self::LockFile => "lock_file",
            Self::Symlink => "symlink",
            Self::Submodule => "submodule",
            Self::NoLanguage => "no_language",
            Self::ParseBudget => "parse_budget",
            Self::OverLimit => "over_limit",
            Self::NotByHand => "not_by_hand",
            Self::FactsMissing => "facts_missing",
            Self::AnalyzerFailed => "analyzer_failed",
        }
    }

    /// Whether skipping for this reason leaves a hole in the audit, as opposed to ruling out what was never its business.
    pub fn is_a_hole(self) -> bool {
        matches!(self, Self::ParseBudget | Self::OverLimit | Self::AnalyzerFailed)
    }
}

/// How much was examined: what findings are measured against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Units {
    /// Files read.
    pub files: u64,
    /// Lines in them.
    pub lines: u64,
    /// Functions in them.
    pub functions: u64,
    /// Test functions in them.
    pub tests: u64,
    /// Commits read.
    pub commits: u64,
}

impl Units {
    /// Adds `other`, for reading a set of results; adding alone is not proof against redelivery, keys are.
    pub fn add(&mut self, other: Self) {
        self.files += other.files;
        self.lines += other.lines;
        self.functions += other.functions;
        self.tests += other.tests;
        self.commits += other.commits;
    }
}

/// What one file, commit or repository contributed to one magic. A pure function of its bytes, its path and the rule set with
/// its settings; of the day too, where it says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ItemResult {
    /// What was looked at.
    pub item: Item,
    /// Why it was not examined; absent if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<SkipReason>,
    /// How much was examined; all zero if skipped.
    #[serde(default)]
    pub units: Units,
    /// What was found, by place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What a reader should know about this result, e.g. that some bytes were not UTF-8 or some syntax not understood.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What it tells of itself for rules that judge the whole repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// Per rule: findings that a comment in the file allows. They are counted and not listed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub suppressed: BTreeMap<RuleId, u64>,
    /// Whether it holds only for the day of its audit, since something is allowed until a day. Another audit does not take
    /// it for an answer: few files have one, and a day in every key would have all files read again each day.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dated: bool,
}

impl ItemResult {
    /// The result of something that was not examined.
    pub fn skipped(item: Item, reason: SkipReason) -> Self {
        Self { skipped: Some(reason), ..Self::examined(item, Units::default()) }
    }

    /// The result of something in which nothing was found.
    pub fn examined(item: Item, units: Units) -> Self {
        let (findings, notes, suppressed) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { item, skipped: None, units, findings, notes, facts: None, suppressed, dated: false }
    }
}
