//! One consumer to pull from, through every outage: what is lost is opened again.

use std::time::Duration;

use async_nats::jetstream::consumer::{PullConsumer, pull};
use futures::StreamExt as _;

use crate::bus::Bus;
use crate::error::BusError;
use crate::lease::Lease;
use crate::topology::Consumer;

/// How long one pull waits for a first message. A pull that is given up may still be answered, and that message would
/// lie until its ack wait is over; so no pull is given up, and this bounds how long a shutdown waits for one.
const PULL_WAIT: Duration = Duration::from_secs(1);

/// How long the next part of an answer may take beyond that. A server that dies has forgotten the pull when it is back,
/// and without a limit this would wait for its answer for ever. The client itself ends a pull after five seconds more, and
/// then says that there was nothing; that would be taken for an empty queue.
const ANSWER_WAIT: Duration = Duration::from_secs(4);

/// One consumer to pull from.
#[derive(Debug)]
pub(crate) struct Puller {
    bus: Bus,
    consumer: Consumer,
    open: Option<PullConsumer>,
}

impl Puller {
    pub(crate) fn new(bus: Bus, consumer: Consumer) -> Self {
        Self { bus, consumer, open: None }
    }

    /// Looks for the consumer anew before the next pull.
    pub(crate) fn forget(&mut self) {
        self.open = None;
    }

    /// What is there at once, at most `max`.
    pub(crate) async fn ready(&mut self, max: usize) -> Result<Vec<Lease>, BusError> {
        let (consumer, name) = (self.opened().await?, self.consumer.name);
        let batch = consumer.fetch().max_messages(max).messages().await.map_err(|error| failed(name, &error))?;
        collect(name, batch).await
    }

    /// The first message to come, or none after a while. The future is to be run to its end, wherever.
    pub(crate) async fn first(
        &mut self,
    ) -> Result<impl Future<Output = Result<Vec<Lease>, BusError>> + use<>, BusError> {
        let (consumer, name) = (self.opened().await?, self.consumer.name);
        Ok(async move {
            let waiting = consumer.batch().max_messages(1).expires(PULL_WAIT).messages().await;
            collect(name, waiting.map_err(|error| failed(name, &error))?).await
        })
    }

    /// Finds the consumer, and makes the topology again if the server has lost it.
    async fn opened(&mut self) -> Result<PullConsumer, BusError> {
        if let Some(consumer) = &self.open {
            return Ok(consumer.clone());
        }
        let Consumer { stream, name, .. } = self.consumer;
        let context = self.bus.context().clone();
        let found = context.get_consumer_from_stream(name, stream).await;
        let consumer: PullConsumer = if let Ok(consumer) = found {
            consumer
        } else {
            self.bus.restore_topology().await?;
            context.get_consumer_from_stream(name, stream).await.map_err(|error| failed(name, &error))?
        };
        self.open = Some(consumer.clone());
        Ok(consumer)
    }
}

/// Takes what a pull gives. Messages that came before a failure are kept: they are held already.
async fn collect(name: &'static str, mut batch: pull::Batch) -> Result<Vec<Lease>, BusError> {
    let mut leases = Vec::new();
    loop {
        let message = match tokio::time::timeout(PULL_WAIT + ANSWER_WAIT, batch.next()).await {
            Ok(Some(message)) => message,
            Ok(None) => break,
            Err(_elapsed) => Err("the server did not answer".into()),
        };
        match message {
            Ok(message) => leases.push(Lease::new(message)),
            Err(error) if leases.is_empty() => return Err(failed(name, &error)),
            Err(error) => {
                tracing::warn!(error = %error, "a pull ended early");
                break;
            }
        }
    }
    Ok(leases)
}

fn failed(name: &'static str, error: &dyn std::fmt::Display) -> BusError {
    BusError::Fetch { consumer: name, reason: error.to_string() }
}
