//! Settings to begin with, for kinds of teams. Each is written as a repository would write it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A set of settings with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// A small team that changes its mind every day: what is wrong counts, what is only untidy costs little.
    Startup,
    /// Contributors who come and go: a maintainer can mend a commit, but not a test that never ran.
    OpenSource,
    /// Many teams and a long life: changes are small, and what was put off has a ticket.
    Enterprise,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 3] = [Self::Startup, Self::OpenSource, Self::Enterprise];

    /// The name in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::OpenSource => "open-source",
            Self::Enterprise => "enterprise",
        }
    }

    /// What it says.
    pub fn text(self) -> &'static str {
        match self {
            Self::Startup => include_str!("presets/startup.toml"),
            Self::OpenSource => include_str!("presets/open-source.toml"),
            Self::Enterprise => include_str!("presets/enterprise.toml"),
        }
    }
}
