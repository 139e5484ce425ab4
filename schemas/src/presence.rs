//! What a worker says of itself while it lives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{AuditId, PoolName, ProjectSlug};
use crate::magic::Magic;

/// Most tasks that are listed: what is beyond them is counted only, so that the entry stays small.
pub const TASKS_LISTED_MAX: usize = 64;

/// How far back a worker counts the tasks that it is done with, in seconds.
pub const ENDED_WINDOW_SECS: u32 = 60;

/// What a worker says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkerPresence {
    /// Its name: the name of its host and a nonce of this start. Letters, digits, dashes and underscores.
    pub worker: String,
    /// The pool that it is counted in.
    #[serde(default)]
    pub pool: PoolName,
    /// Version of the program.
    pub version: String,
    /// When it started, in Unix milliseconds.
    pub started_at: u64,
    /// Batches of tasks that it works on at the same time.
    pub slots: u32,
    /// Threads that analyze.
    pub threads: u32,
    /// How many tasks it is working on.
    pub running: u32,
    /// How many tasks it was done with in the last [`ENDED_WINDOW_SECS`] seconds, answered or given back.
    #[serde(default)]
    pub ended_lately: u32,
    /// Files that it has read since it started, whatever came of it.
    #[serde(default)]
    pub files_read: u64,
    /// Files that it has parsed since it started: no more than it has read, however many magics looked at each.
    #[serde(default)]
    pub files_parsed: u64,
    /// The first [`TASKS_LISTED_MAX`] of those that it is working on, oldest first.
    pub tasks: Vec<RunningTask>,
}

/// A task that a worker is working on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunningTask {
    /// The audit.
    pub audit: AuditId,
    /// The project.
    pub project: ProjectSlug,
    /// The magic.
    pub magic: Magic,
    /// The shard of the audit.
    pub shard: u32,
    /// Since when, in Unix milliseconds.
    pub since: u64,
}
