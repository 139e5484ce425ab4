//! Small values by key, in buckets that forget them: read and written directly, without a consumer for each look.

use async_nats::HeaderMap;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::stream::{DirectGetError, DirectGetErrorKind};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};

use crate::bus::Bus;
use crate::error::BusError;
use crate::headers;
use crate::topology::Bucket;

/// Says of a message in a bucket that it is no value: its key was removed.
const OPERATION: &str = "KV-Operation";

impl Bus {
    /// Keeps `value` under `key`, in place of what was there. A missing bucket is created.
    ///
    /// # Errors
    /// If it may not be kept.
    pub(crate) async fn put_value(&self, bucket: Bucket, key: &str, value: Vec<u8>) -> Result<(), BusError> {
        self.change_value(bucket, key, HeaderMap::new(), value.into()).await
    }

    /// Removes what is kept under `key`.
    ///
    /// # Errors
    /// If it may still be there.
    pub(crate) async fn remove_value(&self, bucket: Bucket, key: &str) -> Result<(), BusError> {
        let mut headers = HeaderMap::new();
        headers.insert(OPERATION, "DEL");
        self.change_value(bucket, key, headers, Bytes::new()).await
    }

    async fn change_value(&self, bucket: Bucket, key: &str, headers: HeaderMap, value: Bytes) -> Result<(), BusError> {
        let message = PublishMessage::build().headers(headers).payload(value);
        let changed = match self.change_once(bucket, key, message.clone()).await {
            Err(error) if error.kind() == PublishErrorKind::StreamNotFound => {
                self.restore_topology().await?;
                self.change_once(bucket, key, message).await
            }
            changed => changed,
        };
        changed.map_err(|error| failed("write", bucket, key, &error))
    }

    async fn change_once(&self, bucket: Bucket, key: &str, message: PublishMessage) -> Result<(), PublishError> {
        self.context().send_publish(subject(bucket, key), message).await?.await.map(|_| ())
    }

    /// What is kept under `key`, if anything is.
    ///
    /// # Errors
    /// If the bucket cannot be asked, or is not there.
    pub(crate) async fn value(&self, bucket: Bucket, key: &str) -> Result<Option<Bytes>, BusError> {
        let stream = self.context().get_stream_no_info(stream(bucket)).await;
        let stream = stream.map_err(|error| failed("read", bucket, key, &error))?;
        match found(stream.direct_get_last_for_subject(subject(bucket, key)).await) {
            Ok(message) => Ok(message.filter(is_value).map(|message| message.payload)),
            Err(error) => Err(failed("read", bucket, key, &error)),
        }
    }

    /// Everything that is kept, at most `max` values.
    ///
    /// # Errors
    /// If the bucket cannot be asked, or is not there.
    pub(crate) async fn values(&self, bucket: Bucket, max: usize) -> Result<Vec<Bytes>, BusError> {
        Ok(self.kept(bucket, max).await?.into_iter().map(|message| message.payload).collect())
    }

    /// The keys of everything that is kept, at most `max`.
    ///
    /// # Errors
    /// If the bucket cannot be asked, or is not there.
    pub(crate) async fn keys(&self, bucket: Bucket, max: usize) -> Result<Vec<String>, BusError> {
        let kept = self.kept(bucket, max).await?;
        Ok(kept.iter().filter_map(|message| key_of(bucket, &message.subject)).collect())
    }

    /// Keys of values as they are put from now on. Listened to where they are published: the client's own watch has a
    /// consumer, and whoever may make one may have it deliver to any subject, so that no worker's key allows it.
    ///
    /// # Errors
    /// If there is no connection any more.
    pub(crate) async fn new_keys(&self, bucket: Bucket) -> Result<impl Stream<Item = String> + Unpin, BusError> {
        let messages = self.context().client().subscribe(subject(bucket, "*")).await;
        let messages = messages.map_err(|error| failed("watch", bucket, "all", &error))?;
        Ok(Box::pin(messages.filter_map(move |message| {
            let is_value = headers::get(message.headers.as_ref(), OPERATION).is_none();
            std::future::ready(key_of(bucket, &message.subject).filter(|_| is_value))
        })))
    }

    async fn kept(&self, bucket: Bucket, max: usize) -> Result<Vec<StreamMessage>, BusError> {
        let all = subject(bucket, ">");
        let stream = self.context().get_stream_no_info(stream(bucket)).await;
        let stream = stream.map_err(|error| failed("read", bucket, "all", &error))?;
        let (mut kept, mut after) = (Vec::new(), 0);
        while kept.len() < max {
            let next = stream.direct_get_next_for_subject(all.as_str(), Some(after + 1)).await;
            let Some(message) = found(next).map_err(|error| failed("read", bucket, "all", &error))? else { break };
            after = message.sequence;
            if is_value(&message) {
                kept.push(message);
            }
        }
        Ok(kept)
    }
}

fn key_of(bucket: Bucket, text: &str) -> Option<String> {
    text.strip_prefix(&subject(bucket, "")).map(str::to_owned)
}

fn stream(bucket: Bucket) -> String {
    format!("KV_{}", bucket.name)
}

fn subject(bucket: Bucket, key: &str) -> String {
    format!("$KV.{}.{key}", bucket.name)
}

fn found(answer: Result<StreamMessage, DirectGetError>) -> Result<Option<StreamMessage>, DirectGetError> {
    match answer {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_value(message: &StreamMessage) -> bool {
    headers::get(Some(&message.headers), OPERATION).is_none()
}

fn failed(action: &'static str, bucket: Bucket, key: &str, error: &dyn std::fmt::Display) -> BusError {
    BusError::Value { action, name: format!("{}/{key}", bucket.name), reason: error.to_string() }
}
