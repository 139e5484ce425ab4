//! Four priorities: each is worked on, each gets its share of busy workers, and nothing taken is given back.

use std::collections::BTreeMap;

use futures::future::join_all;
use schemas::ids::AuditId;
use schemas::request::Priority;
use schemas::task::Task;
use tests::stack::{Role, Stack, StackConfig};
use tests::tasks::{hanging, small_task, task_key};
use tests::wait::{LONG, wait_for};
use tokio::time::{Duration, Instant};

async fn services(settings: &[(&str, &str)]) -> Stack {
    let environment = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let stack = Stack::services(StackConfig { environment, ..StackConfig::default() }).await;
    stack.set_up().await;
    stack
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_backlog_each_priority_has_its_share_and_none_starves() {
    // One slot, so that the order of the results is the order in which batches were taken.
    let mut stack = services(&[("ELDER_WORKER_SLOTS", "1")]).await;
    // More than a round of turns takes of any of them: sixteen turns of sixteen tasks.
    let each = 280;
    let audits: BTreeMap<Priority, AuditId> = Priority::ALL.map(|priority| (priority, AuditId::random())).into();
    for (&priority, &audit) in &audits {
        let keys: Vec<_> = (1..=each).map(|shard| task_key(audit, shard)).collect();
        stack.publish_tasks(priority, &keys, &small_task()).await;
    }
    stack.add(Role::Worker).await;
    let count = audits.len() * usize::try_from(each).unwrap();
    stack.answered(count).await;

    // One round: 29 turns.
    let round = &stack.results().await[..29 * 16];
    let share = |priority| round.iter().filter(|(key, _)| key.audit == audits[&priority]).count();
    let shares = Priority::ALL.map(share);
    // One batch more or less where the round began with a message that was waited for.
    for (share, expected) in shares.into_iter().zip([256_usize, 128, 64, 16]) {
        assert!(share.abs_diff(expected) <= 16 && share > 0, "{shares:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_beside_the_message_that_was_waited_for_is_kept_alive_until_there_is_a_slot() {
    let (name, value) = hanging();
    let mut stack = services(&[("ELDER_WORKER_SLOTS", "1"), ("ELDER_ACK_WAIT_SECS", "2"), (name, &value)]).await;
    stack.add(Role::Worker).await;
    let bundle = stack.hanging_bundle().await;
    let ends = [Priority::Critical, Priority::Low];
    wait_for("the worker to wait for any", LONG, async || {
        let waits = join_all(Priority::ALL.map(|priority| stack.worker_consumer(priority))).await;
        waits.iter().all(|info| info.num_waiting == 1).then_some(())
    })
    .await;
    let keys = ends.map(|_| task_key(AuditId::random(), 1));
    let task = Task::bundle(bundle);
    join_all(ends.iter().zip(&keys).map(|(&priority, key)| stack.publish_task(priority, key, &task, None))).await;
    join_all(ends.map(|priority| stack.held(priority, 1))).await;
    // One runs and the other one waits, far longer than the ack wait.
    let begin = Instant::now();
    wait_for("three ack waits to pass", LONG, async || (begin.elapsed() > Duration::from_secs(6)).then_some(())).await;
    assert_eq!(stack.results().await, [], "one of them has begun and neither has ended");
    for priority in ends {
        assert!(!stack.takes_task(priority, Duration::from_secs(1)).await, "another one is given it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_takes_whatever_comes_and_gives_nothing_back() {
    let mut stack = services(&[]).await;
    stack.add(Role::Worker).await;
    let rounds = 20;
    for shard in 1..=rounds {
        // All at once, so that pulls on several priorities are answered while one is waited for.
        let publish = |priority| {
            let (stack, key) = (&stack, task_key(AuditId::random(), shard));
            async move { stack.publish_task(priority, &key, &small_task(), None).await }
        };
        join_all(Priority::ALL.map(publish)).await;
        stack.answered(4 * usize::try_from(shard).unwrap()).await;
    }
    for priority in Priority::ALL {
        let consumer = wait_for("every task to be acknowledged", LONG, async || {
            let info = stack.worker_consumer(priority).await;
            (info.num_ack_pending == 0 && info.num_pending == 0).then_some(info)
        })
        .await;
        assert_eq!(consumer.delivered.consumer_sequence, u64::from(rounds), "{priority:?}: one delivery for each task");
    }
}
