//! How far a stream, consumer or bucket is from what it should be, field by field; pure.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use async_nats::jetstream::consumer::Config as ConsumerConfig;
use async_nats::jetstream::stream::Config;
use serde_json::{Map, Value};

use super::CONSUMERS;

/// Settings that are nobody's wish: notes of the server's own.
const OF_THE_SERVER: [&str; 2] = ["metadata", "first_seq"];

/// Settings that the server fills in by itself where none are asked for.
const CHOSEN_BY_THE_SERVER: [&str; 2] = ["duplicate_window", "max_waiting"];

/// Settings that are lengths of time, in nanoseconds on the wire.
const TIMES: [&str; 6] =
    ["max_age", "duplicate_window", "ack_wait", "inactive_threshold", "max_expires", "idle_heartbeat"];

/// Most consumers of one stream that are named as unknown: a leak has thousands, and the first ones tell as much.
const UNKNOWN_MAX: usize = 20;

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    what: &'static str,
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Missing,
    Field { field: String, is: String, should: String },
    UnknownConsumer(String),
    MoreUnknown(usize),
}

impl Difference {
    /// It is not there. `what` is `stream`, `consumer` or `bucket`.
    pub(super) fn missing(what: &'static str, name: &str) -> Self {
        Self { what, name: shown_name(what, name).to_owned(), kind: Kind::Missing }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.what, self.name)?;
        match &self.kind {
            Kind::Missing => f.write_str("is missing"),
            Kind::Field { field, is, should } => write!(f, "{field} is {is} and should be {should}"),
            Kind::UnknownConsumer(name) => write!(f, "has an unknown consumer {name:?}"),
            Kind::MoreUnknown(count) => write!(f, "has {count} more unknown consumers"),
        }
    }
}

/// The name under which people know it: a bucket's without what the client puts before it.
pub(super) fn shown_name<'a>(what: &str, stream: &'a str) -> &'a str {
    match stream.split_once('_') {
        Some((_, name)) if what == "bucket" => name,
        _ => stream,
    }
}

/// Differences between a stream, or the stream behind a bucket, and what it should be.
pub(super) fn stream(what: &'static str, is: &Config, should: &Config) -> Vec<Difference> {
    between(what, shown_name(what, &should.name), &fields(is), &fields(should))
}

/// Differences between a consumer and what it should be.
pub(super) fn consumer(is: &ConsumerConfig, should: &ConsumerConfig) -> Vec<Difference> {
    let name = should.durable_name.as_deref().unwrap_or_default();
    let (mut is, mut should) = (fields(is), fields(should));
    // The server repeats the durable name as the name.
    is.remove("name");
    should.remove("name");
    between("consumer", name, &is, &should)
}

/// Consumers of a stream that are none of ours. On a work queue they take messages away from the roles.
pub(super) fn unknown_consumers(stream: &str, names: Vec<String>) -> Vec<Difference> {
    let is_ours = |name: &String| CONSUMERS.iter().any(|ours| ours.stream == stream && ours.name == name);
    let mut unknown: Vec<String> = names.into_iter().filter(|name| !is_ours(name)).collect();
    unknown.sort();
    let difference = |kind| Difference { what: "stream", name: stream.to_owned(), kind };
    let more = unknown.len().saturating_sub(UNKNOWN_MAX);
    unknown.truncate(UNKNOWN_MAX);
    let named = unknown.into_iter().map(|name| difference(Kind::UnknownConsumer(name)));
    named.chain((more > 0).then(|| difference(Kind::MoreUnknown(more)))).collect()
}

/// The settings under the names that the server and its tools use.
fn fields(config: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(config) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn between(what: &'static str, name: &str, is: &Map<String, Value>, should: &Map<String, Value>) -> Vec<Difference> {
    let names: BTreeSet<&String> = is.keys().chain(should.keys()).collect();
    let differing = names.into_iter().filter(|field| {
        let (is, should) = (is.get(*field), should.get(*field));
        let is_left_open = is_unset(should) && CHOSEN_BY_THE_SERVER.contains(&field.as_str());
        let is_the_same = is == should || (is_unset(is) && is_unset(should));
        !(is_the_same || is_left_open || OF_THE_SERVER.contains(&field.as_str()))
    });
    differing
        .map(|field| {
            let kind = Kind::Field {
                field: field.clone(),
                is: shown(field, is.get(field)),
                should: shown(field, should.get(field)),
            };
            Difference { what, name: name.to_owned(), kind }
        })
        .collect()
}

/// Whether it says nothing: servers answer some of it as `-1`, some as zero and leave some out.
fn is_unset(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::Number(number)) => matches!(number.as_i64(), Some(0 | -1)),
        Some(Value::String(text)) => text.is_empty() || text == "none",
        Some(Value::Array(values)) => values.is_empty(),
        Some(Value::Object(values)) => values.is_empty(),
        Some(Value::Bool(true)) => false,
    }
}

fn shown(field: &str, value: Option<&Value>) -> String {
    match value {
        value if is_unset(value) => "not set".to_owned(),
        Some(Value::Number(number)) if TIMES.contains(&field) => {
            number.as_u64().map_or_else(|| number.to_string(), |nanos| format!("{:?}", Duration::from_nanos(nanos)))
        }
        // JSON escapes whatever a stranger may have written there.
        Some(value) => value.to_string(),
        None => "not set".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TopologyArgs;
    use crate::topology::{buckets, consumer_config, streams};
    use async_nats::jetstream::consumer::IntoConsumerConfig as _;
    use async_nats::jetstream::stream::Republish;

    fn tasks() -> Config {
        streams(&TopologyArgs::default()).into_iter().find(|stream| stream.name == "AUDIT_TASKS").unwrap()
    }

    fn shown(differences: &[Difference]) -> Vec<String> {
        differences.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_as_it_should_be_does_not_differ() {
        let args = TopologyArgs::default();
        for config in streams(&args).into_iter().chain(buckets(&args)) {
            assert_eq!(stream("stream", &config, &config), []);
        }
    }

    #[test]
    fn what_the_server_fills_in_does_not_differ() {
        let should = tasks();
        let is = Config {
            max_consumers: -1,
            metadata: [("_nats.ver".to_owned(), "2.15.1".to_owned())].into(),
            description: Some(String::new()),
            ..should.clone()
        };
        assert_eq!(stream("stream", &is, &should), []);
        let should = Config { duplicate_window: Duration::ZERO, max_messages: 0, ..tasks() };
        let is = Config { duplicate_window: Duration::from_secs(120), max_messages: -1, ..should.clone() };
        assert_eq!(stream("stream", &is, &should), []);
    }

    #[test]
    fn each_field_is_named_with_both_values() {
        let is = Config {
            max_bytes: 1,
            max_age: Duration::from_secs(90),
            subjects: vec!["a\n".to_owned()],
            discard_new_per_subject: false,
            republish: Some(Republish { source: ">".to_owned(), destination: "spy.>".to_owned(), headers_only: false }),
            ..tasks()
        };
        let expected = [
            "stream AUDIT_TASKS: discard_new_per_subject is not set and should be true",
            "stream AUDIT_TASKS: max_age is 90s and should be not set",
            "stream AUDIT_TASKS: max_bytes is 1 and should be 1073741824",
            "stream AUDIT_TASKS: republish is {\"dest\":\"spy.>\",\"headers_only\":false,\"src\":\">\"} and should be not set",
            "stream AUDIT_TASKS: subjects is [\"a\\n\"] and should be [\"audit.task.critical.*.*.*.*\",\
             \"audit.task.high.*.*.*.*\",\"audit.task.normal.*.*.*.*\",\"audit.task.low.*.*.*.*\"]",
        ];
        assert_eq!(shown(&stream("stream", &is, &tasks())), expected);
    }

    #[test]
    fn consumers_differ_by_what_is_set() {
        let should = consumer_config(CONSUMERS[0], &TopologyArgs::default()).into_consumer_config();
        let is = ConsumerConfig { name: should.durable_name.clone(), max_waiting: 512, ..should.clone() };
        assert_eq!(consumer(&is, &should), []);
        let is = ConsumerConfig { ack_wait: Duration::from_secs(1), max_deliver: 3, ..is };
        let expected = [
            "consumer planner: ack_wait is 1s and should be 30s",
            "consumer planner: max_deliver is 3 and should be 20",
        ];
        assert_eq!(shown(&consumer(&is, &should)), expected);
    }

    #[test]
    fn unknown_consumers_are_counted_beyond_a_limit() {
        let ours = ["worker-low", "worker-normal"].map(str::to_owned);
        assert_eq!(unknown_consumers("AUDIT_TASKS", ours.to_vec()), []);
        let leak = (0..25).map(|number| format!("spy-{number:02}"));
        let leak = unknown_consumers("AUDIT_TASKS", ours.into_iter().chain(leak).collect());
        assert_eq!(leak.len(), 21);
        assert_eq!(leak[0].to_string(), "stream AUDIT_TASKS: has an unknown consumer \"spy-00\"");
        assert_eq!(leak[20].to_string(), "stream AUDIT_TASKS: has 5 more unknown consumers");
    }
}
