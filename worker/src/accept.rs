//! Taking a task: what cannot be worked on, or must not be, ends here.

use broker::error::chain;
use broker::lease::Lease;
use broker::retries::Tries;
use broker::subject::Subject;
use schemas::dead_letter::Cause;
use schemas::retry::ErrorClass;
use schemas::task::{TASK_BYTES_MAX, Task, TaskKey};

use crate::ending::{End, deaths_max, log_lost};
use crate::presence::unix_millis;
use crate::run::Worker;

/// A task with the message that brought it.
pub(crate) struct Held {
    pub(crate) lease: Lease,
    pub(crate) key: TaskKey,
    /// How its tries before this one ended.
    pub(crate) tries: Tries,
    /// Whether it is several items of a shard that was split, which is split further at the first failure.
    pub(crate) is_part: bool,
}

impl Held {
    /// Milliseconds until it is to be given up whatever the reason; `None` if there is no such moment.
    pub(crate) fn millis_left(&self) -> Option<u64> {
        self.lease.deadline_unix_millis().map(|deadline| deadline.saturating_sub(unix_millis()))
    }

    /// Whether that moment has come.
    pub(crate) fn is_late(&self) -> bool {
        self.millis_left() == Some(0)
    }
}

impl Worker {
    /// Reads one task.
    pub(crate) async fn accept(&self, lease: Lease) -> Option<(Held, Task)> {
        let (key, task) = match lease.read::<Task>() {
            Ok((Subject::Task(_, key), task)) => (key, task),
            Ok((other, _)) => {
                self.bury(lease, Cause::Undecodable, None, &format!("`{other}` is no task")).await;
                return None;
            }
            Err(error) => {
                self.bury(lease, Cause::Undecodable, None, &error.to_string()).await;
                return None;
            }
        };
        if self.stopped.contains(key.audit) {
            log_lost(lease.done().await);
            return None;
        }
        let tries = self.tries(&lease, &key).await;
        let is_part = task.items.is_some_and(|range| range.count > 1);
        let held = Held { lease, key, tries, is_part };
        match self.refusal(&held, &task) {
            Some(end) => {
                self.give_up(held, end).await;
                None
            }
            None => Some((held, task)),
        }
    }

    /// How the tries before this one ended. As long as that is not known, nothing is made of it.
    pub(crate) async fn tries(&self, lease: &Lease, key: &TaskKey) -> Tries {
        match self.bus.tries(lease, key).await {
            Ok(tries) => tries,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "it is not known how often a task failed before");
                Tries::all_returned(lease.attempts())
            }
        }
    }

    /// Why nobody is to work on it, if that is so.
    fn refusal(&self, held: &Held, task: &Task) -> Option<End> {
        let bytes = held.lease.body().len();
        let deaths = held.tries.deaths(held.lease.attempts());
        if bytes > TASK_BYTES_MAX {
            let reason =
                format!("the task has {bytes} bytes and may have {TASK_BYTES_MAX}; send fewer or smaller files");
            Some(End::refused(Cause::Refused, reason))
        } else if let Err(error) = task.validate() {
            Some(End::refused(Cause::Undecodable, error.to_string()))
        } else if !self.rulesets.contains_key(&held.key.magic) {
            let reason = format!("magic `{}` has no rules in this build", held.key.magic);
            Some(End::refused(Cause::Refused, reason))
        } else if held.is_late() {
            Some(End::too_late("its deadline passed before a worker began it"))
        } else if deaths >= deaths_max(held.is_part) {
            let reason = format!("given up after {deaths} workers that had it fell silent");
            Some(End::exhausted(ErrorClass::Resource, reason))
        } else {
            None
        }
    }
}
