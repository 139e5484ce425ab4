//! How the topology comes to be: created, updated, refused; a stream is never deleted.

use async_nats::jetstream::consumer::{Config as ConsumerConfig, IntoConsumerConfig as _, PullConsumer};

use async_nats::jetstream::context::{Context, GetStreamErrorKind};
use async_nats::jetstream::stream::{Config, ConsumerErrorKind};
use futures::TryStreamExt as _;

use super::drift::{self, Difference};
use super::{CONSUMERS, Consumer, RETIRED, buckets, consumer_config, streams};
use crate::config::TopologyArgs;
use crate::error::BusError;

/// What was done to one part of the topology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `stream`, `consumer` or `bucket`.
    pub what: &'static str,
    /// Its name.
    pub name: String,
    /// What was done.
    pub action: Action,
    /// How it differed from what it is now, where it was updated.
    pub differences: Vec<Difference>,
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
    /// It was of an earlier version, and in the way.
    Removed,
}

/// Creates what is missing and updates what differs; what exists beyond this is left alone.
///
/// # Errors
/// If the server refuses, e.g. a change of retention: what to do is in the error, nothing is deleted to make it fit.
pub async fn apply(context: &Context, args: &TopologyArgs) -> Result<Vec<Change>, BusError> {
    let mut changes = Vec::new();
    for config in streams(args) {
        changes.push(apply_stream(context, "stream", config).await?);
    }
    for (stream, name) in RETIRED {
        changes.extend(retire(context, stream, name).await);
    }
    for consumer in CONSUMERS {
        changes.push(apply_consumer(context, consumer, args).await?);
    }
    for config in buckets(args) {
        changes.push(apply_stream(context, "bucket", config).await?);
    }
    Ok(changes)
}

/// Creates what is missing and touches nothing else: what a role does when the server lost its store.
///
/// # Errors
/// If the server refuses or cannot be reached.
pub async fn restore(context: &Context, args: &TopologyArgs) -> Result<(), BusError> {
    for config in streams(args) {
        restore_stream(context, "stream", config).await?;
    }
    for consumer in CONSUMERS {
        if find_consumer(context, consumer).await?.is_none() {
            create_consumer(context, consumer, args).await?;
        }
    }
    for config in buckets(args) {
        restore_stream(context, "bucket", config).await?;
    }
    Ok(())
}

/// Compares and changes nothing. Empty if everything is as it should be.
///
/// # Errors
/// If the server cannot be asked.
pub async fn check(context: &Context, args: &TopologyArgs) -> Result<Vec<Difference>, BusError> {
    let mut differences = Vec::new();
    for config in streams(args) {
        match find_stream(context, "stream", &config.name).await? {
            Some(found) => {
                differences.extend(drift::stream("stream", &found, &config));
                let names = consumer_names(context, &config.name).await?;
                differences.extend(drift::unknown_consumers(&config.name, names));
            }
            None => differences.push(Difference::missing("stream", &config.name)),
        }
    }
    for consumer in CONSUMERS {
        match find_consumer(context, consumer).await? {
            Some(found) => differences.extend(drift::consumer(&found, &wanted(consumer, args))),
            None => differences.push(Difference::missing("consumer", consumer.name)),
        }
    }
    for config in buckets(args) {
        match find_stream(context, "bucket", &config.name).await? {
            Some(found) => differences.extend(drift::stream("bucket", &found, &config)),
            None => differences.push(Difference::missing("bucket", &config.name)),
        }
    }
    Ok(differences)
}

fn refused(what: &'static str, name: &str, error: &dyn std::fmt::Display) -> BusError {
    BusError::Topology { what, name: drift::shown_name(what, name).to_owned(), reason: error.to_string() }
}

/// A server that does not answer has not said that there is no stream.
async fn find_stream(context: &Context, what: &'static str, name: &str) -> Result<Option<Config>, BusError> {
    match context.get_stream(name).await {
        Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
        Err(error) if is_missing(error.kind()) => Ok(None),
        Err(error) => Err(refused(what, name, &error)),
    }
}

fn is_missing(kind: GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error) if error.code() == 404)
}

async fn restore_stream(context: &Context, what: &'static str, config: Config) -> Result<(), BusError> {
    let name = config.name.clone();
    let created = context.get_or_create_stream(config).await;
    created.map(|_| ()).map_err(|error| refused(what, &name, &error))
}

async fn apply_stream(context: &Context, what: &'static str, config: Config) -> Result<Change, BusError> {
    let name = config.name.clone();
    let change =
        |action, differences| Change { what, name: drift::shown_name(what, &name).to_owned(), action, differences };
    let Some(before) = find_stream(context, what, &name).await? else {
        context.create_stream(config).await.map_err(|error| refused(what, &name, &error))?;
        return Ok(change(Action::Created, Vec::new()));
    };
    if before.retention != config.retention {
        let reason = format!(
            "it keeps messages by {:?} and should by {:?}, which no server can change; drain it, remove it by hand and run this again",
            before.retention, config.retention
        );
        return Err(BusError::Topology { what, name, reason });
    }
    let differences = drift::stream(what, &before, &config);
    if differences.is_empty() {
        return Ok(change(Action::Unchanged, differences));
    }
    context.update_stream(config).await.map_err(|error| refused(what, &name, &error))?;
    Ok(change(Action::Updated, differences))
}

async fn find_consumer(context: &Context, consumer: Consumer) -> Result<Option<ConsumerConfig>, BusError> {
    let Consumer { stream, name, .. } = consumer;
    let found: Result<PullConsumer, _> = context.get_consumer_from_stream(name, stream).await;
    match found {
        Ok(found) => Ok(Some(found.cached_info().config.clone())),
        Err(error) => match error.kind() {
            ConsumerErrorKind::JetStream(error) if error.code() == 404 => Ok(None),
            _ => Err(refused("consumer", name, &error)),
        },
    }
}

fn wanted(consumer: Consumer, args: &TopologyArgs) -> ConsumerConfig {
    consumer_config(consumer, args).into_consumer_config()
}

async fn apply_consumer(context: &Context, consumer: Consumer, args: &TopologyArgs) -> Result<Change, BusError> {
    let name = consumer.name;
    let change = |action, differences| Change { what: "consumer", name: name.to_owned(), action, differences };
    let Some(before) = find_consumer(context, consumer).await? else {
        create_consumer(context, consumer, args).await?;
        return Ok(change(Action::Created, Vec::new()));
    };
    let differences = drift::consumer(&before, &wanted(consumer, args));
    if differences.is_empty() {
        return Ok(change(Action::Unchanged, differences));
    }
    let updated = context.update_consumer_on_stream(consumer_config(consumer, args), consumer.stream).await;
    updated.map_err(|error| refused("consumer", name, &error))?;
    Ok(change(Action::Updated, differences))
}

async fn create_consumer(context: &Context, consumer: Consumer, args: &TopologyArgs) -> Result<(), BusError> {
    let created = context.create_consumer_on_stream(consumer_config(consumer, args), consumer.stream).await;
    created.map(|_| ()).map_err(|error| refused("consumer", consumer.name, &error))
}

/// Names of all consumers of a stream.
async fn consumer_names(context: &Context, stream: &str) -> Result<Vec<String>, BusError> {
    let failed = |error: &dyn std::fmt::Display| refused("stream", stream, error);
    let found = context.get_stream(stream).await.map_err(|error| failed(&error))?;
    found.consumer_names().try_collect().await.map_err(|error| failed(&error))
}

/// Removes a consumer of an earlier version, if it is there.
async fn retire(context: &Context, stream: &'static str, name: &'static str) -> Option<Change> {
    let stream = context.get_stream_no_info(stream).await.ok()?;
    stream.delete_consumer(name).await.ok()?;
    Some(Change { what: "consumer", name: name.to_owned(), action: Action::Removed, differences: Vec::new() })
}
