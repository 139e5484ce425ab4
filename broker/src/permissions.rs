//! What each role may publish and subscribe to: exactly what its code does, so that a stolen key is worth one role.

use schemas::request::Priority;

use crate::config::TopologyArgs;
use crate::topology::{self, AGGREGATOR, BUNDLES, Bucket, CONSUMERS, Consumer, FIRE, JANITOR, LETTERS, PLANNER};
use crate::topology::{RETRIES, STOPPED, WORKERS};

/// The account of the streams and of all roles but the worker.
pub const ACCOUNT: &str = "AUDIT";

/// The account of the workers. Permissions alone would not hold them: a server publishes its answer on whatever subject a
/// request names for it, without a look at who may publish there, so whoever may ask for anything in an account can have
/// anything said there, and streams removed. Between accounts an answer goes back to where the request came from.
pub const WORKERS_ACCOUNT: &str = "AUDIT_WORKERS";

/// The name of the server's interface to streams.
pub(crate) const API: &str = "$JS.API";

const EVENTS: &str = "audit.event.*.*.*";

/// Whose key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// `elder serve`.
    Serve,
    /// `elder planner`.
    Planner,
    /// `elder worker`.
    Worker,
    /// `elder aggregator`.
    Aggregator,
    /// Whoever watches events, e.g. with `nats sub`.
    Dashboard,
    /// Whoever sets the streams up and looks after them: `elder topology` and the other commands, `nats`.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Serve, Self::Planner, Self::Worker, Self::Aggregator, Self::Dashboard, Self::Operator];

    /// Its name in file names and inboxes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Planner => "planner",
            Self::Worker => "worker",
            Self::Aggregator => "aggregator",
            Self::Dashboard => "dashboard",
            Self::Operator => "operator",
        }
    }

    /// The role of a process, by the name that it connects with: whatever is none of the roles is a command of the
    /// operator's.
    pub fn of_process(name: &str) -> Self {
        Self::ALL.into_iter().find(|role| role.as_str() == name).unwrap_or(Self::Operator)
    }

    /// Where answers to its requests go. Not the client's usual prefix: whoever may listen there hears what others are
    /// answered, and a worker would read the audits of the API.
    pub fn inbox_prefix(self) -> String {
        format!("_INBOX_{}", self.as_str())
    }

    /// The account that its user is in.
    pub fn account(self) -> &'static str {
        if self == Self::Worker { WORKERS_ACCOUNT } else { ACCOUNT }
    }

    /// Under which name its requests to the server go. Not the usual one in the workers' account, since there the server
    /// answers to that itself: that the account has no streams.
    pub fn api_prefix(self) -> &'static str {
        if self == Self::Worker { "$JS.AUDIT.API" } else { API }
    }

    /// A subject of the streams' account under the name that it has for this role.
    pub fn named_here(self, subject: &str) -> String {
        match subject.strip_prefix(API) {
            Some(rest) => format!("{}{rest}", self.api_prefix()),
            None => subject.to_owned(),
        }
    }

    /// Whether it may make streams, consumers and buckets that are missing. The other roles wait until it has.
    pub fn restores(self) -> bool {
        matches!(self, Self::Planner | Self::Operator)
    }
}

/// Subjects that are granted for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What they are needed for.
    pub why: &'static str,
    /// Subjects, with the wildcards of NATS.
    pub subjects: Vec<String>,
}

/// All that a role may do; the rest is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// Where it may publish, and so also what it may ask of the server.
    pub publish: Vec<Grant>,
    /// What it may listen to.
    pub subscribe: Vec<Grant>,
}

/// Whether a request on `subject` is answered with more than one message.
pub fn has_many_answers(subject: &str) -> bool {
    subject.starts_with("$JS.API.CONSUMER.MSG.NEXT.")
}

/// What `role` may do, by the names that subjects have in the account of the streams.
pub fn of(role: Role) -> Permissions {
    let inbox = grant("answers to its own requests", [format!("{}.>", role.inbox_prefix())]);
    let (publish, subscribe) = match role {
        Role::Serve => (serve(), vec![inbox]),
        Role::Planner => (planner(), vec![inbox]),
        Role::Worker => (worker(), vec![inbox, stops()]),
        Role::Aggregator => (aggregator(), vec![inbox]),
        // No request, so no inbox. History is in the API: a consumer on the stream would be one more thing to clean up.
        Role::Dashboard => (Vec::new(), vec![grant("events as they happen", ["audit.event.>"])]),
        Role::Operator => (operator(), vec![operator_listens(inbox)]),
    };
    Permissions { publish, subscribe }
}

fn grant<S: Into<String>>(why: &'static str, subjects: impl IntoIterator<Item = S>) -> Grant {
    Grant { why, subjects: subjects.into_iter().map(Into::into).collect() }
}

fn serve() -> Vec<Grant> {
    vec![
        grant("whether the queue is up", ["$JS.API.INFO"]),
        grant(
            "how full the streams are",
            topology::stream_names().map(|stream| format!("$JS.API.STREAM.INFO.{stream}")),
        ),
        relay(),
        lists("which workers live", WORKERS),
    ]
}

fn planner() -> Vec<Grant> {
    let mut grants = receives(&[PLANNER, FIRE]);
    grants.extend([
        relay(),
        grant("requests that nobody can use, tasks that nobody answers", ["audit.dlq.*.request", "audit.dlq.*.task"]),
        grant("tasks that are not wanted any more leave the queue", ["$JS.API.STREAM.PURGE.AUDIT_TASKS"]),
        reads_objects(),
        writes_objects(),
        // A put that replaces an object clears the old one's chunks away.
        grant("bundles packed again", [format!("$JS.API.STREAM.PURGE.OBJ_{BUNDLES}")]),
        lists("which workers live", WORKERS),
        restores(),
    ]);
    grants
}

fn worker() -> Vec<Grant> {
    let mut grants = receives(&Priority::ALL.map(topology::worker));
    grants.extend([
        grant("results of its tasks", ["audit.result.*.*.*.*"]),
        // Only that something was refused: no worker may say that an audit was completed.
        grant("tasks that nobody can use", ["audit.dlq.*.task", "audit.event.*.*.rejected"]),
        reads_objects(),
        // It may write a bundle too, since both are named alike; what does not match its name is not used.
        writes_objects(),
        grant("that it lives", [format!("$KV.{}.>", WORKERS.name)]),
        grant("tries of a task", [format!("$KV.{}.>", RETRIES.name), looked_up(RETRIES)]),
        lists("which audits were stopped", STOPPED),
    ]);
    grants
}

fn aggregator() -> Vec<Grant> {
    let mut grants = receives(&[AGGREGATOR, LETTERS, JANITOR]);
    let died_in = ["AUDIT_REQ", "AUDIT_SCHED", "AUDIT_TASKS", "AUDIT_RESULTS"];
    grants.extend([
        grant("what became of an audit", [EVENTS]),
        reads_objects(),
        grant("messages that nobody can use", ["audit.dlq.*.*"]),
        grant(
            "messages that the server gave up: seen, then removed",
            died_in
                .iter()
                .flat_map(|stream| ["GET", "DELETE"].map(|verb| format!("$JS.API.STREAM.MSG.{verb}.{stream}"))),
        ),
    ]);
    grants
}

fn operator() -> Vec<Grant> {
    vec![
        grant("requests, tasks and letters by hand", ["audit.>"]),
        grant("streams, consumers and buckets", ["$JS.API.>", "$JS.FC.>"]),
        grant("messages taken by hand", ["$JS.ACK.>"]),
        grant("values and objects", ["$KV.>", "$O.>"]),
    ]
}

fn operator_listens(inbox: Grant) -> Grant {
    let subjects = ["audit.>", "$JS.EVENT.>", "_INBOX.>"].map(str::to_owned);
    Grant { why: "everything but the other roles' inboxes", subjects: [inbox.subjects, subjects.into()].concat() }
}

/// What the outbox holds. Every relay publishes all of it, so what one role records another may publish; requests and tasks
/// made by hand are in it when an operator has their dead letters published again.
fn relay() -> Grant {
    let stopped = format!("$KV.{}.*", STOPPED.name);
    let subjects = ["audit.request", "audit.request.*", "audit.task.*.*.*.*.*", EVENTS];
    grant(
        "the outbox: requests, events, stops, letters again",
        subjects.map(str::to_owned).into_iter().chain([stopped]),
    )
}

/// Finding a consumer, pulling from it, and ending what was pulled.
fn receives(consumers: &[Consumer]) -> Vec<Grant> {
    let of_each = |text: fn(&str, &str) -> String| consumers.iter().map(move |each| text(each.stream, each.name));
    vec![
        grant("its consumers", of_each(|stream, name| format!("$JS.API.CONSUMER.INFO.{stream}.{name}"))),
        grant("their messages", of_each(|stream, name| format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"))),
        // All tokens counted: a wildcard at the end would let one form of the subject pass as the other, and so a worker
        // acknowledge, and pull, the messages of any stream.
        grant("their ends", of_each(|stream, name| format!("$JS.ACK.{stream}.{name}.*.*.*.*.*"))),
        grant(
            "their ends, as newer servers say it",
            of_each(|stream, name| format!("$JS.ACK.*.*.{stream}.{name}.*.*.*.*.>")),
        ),
    ]
}

fn reads_objects() -> Grant {
    let stream = format!("OBJ_{BUNDLES}");
    grant(
        "bundles and large results to read",
        [
            format!("$JS.API.STREAM.INFO.{stream}"),
            // Chunks are asked for in the body of the request, names in its subject.
            format!("$JS.API.DIRECT.GET.{stream}"),
            format!("$JS.API.DIRECT.GET.{stream}.$O.{BUNDLES}.M.*"),
        ],
    )
}

fn writes_objects() -> Grant {
    grant("bundles and large results to keep", [format!("$O.{BUNDLES}.C.*"), format!("$O.{BUNDLES}.M.*")])
}

/// All values of a bucket, one after the other.
fn lists(why: &'static str, bucket: Bucket) -> Grant {
    grant(why, [format!("$JS.API.DIRECT.GET.KV_{}", bucket.name)])
}

/// One value of a bucket, by key.
fn looked_up(bucket: Bucket) -> String {
    format!("$JS.API.DIRECT.GET.KV_{name}.$KV.{name}.>", name = bucket.name)
}

/// Stops as they are published. Listened to without a consumer: whoever may make one may have it deliver anywhere.
fn stops() -> Grant {
    grant("which audits are stopped now", [format!("$KV.{}.*", STOPPED.name)])
}

/// Making, by name, what is missing: nothing can be changed, purged or removed with it but the settings of a consumer.
fn restores() -> Grant {
    let args = TopologyArgs::default();
    let streams = topology::streams(&args).into_iter().chain(topology::buckets(&args));
    let mut subjects: Vec<String> = streams
        .flat_map(|stream| ["INFO", "CREATE"].map(|verb| format!("$JS.API.STREAM.{verb}.{}", stream.name)))
        .collect();
    for Consumer { stream, name, filter, .. } in CONSUMERS {
        let filter = filter.map_or_else(String::new, |filter| format!(".{filter}"));
        subjects.push(format!("$JS.API.CONSUMER.INFO.{stream}.{name}"));
        subjects.push(format!("$JS.API.CONSUMER.CREATE.{stream}.{name}{filter}"));
    }
    grant("streams, consumers and buckets that a server has lost", subjects)
}
