//! Schedules: when a project is audited without anybody asking, and what becomes of moments that were missed.

mod calendar;

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use self::calendar::{Calendar, InvalidCalendar};
use crate::ids::Revision;
use crate::magic::Magic;
use crate::request::{AuditKind, Priority};

/// Most schedules of a project: each is looked at again and again.
pub const SCHEDULES_MAX: i64 = 100;

/// Most moments made up for at once; of more, the latest. Each is an audit of its own.
pub const CATCH_UP_MAX: usize = 100;

/// A moment dealt with within this, in seconds, was not missed: planners restart, and clocks of people are coarse.
pub const ON_TIME_SECS: i64 = 60;

/// What becomes of moments that were missed while nothing ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// They are gone.
    Skip,
    /// One audit stands for all of them.
    #[default]
    Once,
    /// Each is made up for, up to [`CATCH_UP_MAX`].
    All,
}

/// A word that is none of the policies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("catch-up policy `{0}` is not known: use skip, once or all")]
pub struct UnknownCatchUp(String);

impl CatchUp {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Skip, Self::Once, Self::All];

    /// The name in columns, JSON and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Once => "once",
            Self::All => "all",
        }
    }
}

impl fmt::Display for CatchUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CatchUp {
    type Err = UnknownCatchUp;
    fn from_str(text: &str) -> Result<Self, UnknownCatchUp> {
        let known = Self::ALL.into_iter().find(|policy| policy.as_str() == text);
        known.ok_or_else(|| UnknownCatchUp(text.chars().take(80).flat_map(char::escape_debug).collect()))
    }
}

/// What is asked for at each moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduledRequest {
    /// What to audit; the default branch if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// How much to look at.
    #[serde(default)]
    pub kind: AuditKind,
    /// Which magics; all that have rules if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub magics: Vec<Magic>,
    /// How urgent.
    #[serde(default)]
    pub priority: Priority,
}

/// A schedule as it is defined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Five fields from minute to weekday, six with seconds before them, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
    pub cron: String,
    /// The IANA time zone whose clocks the fields mean.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// What becomes of missed moments.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// What is asked for.
    #[serde(default)]
    pub request: ScheduledRequest,
    /// Whether it fires.
    #[serde(default = "enabled")]
    pub enabled: bool,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn enabled() -> bool {
    true
}

/// What is to be done about a schedule now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Moments to fire, in order.
    pub moments: Vec<OffsetDateTime>,
    /// The first moment after now; `None` if there is none any more.
    pub next: Option<OffsetDateTime>,
}

/// Which moments from `since`, the first that was not dealt with, up to `now` fire.
pub fn due(calendar: &Calendar, catch_up: CatchUp, since: OffsetDateTime, now: OffsetDateTime) -> Due {
    let mut moments = calendar.latest(since, now, CATCH_UP_MAX);
    let missed = moments.partition_point(|moment| now.unix_timestamp() - moment.unix_timestamp() > ON_TIME_SECS);
    let gone = match catch_up {
        CatchUp::Skip => missed,
        // What is on time stands for what was missed before it.
        CatchUp::Once if missed == moments.len() => missed.saturating_sub(1),
        CatchUp::Once => missed,
        CatchUp::All => 0,
    };
    Due { moments: moments.split_off(gone), next: calendar.next_after(now) }
}

#[cfg(test)]
mod tests;
