//! The connection to the queue: publishes with an identity, and waits until the server has stored it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::context::{Context, ContextBuilder, ObjectStoreError, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::object_store::ObjectStore;
use bytes::Bytes;
use schemas::dead_letter::DeadLetter;
use schemas::event::AuditEvent;
use schemas::ids::{AuditId, TraceId};
use schemas::request::AuditRequest;
use schemas::task::Task;
use serde::Serialize;
use time::OffsetDateTime;
use tokio::sync::OnceCell;

use crate::config::{NatsArgs, TopologyArgs};
use crate::error::BusError;
use crate::headers;
use crate::heartbeat::Heartbeats;
use crate::permissions::Role;
use crate::server::Server;
use crate::subject::{Origin, Subject};
use crate::topology;
use crate::topology::drift::Difference;

/// How long a server may take to store a message before the outcome counts as unknown.
/// A disk that is full or broken gives no error, only silence, so this is also how fast that is noticed.
pub(crate) const ACK_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a task stays in the queue after its deadline: a receiver that comes to it within this time buries it with what
/// it knows.
const TTL_GRACE: time::Duration = time::Duration::minutes(2);
/// How long a process that ends waits for its last words to be sent.
const FLUSH_TIME_MAX: Duration = Duration::from_secs(1);

/// The connection to the queue. Clones share it.
#[derive(Clone)]
pub struct Bus {
    context: Context,
    server: Server,
    topology: TopologyArgs,
    bundles: Arc<OnceCell<ObjectStore>>,
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("topology", &self.topology).finish_non_exhaustive()
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// It is stored.
    Stored,
    /// The same message was stored before, or one on its subject is still pending where only one may be.
    AlreadyThere,
}

/// When a task was published and until when it has time.
#[derive(Debug, Clone, Copy)]
pub struct TaskTimes {
    /// How often it was published before.
    pub generation: i32,
    /// When it is published.
    pub enqueued: OffsetDateTime,
    /// When it is given up whatever the reason.
    pub deadline: OffsetDateTime,
}

impl Bus {
    /// Connects and goes on reconnecting for ever, with a pause that grows to two seconds. `process` is shown on the
    /// server, and with a key it must be the role that the key is for: see [`Role::of_process`].
    ///
    /// # Errors
    /// If the key cannot be read, or the first connection cannot be made.
    pub async fn connect(args: &NatsArgs, process: &str) -> Result<Self, BusError> {
        let server = Server::new(args, Role::of_process(process))?;
        let client = server.connect(process).await?;
        let context = ContextBuilder::new().timeout(ACK_TIMEOUT).ack_timeout(ACK_TIMEOUT);
        let context = context.api_prefix(server.api_prefix()).build(client);
        Ok(Self { context, server, topology: args.topology.clone(), bundles: Arc::default() })
    }

    /// The JetStream context, for this crate's own modules.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// The bucket to read from, as it was first seen: to look for it at each read is a round trip that tells nothing new.
    pub(crate) async fn bundles(&self) -> Result<&ObjectStore, ObjectStoreError> {
        self.bundles.get_or_try_init(|| self.context.get_object_store(topology::BUNDLES)).await
    }

    /// Starts the thread that says of held messages that they are still worked on, three times in each ack wait, unless
    /// one step of that work takes longer than `step_time_max`.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn heartbeats(&self, step_time_max: Duration) -> Result<Heartbeats, BusError> {
        let period = Duration::from_secs(self.topology.ack_wait_secs) / 3;
        Heartbeats::start(self.server.clone(), period, step_time_max)
    }

    /// Waits until all that was said so far is on its way, for a moment at most.
    ///
    /// # Errors
    /// If it is not.
    pub async fn flush(&self) -> Result<(), BusError> {
        let flushed = tokio::time::timeout(FLUSH_TIME_MAX, self.context.client().flush()).await;
        match flushed {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(BusError::Flush { reason: error.to_string() }),
            Err(_elapsed) => Err(BusError::Flush { reason: "the server does not take it".to_owned() }),
        }
    }

    /// How many connections there have been; another number says that something may have been missed.
    pub(crate) fn connections(&self) -> u64 {
        self.context.client().statistics().connects.load(Ordering::Relaxed)
    }

    /// Whether the server can be talked to now.
    pub async fn is_up(&self) -> bool {
        matches!(tokio::time::timeout(Duration::from_secs(2), self.context.query_account()).await, Ok(Ok(_)))
    }

    /// Creates and updates streams and consumers; see [`topology::apply()`].
    ///
    /// # Errors
    /// As [`topology::apply()`].
    pub async fn apply_topology(&self) -> Result<Vec<topology::Change>, BusError> {
        topology::apply(&self.context, &self.topology).await
    }

    /// What differs from the topology as it should be; see [`topology::apply::check`].
    ///
    /// # Errors
    /// As [`topology::apply::check`].
    pub async fn check_topology(&self) -> Result<Vec<Difference>, BusError> {
        topology::apply::check(&self.context, &self.topology).await
    }

    /// Creates streams and consumers that are missing; see [`topology::restore`].
    ///
    /// # Errors
    /// As [`topology::restore`]; [`BusError::NotRestored`] if this role's key does not allow it: a planner does it soon.
    pub async fn restore_topology(&self) -> Result<(), BusError> {
        if !self.server.restores() {
            return Err(BusError::NotRestored);
        }
        topology::restore(&self.context, &self.topology).await
    }

    /// Publishes `body` as JSON and waits until it is stored. A missing stream is created and the publish repeated once.
    ///
    /// # Errors
    /// If it may not have been stored: publish again, with the same `message_id`.
    pub async fn publish<T: Serialize + Sync>(
        &self,
        subject: &Subject,
        message_id: &str,
        trace: TraceId,
        body: &T,
    ) -> Result<Published, BusError> {
        self.publish_json(subject, headers::of(message_id, trace, subject.audit()), body).await
    }

    /// Asks for an audit on the subject of its project.
    ///
    /// # Errors
    /// As [`Bus::publish`].
    pub async fn publish_request(
        &self,
        message_id: &str,
        trace: TraceId,
        request: &AuditRequest,
    ) -> Result<Published, BusError> {
        let subject = Subject::ProjectRequest(request.project.clone());
        self.publish_json(&subject, headers::of(message_id, trace, request.audit), request).await
    }

    /// As [`Bus::publish`], for a body that is JSON already and is about an audit, if it is known.
    ///
    /// # Errors
    /// As [`Bus::publish`].
    pub async fn publish_raw(
        &self,
        subject: &str,
        message_id: &str,
        trace: TraceId,
        audit: Option<AuditId>,
        body: Bytes,
    ) -> Result<Published, BusError> {
        self.publish_with(subject.to_owned(), headers::of(message_id, trace, audit), body).await
    }

    async fn publish_json<T: Serialize + Sync>(
        &self,
        subject: &Subject,
        headers: HeaderMap,
        body: &T,
    ) -> Result<Published, BusError> {
        let subject = subject.to_string();
        match serde_json::to_vec(body) {
            Ok(body) => self.publish_with(subject, headers, body.into()).await,
            Err(source) => Err(BusError::Encode { subject, source }),
        }
    }

    async fn publish_with(&self, subject: String, headers: HeaderMap, body: Bytes) -> Result<Published, BusError> {
        match self.publish_once(&subject, headers.clone(), body.clone()).await {
            Err(error) if error.kind() == PublishErrorKind::StreamNotFound => {
                self.restore_topology().await?;
                self.publish_once(&subject, headers, body).await
            }
            other => other,
        }
        .map_err(|source| BusError::Publish { subject, source })
    }

    async fn publish_once(&self, subject: &str, headers: HeaderMap, body: Bytes) -> Result<Published, PublishError> {
        let message = PublishMessage::build().headers(headers).payload(body);
        let ack = self.context.send_publish(subject.to_owned(), message).await?;
        match ack.await {
            Ok(ack) if ack.duplicate => Ok(Published::AlreadyThere),
            Ok(_) => Ok(Published::Stored),
            Err(error) if is_subject_taken(&error) => Ok(Published::AlreadyThere),
            Err(error) => Err(error),
        }
    }

    /// Publishes a task with its times. The server drops it some time after its deadline, when every receiver has had
    /// its chance to say so; the reconciler answers for it then.
    ///
    /// # Errors
    /// As [`Bus::publish`].
    pub async fn publish_task(
        &self,
        subject: &Subject,
        message_id: &str,
        trace: TraceId,
        task: &Task,
        times: &TaskTimes,
    ) -> Result<(), BusError> {
        let mut headers = headers::of(message_id, trace, subject.audit());
        let millis = |at: OffsetDateTime| (at.unix_timestamp_nanos() / 1_000_000).to_string();
        let seconds_left = (times.deadline - times.enqueued + TTL_GRACE).whole_seconds().max(1);
        headers.insert(headers::GENERATION, times.generation.to_string());
        headers.insert(headers::ENQUEUED, millis(times.enqueued));
        headers.insert(headers::DEADLINE, millis(times.deadline));
        headers.insert(headers::TTL, format!("{seconds_left}s"));
        if let Some(bundle) = &task.bundle {
            headers.insert(headers::BUNDLE, bundle.as_str());
        }
        self.publish_json(subject, headers, task).await.map(|_| ())
    }

    /// Publishes an event. Events of one audit and kind carry what makes them differ in `message_id`.
    ///
    /// # Errors
    /// As [`Bus::publish`].
    pub async fn publish_event(&self, event: &AuditEvent, message_id: &str, trace: TraceId) -> Result<(), BusError> {
        let subject = Subject::Event(event.project.clone(), event.audit, event.kind);
        self.publish(&subject, message_id, trace, event).await.map(|_| ())
    }

    /// Keeps a message that nobody can use, and tells whoever watches. The id is made of the message and its trace, so
    /// that burying it twice leaves one letter, and the same text that dies again after it was requeued leaves another.
    ///
    /// # Errors
    /// As [`Bus::publish`].
    pub async fn bury(&self, origin: Origin, letter: &DeadLetter, trace: TraceId) -> Result<(), BusError> {
        let id = format!("D:{}:{trace}", letter.identity());
        let subject = letter.subject.parse::<Subject>().ok();
        let audit = subject.as_ref().and_then(Subject::audit);
        let project = subject.as_ref().and_then(Subject::project).cloned();
        let mut headers = headers::of(&id, trace, audit);
        headers.insert(headers::CAUSE, letter.cause.as_str());
        self.publish_json(&Subject::DeadLetter(letter.cause, origin), headers, letter).await?;
        let event = AuditEvent::new(schemas::event::EventKind::Rejected, project, audit).with_reason(&letter.reason);
        self.publish_event(&event, &format!("E:{id}"), trace).await
    }
}

/// Whether the stream keeps one message per subject and has one: the code is shared with full streams, the text is not.
fn is_subject_taken(error: &PublishError) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.to_string().contains("maximum messages per subject"))
}
