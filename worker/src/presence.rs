//! Says that this worker lives, and what it is doing.

mod ended;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use broker::Bus;
use broker::error::chain;
use schemas::presence::{RunningTask, TASKS_LISTED_MAX, WorkerPresence};
use schemas::task::TaskKey;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use self::ended::Ended;
use crate::effort::{self, Effort};

/// How often it says so when nothing changes: three times before it is forgotten.
const PERIOD: Duration = Duration::from_secs(10);

/// Pause between two words of it, however much changes.
const PAUSE: Duration = Duration::from_secs(1);

/// The tasks that this worker holds, one entry for each group of them. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    groups: Arc<Mutex<Groups>>,
    changed: Arc<Notify>,
    started: Instant,
}

impl Default for Running {
    fn default() -> Self {
        Self { groups: Arc::default(), changed: Arc::default(), started: Instant::now() }
    }
}

#[derive(Debug, Default)]
struct Groups {
    begun: u64,
    tasks: BTreeMap<u64, Vec<RunningTask>>,
    ended: Ended,
}

/// Keeps some tasks listed while it exists.
#[derive(Debug)]
pub(crate) struct Listed {
    running: Running,
    number: u64,
}

impl Drop for Listed {
    fn drop(&mut self) {
        let second = self.running.second();
        let mut groups = self.running.lock();
        let ended = groups.tasks.remove(&self.number).map_or(0, |tasks| tasks.len());
        groups.ended.note(second, u32::try_from(ended).unwrap_or(u32::MAX));
        drop(groups);
        self.running.changed.notify_one();
    }
}

impl Running {
    fn lock(&self) -> MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists tasks that are begun now.
    pub(crate) fn begin<'a>(&self, keys: impl Iterator<Item = &'a TaskKey>) -> Listed {
        let since = unix_millis();
        let tasks = keys.map(|key| {
            let TaskKey { magic, project, audit, shard } = key.clone();
            RunningTask { audit, project, magic, shard, since }
        });
        let tasks = tasks.collect();
        let mut groups = self.lock();
        let number = groups.begun;
        groups.begun += 1;
        groups.tasks.insert(number, tasks);
        drop(groups);
        self.changed.notify_one();
        Listed { running: self.clone(), number }
    }

    /// Seconds since the start, which are those that ended tasks are counted by.
    fn second(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    /// How many tasks were done with lately.
    fn ended_lately(&self) -> u32 {
        let second = self.second();
        self.lock().ended.lately(second)
    }

    /// How many tasks there are, and the first of them.
    fn tasks(&self) -> (u32, Vec<RunningTask>) {
        let groups = self.lock();
        let count = groups.tasks.values().map(Vec::len).sum::<usize>();
        let first = groups.tasks.values().flatten().take(TASKS_LISTED_MAX).cloned().collect();
        (u32::try_from(count).unwrap_or(u32::MAX), first)
    }
}

/// Milliseconds since 1970.
pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Says that `worker` lives until `ended` is cancelled, and then that it is gone.
pub(crate) async fn show(bus: Bus, worker: WorkerPresence, running: Running, ended: CancellationToken) {
    while !ended.is_cancelled() {
        let (count, tasks) = running.tasks();
        let Effort { files_read, files_parsed } = effort::so_far();
        let ended_lately = running.ended_lately();
        let presence =
            WorkerPresence { running: count, ended_lately, files_read, files_parsed, tasks, ..worker.clone() };
        if let Err(error) = bus.show_worker(&presence).await {
            tracing::warn!(error = %chain(&error), "this worker is not listed now");
        }
        let wait = async {
            tokio::time::sleep(PAUSE).await;
            // Nothing new until the period is over is as good as news.
            drop(tokio::time::timeout(PERIOD - PAUSE, running.changed.notified()).await);
        };
        ended.run_until_cancelled(wait).await;
    }
    if let Err(error) = bus.hide_worker(&worker.worker).await {
        tracing::debug!(error = %chain(&error), "this worker is listed a little longer");
    }
}

#[cfg(test)]
mod tests {
    use schemas::ids::AuditId;
    use schemas::magic::Magic;

    use super::*;

    #[test]
    fn what_is_listed_is_what_was_begun_and_not_ended_and_no_more_than_the_limit() {
        let running = Running::default();
        let key =
            |shard| TaskKey { magic: Magic::Git, project: "shop".parse().unwrap(), audit: AuditId::random(), shard };
        let first = running.begin([key(1), key(2)].iter());
        let many: Vec<TaskKey> = (3..103).map(key).collect();
        let second = running.begin(many.iter());
        let (count, tasks) = running.tasks();
        assert_eq!((count, tasks.len(), tasks[0].shard), (102, TASKS_LISTED_MAX, 1));
        drop(first);
        assert_eq!(running.tasks().1[0].shard, 3);
        drop(second);
        assert_eq!(running.tasks(), (0, Vec::new()));
        assert_eq!(running.ended_lately(), 102);
    }
}
