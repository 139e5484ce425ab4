//! Each step between two effects: a process that dies, panics, hangs or fails right there loses and repeats nothing.

use tests::audits::sorted;
use tests::failpoints::{Action, Step, once};
use tests::fixture::EXPECTED;
use tests::stack::{Role, Stack, StackConfig};
use tests::wait::{LONG, wait_for};
use tokio::task::JoinSet;

use super::{NEVER, Project, config, deliver_beside, projects, push_all};

/// Steps that one push comes to, four at a time: each in a role of its own, but for the relay, which two roles have.
const ROUNDS: [&[(Role, Step)]; 6] = [
    &[
        (Role::Serve, Step::ServeBeforeCommit),
        (Role::Planner, Step::PlannerBeforeStart),
        (Role::Worker, Step::WorkerAfterPull),
        (Role::Aggregator, Step::AggregatorBeforeMerge),
    ],
    &[
        (Role::Serve, Step::ServeAfterCommit),
        (Role::Planner, Step::PlannerAfterStart),
        (Role::Worker, Step::WorkerInPass),
        (Role::Aggregator, Step::AggregatorBeforeCommit),
    ],
    &[
        (Role::Serve, Step::RelayAfterPublish),
        (Role::Planner, Step::RelayAfterPublish),
        (Role::Worker, Step::WorkerAfterResult),
        (Role::Aggregator, Step::AggregatorAfterCommit),
    ],
    &[(Role::Planner, Step::DispatcherAfterPublish), (Role::Aggregator, Step::AggregatorAfterAck)],
    &[(Role::Planner, Step::TreesAfterPut)],
    &[(Role::Planner, Step::TreesAfterOpen)],
];

/// How often any process has come to a step where something was to happen.
fn visits(stack: &Stack, step: Step) -> usize {
    let is_visit = |line: &str| line.contains("a failpoint was reached") && line.contains(step.as_str());
    let processes = stack.processes().into_iter().filter(|&(role, index)| stack.runs(role, index));
    processes.map(|(role, index)| stack.process(role, index).log().lines().filter(|line| is_visit(line)).count()).sum()
}

async fn revive_dead(stack: &mut Stack) {
    for death in stack.deaths() {
        stack.arm(death.role, death.index, "");
        stack.revive(death.role, death.index).await;
    }
}

/// Something happens at every step of a round while one push goes through.
async fn assert_survives(stack: &mut Stack, project: &Project, round: &[(Role, Step)], action: Action) -> String {
    let before: Vec<usize> = round.iter().map(|&(_, step)| visits(stack, step)).collect();
    for (role, index) in stack.processes() {
        let step = round.iter().find(|(armed, _)| *armed == role).map(|&(_, step)| step);
        stack.arm(role, index, &step.map(|step| once(step, 0, action)).unwrap_or_default());
        stack.revive(role, index).await;
    }
    let mut deliveries = JoinSet::new();
    deliver_beside(&mut deliveries, stack, project);
    let mut audit = None;
    let audit = wait_for(&format!("{action:?} at each of {round:?}"), 2 * LONG, async || {
        let mut reached = true;
        for (&(_, step), before) in round.iter().zip(&before) {
            reached &= visits(stack, step) > *before;
        }
        revive_dead(stack).await;
        if let Some(delivered) = deliveries.try_join_next() {
            audit = Some(delivered.unwrap());
        }
        audit.clone().filter(|_| reached)
    })
    .await;
    // Nobody is killed from here on: what goes on by itself must be enough, but for those that were to die.
    wait_for(&format!("the audit to end after {action:?} at {round:?}"), 2 * LONG, async || {
        revive_dead(stack).await;
        let answer = stack.api().try_get(&format!("/api/v1/audits/{audit}")).await?;
        (!answer.body["audit"]["finished_at"].is_null()).then_some(())
    })
    .await;
    assert_eq!(stack.findings(&audit, &project.repository).await, sorted(&EXPECTED));
    audit
}

async fn assert_all_survived(action: Action) {
    let mut stack = Stack::start_with(StackConfig { workers: 1, ..config(2, NEVER) }).await;
    let projects = projects(&stack, ROUNDS.len()).await;
    let mut audits = Vec::new();
    for (project, round) in projects.iter().zip(ROUNDS) {
        audits.push(assert_survives(&mut stack, project, round, action).await);
    }
    // What was taken without the record has its delivery there only once the forge delivers again.
    assert_eq!(push_all(&stack, &projects).await, audits);
    stack.balances().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn death_at_each_step() {
    assert_all_survived(Action::Abort).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_at_each_step() {
    assert_all_survived(Action::Panic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_at_each_step() {
    assert_all_survived(Action::Error).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_longer_than_the_ack_wait_at_each_step() {
    assert_all_survived(Action::Stall(4_000)).await;
}
