//! Tasks answered lately, by project and priority: what rates are made of.

use std::time::Duration;

use schemas::ids::ProjectSlug;
use schemas::request::Priority;

use super::{Store, parsed};
use crate::error::StoreError;

/// Tasks answered for the audits of one project and priority.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The project.
    pub project: ProjectSlug,
    /// Its team.
    pub team: Option<String>,
    /// The priority that the audits were asked for with.
    pub priority: Priority,
    /// How many tasks.
    pub tasks: i64,
}

impl Store {
    /// How many tasks were answered within the last `window`. Reads a row for each of them.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn answered_tasks(&self, window: Duration) -> Result<Vec<Answered>, StoreError> {
        // Counted by audit first: audits are few. Shard 0 is the planner's own answer, but of audits by hand, which have no plan.
        let rows: Vec<(String, Option<String>, String, i64)> = sqlx::query_as(
            "WITH lately AS MATERIALIZED (
                 SELECT audit_id, count(*) AS answers, count(*) FILTER (WHERE shard > 0) AS tasks FROM results
                 WHERE merged_at > now() - make_interval(secs => $1) GROUP BY audit_id)
             SELECT a.project_slug, p.team_id, a.priority,
                    sum(CASE WHEN a.kind = 'ad_hoc' THEN l.answers ELSE l.tasks END)::bigint
             FROM lately l JOIN audits a ON a.id = l.audit_id LEFT JOIN projects p ON p.id = a.project_id
             GROUP BY a.project_slug, p.team_id, a.priority",
        )
        .bind(window.as_secs_f64())
        .fetch_all(&self.pool)
        .await
        .map_err(|error| StoreError::of("count answered tasks", error))?;
        rows.into_iter()
            .map(|(project, team, priority, tasks)| {
                Ok(Answered {
                    project: parsed("project slug", &project)?,
                    team,
                    priority: parsed("priority", &priority)?,
                    tasks,
                })
            })
            .collect()
    }
}
