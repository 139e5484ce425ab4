//! How a task ends other than well: tried again by the retry law, handed back, or given up with a letter and an answer.

use broker::error::{BusError, chain};
use broker::lease::Lease;
use broker::subject::{Origin, Subject};
use futures::future::join_all;
use schemas::dead_letter::{Cause, DeadLetter};
use schemas::partial::PartialResult;
use schemas::retry::ErrorClass;
use schemas::task::Task;

use crate::accept::Held;
use crate::answer::answer;
use crate::run::Worker;

/// How a task is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    cause: Cause,
    /// What went wrong; nothing if the task itself is wrong.
    class: Option<ErrorClass>,
    reason: String,
    /// Whether it was worked on: only then does the failure say something about what is in the shard.
    is_begun: bool,
}

impl End {
    /// It asks for what nobody can do.
    pub(crate) fn refused(cause: Cause, reason: impl Into<String>) -> Self {
        Self { cause, class: None, reason: reason.into(), is_begun: false }
    }

    /// It was tried as often, or for as long, as it may be.
    pub(crate) fn exhausted(class: ErrorClass, reason: impl Into<String>) -> Self {
        Self { cause: Cause::Exhausted, class: Some(class), reason: reason.into(), is_begun: true }
    }

    /// There was no time left to begin it.
    pub(crate) fn too_late(reason: impl Into<String>) -> Self {
        Self { is_begun: false, ..Self::exhausted(ErrorClass::Deadline, reason) }
    }
}

/// How many workers may fall silent over a task before nobody else gets it. Once may be the machine. Where several items
/// of a split shard are left, the next smaller parts tell more than a second try.
pub(crate) fn deaths_max(is_part: bool) -> u64 {
    if is_part { 1 } else { 2 }
}

/// How many tries of a task may end with an error of this class, by the same rule.
pub(crate) fn attempts_max(class: ErrorClass, is_part: bool) -> u64 {
    match class {
        ErrorClass::Analyzer | ErrorClass::Resource | ErrorClass::Deadline if is_part => 1,
        class => class.attempts_max(),
    }
}

impl Worker {
    /// Puts tasks back that failed, until that has happened too often.
    pub(crate) async fn try_again(&self, tasks: Vec<Held>, class: ErrorClass, reason: &str) {
        tracing::warn!(reason, class = class.as_str(), tasks = tasks.len(), "tasks failed");
        join_all(tasks.into_iter().map(|held| self.try_one_again(held, class, reason))).await;
    }

    async fn try_one_again(&self, held: Held, class: ErrorClass, reason: &str) {
        let attempts = held.tries.failed(class) + 1;
        if attempts < attempts_max(class, held.is_part) {
            return self.put_back(held, class).await;
        }
        let reason = format!("given up after {attempts} attempts: {reason}");
        if class == ErrorClass::Transient {
            // That says nothing about what was to be analyzed, so it is no result: the reconciler packs lost bundles of
            // planned tasks and publishes them again. A task made by hand has nobody who would, so people get to see it.
            self.bury(held.lease, Cause::Exhausted, Some(class), &reason).await;
        } else {
            self.give_up(held, End::exhausted(class, reason)).await;
        }
    }

    /// Notes that a try failed, and has the task come again after the pause of its class.
    pub(crate) async fn put_back(&self, held: Held, class: ErrorClass) {
        let Held { lease, key, tries, .. } = held;
        if let Err(error) = self.bus.note_tries(&lease, &key, &tries.and_failed(class)).await {
            tracing::warn!(error = %chain(&error), "a failed try will count as a worker's death");
        }
        log_lost(lease.retry(class).await);
    }

    /// Gives tasks to other workers, as no fault of theirs.
    pub(crate) async fn hand_back(&self, tasks: Vec<Held>) {
        join_all(tasks.into_iter().map(|Held { lease, key, tries, .. }| async move {
            if let Err(error) = self.bus.note_tries(&lease, &key, &tries.and_returned()).await {
                tracing::warn!(error = %chain(&error), "a returned task will count as a worker's death");
            }
            log_lost(lease.hand_back().await);
        }))
        .await;
    }

    /// The same for messages that were not looked at yet.
    pub(crate) async fn hand_back_unread(&self, leases: Vec<Lease>) {
        join_all(leases.into_iter().map(|lease| async move {
            match lease.read::<Task>() {
                Ok((Subject::Task(_, key), _)) => {
                    let tries = self.tries(&lease, &key).await;
                    self.hand_back(vec![Held { lease, key, tries, is_part: false }]).await;
                }
                _not_ours => log_lost(lease.hand_back().await),
            }
        }))
        .await;
    }

    /// Acknowledges tasks of an audit that was stopped: nobody waits for an answer.
    pub(crate) async fn let_go(&self, tasks: Vec<Held>) {
        join_all(tasks.into_iter().map(|held| async move { log_lost(held.lease.done().await) })).await;
    }

    /// Answers a task that nobody can do, so that its audit can end, and keeps the message for people to see.
    pub(crate) async fn give_up(&self, held: Held, end: End) {
        let End { cause, class, reason, is_begun } = end;
        tracing::warn!(audit_id = %held.key.audit, magic = %held.key.magic, shard = held.key.shard, reason, "task given up");
        match self.write_letter(&held.lease, cause, class, &reason).await {
            Ok(()) => {
                // Without a class the shard is not split: its parts would be no faster.
                let partial = match class.filter(|_| is_begun) {
                    Some(class) => PartialResult::failed(class, reason),
                    None => PartialResult::refused(reason),
                };
                answer(self, held, partial).await;
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "a dead letter could not be written; trying again");
                self.put_back(held, ErrorClass::Transient).await;
            }
        }
    }

    /// Keeps a message that is not answered: of which it is not even clear which task it is, or which says nothing.
    pub(crate) async fn bury(&self, lease: Lease, cause: Cause, class: Option<ErrorClass>, reason: &str) {
        tracing::warn!(trace_id = %lease.trace(), subject = lease.subject_text(), reason, "task refused");
        let ended = match self.write_letter(&lease, cause, class, reason).await {
            Ok(()) => lease.give_up().await,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "a dead letter could not be written; trying again");
                lease.retry(ErrorClass::Transient).await
            }
        };
        log_lost(ended);
    }

    async fn write_letter(
        &self,
        lease: &Lease,
        cause: Cause,
        class: Option<ErrorClass>,
        reason: &str,
    ) -> Result<(), BusError> {
        let letter = DeadLetter::new(lease.subject_text(), cause, reason, lease.attempts(), lease.body());
        let letter = DeadLetter { class, worker: Some(self.name.to_string()), ..letter };
        self.bus.bury(Origin::Task, &letter, lease.trace()).await
    }
}

/// An acknowledgement that got lost is no harm: the message comes again and changes nothing.
pub(crate) fn log_lost(ended: Result<(), BusError>) {
    if let Err(error) = ended {
        tracing::debug!(error = %chain(&error), "a message will come again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_items_of_a_split_shard_are_split_further_at_the_first_failure_of_their_own() {
        assert_eq!((deaths_max(true), deaths_max(false)), (1, 2));
        for class in [ErrorClass::Analyzer, ErrorClass::Resource, ErrorClass::Deadline] {
            assert_eq!((attempts_max(class, true), attempts_max(class, false)), (1, class.attempts_max()));
        }
        assert_eq!(
            attempts_max(ErrorClass::Transient, true),
            ErrorClass::Transient.attempts_max(),
            "an outage is none"
        );
    }
}
