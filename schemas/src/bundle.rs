//! What a worker is given to read: a `tar.zst` of one manifest and the bytes of each file.
//!
//! The archive starts with [`MANIFEST_NAME`], a JSON [`Manifest`], followed by one entry per file, named by its index in
//! [`Manifest::files`]. Repository paths are data in the manifest, never names in the archive, so nothing that unpacks it
//! can be led astray. The same content always gives the same bytes, and the bundle is named by their digest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::day::Day;
use crate::facts::Tree;
use crate::ids::ObjectId;

/// Name of the first entry of every bundle.
pub const MANIFEST_NAME: &str = "manifest.json";

/// Largest unpacked bundle, in bytes: a shard aims at 2 MiB, and one file of the largest size must still fit beside its manifest.
pub const BUNDLE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Largest file that is read, in bytes. Hand-written source is far below; parsers take up to a hundred times this in memory.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What a bundle holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Manifest {
    /// Files whose bytes follow, in this order.
    pub files: Vec<ManifestFile>,
    /// Commits, complete in themselves.
    pub commits: Vec<CommitFacts>,
    /// A whole repository, for rules that judge all of it at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tree: Option<Tree>,
    /// What the repository says of how it wants to be audited, if it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<ConfigFile>,
    /// The day of the audit: what is allowed until then is allowed. Absent in bundles of old; then nothing has run out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<Day>,
}

/// A repository's own configuration. The text itself, not what a planner made of it: planner and worker may be of
/// different builds, and each knows its own rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigFile {
    /// The git blob that holds it.
    pub blob: ObjectId,
    /// What it says; empty in the record, which keeps no text of a repository.
    #[serde(default)]
    pub text: String,
}

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManifestFile {
    /// Path from the root of the repository, with `/`; control characters and bytes that are not UTF-8 as `%XX`.
    pub path: String,
    /// The git blob that holds its bytes.
    pub blob: ObjectId,
    /// Size in bytes.
    pub size: u64,
}

/// What the rules of the git magic may know of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommitFacts {
    /// The commit.
    pub sha: ObjectId,
    /// First line of the message.
    pub subject: String,
    /// Number of parents; two or more is a merge.
    pub parents: u32,
    /// Whether author or committer is a known kind of program.
    pub by_bot: bool,
    /// Whether it is reachable from the default branch.
    pub on_default_branch: bool,
    /// Changed files with their added and removed lines; against the first parent. Empty for merges.
    pub changes: Vec<FileChange>,
}

/// One file changed by a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileChange {
    /// Path after the change.
    pub path: String,
    /// Lines added.
    pub added: u32,
    /// Lines removed.
    pub removed: u32,
    /// Whether the file only moved here from another path.
    pub renamed: bool,
}

/// A file with its bytes, as rules get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Path from the root of the repository.
    pub path: String,
    /// The git blob that holds its bytes.
    pub blob: ObjectId,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A bundle, unpacked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shard {
    /// The files.
    pub files: Vec<SourceFile>,
    /// The commits.
    pub commits: Vec<CommitFacts>,
    /// The whole repository.
    pub tree: Option<Tree>,
    /// What the repository says of how it wants to be audited.
    pub config: Option<ConfigFile>,
    /// The day of the audit.
    pub day: Option<Day>,
}
