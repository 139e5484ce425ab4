//! How often a task was tried, and how each try ended: what tells a task that fails from one that kills its worker.

use std::collections::BTreeMap;

use schemas::retry::ErrorClass;
use schemas::task::TaskKey;
use serde::{Deserialize, Serialize};

use crate::bus::Bus;
use crate::error::BusError;
use crate::lease::Lease;
use crate::topology::RETRIES;

/// Tries of one message that its holders ended by themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tries {
    /// Those that failed, by what went wrong.
    failed: BTreeMap<ErrorClass, u64>,
    /// Those that were handed back without a fault of the task, as when a worker is told to stop.
    returned: u64,
}

impl Tries {
    /// What is assumed of a message that was delivered so often while nothing is known: that no worker died of it.
    pub fn all_returned(delivered: u64) -> Self {
        Self { failed: BTreeMap::new(), returned: delivered.saturating_sub(1) }
    }

    /// How many of the tries before this one nobody ended: their workers died, hung, or lost their lease.
    pub fn deaths(&self, delivered: u64) -> u64 {
        let ended = self.failed.values().sum::<u64>() + self.returned;
        delivered.saturating_sub(1).saturating_sub(ended)
    }

    /// How many failed like this.
    pub fn failed(&self, class: ErrorClass) -> u64 {
        self.failed.get(&class).copied().unwrap_or(0)
    }

    /// The same with one more that failed.
    #[must_use]
    pub fn and_failed(mut self, class: ErrorClass) -> Self {
        *self.failed.entry(class).or_default() += 1;
        self
    }

    /// The same with one more that was handed back.
    #[must_use]
    pub fn and_returned(mut self) -> Self {
        self.returned += 1;
        self
    }
}

impl Bus {
    /// How the tries of a task before this one ended. Nothing is asked for one that comes for the first time.
    ///
    /// # Errors
    /// If that is not known now.
    pub async fn tries(&self, lease: &Lease, task: &TaskKey) -> Result<Tries, BusError> {
        if lease.attempts() < 2 {
            return Ok(Tries::default());
        }
        let key = key(lease, task);
        match self.value(RETRIES, &key).await? {
            Some(text) => serde_json::from_slice(&text).map_err(|error| BusError::Value {
                action: "read",
                name: key,
                reason: format!("somebody has written there: {error}"),
            }),
            None => Ok(Tries::default()),
        }
    }

    /// Notes how the tries of a task ended. Before it is put back: a try that was not noted counts as a death.
    ///
    /// # Errors
    /// If it may not have been noted.
    pub async fn note_tries(&self, lease: &Lease, task: &TaskKey, tries: &Tries) -> Result<(), BusError> {
        let text = serde_json::to_vec(tries);
        let text = text.map_err(|source| BusError::Encode { subject: lease.subject_text().to_owned(), source })?;
        self.put_value(RETRIES, &key(lease, task), text).await
    }
}

/// One message and not the task: when it is published again, its deliveries are counted from one again.
fn key(lease: &Lease, task: &TaskKey) -> String {
    let TaskKey { magic, project: _, audit, shard } = task;
    format!("{audit}.{magic}.{shard}.{}", lease.published_unix_millis())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever order tries ended in, those that nobody ended are the deaths.
        #[test]
        fn deaths_are_what_nobody_ended(ends in prop::collection::vec(0..7_usize, 0..30)) {
            let mut tries = Tries::default();
            let mut deaths = 0;
            for end in &ends {
                tries = match ErrorClass::ALL.get(*end) {
                    Some(class) => tries.and_failed(*class),
                    None if *end == 5 => tries.and_returned(),
                    None => {
                        deaths += 1;
                        tries
                    }
                };
            }
            prop_assert_eq!(tries.deaths(ends.len() as u64 + 1), deaths);
            for (number, class) in ErrorClass::ALL.into_iter().enumerate() {
                prop_assert_eq!(tries.failed(class), ends.iter().filter(|end| **end == number).count() as u64);
            }
            let text = serde_json::to_string(&tries).unwrap();
            prop_assert_eq!(serde_json::from_str::<Tries>(&text).unwrap(), tries);
        }
    }

    #[test]
    fn more_ends_than_deliveries_are_no_deaths() {
        assert_eq!(Tries::default().and_returned().and_returned().deaths(2), 0);
    }
}
