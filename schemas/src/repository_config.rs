//! What a repository says of how it wants to be audited: `.elder.toml` and `.elderignore` at its root.
//!
//! ```text
//! .elder.toml ──read──► RepositoryConfig ──► Settings: what holds for a path, what is left out, cache keys
//!                  └──► Problems: what is wrong and where; the defaults hold for what is wrong
//! ```

mod exclusions;
mod presets;
mod problems;
mod reader;
mod settings;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::exclusions::{ATTRIBUTES_PATH, EXCLUSIONS_BYTES_MAX, Exclusions, IGNORE_PATH, ignore_problems};
pub use self::presets::Preset;
pub use self::problems::{Problem, did_you_mean};
pub use self::reader::read;
pub use self::settings::{ByRule, Settings};
use crate::ids::RuleId;
use crate::magic::Magic;
use crate::severity::Severity;

/// Where the configuration is, from the root of the repository.
pub const CONFIG_PATH: &str = ".elder.toml";

/// Largest configuration that is read, in bytes: a few hundred settings are a tenth of it, and every bundle carries it.
pub const CONFIG_BYTES_MAX: usize = 64 * 1024;

/// Most globs of a configuration: each is tried for every path.
pub const GLOBS_MAX: usize = 256;

/// Longest glob, in characters: what a path of many folders needs, and short enough to compile at once.
pub const GLOB_CHARS_MAX: usize = 256;

/// Most problems listed: who has more of them has one that repeats.
pub const PROBLEMS_MAX: usize = 100;

/// The rule that reports a bad configuration. No configuration changes it, since it would be used to hide itself.
pub const FIXED_RULE: &str = "integrity/config-invalid";

/// How a repository wants to be audited. Later settings win: preset, then magics, then rules, then paths in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = ".elder.toml of Ancient Elder")]
pub struct RepositoryConfig {
    /// Settings to begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// Files that are not examined: globs over the path from the root of the repository, where `*` stays within a folder
    /// and `**` does not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Settings of whole magics.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub magics: BTreeMap<Magic, MagicSettings>,
    /// Settings of rules.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<RuleId, RuleSettings>,
    /// Other settings for some files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathSettings>,
}

/// Settings of a magic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MagicSettings {
    /// Whether its rules are looked at.
    pub enabled: bool,
}

/// Settings of a rule. What is absent stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RuleSettings {
    /// Whether the rule is looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// How bad its worst findings are. Milder ones move by as many steps; `info` stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The rule's own numbers, by the names in its documentation.
    #[serde(flatten)]
    pub thresholds: BTreeMap<String, u64>,
}

/// Settings for the files that a glob matches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathSettings {
    /// A glob over the path from the root of the repository.
    pub glob: String,
    /// Rules and magics that are not looked at there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub off: Vec<String>,
    /// Settings of rules there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<RuleId, RuleSettings>,
}

impl RuleSettings {
    /// Settings that switch a rule off.
    pub(crate) fn off() -> Self {
        Self { enabled: Some(false), ..Self::default() }
    }

    /// Takes over what `later` says.
    fn overlay(&mut self, later: &Self) {
        self.enabled = later.enabled.or(self.enabled);
        self.severity = later.severity.or(self.severity);
        self.thresholds.extend(later.thresholds.iter().map(|(name, value)| (name.clone(), *value)));
    }
}

#[cfg(test)]
#[path = "repository_config/tests.rs"]
mod tests;
