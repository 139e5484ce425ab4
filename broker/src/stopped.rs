//! Audits that were stopped, as their bucket says: watched through every outage, and kept in memory.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::jetstream::kv::{Entry, Operation, Store, Watch};
use futures::StreamExt as _;
use schemas::ids::AuditId;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::bus::Bus;
use crate::error::BusError;
use crate::topology::STOPPED;

/// Stopped audits that are remembered, newest first. Tasks of one that is forgotten run in vain, and nothing comes of it:
/// its results are refused by the record.
const AUDITS_MAX: usize = 10_000;

/// How often it is looked whether the connection was another one in the meantime: a watch that goes on after that may
/// wait for numbers that a server that lost its store will not reach for long.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

/// How long one watch is trusted: a store that was lost behind an unbroken connection is noticed after this.
const WATCH_TIME_MAX: Duration = Duration::from_secs(60);

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

/// Opens one watch, and follows it while it can be trusted.
async fn follow(bus: &Bus, known: &Mutex<Known>, changes: &watch::Sender<()>) {
    let connection = bus.connections();
    let mut watch = match open(bus).await {
        Ok(watch) => watch,
        Err(error) => {
            tracing::warn!(%error, "stopped audits are not known now");
            return tokio::time::sleep(FAILURE_PAUSE).await;
        }
    };
    let until = Instant::now() + WATCH_TIME_MAX;
    while bus.connections() == connection && Instant::now() < until {
        match tokio::time::timeout(LOOK_PERIOD, watch.next()).await {
            Ok(Some(Ok(entry))) => {
                if let Some(audit) = stopped_by(&entry) {
                    lock(known).add(audit);
                    changes.send_replace(());
                }
            }
            Ok(Some(Err(error))) => {
                tracing::warn!(%error, "the watch for stopped audits broke");
                return tokio::time::sleep(FAILURE_PAUSE).await;
            }
            Ok(None) => return tokio::time::sleep(FAILURE_PAUSE).await,
            Err(_nothing_new) => {}
        }
    }
}

/// A watch that begins with what is there already.
async fn open(bus: &Bus) -> Result<Watch, BusError> {
    let failed = |reason: String| BusError::Value { action: "watch", name: STOPPED.name.to_owned(), reason };
    let bucket: Store = match bus.context().get_key_value(STOPPED.name).await {
        Ok(bucket) => bucket,
        Err(_missing_or_unreachable) => {
            bus.restore_topology().await?;
            bus.context().get_key_value(STOPPED.name).await.map_err(|error| failed(error.to_string()))?
        }
    };
    bucket.watch_with_history(">").await.map_err(|error| failed(error.to_string()))
}

/// The audit that an entry stops. Keys are written by the record's outbox alone; others mean nothing.
fn stopped_by(entry: &Entry) -> Option<AuditId> {
    if entry.operation == Operation::Put { entry.key.parse().ok() } else { None }
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
