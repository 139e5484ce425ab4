//! The open audits of the pushes to one branch, settled by the branch's policy; and those that wait for one that ends.

use schemas::branch::{OpenPush, Scope, Settlement, overlooked, settle};
use schemas::ids::{AuditId, ObjectId};
use schemas::policy::PushPolicy;
use schemas::request::AuditKind;
use sqlx::PgConnection;
use uuid::Uuid;

use super::policies::policies_of;
use super::pushes::{ask_for_overlooked, known_pushes};
use super::requests::{RequestRow, ask_again};
use super::stop::{End, Stopping, stop_audits};
use super::{Store, commit, parsed};
use crate::error::StoreError;

/// Audits of one branch settled at once: more pushes than this wait only while no planner runs, and each of them settles
/// the branch again before it is planned.
const SETTLED_MAX: i64 = 1_000;

/// Which audits are of pushes. What a person or a schedule asked for is nobody's rival.
const OPEN_PUSHES: &str = "state IN ('queued', 'running') AND requested_by LIKE 'webhook:%'";

type OpenRow = (Uuid, String, String, Option<String>, Option<String>, Option<String>, Vec<String>, Option<Uuid>);

impl Store {
    /// Stops what newer pushes to a branch made needless, widens what takes its place, and lets wait what should wait.
    /// Doing it again changes nothing. Returns how many audits were stopped.
    ///
    /// # Errors
    /// If the database cannot be reached: then nothing has changed.
    pub async fn settle_branch(&self, project: Uuid, branch: &str) -> Result<usize, StoreError> {
        if !self.is_branch_contested(project, branch).await? {
            return Ok(0);
        }
        let mut transaction = self.begin().await?;
        let policies = policies_of(&mut transaction, project).await?;
        let policy = schemas::policy::policy_for(&policies, branch)
            .map_err(|error| StoreError::Corrupt { what: "push policies", reason: error.to_string() })?;
        let mut open = lock_open(&mut transaction, project, branch).await?;
        let mut known = known_pushes(&mut transaction, project, branch).await?;
        if policy != PushPolicy::RunAll
            && let Some(audit) = overlooked(&known)
        {
            ask_for_overlooked(&mut transaction, audit).await?;
            open = lock_open(&mut transaction, project, branch).await?;
            known = known_pushes(&mut transaction, project, branch).await?;
        }
        let settlement = settle(policy, &open, &known);
        let stopped = apply(&mut transaction, &open, settlement).await?;
        commit(transaction).await?;
        Ok(stopped)
    }

    /// Whether there is anything to settle: most pushes find their branch at rest, and need no lock to see that. One that
    /// another was pushed onto before it came may show that one was overlooked.
    async fn is_branch_contested(&self, project: Uuid, branch: &str) -> Result<bool, StoreError> {
        let sql = format!(
            "SELECT count(*) > 1 OR count(waits_for) > 0 OR coalesce(bool_or(is_late), false) FROM (
                 SELECT waits_for, EXISTS (
                     SELECT 1 FROM audits next WHERE next.project_id = $1 AND next.push_base = push.revision
                       AND next.branch = $2 AND next.created_at < push.created_at) AS is_late
                 FROM audits push WHERE project_id = $1 AND branch = $2 AND {OPEN_PUSHES} LIMIT 2) AS open"
        );
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(project)
            .bind(branch)
            .fetch_one(&self.pool)
            .await
            .map_err(|error| StoreError::of("look for audits of a branch", error))
    }
}

/// Locks the open audits of a branch, in the order in which everybody locks audits, and returns them in that of receipt.
async fn lock_open(connection: &mut PgConnection, project: Uuid, branch: &str) -> Result<Vec<OpenPush>, StoreError> {
    let sql = format!(
        "WITH locked AS (
             SELECT * FROM audits WHERE project_id = $1 AND branch = $2 AND {OPEN_PUSHES}
             ORDER BY id LIMIT $3 FOR UPDATE)
         SELECT id, state, kind, revision, base_commit, pushed_onto, magics, waits_for
         FROM locked ORDER BY created_at, id"
    );
    let rows: Vec<OpenRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(project)
        .bind(branch)
        .bind(SETTLED_MAX)
        .fetch_all(connection)
        .await
        .map_err(|error| StoreError::of("lock the audits of a branch", error))?;
    rows.into_iter().map(open_push).collect()
}

fn open_push(row: OpenRow) -> Result<OpenPush, StoreError> {
    let (id, state, kind, revision, base, pushed_onto, magics, waits_for) = row;
    let base: Option<ObjectId> = base.map(|text| parsed("base commit", &text)).transpose()?;
    let scope = Scope {
        base: base.filter(|_| kind == AuditKind::Incremental.as_str()),
        pushed_onto: pushed_onto.map(|text| parsed("pushed onto", &text)).transpose()?,
        magics: magics.iter().map(|text| parsed("magic", text)).collect::<Result<_, _>>()?,
    };
    let (audit, is_running) = (AuditId(id), state == "running");
    let revision = revision.unwrap_or_default();
    Ok(OpenPush { audit, is_running, revision, scope, waits_for: waits_for.map(AuditId) })
}

async fn apply(connection: &mut PgConnection, open: &[OpenPush], settlement: Settlement) -> Result<usize, StoreError> {
    let Settlement { superseded, widened, waits } = settlement;
    if let Some((audit, scope)) = widened {
        widen(connection, audit, &scope).await?;
    }
    let stopping = superseded.into_iter().map(|(audit, follower)| {
        let revision = open.iter().find(|push| push.audit == follower).map_or("", |push| push.revision.as_str());
        let reason = format!("superseded by audit {follower} of the newer push {revision}");
        Stopping { audit, reason, superseded_by: Some(follower) }
    });
    let stopped = stop_audits(connection, End::Superseded, &stopping.collect::<Vec<_>>()).await?;
    for (audit, waits_for) in waits {
        match waits_for {
            Some(running) => wait(connection, audit, running).await?,
            None => release(connection, "id = ANY($1)", &[audit.0]).await?,
        }
    }
    Ok(stopped)
}

async fn widen(connection: &mut PgConnection, audit: AuditId, scope: &Scope) -> Result<(), StoreError> {
    let Scope { base, pushed_onto, magics } = scope;
    let kind = if base.is_some() { AuditKind::Incremental } else { AuditKind::Full };
    let magics: Vec<&str> = magics.iter().map(|magic| magic.as_str()).collect();
    sqlx::query(
        "UPDATE audits SET kind = $2, base_commit = $3, pushed_onto = $4, magics = $5 WHERE id = $1 AND state = 'queued'",
    )
    .bind(audit.0)
    .bind(kind.as_str())
    .bind(base.as_ref().map(ObjectId::as_str))
    .bind(pushed_onto.as_ref().map(ObjectId::as_str))
    .bind(magics)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of("widen an audit", error))
}

async fn wait(connection: &mut PgConnection, audit: AuditId, running: AuditId) -> Result<(), StoreError> {
    sqlx::query("UPDATE audits SET waits_for = $2 WHERE id = $1 AND state = 'queued'")
        .bind(audit.0)
        .bind(running.0)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of("let an audit wait", error))
}

/// Sets going what waited for audits that end in this transaction. One that is being settled at this moment is left to
/// whoever settles it, who will see the end; one that is missed all the same, to the reconciler.
pub(super) async fn release_waiting(connection: &mut PgConnection, ended: &[Uuid]) -> Result<(), StoreError> {
    if ended.is_empty() {
        return Ok(());
    }
    release(connection, "waits_for = ANY($1)", ended).await
}

async fn release(connection: &mut PgConnection, which: &'static str, ids: &[Uuid]) -> Result<(), StoreError> {
    // Without waiting for a lock: this transaction holds some, not in the order in which audits are locked.
    let sql = format!(
        "UPDATE audits SET waits_for = NULL WHERE id IN (
             SELECT id FROM audits WHERE {which} AND waits_for IS NOT NULL AND state = 'queued'
             FOR NO KEY UPDATE SKIP LOCKED)
         RETURNING id, trace_id, project_slug, kind, revision, base_commit, priority"
    );
    let failed = |error| StoreError::of("set a waiting audit going", error);
    let rows: Vec<RequestRow> =
        sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(ids).fetch_all(&mut *connection).await.map_err(failed)?;
    if rows.is_empty() {
        return Ok(());
    }
    ask_again(connection, rows).await
}
