//! The streams and consumers as data, and how they come to be: created, updated, refused; never deleted.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::context::Context;
use async_nats::jetstream::object_store;
use async_nats::jetstream::stream::{Compression, Config, DiscardPolicy, RetentionPolicy};

use crate::config::TopologyArgs;
use crate::error::BusError;
use crate::subject;

/// The object store bucket of bundles and oversized results.
pub const BUNDLES: &str = "audit_bundles";

/// Messages held unacknowledged by all holders of one consumer together: bounds what a crash can make come again.
const ACK_PENDING_MAX: i64 = 5_000;

const MIB: i64 = 1024 * 1024;
const HOUR: Duration = Duration::from_secs(3_600);

/// A durable pull consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consumer {
    /// The stream it reads.
    pub stream: &'static str,
    /// Its durable name.
    pub name: &'static str,
}

/// Requests, read by planners.
pub const PLANNER: Consumer = Consumer { stream: "AUDIT_REQ", name: "planner" };
/// Tasks, read by workers.
pub const WORKER: Consumer = Consumer { stream: "AUDIT_TASKS", name: "worker" };
/// Results, read by aggregators.
pub const AGGREGATOR: Consumer = Consumer { stream: "AUDIT_RESULTS", name: "aggregator" };
/// Dead letters, copied to the record by aggregators.
pub const LETTERS: Consumer = Consumer { stream: "AUDIT_DLQ", name: "letters" };

const CONSUMERS: [Consumer; 4] = [PLANNER, WORKER, AGGREGATOR, LETTERS];

/// What was done to one part of the topology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `stream`, `consumer` or `bucket`.
    pub what: &'static str,
    /// Its name.
    pub name: String,
    /// What was done.
    pub action: Action,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It was not there.
    Created,
    /// It was there with other settings.
    Updated,
    /// It was as it should be.
    Unchanged,
}

/// The streams, as they should be.
pub fn streams(args: &TopologyArgs) -> Vec<Config> {
    let work_queue = |name: &str, subjects: &[&str]| Config {
        name: name.to_owned(),
        subjects: subjects.iter().map(|&subject| subject.to_owned()).collect(),
        retention: RetentionPolicy::WorkQueue,
        // Refusing new work is how a full queue reaches whoever asks; dropping old work would lose it.
        discard: DiscardPolicy::New,
        num_replicas: args.nats_replicas,
        allow_direct: true,
        ..Config::default()
    };
    let log = |name: &str, subjects: &str, age: Duration| Config {
        name: name.to_owned(),
        subjects: vec![subjects.to_owned()],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        max_age: age,
        num_replicas: args.nats_replicas,
        compression: Some(Compression::S2),
        allow_direct: true,
        ..Config::default()
    };
    vec![
        Config {
            max_messages: 1_000_000,
            max_bytes: 512 * MIB,
            max_message_size: 256 * 1024,
            duplicate_window: HOUR,
            compression: Some(Compression::S2),
            ..work_queue("AUDIT_REQ", &subject::REQUESTS)
        },
        Config {
            max_messages: 500_000,
            max_bytes: 1_024 * MIB,
            // No limit for one message but the server's: whoever publishes a task that is too large without waiting for
            // an answer would never learn of it. The worker refuses it with a reason that is kept.
            max_message_size: -1,
            duplicate_window: HOUR / 6,
            // One message per task while it is queued or running, however often it is published.
            max_messages_per_subject: 1,
            discard_new_per_subject: true,
            ..work_queue("AUDIT_TASKS", &[subject::TASKS])
        },
        Config {
            max_bytes: 2_048 * MIB,
            duplicate_window: HOUR / 6,
            compression: Some(Compression::S2),
            ..work_queue("AUDIT_RESULTS", &[subject::RESULTS])
        },
        Config {
            max_bytes: 256 * MIB,
            max_messages_per_subject: 200,
            ..log("AUDIT_EVENTS", subject::EVENTS, 24 * HOUR)
        },
        Config {
            max_bytes: 512 * MIB,
            duplicate_window: HOUR,
            ..log("AUDIT_DLQ", subject::DEAD_LETTERS, 30 * 24 * HOUR)
        },
    ]
}

/// A consumer, as it should be. Deliveries are not limited by the server, which would leave a message in the stream
/// unseen by anyone: whoever receives a message counts its deliveries and buries it.
fn consumer_config(consumer: Consumer, args: &TopologyArgs) -> pull::Config {
    pull::Config {
        durable_name: Some(consumer.name.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: Duration::from_secs(args.ack_wait_secs),
        max_deliver: -1,
        max_ack_pending: ACK_PENDING_MAX,
        num_replicas: args.nats_replicas,
        ..pull::Config::default()
    }
}

fn bucket_config(args: &TopologyArgs) -> object_store::Config {
    object_store::Config {
        bucket: BUNDLES.to_owned(),
        description: Some("shards to read, and results too large for a message".to_owned()),
        // A bundle is needed until its tasks are done; the planner packs it again from the mirror if they take longer.
        max_age: 24 * HOUR,
        max_bytes: 4_096 * MIB,
        num_replicas: args.nats_replicas,
        ..object_store::Config::default()
    }
}

/// Creates what is missing and updates what differs; what exists beyond this is left alone.
///
/// # Errors
/// If the server refuses, e.g. a change of retention: what to do is in the error, nothing is deleted to make it fit.
pub async fn apply(context: &Context, args: &TopologyArgs) -> Result<Vec<Change>, BusError> {
    let mut changes = Vec::new();
    for config in streams(args) {
        changes.push(apply_stream(context, config).await?);
    }
    for consumer in CONSUMERS {
        changes.push(apply_consumer(context, consumer, args).await?);
    }
    changes.push(ensure_bucket(context, args).await?);
    Ok(changes)
}

/// Creates what is missing and touches nothing else: what every role does when the server lost its store.
///
/// # Errors
/// If the server refuses or cannot be reached.
pub async fn restore(context: &Context, args: &TopologyArgs) -> Result<(), BusError> {
    for config in streams(args) {
        let name = config.name.clone();
        let created = context.get_or_create_stream(config).await;
        created.map_err(|error| refused("stream", &name, &error))?;
    }
    for consumer in CONSUMERS {
        create_consumer(context, consumer, args).await?;
    }
    ensure_bucket(context, args).await?;
    Ok(())
}

fn refused(what: &'static str, name: &str, error: &dyn std::fmt::Display) -> BusError {
    BusError::Topology { what, name: name.to_owned(), reason: error.to_string() }
}

async fn apply_stream(context: &Context, config: Config) -> Result<Change, BusError> {
    let name = config.name.clone();
    let change = |action| Change { what: "stream", name: name.clone(), action };
    let Ok(stream) = context.get_stream(&name).await else {
        context.create_stream(config).await.map_err(|error| refused("stream", &name, &error))?;
        return Ok(change(Action::Created));
    };
    let before = stream.cached_info().config.clone();
    if before.retention != config.retention {
        let reason = format!(
            "it keeps messages by {:?} and should by {:?}, which no server can change; drain it, remove it by hand and run this again",
            before.retention, config.retention
        );
        return Err(BusError::Topology { what: "stream", name, reason });
    }
    let info = context.update_stream(config).await.map_err(|error| refused("stream", &name, &error))?;
    Ok(change(if info.config == before { Action::Unchanged } else { Action::Updated }))
}

async fn apply_consumer(context: &Context, consumer: Consumer, args: &TopologyArgs) -> Result<Change, BusError> {
    let change = |action| Change { what: "consumer", name: consumer.name.to_owned(), action };
    let found = context.get_consumer_from_stream::<pull::Config, _, _>(consumer.name, consumer.stream).await;
    let Ok(found) = found else {
        create_consumer(context, consumer, args).await?;
        return Ok(change(Action::Created));
    };
    let before = found.cached_info().config.clone();
    let config = consumer_config(consumer, args);
    let updated = context.update_consumer_on_stream(config, consumer.stream).await;
    let updated = updated.map_err(|error| refused("consumer", consumer.name, &error))?;
    Ok(change(if updated.cached_info().config == before { Action::Unchanged } else { Action::Updated }))
}

async fn create_consumer(context: &Context, consumer: Consumer, args: &TopologyArgs) -> Result<(), BusError> {
    let found = context.get_consumer_from_stream::<pull::Config, _, _>(consumer.name, consumer.stream).await;
    if found.is_ok() {
        return Ok(());
    }
    let config = consumer_config(consumer, args);
    let created = context.create_consumer_on_stream(config, consumer.stream).await;
    created.map(|_| ()).map_err(|error| refused("consumer", consumer.name, &error))
}

async fn ensure_bucket(context: &Context, args: &TopologyArgs) -> Result<Change, BusError> {
    let change = |action| Change { what: "bucket", name: BUNDLES.to_owned(), action };
    if context.get_object_store(BUNDLES).await.is_ok() {
        return Ok(change(Action::Unchanged));
    }
    let created = context.create_object_store(bucket_config(args)).await;
    created.map_err(|error| refused("bucket", BUNDLES, &error))?;
    Ok(change(Action::Created))
}
