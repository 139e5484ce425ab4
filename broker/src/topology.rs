//! The streams, consumers and buckets as data; [`mod@apply`] is how they come to be, [`drift`] how far they are from this.

pub mod apply;
pub mod drift;

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Compression, Config, DiscardPolicy, RetentionPolicy};
use schemas::request::Priority;

use crate::config::TopologyArgs;
use crate::subject;

/// The stream of tasks.
pub(crate) const TASKS: &str = "AUDIT_TASKS";
pub use apply::{Action, Change, apply, restore};

/// The object store bucket of bundles and oversized results.
pub const BUNDLES: &str = "audit_bundles";

/// Messages held unacknowledged by all holders of one consumer together: bounds what a crash can make come again.
const ACK_PENDING_MAX: i64 = 5_000;

const MIB: i64 = 1024 * 1024;
const HOUR: Duration = Duration::from_secs(3_600);

/// Firings of one schedule that are kept: as many as are made up for after an outage at most. Those that were dealt with
/// are among them, since a stream that keeps schedules keeps what they fire too.
const FIRINGS_MAX: i64 = 100;

/// A schedule's message, headers included: a request is a few hundred bytes. Small, so that even thousands of schedules
/// with all their firings stay under the limit of the stream, which would drop the oldest schedule first.
const SCHEDULE_BYTES_MAX: i32 = 8 * 1024;

/// Deliveries after which the server gives a message up by itself: far more than any receiver allows, so that it only
/// happens to a message that nobody lives to say anything about.
const DELIVERIES_MAX: i64 = 20;

/// A durable pull consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consumer {
    /// The stream it reads.
    pub stream: &'static str,
    /// Its durable name.
    pub name: &'static str,
    /// The subjects it reads; all of the stream's if absent.
    pub filter: Option<&'static str>,
    /// Deliveries after which the server gives up; -1 for never.
    pub deliveries_max: i64,
}

const fn reads_all(stream: &'static str, name: &'static str, deliveries_max: i64) -> Consumer {
    Consumer { stream, name, filter: None, deliveries_max }
}

const fn reads_tasks(name: &'static str, filter: &'static str) -> Consumer {
    Consumer { stream: TASKS, name, filter: Some(filter), deliveries_max: DELIVERIES_MAX }
}

/// Requests, read by planners.
pub const PLANNER: Consumer = reads_all("AUDIT_REQ", "planner", DELIVERIES_MAX);
/// What schedules fire, read by planners. The schedules themselves are the server's to read.
pub const FIRE: Consumer =
    Consumer { stream: "AUDIT_SCHED", name: "fire", filter: Some("audit.fire.>"), deliveries_max: DELIVERIES_MAX };
/// Results, read by aggregators. Never given up by the server: a database may be away for long.
pub const AGGREGATOR: Consumer = reads_all("AUDIT_RESULTS", "aggregator", -1);
/// Dead letters, copied to the record by aggregators.
pub const LETTERS: Consumer = reads_all("AUDIT_DLQ", "letters", -1);
/// What the server says of messages that died in its hands, read by the janitor in aggregators.
pub const JANITOR: Consumer = reads_all("AUDIT_ADV", "janitor", -1);

/// Tasks of one priority, read by workers: one consumer each, so that an urgent task never stands behind others.
pub const fn worker(priority: Priority) -> Consumer {
    match priority {
        Priority::Critical => reads_tasks("worker-critical", "audit.task.critical.>"),
        Priority::High => reads_tasks("worker-high", "audit.task.high.>"),
        Priority::Normal => reads_tasks("worker-normal", "audit.task.normal.>"),
        Priority::Low => reads_tasks("worker-low", "audit.task.low.>"),
    }
}

/// Every consumer.
pub const CONSUMERS: [Consumer; 9] = [
    PLANNER,
    FIRE,
    worker(Priority::Critical),
    worker(Priority::High),
    worker(Priority::Normal),
    worker(Priority::Low),
    AGGREGATOR,
    LETTERS,
    JANITOR,
];

/// Consumers of earlier versions, by stream and name. They are removed, since the filters of a work queue may not overlap;
/// the messages that they had stay in the stream and come again.
const RETIRED: [(&str, &str); 1] = [("AUDIT_TASKS", "worker")];

/// Workers that live, by name, with what they are doing.
pub const WORKERS: Bucket = Bucket { name: "audit_workers", max_age: Duration::from_secs(30) };
/// Audits that were stopped, so that workers stop too.
pub const STOPPED: Bucket = Bucket { name: "audit_stopped", max_age: Duration::from_secs(24 * 3_600) };
/// Tries of a task that its worker ended by itself, as opposed to those that it did not survive.
pub const RETRIES: Bucket = Bucket { name: "audit_retries", max_age: Duration::from_secs(24 * 3_600) };

const BUCKETS: [Bucket; 3] = [WORKERS, STOPPED, RETRIES];

/// A bucket of small values that are forgotten by themselves; nothing in it is part of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: &'static str,
    /// How long a value is kept.
    pub max_age: Duration,
}

/// The names of the streams.
pub fn stream_names() -> impl Iterator<Item = &'static str> {
    ["AUDIT_REQ", FIRE.stream, TASKS, "AUDIT_RESULTS", "AUDIT_EVENTS", "AUDIT_DLQ", "AUDIT_ADV"].into_iter()
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
    let log = |name: &str, subjects: &[&str], age: Duration| Config {
        name: name.to_owned(),
        subjects: subjects.iter().map(|&subject| subject.to_owned()).collect(),
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
        schedules(log(FIRE.stream, &subject::SCHEDULES, Duration::ZERO)),
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
            // A task past its deadline leaves the queue even if every receiver is gone; the reconciler answers it.
            allow_message_ttl: true,
            ..work_queue(TASKS, &subject::TASKS)
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
            ..log("AUDIT_EVENTS", &[subject::EVENTS], 24 * HOUR)
        },
        Config {
            max_bytes: 512 * MIB,
            duplicate_window: HOUR,
            ..log("AUDIT_DLQ", &[subject::DEAD_LETTERS], 30 * 24 * HOUR)
        },
        Config {
            max_age: 7 * 24 * HOUR,
            max_bytes: 64 * MIB,
            discard: DiscardPolicy::Old,
            ..work_queue("AUDIT_ADV", &subject::ADVISORIES)
        },
    ]
}

/// The stream of schedules and of what they fire, which no server allows to be two streams.
fn schedules(log: Config) -> Config {
    Config {
        max_bytes: 512 * MIB,
        max_messages_per_subject: FIRINGS_MAX,
        max_message_size: SCHEDULE_BYTES_MAX,
        allow_message_schedules: true,
        // Both are asked for by the server: what fires may have a time to live, and a schedule replaces the one before.
        allow_message_ttl: true,
        allow_rollup: true,
        ..log
    }
}

/// A consumer, as it should be. Receivers count deliveries and bury before the server gives up; what it does give up
/// stays in the stream, and the janitor learns of it.
fn consumer_config(consumer: Consumer, args: &TopologyArgs) -> pull::Config {
    pull::Config {
        durable_name: Some(consumer.name.to_owned()),
        filter_subject: consumer.filter.unwrap_or_default().to_owned(),
        ack_policy: AckPolicy::Explicit,
        ack_wait: Duration::from_secs(args.ack_wait_secs),
        max_deliver: consumer.deliveries_max,
        max_ack_pending: ACK_PENDING_MAX,
        num_replicas: args.nats_replicas,
        ..pull::Config::default()
    }
}

/// The buckets, as they should be. A bucket is a stream by another name, and its settings are those that the client gives
/// it; spelled out here, so that what exists can be compared with them.
pub fn buckets(args: &TopologyArgs) -> Vec<Config> {
    let bucket = |name: String, subjects: Vec<String>| Config {
        name,
        subjects,
        discard: DiscardPolicy::New,
        num_replicas: args.nats_replicas,
        allow_rollup: true,
        allow_direct: true,
        ..Config::default()
    };
    let bundles = Config {
        description: Some("shards to read, and results too large for a message".to_owned()),
        // A bundle is needed until its tasks are done; the planner packs it again from the mirror if they take longer.
        max_age: 24 * HOUR,
        max_bytes: 4_096 * MIB,
        ..bucket(format!("OBJ_{BUNDLES}"), vec![format!("$O.{BUNDLES}.C.>"), format!("$O.{BUNDLES}.M.>")])
    };
    let values = |Bucket { name, max_age }: Bucket| Config {
        max_age,
        max_bytes: 64 * MIB,
        max_messages_per_subject: 1,
        deny_delete: true,
        ..bucket(format!("KV_{name}"), vec![format!("$KV.{name}.>")])
    };
    [bundles].into_iter().chain(BUCKETS.map(values)).collect()
}
