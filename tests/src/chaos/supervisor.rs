//! Starts again whatever died, each time armed to die somewhere else.

use std::time::{Duration, Instant};

use deploy::embedded::guard::Signal;

use super::Report;
use crate::failpoints::{self, Action, Step, once};
use crate::random::Random;
use crate::stack::{Role, Stack};

/// A process that cannot start, since a server is away, is not started over and over.
const REVIVE_EVERY: Duration = Duration::from_millis(200);

/// How long a stalled process stays so: longer than the ack wait, so that another one gets its messages.
const STALL_MS: u32 = 4_000;

/// The one that starts processes again.
#[derive(Debug, Default)]
pub(super) struct Supervisor {
    last: Option<Instant>,
}

impl Supervisor {
    /// Counts and revives the dead.
    pub(super) async fn revive(&mut self, stack: &mut Stack, random: &mut Random, report: &mut Report) {
        if self.last.is_some_and(|last| last.elapsed() < REVIVE_EVERY) {
            return;
        }
        let is_first = self.last.is_none();
        self.last = Some(Instant::now());
        for death in stack.deaths() {
            match death.signal() {
                Some(Signal::SIGABRT) => report.kill(name(death.role), "abort at a failpoint"),
                Some(_) => report.kill(name(death.role), "SIGKILL"),
                // A part of it panicked, or it could not reach a server at its start.
                None => report.end(name(death.role)),
            }
            stack.arm(death.role, death.index, &arms(death.role, random));
            stack.revive(death.role, death.index).await;
        }
        if is_first {
            for (role, index) in stack.processes() {
                stack.arm(role, index, &arms(role, random));
                stack.revive(role, index).await;
            }
        }
    }

    /// Starts every process once more, with nothing to die of.
    pub(super) async fn disarm(&self, stack: &mut Stack) {
        for (role, index) in stack.processes() {
            stack.arm(role, index, "");
            stack.revive(role, index).await;
        }
    }
}

/// The name in a report.
pub(super) fn name(role: Role) -> &'static str {
    match role {
        Role::Serve => "serve",
        Role::Planner => "planner",
        Role::Worker => "worker",
        Role::Aggregator => "aggregator",
    }
}

/// One step to die at, and one where something else happens before.
fn arms(role: Role, random: &mut Random) -> String {
    let (often, all) = (failpoints::of(role), steps(role));
    let death = often[random.below(often.len())];
    let other = all[random.below(all.len())];
    let mut armed = once(death, random.below(visits(death)), Action::Abort);
    if other != death {
        let action = match random.below(4) {
            0 => Action::Panic,
            1 => Action::Stall(STALL_MS),
            2 => Action::Abort,
            _ => Action::Error,
        };
        armed = format!("{armed};{}", once(other, random.below(visits(other)), action));
    }
    armed
}

/// With faults about, also the steps of the reconciler and of dead letters are come to.
fn steps(role: Role) -> Vec<Step> {
    let rare: &[Step] = match role {
        Role::Planner => &[Step::ReconcilerAfterPut],
        Role::Aggregator => &[Step::LettersBeforeKeep, Step::LettersAfterKeep],
        Role::Serve | Role::Worker => &[],
    };
    [failpoints::of(role), rare].concat()
}

/// How many visits a process has to a step in some seconds of work, so that it lives about that long.
fn visits(step: Step) -> usize {
    match step {
        Step::ServeBeforeCommit | Step::ServeAfterCommit | Step::PlannerBeforeStart | Step::PlannerAfterStart => 16,
        Step::TreesAfterPut | Step::TreesAfterOpen => 16,
        Step::RelayAfterPublish => 40,
        Step::DispatcherAfterPublish => 100,
        Step::WorkerAfterPull => 100,
        Step::WorkerInPass | Step::WorkerAfterResult => 500,
        Step::AggregatorBeforeMerge
        | Step::AggregatorBeforeCommit
        | Step::AggregatorAfterCommit
        | Step::AggregatorAfterAck => 100,
        Step::ReconcilerAfterPut | Step::LettersBeforeKeep | Step::LettersAfterKeep => 2,
    }
}
