//! Failpoints: named steps at which a test build dies, hangs or fails on request; no code at all in any other build.
//!
//! With the feature `failpoints` the variable `FAILPOINTS` says what happens where, in the language of the crate `fail`:
//! `relay.after_publish=1%return(abort);worker.after_pull=20*off->1*return(stall:5000)`. What is returned is one of
//!
//! | value | what happens |
//! |---|---|
//! | `abort` | the process is gone at once, as after SIGKILL |
//! | `panic` | a panic, which ends the task that it happens in |
//! | `stall:MS` | nothing for so many milliseconds; everything else goes on |
//! | `error` | where the step can fail, a failure that may pass when it is tried again |
//!
//! A worker also stops at `worker.in_pass:PATH` while it holds a file of that path.

use crate::error::StoreError;

/// A place between two effects, where the end of a process is most likely to lose or repeat something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// `serve.before_commit`: a delivery or request is valid, and nothing of it is in the record.
    ServeBeforeCommit,
    /// `serve.after_commit`: it is in the record, and its sender does not know.
    ServeAfterCommit,
    /// `relay.after_publish`: messages of the outbox are in the queue, and still in the outbox.
    RelayAfterPublish,
    /// `planner.before_start`: bundles are stored, and no task speaks of them.
    PlannerBeforeStart,
    /// `planner.after_start`: the plan is in the record, and its request is still in the queue.
    PlannerAfterStart,
    /// `dispatcher.after_publish`: tasks are in the queue, and the record says that they are not.
    DispatcherAfterPublish,
    /// `reconciler.after_put`: a lost bundle is stored again, and its tasks are not ready.
    ReconcilerAfterPut,
    /// `trees.after_put`: the facts of a repository are stored, and no task over them is ready.
    TreesAfterPut,
    /// `trees.after_open`: it is ready, and whoever packed them does not know.
    TreesAfterOpen,
    /// `worker.after_pull`: tasks are held, and nothing is done for them.
    WorkerAfterPull,
    /// `worker.in_pass`: they are being analyzed.
    WorkerInPass,
    /// `worker.after_result`: a result is stored, and its task is still in the queue.
    WorkerAfterResult,
    /// `aggregator.before_merge`: results are held, and no transaction has begun.
    AggregatorBeforeMerge,
    /// `aggregator.before_commit`: they are merged in a transaction that is open.
    AggregatorBeforeCommit,
    /// `aggregator.after_commit`: they are in the record, and still in the queue.
    AggregatorAfterCommit,
    /// `aggregator.after_ack`: they are out of the queue too, and nobody was told.
    AggregatorAfterAck,
    /// `letters.before_keep`: a dead letter is held, and not in the record.
    LettersBeforeKeep,
    /// `letters.after_keep`: it is in the record, and still in the queue.
    LettersAfterKeep,
}

impl Step {
    /// Every step, in the order in which a push comes to them.
    pub const ALL: [Self; 18] = [
        Self::ServeBeforeCommit,
        Self::ServeAfterCommit,
        Self::RelayAfterPublish,
        Self::PlannerBeforeStart,
        Self::PlannerAfterStart,
        Self::DispatcherAfterPublish,
        Self::ReconcilerAfterPut,
        Self::TreesAfterPut,
        Self::TreesAfterOpen,
        Self::WorkerAfterPull,
        Self::WorkerInPass,
        Self::WorkerAfterResult,
        Self::AggregatorBeforeMerge,
        Self::AggregatorBeforeCommit,
        Self::AggregatorAfterCommit,
        Self::AggregatorAfterAck,
        Self::LettersBeforeKeep,
        Self::LettersAfterKeep,
    ];

    /// The name in `FAILPOINTS`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServeBeforeCommit => "serve.before_commit",
            Self::ServeAfterCommit => "serve.after_commit",
            Self::RelayAfterPublish => "relay.after_publish",
            Self::PlannerBeforeStart => "planner.before_start",
            Self::PlannerAfterStart => "planner.after_start",
            Self::DispatcherAfterPublish => "dispatcher.after_publish",
            Self::ReconcilerAfterPut => "reconciler.after_put",
            Self::TreesAfterPut => "trees.after_put",
            Self::TreesAfterOpen => "trees.after_open",
            Self::WorkerAfterPull => "worker.after_pull",
            Self::WorkerInPass => "worker.in_pass",
            Self::WorkerAfterResult => "worker.after_result",
            Self::AggregatorBeforeMerge => "aggregator.before_merge",
            Self::AggregatorBeforeCommit => "aggregator.before_commit",
            Self::AggregatorAfterCommit => "aggregator.after_commit",
            Self::AggregatorAfterAck => "aggregator.after_ack",
            Self::LettersBeforeKeep => "letters.before_keep",
            Self::LettersAfterKeep => "letters.after_keep",
        }
    }
}

/// Reads `FAILPOINTS`; to be called before the first step.
pub fn set_up() {
    steps::set_up();
}

/// A step that cannot fail: what is to fail there goes on instead.
pub async fn reach(step: Step) {
    drop(steps::reach(step).await);
}

/// A step in work on the record.
///
/// # Errors
/// If a test wants it to fail, as if the database could not be reached.
pub async fn reach_store(step: Step) -> Result<(), StoreError> {
    steps::reach(step).await
}

/// A step in analysis, which is not async, with the paths of what is analyzed.
pub fn reach_pass<'a>(step: Step, paths: impl Iterator<Item = &'a str>) {
    steps::reach_pass(step, paths);
}

#[cfg(not(feature = "failpoints"))]
mod steps {
    use super::Step;
    use crate::error::StoreError;

    pub(super) fn set_up() {}

    pub(super) async fn reach(_step: Step) -> Result<(), StoreError> {
        Ok(())
    }

    pub(super) fn reach_pass<'a>(_step: Step, _paths: impl Iterator<Item = &'a str>) {}
}

#[cfg(feature = "failpoints")]
mod steps {
    use std::time::Duration;

    use super::Step;
    use crate::error::StoreError;

    pub(super) fn set_up() {
        // For as long as the process lives.
        std::mem::forget(fail::FailScenario::setup());
    }

    /// What is asked for at the step of this name, if anything is.
    fn asked(name: &str) -> Option<String> {
        fail::fail_point!(name, |value| Some(value.unwrap_or_default()));
        None
    }

    pub(super) async fn reach(step: Step) -> Result<(), StoreError> {
        let Some(value) = asked(step.as_str()) else { return Ok(()) };
        tracing::warn!(step = step.as_str(), value, "a failpoint was reached");
        if value == "error" {
            let source = sqlx::Error::PoolTimedOut;
            return Err(StoreError::Unavailable { action: "go on: a failpoint says so", source });
        }
        if let Some(time) = at_once(&value) {
            tokio::time::sleep(time).await;
        }
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "a test wants this very thread to hang")]
    pub(super) fn reach_pass<'a>(step: Step, paths: impl Iterator<Item = &'a str>) {
        let of_paths = paths.map(|path| format!("{}:{path}", step.as_str()));
        let names = std::iter::once(step.as_str().to_owned()).chain(of_paths);
        for (name, value) in names.filter_map(|name| asked(&name).map(|value| (name, value))) {
            tracing::warn!(step = name, value, "a failpoint was reached");
            if let Some(time) = at_once(&value) {
                std::thread::sleep(time);
            }
        }
    }

    /// Dies or panics if that was asked for; else how long to stall.
    #[expect(clippy::panic, reason = "this is what was asked for")]
    fn at_once(value: &str) -> Option<Duration> {
        match value.split_once(':') {
            Some(("stall", time)) => time.parse().ok().map(Duration::from_millis),
            _ if value == "abort" => std::process::abort(),
            _ if value == "panic" => panic!("a failpoint says so"),
            _ => None,
        }
    }
}
