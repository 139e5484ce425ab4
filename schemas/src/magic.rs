//! The magics: families of analyzers. An unknown one is a clear error for the message that names it.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A family of analyzers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(rename_all = "snake_case")]
pub enum Magic {
    /// Does the code do what it claims?
    Integrity,
    /// Are the tests real, timely and sufficient?
    Tdd,
    /// Did the change pass the process: issue, branch, review, gate?
    Flow,
    /// Knowledge, tasks, incidents, discoverability.
    Sages,
    /// History and branch hygiene.
    Git,
    /// Quality of the units that do the work.
    Servant,
    /// Audits the audit.
    Meta,
    /// Scores, gate and verdict over all others.
    Unified,
}

/// What a magic may read, and a rule reads one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// The files of one commit.
    Files,
    /// The commits behind it.
    History,
    /// The results of the other magics.
    Results,
}

/// A name that is none of the magics.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("magic `{0}` is not known: use one of integrity, tdd, flow, sages, git, servant, meta, unified")]
pub struct UnknownMagic(String);

impl Magic {
    /// Every magic, in the order in which reports list them.
    pub const ALL: [Self; 8] =
        [Self::Integrity, Self::Tdd, Self::Flow, Self::Sages, Self::Git, Self::Servant, Self::Meta, Self::Unified];

    /// The name in subjects, columns, JSON and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integrity => "integrity",
            Self::Tdd => "tdd",
            Self::Flow => "flow",
            Self::Sages => "sages",
            Self::Git => "git",
            Self::Servant => "servant",
            Self::Meta => "meta",
            Self::Unified => "unified",
        }
    }

    /// What this magic reads: exactly what its rules do, for whatever is in here is planned, packed and sent.
    pub fn inputs(self) -> &'static [Input] {
        match self {
            Self::Integrity | Self::Tdd | Self::Flow | Self::Sages | Self::Servant => &[Input::Files],
            Self::Git => &[Input::History],
            Self::Meta | Self::Unified => &[Input::Results],
        }
    }

    /// Whether this magic reads `input`.
    pub fn reads(self, input: Input) -> bool {
        self.inputs().contains(&input)
    }
}

impl fmt::Display for Magic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Magic {
    type Err = UnknownMagic;
    fn from_str(text: &str) -> Result<Self, UnknownMagic> {
        let known = Self::ALL.into_iter().find(|magic| magic.as_str() == text);
        known.ok_or_else(|| UnknownMagic(text.chars().take(80).flat_map(char::escape_debug).collect()))
    }
}

impl TryFrom<String> for Magic {
    type Error = UnknownMagic;
    fn try_from(text: String) -> Result<Self, UnknownMagic> {
        text.parse()
    }
}

impl From<Magic> for String {
    fn from(magic: Magic) -> String {
        magic.as_str().to_owned()
    }
}
