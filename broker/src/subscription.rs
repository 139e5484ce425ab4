//! Batches of messages from one consumer, through every outage: what is lost is opened again.

use std::time::Duration;

use async_nats::jetstream::consumer::{PullConsumer, pull};
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::bus::Bus;
use crate::error::BusError;
use crate::lease::Lease;
use crate::topology::Consumer;

/// How long one pull waits for a first message. A pull that is given up may still be answered, and that message would
/// lie until its ack wait is over; so no pull is given up, and this bounds how long a shutdown waits for one.
const PULL_WAIT: Duration = Duration::from_secs(1);

/// How long the next part of an answer may take beyond that. A server that dies has forgotten the pull when it is back,
/// and without a limit this would wait for its answer for ever.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// Pause after a failed pull, so that an outage is not answered with a storm.
const FAILURE_PAUSE: Duration = Duration::from_millis(200);

/// Messages of one consumer.
#[derive(Debug)]
pub struct Subscription {
    bus: Bus,
    consumer: Consumer,
    pull: Option<PullConsumer>,
}

impl Subscription {
    /// Messages of `consumer`; nothing is fetched yet.
    pub fn new(bus: Bus, consumer: Consumer) -> Self {
        Self { bus, consumer, pull: None }
    }

    /// The next messages, at least one and at most `max`: what is there at once, else the first to come and its
    /// neighbours. `None` once `stop` is cancelled.
    pub async fn next(&mut self, max: usize, stop: &CancellationToken) -> Option<Vec<Lease>> {
        while !stop.is_cancelled() {
            match self.pull(max).await {
                Ok(leases) if leases.is_empty() => {}
                Ok(leases) => return Some(leases),
                Err(error) => {
                    tracing::warn!(%error, "trying again");
                    self.pull = None;
                    stop.run_until_cancelled(tokio::time::sleep(FAILURE_PAUSE)).await;
                }
            }
        }
        None
    }

    async fn pull(&mut self, max: usize) -> Result<Vec<Lease>, BusError> {
        let consumer = match &self.pull {
            Some(consumer) => consumer.clone(),
            None => self.open().await?,
        };
        let mut leases = self.ready(&consumer, max).await?;
        if leases.is_empty() {
            let waiting = consumer.batch().max_messages(1).expires(PULL_WAIT).messages().await;
            leases = self.collect(waiting.map_err(|error| self.failed(&error))?).await?;
            if !leases.is_empty() && max > 1 {
                leases.extend(self.ready(&consumer, max - 1).await?);
            }
        }
        Ok(leases)
    }

    async fn ready(&self, consumer: &PullConsumer, max: usize) -> Result<Vec<Lease>, BusError> {
        let batch = consumer.fetch().max_messages(max).messages().await.map_err(|error| self.failed(&error))?;
        self.collect(batch).await
    }

    /// Takes what a pull gives. Messages that came before a failure are kept: they are held already.
    async fn collect(&self, mut batch: pull::Batch) -> Result<Vec<Lease>, BusError> {
        let mut leases = Vec::new();
        loop {
            let message = match tokio::time::timeout(PULL_WAIT + ANSWER_WAIT, batch.next()).await {
                Ok(Some(message)) => message,
                Ok(None) => break,
                Err(_elapsed) => Err("the server did not answer".into()),
            };
            match message {
                Ok(message) => leases.push(Lease::new(message, self.bus.heartbeat())),
                Err(error) if leases.is_empty() => return Err(self.failed(&error)),
                Err(error) => {
                    tracing::warn!(%error, "a pull ended early");
                    break;
                }
            }
        }
        Ok(leases)
    }

    /// Finds the consumer, and makes the topology again if the server has lost it.
    async fn open(&mut self) -> Result<PullConsumer, BusError> {
        let Consumer { stream, name, .. } = self.consumer;
        let context = self.bus.context().clone();
        let found = context.get_consumer_from_stream(name, stream).await;
        let consumer: PullConsumer = if let Ok(consumer) = found {
            consumer
        } else {
            self.bus.restore_topology().await?;
            context.get_consumer_from_stream(name, stream).await.map_err(|error| self.failed(&error))?
        };
        self.pull = Some(consumer.clone());
        Ok(consumer)
    }

    fn failed(&self, error: &dyn std::fmt::Display) -> BusError {
        BusError::Fetch { consumer: self.consumer.name, reason: error.to_string() }
    }
}
