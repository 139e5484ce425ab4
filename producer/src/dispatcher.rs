//! The dispatcher: one per deployment; keeps the queue shallow by publishing tasks as others are done.

use std::time::Duration;

use broker::error::{BusError, StoreError, chain};
use broker::store::dispatch::ReadyTask;
use broker::store::{DispatcherSeat, TASKS_CHANNEL, Wakeups};
use broker::subject::Subject;
use broker::{Bus, Store};
use futures::future::join_all;
use schemas::task::Task;
use tokio_util::sync::CancellationToken;

/// Tasks taken from one audit in one round: small enough that audits take turns, large enough to fill a batch.
const PER_AUDIT_MAX: i64 = 256;

/// How long to sleep when nothing is announced: tasks that are done make room without an announcement.
const PERIOD: Duration = Duration::from_millis(20);

/// How long to sleep when there is nothing to dispatch at all.
const IDLE_PERIOD: Duration = Duration::from_secs(1);

/// How often another process looks whether the seat is free.
const SEAT_PERIOD: Duration = Duration::from_secs(1);

/// Dispatches until `stop` is cancelled, while this process holds the seat.
pub(crate) async fn run(store: Store, bus: Bus, tasks_in_flight: u32, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match store.take_dispatcher_seat().await {
            Ok(Some(seat)) => {
                tracing::info!("dispatching");
                if let Err(error) = dispatch(&store, &bus, seat, i64::from(tasks_in_flight), &stop).await {
                    tracing::warn!(error = %chain(&*error), "dispatching was interrupted");
                }
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(error = %chain(&error), "cannot look for the dispatcher's seat"),
        }
        stop.run_until_cancelled(tokio::time::sleep(SEAT_PERIOD)).await;
    }
}

async fn dispatch(
    store: &Store,
    bus: &Bus,
    mut seat: DispatcherSeat,
    tasks_in_flight: i64,
    stop: &CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut wakeups = store.listen(TASKS_CHANNEL).await?;
    while !stop.is_cancelled() && seat.is_held().await {
        let room = tasks_in_flight - store.outstanding_tasks().await?;
        let ready = if room > 0 { store.ready_tasks(PER_AUDIT_MAX, room).await? } else { Vec::new() };
        if ready.is_empty() {
            let period = if room > 0 { IDLE_PERIOD } else { PERIOD };
            wait(&mut wakeups, period, stop).await?;
            continue;
        }
        publish(store, bus, &ready).await?;
    }
    Ok(())
}

async fn wait(wakeups: &mut Wakeups, period: Duration, stop: &CancellationToken) -> Result<(), StoreError> {
    match stop.run_until_cancelled(tokio::time::timeout(period, wakeups.next())).await {
        Some(Ok(woken)) => woken,
        _period_or_stop => Ok(()),
    }
}

/// Publishes first and notes it after: a crash in between publishes again, under the same id and on the same subject,
/// and neither the stream nor the record counts that twice.
async fn publish(
    store: &Store,
    bus: &Bus,
    ready: &[ReadyTask],
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let outcomes = join_all(ready.iter().map(|task| publish_one(bus, task))).await;
    let mut failure = None;
    let mut published = Vec::new();
    for (task, outcome) in ready.iter().zip(outcomes) {
        match outcome {
            Ok(()) => published.push(&task.key),
            Err(error) => failure = Some(error),
        }
    }
    store.mark_published(&published).await?;
    failure.map_or(Ok(()), |error| Err(error.into()))
}

async fn publish_one(bus: &Bus, task: &ReadyTask) -> Result<(), BusError> {
    let ReadyTask { key, priority, bundle, generation, trace } = task;
    let id = format!("T:{}:{}:{}:{generation}", key.audit, key.magic, key.shard);
    let subject = Subject::Task(*priority, key.clone());
    bus.publish(&subject, &id, *trace, &Task::bundle(bundle.clone())).await.map(|_| ())
}
