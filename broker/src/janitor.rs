//! The janitor: messages that the server gives up stay in their stream, seen by nobody; here they are answered and removed.

use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use schemas::dead_letter::{Cause, DeadLetter, NoticedBy};
use schemas::ids::TraceId;
use schemas::partial::PartialResult;
use schemas::request::AuditRequest;
use schemas::retry::ErrorClass;
use serde::Deserialize;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::bus::Bus;
use crate::error::{BusError, StoreError, chain};
use crate::headers;
use crate::lease::Lease;
use crate::store::Store;
use crate::store::merge::TaskResult;
use crate::subject::{Origin, Subject};
use crate::subscription::Subscription;
use crate::topology;

/// Advisories taken at once.
const BATCH: usize = 64;

/// The kind of advisory that says that a message was delivered as often as it may be.
const MAX_DELIVERIES: &str = "io.nats.jetstream.advisory.v1.max_deliver";

/// The streams that are kept clean here; an advisory about any other was not written by the server, and harms nobody.
const STREAMS: [&str; 4] =
    [topology::PLANNER.stream, topology::FIRE.stream, topology::TASKS, topology::AGGREGATOR.stream];

/// What the server says of one message, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Advisory {
    #[serde(rename = "type")]
    kind: String,
    stream: String,
    consumer: String,
    stream_seq: u64,
    deliveries: u64,
    #[serde(with = "time::serde::rfc3339")]
    timestamp: OffsetDateTime,
}

/// Why a message could not be dealt with now.
#[derive(Debug, thiserror::Error)]
enum Unsettled {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Deals with messages that the server has given up until `stop` is cancelled. Several janitors may run at once.
pub async fn run(store: Store, bus: Bus, stop: CancellationToken) {
    let mut advisories = Subscription::new(bus.clone(), topology::JANITOR);
    while let Some(leases) = advisories.next(BATCH, &stop).await {
        for lease in leases {
            let ended = match settle(&store, &bus, &lease).await {
                Ok(()) => lease.done_unconfirmed().await,
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "a message that the server gave up waits");
                    lease.retry(ErrorClass::Transient).await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(error = %chain(&error), "an advisory will come again");
            }
        }
    }
}

async fn settle(store: &Store, bus: &Bus, lease: &Lease) -> Result<(), Unsettled> {
    let advisory: Advisory = match serde_json::from_slice(lease.body()) {
        Ok(advisory) => advisory,
        Err(error) => {
            tracing::warn!(%error, subject = lease.subject_text(), "an advisory of an unknown shape is passed over");
            return Ok(());
        }
    };
    if advisory.kind != MAX_DELIVERIES {
        // A receiver ended the message itself, and buried it before. The server has removed it, so there is no more to see.
        tracing::debug!(stream = advisory.stream, sequence = advisory.stream_seq, "a receiver gave a message up");
        return Ok(());
    }
    if !STREAMS.contains(&advisory.stream.as_str()) {
        tracing::warn!(stream = advisory.stream, "an advisory about a stream that is none of ours is passed over");
        return Ok(());
    }
    let stream = bus.context().get_stream_no_info(&advisory.stream).await.map_err(|error| failed(&error))?;
    // Done before, or the queue was lost since and this number is another message's now.
    let message = message(&stream, advisory.stream_seq).await?;
    let Some(message) = message.filter(|message| message.time <= advisory.timestamp) else {
        return Ok(());
    };
    give_up(store, bus, &advisory, &message).await?;
    stream.delete_message(advisory.stream_seq).await.map(|_| ()).map_err(|error| failed(&error).into())
}

async fn message(stream: &Stream<()>, sequence: u64) -> Result<Option<StreamMessage>, BusError> {
    match stream.get_raw_message(sequence).await {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &dyn std::fmt::Display) -> BusError {
    BusError::Fetch { consumer: topology::JANITOR.name, reason: error.to_string() }
}

/// Writes the letter first and then answers whoever waits, so that no audit waits for ever.
async fn give_up(store: &Store, bus: &Bus, advisory: &Advisory, message: &StreamMessage) -> Result<(), Unsettled> {
    let Advisory { consumer, deliveries, .. } = advisory;
    let trace = headers::get(Some(&message.headers), headers::TRACE).and_then(TraceId::from_traceparent);
    let trace = trace.unwrap_or_else(TraceId::random);
    let reason = format!(
        "delivered {deliveries} times to `{consumer}` and never answered: whoever takes it ends without a word"
    );
    let letter = DeadLetter::new(&message.subject, Cause::Exhausted, &reason, *deliveries, &message.payload);
    let letter = DeadLetter { class: Some(ErrorClass::Resource), noticed_by: NoticedBy::Advisory, ..letter };
    tracing::warn!(trace_id = %trace, subject = letter.subject, reason, "the server gave a message up");
    store.keep_dead_letter(&letter, trace).await?;
    bus.bury(Origin::of(&letter.subject).unwrap_or(Origin::Task), &letter, trace).await?;
    match letter.subject.parse() {
        Ok(Subject::Task(_, key)) => {
            let partial = PartialResult::failed(ErrorClass::Resource, reason);
            let merged = store.merge(&[TaskResult { key, partial, trace }]).await;
            // What the record refuses for ever is in the letter; nobody waits for it.
            merged.map(|_| ()).or_else(|error| if error.is_transient() { Err(error.into()) } else { Ok(()) })
        }
        Ok(Subject::Request | Subject::ProjectRequest(_)) => {
            let request = serde_json::from_slice::<AuditRequest>(&message.payload).ok();
            // A request that names no audit was never recorded, so there is none that waits.
            match request.and_then(|request| request.audit) {
                Some(audit) => Ok(store.fail_audit(audit, &reason).await?),
                None => Ok(()),
            }
        }
        // A result of which no task is done: the reconciler has the task run again.
        _ => Ok(()),
    }
}
