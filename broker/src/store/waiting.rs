//! Audits that wait: for their plan, or for their first task.

use schemas::ids::{AuditId, ProjectSlug};
use schemas::request::Priority;

use super::{Store, parsed};
use crate::error::StoreError;

/// Ended audits that an estimate is made of.
const ESTIMATE_AUDITS: i64 = 50;

/// Audits of one project and priority that have no plan yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Unplanned {
    /// Their project.
    pub project: ProjectSlug,
    /// The team of the project.
    pub team: Option<String>,
    /// Their priority.
    pub priority: Priority,
    /// How many.
    pub audits: i64,
    /// How long the oldest of them has waited.
    pub oldest_secs: f64,
}

/// How long the audits of a project took lately, in seconds, shortest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Durations {
    /// From being asked for to having a plan.
    pub planning: Vec<f64>,
    /// From the plan to the end.
    pub running: Vec<f64>,
}

impl Store {
    /// How many audits have no plan yet, by project and priority.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn unplanned_audits(&self) -> Result<Vec<Unplanned>, StoreError> {
        let rows: Vec<(String, Option<String>, String, i64, f64)> = sqlx::query_as(
            "SELECT a.project_slug, p.team_id, a.priority, count(*),
                    greatest(extract(epoch FROM now() - min(a.created_at)), 0)::double precision
             FROM audits a LEFT JOIN projects p ON p.id = a.project_id
             WHERE a.state = 'queued' GROUP BY a.project_slug, p.team_id, a.priority",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(|error| StoreError::of("count waiting audits", error))?;
        rows.into_iter()
            .map(|(project, team, priority, audits, oldest_secs)| {
                let project = parsed("project slug", &project)?;
                Ok(Unplanned { project, team, priority: parsed("priority", &priority)?, audits, oldest_secs })
            })
            .collect()
    }

    /// How many audits have no plan yet, of any priority.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn waiting_audits(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT count(*) FROM audits WHERE state = 'queued'")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| StoreError::of("count waiting audits", error))
    }

    /// How many audits without a plan were asked for before `audit`.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn unplanned_before(&self, audit: AuditId) -> Result<i64, StoreError> {
        sqlx::query_scalar(
            "SELECT count(*) FROM audits a, audits mine
             WHERE mine.id = $1 AND a.state = 'queued' AND (a.created_at, a.id) < (mine.created_at, mine.id)",
        )
        .bind(audit.0)
        .fetch_one(&self.pool)
        .await
        .map_err(|error| StoreError::of("count waiting audits", error))
    }

    /// How long the last audits of `project` took to be planned and to be run.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn durations(&self, project: &ProjectSlug) -> Result<Durations, StoreError> {
        let failed = |error| StoreError::of("read how long audits took", error);
        let mut planning: Vec<f64> = sqlx::query_scalar(
            "SELECT greatest(extract(epoch FROM started_at - created_at), 0)::double precision FROM audits
             WHERE started_at IS NOT NULL AND kind <> 'ad_hoc' AND project_slug = $1 ORDER BY created_at DESC LIMIT $2",
        )
        .bind(project.as_str())
        .bind(ESTIMATE_AUDITS)
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        let mut running: Vec<f64> = sqlx::query_scalar(
            "SELECT greatest(extract(epoch FROM finished_at - started_at), 0)::double precision FROM audits
             WHERE state IN ('completed', 'partial') AND kind <> 'ad_hoc' AND project_slug = $1
             ORDER BY created_at DESC LIMIT $2",
        )
        .bind(project.as_str())
        .bind(ESTIMATE_AUDITS)
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        planning.sort_by(f64::total_cmp);
        running.sort_by(f64::total_cmp);
        Ok(Durations { planning, running })
    }
}
