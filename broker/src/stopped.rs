//! Audits that were stopped, as their bucket says: watched through every outage, and kept in memory.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use schemas::ids::AuditId;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::bus::Bus;
use crate::error::BusError;
use crate::topology::STOPPED;

/// Stopped audits that are remembered, newest first. Tasks of one that is forgotten run in vain, and nothing comes of it:
/// its results are refused by the record.
const AUDITS_MAX: usize = 10_000;

/// How often it is looked whether the connection was another one in the meantime.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

/// Pause after a failure.
const FAILURE_PAUSE: Duration = Duration::from_millis(500);

/// Audits that were stopped. Clones share it.
#[derive(Debug, Clone)]
pub struct Stopped {
    known: Arc<Mutex<Known>>,
    changes: watch::Receiver<()>,
}

#[derive(Debug, Default)]
struct Known {
    audits: HashSet<AuditId>,
    by_age: VecDeque<AuditId>,
}

impl Stopped {
    /// Watches until `stop` is cancelled.
    pub fn watch(bus: Bus, stop: CancellationToken) -> Self {
        let known = Arc::default();
        let (sender, changes) = watch::channel(());
        let watched = Arc::clone(&known);
        tokio::spawn(async move {
            while stop.run_until_cancelled(Box::pin(follow(&bus, &watched, &sender))).await.is_some() {}
        });
        Self { known, changes }
    }

    /// Whether an audit was stopped.
    pub fn contains(&self, audit: AuditId) -> bool {
        lock(&self.known).audits.contains(&audit)
    }

    /// Waits until an audit is stopped; for ever, if it is not.
    pub async fn until(&self, audit: AuditId) {
        let mut changes = self.changes.clone();
        while !self.contains(audit) {
            if changes.changed().await.is_err() {
                // Nobody watches any more: this process is about to end.
                return std::future::pending().await;
            }
        }
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Known {
    /// Keys are written by the record's outbox alone; others mean nothing.
    fn add_key(&mut self, key: &str) {
        if let Ok(audit) = key.parse() {
            self.add(audit);
        }
    }

    fn add(&mut self, audit: AuditId) {
        if self.audits.insert(audit) {
            self.by_age.push_back(audit);
        }
        if self.by_age.len() > AUDITS_MAX
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.audits.remove(&oldest);
        }
    }
}

/// Listens to stops, reads those of before, and goes on while the connection is the same: another one may have missed some.
async fn follow(bus: &Bus, known: &Mutex<Known>, changes: &watch::Sender<()>) {
    let connection = bus.connections();
    // In this order, so that no stop falls between the two.
    let mut stops = match open(bus, known).await {
        Ok(stops) => stops,
        Err(error) => {
            tracing::warn!(%error, "stopped audits are not known now");
            return tokio::time::sleep(FAILURE_PAUSE).await;
        }
    };
    changes.send_replace(());
    while bus.connections() == connection {
        match tokio::time::timeout(LOOK_PERIOD, stops.next()).await {
            Ok(Some(key)) => {
                lock(known).add_key(&key);
                changes.send_replace(());
            }
            Ok(None) => return tokio::time::sleep(FAILURE_PAUSE).await,
            Err(_nothing_new) => {}
        }
    }
}

/// Stops as they come, after those that are there already were noted.
async fn open(bus: &Bus, known: &Mutex<Known>) -> Result<impl Stream<Item = String> + Unpin, BusError> {
    let stops = bus.new_keys(STOPPED).await?;
    let keys = match bus.keys(STOPPED, AUDITS_MAX).await {
        Ok(keys) => keys,
        Err(_missing_or_unreachable) => {
            bus.restore_topology().await?;
            bus.keys(STOPPED, AUDITS_MAX).await?
        }
    };
    let mut known = lock(known);
    keys.iter().for_each(|key| known.add_key(key));
    Ok(stops)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_goes_first() {
        let audit = |number: usize| AuditId(uuid::Uuid::from_u128(number as u128));
        let mut known = Known::default();
        for number in 0..AUDITS_MAX + 5 {
            known.add(audit(number));
            known.add(audit(number));
        }
        assert_eq!((known.audits.len(), known.by_age.len()), (AUDITS_MAX, AUDITS_MAX));
        assert!(!known.audits.contains(&audit(4)));
        assert!(known.audits.contains(&audit(5)));
    }
}
