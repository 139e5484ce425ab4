//! Many tasks under many faults, and many restarts under load: the short form of what `make chaos` runs for hours.

use tests::chaos::{self, FAULT_KINDS, Plan};
use tests::rolling;

/// Any number; another one kills at other points.
const SEED: u64 = 20_260_705;

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_tasks_survive_two_hundred_kills() {
    let plan = Plan { seed: SEED, tasks: 20_000, kills: 200, is_verbose: false };
    let report = Box::pin(chaos::run(plan)).await;
    let count = report.count.unwrap();
    assert!(count.tasks >= plan.tasks && report.kills() >= plan.kills, "{report}");
    assert_eq!(report.faults.len(), FAULT_KINDS, "every kind of fault was met:\n{report}");
    // Whoever takes a task and dies, over and over, is no reason to give up more than a few.
    assert!(count.given_up * 200 <= count.tasks, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_restarts_under_load_lose_and_repeat_nothing() {
    Box::pin(rolling::run(20)).await;
}
