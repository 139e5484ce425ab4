//! A message held: it ends once, done or to be tried again or given up, and is kept alive in between.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Request;
use async_nats::jetstream::message::Info;
use async_nats::jetstream::{AckKind, Message};
use schemas::MESSAGE_VERSION;
use schemas::ids::TraceId;
use schemas::retry::ErrorClass;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::bus::ACK_TIMEOUT;
use crate::error::BusError;
use crate::headers;
use crate::heartbeat::{Heartbeat, Heartbeats};
use crate::pulse::Pulse;
use crate::subject::{InvalidSubject, Subject};

/// Pause before a message that its holder has no time for goes to another: long enough for that one to be gone.
const RETURN_PAUSE: Duration = Duration::from_millis(250);

/// A message held by this process. Dropped without an end, it comes again after the consumer's ack wait.
#[derive(Debug)]
pub struct Lease {
    message: Message,
    trace: TraceId,
    heartbeat: Option<Heartbeat>,
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

impl Lease {
    pub(crate) fn new(message: Message) -> Self {
        let header = headers::get(message.headers.as_ref(), headers::TRACE).and_then(TraceId::from_traceparent);
        // Once, so that everything that comes of a message without a trace shares the one made up for it.
        let trace = header.unwrap_or_else(TraceId::random);
        Self { message, trace, heartbeat: None }
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

    /// The same in milliseconds.
    pub fn published_unix_millis(&self) -> i128 {
        self.info().map_or(0, |info| info.published.unix_timestamp_nanos() / 1_000_000)
    }

    /// When it is to be given up whatever the reason, in Unix milliseconds; `None` if its publisher set no limit.
    pub fn deadline_unix_millis(&self) -> Option<u64> {
        self.header(headers::DEADLINE)?.parse().ok()
    }

    /// How many messages its consumer had for others when it was delivered; zero if the server does not say.
    pub(crate) fn pending(&self) -> u64 {
        self.info().map_or(0, |info| info.pending)
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

    /// Has it said that this is still worked on, until it ends, for as long as `pulse` moves or waits.
    pub fn keep_alive(&mut self, heartbeats: &Heartbeats, pulse: &Arc<Pulse>) {
        match &self.heartbeat {
            Some(heartbeat) => heartbeat.follow(pulse),
            None => self.heartbeat = self.message.reply.clone().map(|reply| heartbeats.hold(reply, pulse)),
        }
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

    /// It is to come again after the pause that the retry law has for what went wrong.
    ///
    /// # Errors
    /// If it could not be sent; then it comes again after the ack wait.
    pub async fn retry(self, class: ErrorClass) -> Result<(), BusError> {
        let pause = class.pause(self.attempts(), jitter());
        self.come_again(pause).await
    }

    /// It is to go to another holder, since this one has no time for it.
    ///
    /// # Errors
    /// If it could not be sent; then it comes again after the ack wait.
    pub async fn hand_back(self) -> Result<(), BusError> {
        self.come_again(RETURN_PAUSE).await
    }

    async fn come_again(self, pause: Duration) -> Result<(), BusError> {
        self.message.ack_with(AckKind::Nak(Some(pause))).await.map_err(|error| self.lost(&error))
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

/// A random number from 0 to 1.
fn jitter() -> f64 {
    let [first, second, ..] = Uuid::new_v4().into_bytes();
    f64::from(u16::from_be_bytes([first, second])) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_spread_from_zero_to_one() {
        let mut numbers: Vec<f64> = (0..1_000).map(|_| jitter()).collect();
        numbers.sort_by(f64::total_cmp);
        assert!(numbers[0] >= 0.0 && numbers[100] < 0.25, "{numbers:?}");
        assert!(numbers[999] <= 1.0 && numbers[900] > 0.75, "{numbers:?}");
    }
}
