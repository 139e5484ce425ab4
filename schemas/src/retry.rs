//! The retry law: how often and after which pause something is tried again, by what went wrong.

use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What went wrong, sorted by what can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// A server or a network is away: says nothing about the task.
    Transient,
    /// The repository cannot be read as it is: its address, its access, its content.
    Repository,
    /// An analyzer panicked or answered nonsense.
    Analyzer,
    /// Memory, disk or stack ran out; a worker that died without a word is counted here.
    Resource,
    /// It took longer than it may.
    Deadline,
}

/// A word that is none of the classes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error class `{0}` is not known: use transient, repository, analyzer, resource or deadline")]
pub struct UnknownClass(String);

impl ErrorClass {
    /// Every class.
    pub const ALL: [Self; 5] = [Self::Transient, Self::Repository, Self::Analyzer, Self::Resource, Self::Deadline];

    /// The name in columns, JSON and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Repository => "repository",
            Self::Analyzer => "analyzer",
            Self::Resource => "resource",
            Self::Deadline => "deadline",
        }
    }

    /// Tries in all, the first included, before it is given up.
    pub fn attempts_max(self) -> u64 {
        match self {
            // Outages pass; the deadline of the task ends this earlier.
            Self::Transient => 10,
            // The same bytes give the same answer, unless the machine was at fault: one more worker gets a chance.
            Self::Analyzer | Self::Resource | Self::Repository => 3,
            // What was too slow is too slow.
            Self::Deadline => 2,
        }
    }

    /// The longest pause before try `attempt + 1`, doubling from try to try; `attempt` counts from 1.
    fn pause_max(self, attempt: u64) -> Duration {
        let (first_ms, longest_ms): (u64, u64) = match self {
            Self::Transient => (500, 60_000),
            Self::Repository => (5_000, 300_000),
            Self::Analyzer | Self::Resource | Self::Deadline => (1_000, 30_000),
        };
        let doublings = attempt.saturating_sub(1).min(20);
        Duration::from_millis(longest_ms.min(first_ms << doublings))
    }

    /// The pause before try `attempt + 1`. `jitter` is a random number from 0 to 1: half of the pause is fixed, so that
    /// nothing comes back at once, and half is random, so that what failed together does not come back together.
    pub fn pause(self, attempt: u64, jitter: f64) -> Duration {
        self.pause_max(attempt).mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0))
    }
}

impl FromStr for ErrorClass {
    type Err = UnknownClass;
    fn from_str(text: &str) -> Result<Self, UnknownClass> {
        let known = Self::ALL.into_iter().find(|class| class.as_str() == text);
        known.ok_or_else(|| UnknownClass(text.chars().take(80).flat_map(char::escape_debug).collect()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pauses_are_never_zero_never_longer_than_the_limit_and_never_shrink(attempt in 1..100_u64, jitter in 0.0..=1.0) {
            for class in ErrorClass::ALL {
                let pause = class.pause(attempt, jitter);
                prop_assert!(pause >= Duration::from_millis(250), "{class:?} {pause:?}");
                prop_assert!(pause <= Duration::from_secs(300), "{class:?} {pause:?}");
                prop_assert!(class.pause(attempt + 1, jitter) >= pause);
            }
        }
    }

    #[test]
    fn names_are_read_back() {
        for class in ErrorClass::ALL {
            assert_eq!(class.as_str().parse(), Ok(class));
        }
        assert!("bad luck".parse::<ErrorClass>().unwrap_err().to_string().contains("`bad luck`"));
    }
}
