//! Tasks over whole repositories: they wait until every other task of their audit is done, and become ready with a bundle of facts.
//!
//! That an audit has come so far is nowhere noted: its counters say it, whatever was done last, a merge or a plan. So nothing
//! can be forgotten, whoever dies, and packing twice only stores the same bundle twice.

use schemas::ids::{AuditId, Digest, ObjectId, TraceId};
use schemas::magic::Magic;
use schemas::request::AuditKind;
use sqlx::Row as _;
use time::OffsetDateTime;
use uuid::Uuid;

use super::audits::{kind, lock_audit};
use super::{Store, TASKS_CHANNEL, announce, commit, parsed};
use crate::error::StoreError;

/// A task over a whole repository.
#[derive(Debug, Clone)]
pub struct TreeTask {
    /// The audit.
    pub audit: AuditId,
    /// Its shard, which holds nothing else.
    pub shard: i32,
    /// The magic whose rules judge.
    pub magic: Magic,
    /// The key of the project.
    pub project_id: Uuid,
    /// Where the project is cloned from.
    pub repository_url: String,
    /// What is audited.
    pub commit: ObjectId,
    /// What kind of audit it is.
    pub kind: AuditKind,
    /// The commit that an incremental audit looks back to.
    pub base: Option<ObjectId>,
    /// When the last other task was done.
    pub since: OffsetDateTime,
    /// The trace it belongs to.
    pub trace: TraceId,
}

const COLUMNS: &str =
    "a.id, s.shard, t.magic, a.project_id, p.repository_url, a.commit_sha, a.kind, a.base_commit, a.trace_id,
                       (SELECT coalesce(max(merged_at), now()) FROM results WHERE audit_id = a.id) AS since
     FROM audits a
     JOIN projects p ON p.id = a.project_id
     JOIN shards s ON s.audit_id = a.id AND s.is_tree
     JOIN tasks t ON t.audit_id = a.id AND t.shard = s.shard";

impl Store {
    /// Waiting tasks of audits whose other tasks are all done, the audits that were asked for first before others.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn waiting_trees(&self, limit: i64) -> Result<Vec<TreeTask>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}
             WHERE a.state = 'running' AND a.tasks_waiting > 0 AND a.tasks_done + a.tasks_waiting = a.tasks_total
               AND t.state = 'waiting'
             ORDER BY a.created_at, a.id, s.shard LIMIT $1"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(limit).fetch_all(&self.pool).await;
        let rows = rows.map_err(|error| StoreError::of("look for repositories to judge", error))?;
        rows.iter().map(tree_task).collect()
    }

    /// What a shard over a whole repository is about; nothing if it is another kind of shard.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn tree_of(&self, audit: AuditId, shard: i32) -> Result<Option<TreeTask>, StoreError> {
        let sql = format!("SELECT {COLUMNS} WHERE a.id = $1 AND s.shard = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(audit.0).bind(shard).fetch_optional(&self.pool).await;
        row.map_err(|error| StoreError::of("look at a shard", error))?.as_ref().map(tree_task).transpose()
    }

    /// Makes a waiting task ready: what it reads is in `bundle` now. Returns false, having changed nothing, if it does not wait
    /// any more.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn open_tree(&self, audit: AuditId, shard: i32, bundle: &Digest) -> Result<bool, StoreError> {
        let failed = |error| StoreError::of("make a task ready", error);
        let mut transaction = self.begin().await?;
        lock_audit(&mut transaction, audit).await?;
        let opened: i64 = sqlx::query_scalar(
            "WITH opened AS (
                 UPDATE tasks SET state = 'ready' WHERE audit_id = $1 AND shard = $2 AND state = 'waiting' RETURNING 1),
             packed AS (
                 UPDATE shards SET bundle = $3 WHERE audit_id = $1 AND shard = $2 AND EXISTS (SELECT 1 FROM opened))
             UPDATE audits SET tasks_waiting = tasks_waiting - (SELECT count(*) FROM opened),
                    next_shard = least(next_shard, $2) WHERE id = $1
             RETURNING (SELECT count(*) FROM opened)",
        )
        .bind(audit.0)
        .bind(shard)
        .bind(bundle.as_str())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?
        .unwrap_or_default();
        announce(&mut transaction, TASKS_CHANNEL).await?;
        commit(transaction).await?;
        Ok(opened > 0)
    }
}

fn tree_task(row: &sqlx::postgres::PgRow) -> Result<TreeTask, StoreError> {
    let failed = |error| StoreError::of("read a task over a repository", error);
    let text = |name: &str| row.try_get::<String, _>(name).map_err(failed);
    let base: Option<String> = row.try_get("base_commit").map_err(failed)?;
    Ok(TreeTask {
        audit: AuditId(row.try_get("id").map_err(failed)?),
        shard: row.try_get("shard").map_err(failed)?,
        magic: parsed("magic", &text("magic")?)?,
        project_id: row.try_get("project_id").map_err(failed)?,
        repository_url: text("repository_url")?,
        commit: parsed("commit", &text("commit_sha")?)?,
        kind: kind(&text("kind")?)?,
        base: base.map(|base| parsed("commit", &base)).transpose()?,
        since: row.try_get("since").map_err(failed)?,
        trace: row.try_get::<Uuid, _>("trace_id").map_err(failed)?.into(),
    })
}
