//! What a worker is asked: one magic over one shard. The subject says which; the body says what to read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::bundle::FILE_BYTES_MAX;
use crate::ids::{AuditId, Digest, ProjectSlug};
use crate::magic::Magic;

/// Largest task message, in bytes. Bundles travel by reference; only tasks made by hand carry their files.
pub const TASK_BYTES_MAX: usize = 64 * 1024;

/// The shard that the planner itself answers: what it knew or ruled out. Workers' shards start at 1.
pub const PLANNED_SHARD: u32 = 0;

/// Which task: the part that is in the subject, and the primary key of its result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct TaskKey {
    /// The magic to run.
    pub magic: Magic,
    /// The project, for permissions and fairness.
    pub project: ProjectSlug,
    /// The audit.
    pub audit: AuditId,
    /// The shard of the audit.
    pub shard: u32,
}

/// What to read: exactly one of the two is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// The bundle in the object store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Digest>,
    /// Which items of the bundle, where it is not all of them: a shard that was split reads the bundle of the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<ItemRange>,
    /// Files in the message itself, for tasks made by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<InlineFile>>,
}

/// Some items of a bundle: files first, then commits, in the manifest's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemRange {
    /// The first of them, from 0.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// A file inside a task message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InlineFile {
    /// Path, which also decides the language.
    pub path: String,
    /// The text.
    pub text: String,
}

/// A task that cannot be run by anyone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTask {
    /// Neither or both sources given.
    #[error("a task needs either `bundle` or `files`, and not both")]
    Source,
    /// A path that no repository has.
    #[error("file path `{0}` is not valid: use a relative path without `..`")]
    Path(String),
    /// A file over the limit.
    #[error("file `{0}` is larger than {FILE_BYTES_MAX} bytes")]
    TooLarge(String),
}

impl Task {
    /// A task over a bundle.
    pub fn bundle(digest: Digest) -> Self {
        Self { bundle: Some(digest), items: None, files: None }
    }

    /// Says why no worker can run this, if none can.
    ///
    /// # Errors
    /// If there is not exactly one source, or an inline file could not be in a repository.
    pub fn validate(&self) -> Result<(), InvalidTask> {
        let files = match (&self.bundle, &self.files) {
            (Some(_), None) => return Ok(()),
            (None, Some(files)) => files,
            _ => return Err(InvalidTask::Source),
        };
        for file in files {
            let bad_part = |part: &str| matches!(part, "" | "." | "..") || part.chars().any(char::is_control);
            if file.path.split('/').any(bad_part) {
                return Err(InvalidTask::Path(file.path.escape_debug().take(200).collect()));
            }
            if file.text.len() as u64 > FILE_BYTES_MAX {
                return Err(InvalidTask::TooLarge(file.path.clone()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inline(path: &str) -> Task {
        Task { bundle: None, items: None, files: Some(vec![InlineFile { path: path.into(), text: String::new() }]) }
    }

    #[test]
    fn exactly_one_source_is_needed() {
        assert_eq!(Task::default().validate(), Err(InvalidTask::Source));
        let both = Task { bundle: Some(Digest::of(b"")), ..inline("a") };
        assert_eq!(both.validate(), Err(InvalidTask::Source));
        assert_eq!(Task::bundle(Digest::of(b"")).validate(), Ok(()));
    }

    #[test]
    fn paths_that_leave_the_repository_are_refused() {
        for bad in ["", "/etc/passwd", "../a", "a/../b", "a//b", "a\n"] {
            assert!(matches!(inline(bad).validate(), Err(InvalidTask::Path(_))), "accepted {bad:?}");
        }
        assert_eq!(inline("src/a.py").validate(), Ok(()));
    }
}
