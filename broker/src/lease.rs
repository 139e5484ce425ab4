//! A message held: it ends once, done or to be tried again or given up, and is kept alive in between.

use std::str::FromStr as _;
use std::time::Duration;

use async_nats::Request;
use async_nats::jetstream::message::Info;
use async_nats::jetstream::{AckKind, Message};
use schemas::MESSAGE_VERSION;
use schemas::ids::TraceId;
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::bus::ACK_TIMEOUT;
use crate::error::BusError;
use crate::headers;
use crate::subject::{InvalidSubject, Subject};

/// Longest pause before a message is tried again.
const RETRY_MAX: Duration = Duration::from_secs(300);

/// A message held by this process. Dropped without an end, it comes again after the consumer's ack wait.
#[derive(Debug)]
pub struct Lease {
    message: Message,
    heartbeat: Duration,
    trace: TraceId,
}

/// A message that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Its subject is none of ours.
    #[error(transparent)]
    Subject(#[from] InvalidSubject),
    /// It was written by another version of this program.
    #[error("message version `{0}` is not known here: this program reads version {MESSAGE_VERSION}")]
    Version(String),
    /// Its body is not the JSON that belongs on this subject.
    #[error("the body is not valid: {0}")]
    Body(#[from] serde_json::Error),
}

/// Keeps a lease alive while it exists; dropped, the lease runs out by itself.
#[derive(Debug)]
pub struct Heartbeat(JoinHandle<()>);

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Lease {
    pub(crate) fn new(message: Message, heartbeat: Duration) -> Self {
        let header = headers::get(message.headers.as_ref(), headers::TRACE).and_then(TraceId::from_traceparent);
        // Once, so that everything that comes of a message without a trace shares the one made up for it.
        let trace = header.unwrap_or_else(TraceId::random);
        Self { message, heartbeat, trace }
    }

    /// Where the message was published.
    pub fn subject_text(&self) -> &str {
        self.message.subject.as_str()
    }

    /// The body as it came.
    pub fn body(&self) -> &[u8] {
        &self.message.payload
    }

    /// How often it was delivered, this time included.
    pub fn attempts(&self) -> u64 {
        self.info().map_or(1, |info| info.delivered.unsigned_abs())
    }

    /// Seconds since 1970 at which the server stored it; zero if it does not say.
    pub fn published_unix_secs(&self) -> i64 {
        self.info().map_or(0, |info| info.published.unix_timestamp())
    }

    fn info(&self) -> Option<Info<'_>> {
        self.message.info().map_err(|error| tracing::error!(%error, "message without JetStream reply")).ok()
    }

    /// The trace that it belongs to; a fresh one if it names none.
    pub fn trace(&self) -> TraceId {
        self.trace
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        headers::get(self.message.headers.as_ref(), name)
    }

    /// Reads subject and body.
    ///
    /// # Errors
    /// If either is not what belongs here: such a message can only be buried.
    pub fn read<T: DeserializeOwned>(&self) -> Result<(Subject, T), Unreadable> {
        if let Some(version) = self.header(headers::SCHEMA)
            && version != MESSAGE_VERSION.to_string()
        {
            return Err(Unreadable::Version(version.chars().take(20).flat_map(char::escape_debug).collect()));
        }
        let subject = Subject::from_str(self.subject_text())?;
        Ok((subject, serde_json::from_slice(&self.message.payload)?))
    }

    /// Says "still at work" every third of the ack wait until the guard is dropped or `stop` is cancelled.
    #[must_use]
    pub fn keep_alive(&self, stop: CancellationToken) -> Heartbeat {
        let (_, acker) = self.message.clone().split();
        let period = self.heartbeat;
        Heartbeat(tokio::spawn(async move {
            while stop.run_until_cancelled(tokio::time::sleep(period)).await.is_some() {
                if let Err(error) = acker.ack_with(AckKind::Progress).await {
                    tracing::warn!(%error, "cannot extend a lease; it may be given to another");
                }
            }
        }))
    }

    /// It is dealt with: waits until the server knows. The answer comes to the inbox that the connection has for all
    /// requests; the client's own `double_ack` subscribes to another one for every message, which costs the server more
    /// than the acknowledgement.
    ///
    /// # Errors
    /// If the server may not know; then the message comes again, which must be harmless.
    pub async fn done(self) -> Result<(), BusError> {
        let Some(subject) = self.message.reply.clone() else {
            return Err(self.lost(&"it came from no stream"));
        };
        let request = Request::new().payload(AckKind::Ack.into()).timeout(Some(ACK_TIMEOUT));
        let answer = self.message.context.client().send_request(subject, request).await;
        answer.map(|_| ()).map_err(|error| self.lost(&error))
    }

    /// It is dealt with, and a repetition is harmless: does not wait.
    ///
    /// # Errors
    /// If it could not be sent.
    pub async fn done_unconfirmed(self) -> Result<(), BusError> {
        self.message.ack().await.map_err(|error| self.lost(&error))
    }

    /// It is to come again after a pause that grows with each attempt.
    ///
    /// # Errors
    /// If it could not be sent; then it comes again after the ack wait.
    pub async fn retry(self) -> Result<(), BusError> {
        let delay = retry_delay(self.attempts());
        self.message.ack_with(AckKind::Nak(Some(delay))).await.map_err(|error| self.lost(&error))
    }

    /// It is not to come again.
    ///
    /// # Errors
    /// If it could not be sent; then it comes again after the ack wait.
    pub async fn give_up(self) -> Result<(), BusError> {
        self.message.ack_with(AckKind::Term).await.map_err(|error| self.lost(&error))
    }

    fn lost(&self, error: &dyn std::fmt::Display) -> BusError {
        BusError::Acknowledge { subject: self.subject_text().to_owned(), reason: error.to_string() }
    }
}

/// 0.5 s, 1 s, 2 s … up to [`RETRY_MAX`].
fn retry_delay(attempts: u64) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1).min(16)).unwrap_or(16);
    RETRY_MAX.min(Duration::from_millis(500) * 2_u32.pow(doublings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stop_growing() {
        let pauses: Vec<_> = [1, 2, 3, 11, 99].map(retry_delay).into();
        assert_eq!(pauses[..3], [500, 1_000, 2_000].map(Duration::from_millis));
        assert_eq!(pauses[3..], [RETRY_MAX, RETRY_MAX]);
    }
}
