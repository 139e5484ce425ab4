//! The relay: publishes what the outbox holds; at least once, under an id that makes twice once.

use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::bus::Bus;
use crate::error::chain;
use crate::failpoint::{self, Step};
use crate::store::outbox::OutboxRow;
use crate::store::{OUTBOX_CHANNEL, Store, Wakeups};

/// Messages taken in one transaction: enough to fill the pipe to the queue, few enough to be done in milliseconds.
const BATCH: i64 = 256;

/// How long to sleep when nothing is announced: announcements can be missed while the database restarts.
const PERIOD: Duration = Duration::from_secs(2);

/// Pause after a failure.
const FAILURE_PAUSE: Duration = Duration::from_millis(500);

/// Publishes until `stop` is cancelled. Several relays may run at once.
pub async fn run(store: Store, bus: Bus, stop: CancellationToken) {
    let mut wakeups = None;
    while !stop.is_cancelled() {
        if wakeups.is_none() {
            wakeups = store.listen(OUTBOX_CHANNEL).await.ok();
        }
        match store.drain_outbox(BATCH, async |rows| publish(&bus, rows).await).await {
            Ok((0, _)) => wait(&mut wakeups, &stop).await,
            Ok((taken, published)) if published < taken => pause(&stop).await,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the outbox waits");
                wakeups = None;
                pause(&stop).await;
            }
        }
    }
}

async fn pause(stop: &CancellationToken) {
    stop.run_until_cancelled(tokio::time::sleep(FAILURE_PAUSE)).await;
}

async fn wait(wakeups: &mut Option<Wakeups>, stop: &CancellationToken) {
    let Some(listener) = wakeups else {
        return pause(stop).await;
    };
    let woken = stop.run_until_cancelled(tokio::time::timeout(PERIOD, listener.next())).await;
    if matches!(woken, Some(Ok(Err(_lost)))) {
        *wakeups = None;
    }
}

async fn publish(bus: &Bus, rows: Vec<OutboxRow>) -> Vec<i64> {
    let publishes = rows.into_iter().map(|row| async move {
        let body = Bytes::from(row.body.to_string());
        match bus.publish_raw(&row.subject, &row.message_id, row.trace, row.audit(), body).await {
            Ok(_) => Some(row.id),
            Err(error) => {
                tracing::warn!(error = %chain(&error), trace_id = %row.trace, "trying again");
                None
            }
        }
    });
    let published = join_all(publishes).await.into_iter().flatten().collect();
    match failpoint::reach_store(Step::RelayAfterPublish).await {
        Ok(()) => published,
        Err(_nobody_knows_that_they_are_out) => Vec::new(),
    }
}
