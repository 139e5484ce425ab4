//! Workers that are told to stop: what takes too long is handed back in time, and what was finished is not repeated.

use schemas::ids::AuditId;
use schemas::request::Priority;
use schemas::task::Task;
use serde_json::json;
use tests::stack::{Role, Stack, StackConfig};
use tests::tasks::{small_task, task_key};
use tests::wait::{LONG, wait_for};
use tokio::time::{Duration, Instant};

async fn services(drain_secs: u64) -> Stack {
    // One thread, so that a slow bundle is slow on every machine; a long ack wait, so that nothing comes by itself.
    let settings = [("ELDER_DRAIN_SECS", drain_secs), ("ELDER_ACK_WAIT_SECS", 600), ("ELDER_WORKER_THREADS", 1)];
    let environment = settings.map(|(name, value)| (name.to_owned(), value.to_string())).into();
    let stack = Stack::services(StackConfig { environment, ..StackConfig::default() }).await;
    stack.set_up().await;
    stack
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_worker_hands_back_what_it_cannot_finish_and_ends_well() {
    let mut stack = services(2).await;
    stack.add(Role::Worker).await;
    let quick = AuditId::random();
    for shard in 1..=20 {
        stack.publish_task(Priority::Normal, &task_key(quick, shard), &small_task(), None).await;
    }
    stack.answered(20).await;
    stack.held(Priority::Normal, 0).await;
    let bundle = stack.slow_bundle(15).await;
    // More than the two slots run at once: something waits in a batch behind what runs.
    for _ in 0..6 {
        let key = task_key(AuditId::random(), 1);
        stack.publish_task(Priority::Normal, &key, &Task::bundle(bundle.clone()), None).await;
    }
    wait_for("the worker to hold some", LONG, async || {
        (stack.worker_consumer(Priority::Normal).await.num_ack_pending > 0).then_some(())
    })
    .await;

    let told = Instant::now();
    stack.stop(Role::Worker, 0).await;
    assert!(told.elapsed() < Duration::from_secs(2 + 5), "it took {:?}", told.elapsed());
    let before = stack.worker_consumer(Priority::Normal).await;
    assert_eq!(stack.results().await.len(), 20, "nothing was done in a hurry");
    assert!(stack.bus().await.workers().await.unwrap().is_empty(), "it has taken leave");

    let returned = stack.tries().await;
    assert_eq!(returned.len(), usize::try_from(before.delivered.consumer_sequence - 20).unwrap(), "{returned:?}");
    assert!(returned.iter().all(|tries| tries["returned"] == 1 && tries["failed"] == json!({})), "{returned:?}");

    // What was handed back comes at once, and is no death: three of those would end it.
    for round in 1..=3 {
        let index = stack.add(Role::Worker).await;
        wait_for("the next worker to hold something", LONG, async || {
            let info = stack.worker_consumer(Priority::Normal).await;
            (info.num_ack_pending > 0 && info.delivered.consumer_sequence > before.delivered.consumer_sequence)
                .then_some(())
        })
        .await;
        if round < 3 {
            stack.stop(Role::Worker, index).await;
        }
    }
    let results = stack.results().await;
    assert!(results.iter().all(|(_, result)| result.failure.is_none()), "{results:?}");
    let finished = stack.worker_consumer(Priority::Normal).await.ack_floor.stream_sequence;
    assert_eq!(finished, 20, "what was finished stays finished");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_is_forgotten_and_one_that_lives_is_not() {
    let mut stack = services(20).await;
    let bus = stack.bus().await;
    stack.add(Role::Worker).await;
    let first = wait_for("the first to be listed", LONG, async || bus.workers().await.ok()?.pop()).await;
    stack.add(Role::Worker).await;
    wait_for("both to be listed", LONG, async || (bus.workers().await.ok()?.len() == 2).then_some(())).await;
    stack.kill(Role::Worker, 1).await;
    let left = wait_for("one to be forgotten", LONG, async || {
        let workers = bus.workers().await.ok()?;
        (workers.len() < 2).then_some(workers)
    })
    .await;
    // The other one would have been forgotten long before, if it did not go on saying that it lives.
    assert_eq!(left.iter().map(|worker| &worker.worker).collect::<Vec<_>>(), [&first.worker]);
    assert_eq!(left[0].started_at, first.started_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_pass_of_a_stopped_audit_ends_soon_and_without_an_answer() {
    let mut stack = services(20).await;
    stack.add(Role::Worker).await;
    let (stopped, other) = (AuditId::random(), AuditId::random());
    let bundle = stack.slow_bundle(15).await;
    stack.publish_task(Priority::Normal, &task_key(stopped, 1), &Task::bundle(bundle), None).await;
    let worker = wait_for("the worker to say what it does", LONG, async || {
        stack.bus().await.workers().await.unwrap().into_iter().find(|worker| worker.running == 1)
    })
    .await;
    assert_eq!((worker.slots, worker.threads), (2, 1));
    assert_eq!((worker.tasks[0].audit, worker.tasks[0].shard), (stopped, 1));

    stack.stop_audit(stopped).await;
    let told = Instant::now();
    stack.held(Priority::Normal, 0).await;
    // The only thread is free for others, too.
    stack.publish_task(Priority::Normal, &task_key(other, 1), &small_task(), None).await;
    let answers = stack.answered(1).await;
    assert!(told.elapsed() < Duration::from_secs(5), "it took {:?}", told.elapsed());
    assert_eq!(answers.keys().map(|key| key.audit).collect::<Vec<_>>(), [other]);

    // What comes later of it is let go without being run.
    stack.publish_task(Priority::Normal, &task_key(stopped, 2), &small_task(), None).await;
    stack.held(Priority::Normal, 0).await;
    stack.publish_task(Priority::Normal, &task_key(other, 2), &small_task(), None).await;
    let answers = stack.answered(2).await;
    assert!(answers.keys().all(|key| key.audit == other), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_heard_after_the_queue_was_lost() {
    let mut stack = services(20).await;
    stack.add(Role::Worker).await;
    // So that a watch that went on would wait for a later number than the next stop has.
    for _ in 0..5 {
        stack.stop_audit(AuditId::random()).await;
    }
    let before = AuditId::random();
    stack.stop_audit(before).await;
    stack.publish_task(Priority::Normal, &task_key(before, 1), &small_task(), None).await;
    stack.publish_task(Priority::Low, &task_key(AuditId::random(), 1), &small_task(), None).await;
    stack.answered(1).await;
    stack.wipe_nats().await;
    wait_for("the worker to have made everything again", LONG, async || {
        stack.jetstream().await.get_key_value("audit_stopped").await.ok()
    })
    .await;

    let after = AuditId::random();
    stack.stop_audit(after).await;
    let bundle = stack.slow_bundle(15).await;
    let begin = Instant::now();
    stack.publish_task(Priority::Normal, &task_key(after, 1), &Task::bundle(bundle), None).await;
    wait_for("the task to be let go", LONG, async || {
        let info = stack.worker_consumer(Priority::Normal).await;
        (info.delivered.consumer_sequence > 0 && info.num_ack_pending == 0).then_some(())
    })
    .await;
    assert!(begin.elapsed() < Duration::from_secs(10), "it was run: {:?}", begin.elapsed());
    assert_eq!(stack.results().await, []);
}
