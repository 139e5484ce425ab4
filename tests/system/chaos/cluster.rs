//! A queue of three servers: one of them may die, lose its disk, hang or be cut off, and the product goes on.

use std::time::Duration;

use deploy::embedded::guard::Signal;
use tests::proxy::{Loss, Way, Weather};
use tests::stack::{Stack, StackConfig};
use tests::wait::{LONG, wait_for};
use tokio::time::Instant;

use super::{NEVER, Project, assert_all_end, assert_each_ends, config, projects, push_all};

/// The stream whose leader is spoilt: tasks are what there is most of.
const STREAM: &str = "AUDIT_TASKS";

/// How long the leader hangs.
const FREEZE: Duration = Duration::from_secs(20);

async fn clustered(lost_after: u64) -> Stack {
    let mut config = config(4, lost_after);
    config.environment.push(("ELDER_NATS_REPLICAS".to_owned(), "3".to_owned()));
    Stack::start_with(StackConfig { is_clustered: true, ..config }).await
}

/// Pushes are taken, and end while whatever is wrong still is.
async fn assert_goes_on(stack: &Stack, projects: &[Project]) -> Vec<String> {
    let audits = push_all(stack, projects).await;
    for audit in &audits {
        assert_eq!(stack.ended(audit).await["state"], "completed");
    }
    audits
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_killed_and_a_disk_that_is_lost_stop_nobody() {
    // Nothing acknowledged may be lost: the reconciler is not there to hide it.
    let mut stack = clustered(NEVER).await;
    let projects = projects(&stack, 6).await;
    let mut audits = push_all(&stack, &projects[..2]).await;
    stack.reaches(6).await;
    let leader = stack.cluster().leader_of(STREAM).await;
    stack.cluster().kill(leader).await;
    audits.extend(assert_goes_on(&stack, &projects[2..4]).await);
    stack.cluster().wipe(leader);
    stack.cluster().restart(leader).await;
    stack.cluster().is_whole().await;

    // The one with the new disk is as good as the others.
    let other = (leader + 1) % tests::cluster::NODES;
    stack.cluster().kill(other).await;
    audits.extend(assert_goes_on(&stack, &projects[4..]).await);
    stack.cluster().restart(other).await;
    stack.cluster().is_whole().await;
    assert_all_end(&stack, &projects, &audits).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_hangs_is_left_by_everybody() {
    let mut stack = clustered(30).await;
    let projects = projects(&stack, 4).await;
    let mut audits = push_all(&stack, &projects[..2]).await;
    stack.reaches(6).await;
    let leader = stack.cluster().leader_of(STREAM).await;
    stack.cluster().signal(leader, Signal::SIGSTOP);
    let begin = Instant::now();
    audits.extend(assert_goes_on(&stack, &projects[2..]).await);
    wait_for("the leader to have hung long enough", LONG, async || (begin.elapsed() >= FREEZE).then_some(())).await;
    stack.cluster().signal(leader, Signal::SIGCONT);
    stack.cluster().is_whole().await;
    assert_each_ends(&stack, &projects, &audits).await;
    stack.balances_but_for_letters().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_cut_off_makes_no_second_truth() {
    let mut stack = clustered(30).await;
    let projects = projects(&stack, 6).await;
    let mut audits = push_all(&stack, &projects[..2]).await;
    stack.reaches(6).await;
    let leader = stack.cluster().leader_of(STREAM).await;
    for route in stack.cluster().routes_of(leader) {
        for way in [Way::Up, Way::Down] {
            route.set(way, Weather { loss: Loss::Swallow, ..Weather::default() });
        }
    }
    // Clients are on both sides. Whoever is with the old leader gets no answer, but the record takes what comes.
    audits.extend(push_all(&stack, &projects[2..4]).await);
    let new = wait_for("the other two to have a leader of their own", LONG, async || {
        let of_others = stack.cluster().leader_seen_without(leader, STREAM).await?;
        (of_others != leader).then_some(of_others)
    })
    .await;
    assert_ne!(new, leader);
    audits.extend(push_all(&stack, &projects[4..]).await);
    stack.cluster().routes_of(leader).for_each(|route| route.clear());
    stack.cluster().is_whole().await;
    assert_each_ends(&stack, &projects, &audits).await;
    stack.balances_but_for_letters().await;
}
