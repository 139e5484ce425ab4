//! Batches of messages from one consumer, through every outage: what is lost is opened again.

mod neighbours;
pub(crate) mod puller;
pub mod tasks;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::bus::Bus;
use crate::error::BusError;
use crate::lease::Lease;
use crate::subscription::puller::Puller;
use crate::topology::Consumer;

/// Pause after a failed pull, so that an outage is not answered with a storm.
const FAILURE_PAUSE: Duration = Duration::from_millis(200);

/// Messages of one consumer.
#[derive(Debug)]
pub struct Subscription {
    puller: Puller,
}

impl Subscription {
    /// Messages of `consumer`; nothing is fetched yet.
    pub fn new(bus: Bus, consumer: Consumer) -> Self {
        Self { puller: Puller::new(bus, consumer) }
    }

    /// The next messages, at least one and at most `max`: what is there at once, else the first to come and
    /// what came with it. `None` once `stop` is cancelled.
    pub async fn next(&mut self, max: usize, stop: &CancellationToken) -> Option<Vec<Lease>> {
        while !stop.is_cancelled() {
            match self.pull(max).await {
                Ok(leases) if leases.is_empty() => {}
                Ok(leases) => return Some(leases),
                Err(error) => {
                    self.puller.forget();
                    pause(&error, stop).await;
                }
            }
        }
        None
    }

    /// What else is there at once, at most `max`; nothing if that cannot be had now.
    pub(crate) async fn more(&mut self, max: usize) -> Vec<Lease> {
        match self.puller.ready(max).await {
            Ok(leases) => leases,
            Err(error) => {
                tracing::debug!(%error, "no more now");
                self.puller.forget();
                Vec::new()
            }
        }
    }

    async fn pull(&mut self, max: usize) -> Result<Vec<Lease>, BusError> {
        let mut leases = self.puller.ready(max).await?;
        if leases.is_empty() {
            leases = self.puller.first().await?.await?;
            if max > 1 && leases.first().is_some_and(|lease| lease.pending() > 0) {
                leases.extend(self.puller.ready(max - 1).await?);
            }
        }
        Ok(leases)
    }
}

/// Lets some time pass after a failure.
async fn pause(error: &BusError, stop: &CancellationToken) {
    tracing::warn!(%error, "trying again");
    stop.run_until_cancelled(tokio::time::sleep(FAILURE_PAUSE)).await;
}
