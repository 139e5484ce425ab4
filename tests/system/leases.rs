//! Leases: kept while the work moves, whatever the runtime does; lost when it hangs.

use std::sync::{Arc, mpsc};

use broker::Bus;
use broker::config::{NatsArgs, TopologyArgs};
use broker::heartbeat::Heartbeats;
use broker::lease::Lease;
use broker::pulse::Pulse;
use broker::subscription::tasks::TaskSubscription;
use schemas::ids::AuditId;
use schemas::request::Priority;
use tests::stack::{Stack, StackConfig};
use tests::tasks::{small_task, task_key};
use tests::wait::{LONG, wait_blocking};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// A short one, so that much can happen beyond it.
const ACK_WAIT: Duration = Duration::from_secs(2);

/// A stack with one task, and heartbeats to fit.
async fn one_task(step_time_max: Duration) -> (Stack, Heartbeats, TaskSubscription) {
    let stack = Stack::services(StackConfig::default()).await;
    let topology = TopologyArgs { ack_wait_secs: ACK_WAIT.as_secs(), ..TopologyArgs::default() };
    let bus =
        Bus::connect(&NatsArgs { nats_url: stack.nats.url().into(), nats_nkey: None, topology }, "test").await.unwrap();
    bus.apply_topology().await.unwrap();
    stack.publish_task(Priority::Normal, &task_key(AuditId::random(), 1), &small_task(), None).await;
    let heartbeats = bus.heartbeats(step_time_max).unwrap();
    let tasks = TaskSubscription::new(&bus, heartbeats.clone());
    (stack, heartbeats, tasks)
}

async fn next(tasks: &mut TaskSubscription) -> Lease {
    let stop = CancellationToken::new();
    let next = tokio::time::timeout(LONG, tasks.next(1, &stop)).await;
    next.expect("a task comes").unwrap().remove(0)
}

#[tokio::test]
async fn a_runtime_that_is_blocked_loses_no_lease() {
    let (stack, _heartbeats, mut tasks) = one_task(LONG).await;
    let lease = next(&mut tasks).await;
    // This is the only thread of this runtime.
    let begin = Instant::now();
    assert!(wait_blocking(LONG, || begin.elapsed() > 3 * ACK_WAIT));
    assert!(!stack.takes_task(Priority::Normal, Duration::from_secs(1)).await, "it goes to somebody else");
    lease.done().await.unwrap();
    assert_eq!(stack.worker_consumer(Priority::Normal).await.num_ack_pending, 0);
}

#[tokio::test]
async fn work_that_hangs_keeps_no_lease() {
    let (_stack, heartbeats, mut tasks) = one_task(Duration::from_millis(500)).await;
    let mut lease = next(&mut tasks).await;
    let pulse = Arc::new(Pulse::default());
    lease.keep_alive(&heartbeats, &pulse);
    let (end, hang) = mpsc::channel::<()>();
    let hanging = std::thread::spawn(move || pulse.step(|| hang.recv()));
    let again = next(&mut tasks).await;
    assert_eq!((again.attempts(), again.subject_text()), (2, lease.subject_text()));
    drop(end);
    assert!(hanging.join().unwrap().is_err());
}
