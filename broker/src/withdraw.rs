//! Taking tasks back out of the queue. Whoever works on one may go on; nobody is given it any more.

use schemas::ids::{AuditId, ProjectSlug};
use schemas::task::TaskKey;

use crate::bus::Bus;
use crate::error::BusError;
use crate::subject::{task_of_any_class, tasks_of, tasks_of_shard};
use crate::topology;

impl Bus {
    /// Removes every task of an audit. Returns how many there were.
    ///
    /// # Errors
    /// If the server may not have removed them all: do it again.
    pub async fn purge_tasks(&self, project: &ProjectSlug, audit: AuditId) -> Result<u64, BusError> {
        self.purge(tasks_of(project, audit)).await
    }

    /// Removes the tasks of one shard of an audit, whatever their magic and class.
    ///
    /// # Errors
    /// As [`Bus::purge_tasks`].
    pub async fn withdraw_shard(&self, project: &ProjectSlug, audit: AuditId, shard: i32) -> Result<u64, BusError> {
        self.purge(tasks_of_shard(project, audit, shard)).await
    }

    /// Removes what is left of a task, whatever its class.
    ///
    /// # Errors
    /// As [`Bus::purge_tasks`].
    pub async fn withdraw(&self, task: &TaskKey) -> Result<u64, BusError> {
        self.purge(task_of_any_class(task)).await
    }

    async fn purge(&self, subject: String) -> Result<u64, BusError> {
        let failed = |reason: String| BusError::Purge { subject: subject.clone(), reason };
        let stream = self.context().get_stream_no_info(topology::TASKS).await;
        let stream = stream.map_err(|error| failed(error.to_string()))?;
        let purged = stream.purge().filter(subject.as_str()).await;
        purged.map(|purged| purged.purged).map_err(|error| failed(error.to_string()))
    }
}
