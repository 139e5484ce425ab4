//! Every subject of the product, in both directions: nowhere else is a dotted subject written.

use std::fmt;
use std::str::FromStr;

use schemas::dead_letter::Cause;
use schemas::event::EventKind;
use schemas::ids::{AuditId, InvalidId, ProjectSlug, ScheduleName};
use schemas::magic::UnknownMagic;
use schemas::request::{Priority, UnknownPriority};
use schemas::task::TaskKey;

use crate::topology;

/// Stands for a project or audit that a message did not name.
const UNKNOWN: &str = "_";

/// All audit requests, as a stream filter.
pub const REQUESTS: [&str; 2] = ["audit.request", "audit.request.*"];
/// All schedules that the server keeps, and what they fire, as stream filters.
pub const SCHEDULES: [&str; 2] = ["audit.sched.*.*", "audit.fire.*.*"];
/// All tasks, as stream filters: one for each priority that somebody reads, so that a task of any other is refused where
/// it is published instead of lying there unread.
pub const TASKS: [&str; 4] =
    ["audit.task.critical.*.*.*.*", "audit.task.high.*.*.*.*", "audit.task.normal.*.*.*.*", "audit.task.low.*.*.*.*"];
/// All tasks of one audit, as a filter.
pub(crate) fn tasks_of(project: &ProjectSlug, audit: AuditId) -> String {
    format!("audit.task.*.*.{project}.{audit}.>")
}

/// All tasks of one shard of an audit, as a filter.
pub(crate) fn tasks_of_shard(project: &ProjectSlug, audit: AuditId, shard: i32) -> String {
    format!("audit.task.*.*.{project}.{audit}.{shard}")
}

/// All results, as a stream filter.
pub const RESULTS: &str = "audit.result.*.*.*.*";
/// All events, as a stream filter.
pub const EVENTS: &str = "audit.event.*.*.*";
/// All dead letters, as a stream filter.
pub const DEAD_LETTERS: &str = "audit.dlq.*.*";

/// What the server says of messages that it gives up or that a receiver ended without an answer. `AUDIT_*` would be no
/// wildcard, so each stream is named.
pub const ADVISORIES: [&str; 8] = [
    "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.AUDIT_REQ.*",
    "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.AUDIT_SCHED.*",
    "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.AUDIT_TASKS.*",
    "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.AUDIT_RESULTS.*",
    "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.AUDIT_REQ.*",
    "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.AUDIT_SCHED.*",
    "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.AUDIT_TASKS.*",
    "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.AUDIT_RESULTS.*",
];

/// Where a message is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// `audit.request`: asks for an audit; the project is in the message.
    Request,
    /// `audit.request.<project>`: the same, from a door that may only ask for one project.
    ProjectRequest(ProjectSlug),
    /// `audit.fire.<project>.<name>`: a schedule that the server keeps asks for an audit.
    Fire(ProjectSlug, ScheduleName),
    /// `audit.task.<priority>.<magic>.<project>.<audit>.<shard>`
    Task(Priority, TaskKey),
    /// `audit.result.<magic>.<project>.<audit>.<shard>`
    Result(TaskKey),
    /// `audit.event.<project>.<audit>.<kind>`
    Event(Option<ProjectSlug>, Option<AuditId>, EventKind),
    /// `audit.dlq.<cause>.<origin>`
    DeadLetter(Cause, Origin),
    /// `$KV.audit_stopped.<audit>`: the key in the bucket that tells workers to stop; its value is the reason.
    Stopped(AuditId),
}

/// Which kind of message died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A request.
    Request,
    /// A task.
    Task,
    /// A result.
    Result,
}

impl Origin {
    /// What died on `subject`, also where the subject is not one of ours in all its parts.
    pub fn of(subject: &str) -> Option<Self> {
        let tokens: Vec<&str> = subject.split('.').collect();
        let name = match tokens.as_slice() {
            ["audit", "dlq", _, origin] => origin,
            // Whoever asks, a person or a schedule, it is a request that died.
            ["audit", "fire", ..] => return Some(Self::Request),
            ["audit", origin, ..] => origin,
            _ => return None,
        };
        [Self::Request, Self::Task, Self::Result].into_iter().find(|origin| origin.as_str() == *name)
    }

    /// The name in subjects, columns and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Task => "task",
            Self::Result => "result",
        }
    }
}

/// A subject that no message of ours has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubject {
    /// The tokens are not those of any subject.
    #[error("subject `{0}` is not of a known shape")]
    Shape(String),
    /// A priority that does not exist.
    #[error(transparent)]
    Priority(#[from] UnknownPriority),
    /// A magic that does not exist.
    #[error(transparent)]
    Magic(#[from] UnknownMagic),
    /// A project or audit that cannot exist.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// A shard that is no number.
    #[error("shard `{0}` is not a number")]
    Shard(String),
}

/// A task in whichever class it was published, as a stream filter: who waits long moves up.
pub(crate) fn task_of_any_class(key: &TaskKey) -> String {
    let TaskKey { magic, project, audit, shard } = key;
    format!("audit.task.*.{magic}.{project}.{audit}.{shard}")
}

impl Subject {
    /// The project that it names.
    pub(crate) fn project(&self) -> Option<&ProjectSlug> {
        match self {
            Self::ProjectRequest(project) | Self::Fire(project, _) => Some(project),
            Self::Task(_, key) | Self::Result(key) => Some(&key.project),
            Self::Event(project, ..) => project.as_ref(),
            Self::Request | Self::DeadLetter(..) | Self::Stopped(_) => None,
        }
    }

    /// The audit that it names.
    pub(crate) fn audit(&self) -> Option<AuditId> {
        match self {
            Self::Task(_, key) | Self::Result(key) => Some(key.audit),
            Self::Event(_, audit, _) => *audit,
            Self::Stopped(audit) => Some(*audit),
            Self::Request | Self::ProjectRequest(_) | Self::Fire(..) | Self::DeadLetter(..) => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request => f.write_str("audit.request"),
            Self::ProjectRequest(project) => write!(f, "audit.request.{project}"),
            Self::Fire(project, name) => write!(f, "audit.fire.{project}.{name}"),
            Self::Task(priority, key) => {
                let TaskKey { magic, project, audit, shard } = key;
                write!(f, "audit.task.{}.{magic}.{project}.{audit}.{shard}", priority.as_str())
            }
            Self::Result(TaskKey { magic, project, audit, shard }) => {
                write!(f, "audit.result.{magic}.{project}.{audit}.{shard}")
            }
            Self::Event(project, audit, kind) => {
                let project = project.as_ref().map_or(UNKNOWN, ProjectSlug::as_str);
                let audit = audit.map_or_else(|| UNKNOWN.to_owned(), |audit| audit.to_string());
                write!(f, "audit.event.{project}.{audit}.{}", kind.as_str())
            }
            Self::Stopped(audit) => write!(f, "$KV.{}.{audit}", topology::STOPPED.name),
            Self::DeadLetter(cause, origin) => write!(f, "audit.dlq.{}.{}", cause.as_str(), origin.as_str()),
        }
    }
}

/// Only what somebody receives is parsed; events and dead letters carry all they say in their bodies.
impl FromStr for Subject {
    type Err = InvalidSubject;
    fn from_str(text: &str) -> Result<Self, InvalidSubject> {
        let tokens: Vec<&str> = text.split('.').collect();
        match tokens.as_slice() {
            ["audit", "request"] => Ok(Self::Request),
            ["audit", "request", project] => Ok(Self::ProjectRequest(project.parse()?)),
            ["audit", "fire", project, name] => Ok(Self::Fire(project.parse()?, name.parse()?)),
            ["audit", "task", priority, magic, project, audit, shard] => {
                Ok(Self::Task(priority.parse()?, task_key(magic, project, audit, shard)?))
            }
            ["audit", "result", magic, project, audit, shard] => {
                Ok(Self::Result(task_key(magic, project, audit, shard)?))
            }
            _ => Err(InvalidSubject::Shape(text.chars().take(200).flat_map(char::escape_debug).collect())),
        }
    }
}

fn task_key(magic: &str, project: &str, audit: &str, shard: &str) -> Result<TaskKey, InvalidSubject> {
    let (magic, project, audit) = (magic.parse()?, project.parse()?, audit.parse()?);
    let digits_only = !shard.is_empty() && shard.bytes().all(|byte| byte.is_ascii_digit());
    match shard.parse() {
        // Postgres keeps shards as `integer`.
        Ok(shard) if digits_only && shard <= i32::MAX.unsigned_abs() => Ok(TaskKey { magic, project, audit, shard }),
        _ => Err(InvalidSubject::Shard(shard.chars().take(40).flat_map(char::escape_debug).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use schemas::magic::Magic;

    prop_compose! {
        fn keys()(magic in 0..8_usize, project in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", audit: u128, shard in 0..=i32::MAX.unsigned_abs()) -> TaskKey {
            let audit = AuditId(uuid::Uuid::from_u128(audit));
            TaskKey { magic: Magic::ALL[magic], project: project.parse().unwrap(), audit, shard }
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_back(key in keys(), priority in 0..4_usize) {
            let subjects = [
                Subject::Task(Priority::ALL[priority], key.clone()),
                Subject::Result(key.clone()),
                Subject::ProjectRequest(key.project.clone()),
                Subject::Fire(key.project, "nightly".parse().unwrap()),
                Subject::Request,
            ];
            for subject in subjects {
                prop_assert_eq!(subject.to_string().parse::<Subject>(), Ok(subject));
            }
        }

        #[test]
        fn any_text_is_parsed_or_refused_without_panic(text in "\\PC{0,80}|audit\\.task\\.(\\PC{0,9}\\.){0,6}") {
            if let Ok(subject) = text.parse::<Subject>() {
                prop_assert!(!subject.to_string().is_empty());
            }
        }
    }

    #[test]
    fn each_wrong_token_is_named() {
        let cases = [
            ("audit.task.urgent.git.shop.0191c0de-0000-7000-8000-000000000000.1", "priority `urgent`"),
            ("audit.task.normal.alchemy.shop.0191c0de-0000-7000-8000-000000000000.1", "magic `alchemy`"),
            ("audit.task.normal.git.Shop.0191c0de-0000-7000-8000-000000000000.1", "project slug `Shop`"),
            ("audit.task.normal.git.shop.nonsense.1", "audit id `nonsense`"),
            ("audit.task.normal.git.shop.0191c0de-0000-7000-8000-000000000000.+1", "shard `+1`"),
            ("audit.fire.shop.Nightly", "schedule name `Nightly`"),
            ("audit.task.normal.git", "subject `audit.task.normal.git`"),
        ];
        for (text, named) in cases {
            let error = text.parse::<Subject>().unwrap_err().to_string();
            assert!(error.contains(named), "{error} does not name {named}");
        }
    }

    #[test]
    fn the_origin_of_a_bad_subject_is_still_known() {
        let cases = [
            ("audit.request", Some(Origin::Request)),
            ("audit.request.shop", Some(Origin::Request)),
            ("audit.fire.shop.nightly", Some(Origin::Request)),
            ("audit.task.urgent.git", Some(Origin::Task)),
            ("audit.result.x", Some(Origin::Result)),
            ("audit.dlq.exhausted.result", Some(Origin::Result)),
            ("audit.dlq.exhausted", None),
            ("orders.task", None),
        ];
        for (subject, origin) in cases {
            assert_eq!(Origin::of(subject), origin, "{subject}");
        }
    }

    #[test]
    fn an_event_about_nobody_still_has_five_tokens() {
        let subject = Subject::Event(None, None, EventKind::Rejected).to_string();
        assert_eq!(subject, "audit.event._._.rejected");
    }
}
