//! What to put into `FAILPOINTS`: a step of the product, what happens there, and at which visit.

pub use broker::failpoint::Step;

use crate::stack::Role;

/// What happens at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// The process is gone.
    Abort,
    /// The task that comes there panics.
    Panic,
    /// It hangs for so many milliseconds.
    Stall(u32),
    /// It fails in a way that may pass.
    Error,
}

/// `action` at the visit to `step` that comes after `before` others, once in the life of a process.
pub fn once(step: Step, before: usize, action: Action) -> String {
    at(step.as_str(), before, action)
}

/// `action` whenever a worker analyzes a file of this path.
pub fn poison(path: &str, action: Action) -> String {
    format!("{}:{path}={}", Step::WorkerInPass.as_str(), value(action))
}

/// Steps that a role comes to when nothing goes wrong; the reconciler's and those of dead letters need a fault first.
pub fn of(role: Role) -> &'static [Step] {
    match role {
        Role::Serve => &[Step::ServeBeforeCommit, Step::ServeAfterCommit, Step::RelayAfterPublish],
        Role::Planner => &[
            Step::RelayAfterPublish,
            Step::PlannerBeforeStart,
            Step::PlannerAfterStart,
            Step::DispatcherAfterPublish,
            Step::TreesAfterPut,
            Step::TreesAfterOpen,
        ],
        Role::Worker => &[Step::WorkerAfterPull, Step::WorkerInPass, Step::WorkerAfterResult],
        Role::Aggregator => &[
            Step::AggregatorBeforeMerge,
            Step::AggregatorBeforeCommit,
            Step::AggregatorAfterCommit,
            Step::AggregatorAfterAck,
        ],
    }
}

fn at(name: &str, before: usize, action: Action) -> String {
    let skipped = if before == 0 { String::new() } else { format!("{before}*off->") };
    format!("{name}={skipped}1*{}->off", value(action))
}

fn value(action: Action) -> String {
    match action {
        Action::Abort => "return(abort)".to_owned(),
        Action::Panic => "return(panic)".to_owned(),
        Action::Stall(milliseconds) => format!("return(stall:{milliseconds})"),
        Action::Error => "return(error)".to_owned(),
    }
}
