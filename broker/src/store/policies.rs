//! Push policies of projects, in the order in which they are tried.

use schemas::policy::BranchPolicy;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, commit, parsed};
use crate::error::StoreError;

impl Store {
    /// The push policies of a project.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn push_policies(&self, project: Uuid) -> Result<Vec<BranchPolicy>, StoreError> {
        let connection = self.pool.acquire().await;
        let mut connection = connection.map_err(|error| StoreError::of("read push policies", error))?;
        policies_of(&mut connection, project).await
    }

    /// Puts a validated list in the place of the one before. It counts from the next push on.
    ///
    /// # Errors
    /// If the database cannot be reached: then the list is the one before.
    pub async fn set_push_policies(&self, project: Uuid, policies: &[BranchPolicy]) -> Result<(), StoreError> {
        let failed = |error| StoreError::of("write push policies", error);
        let mut transaction = self.begin().await?;
        // Two writers at once: the second waits here, and its list is the one that stays.
        sqlx::query("SELECT 1 FROM projects WHERE id = $1 FOR NO KEY UPDATE")
            .bind(project)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        sqlx::query("DELETE FROM push_policies WHERE project_id = $1")
            .bind(project)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        let (patterns, words): (Vec<&str>, Vec<&str>) =
            policies.iter().map(|policy| (policy.pattern.as_str(), policy.policy.as_str())).unzip();
        sqlx::query(
            "INSERT INTO push_policies (project_id, position, pattern, policy)
             SELECT $1, n, pattern, policy
             FROM UNNEST($2::text[], $3::text[]) WITH ORDINALITY AS t(pattern, policy, n)",
        )
        .bind(project)
        .bind(patterns)
        .bind(words)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        commit(transaction).await
    }
}

pub(super) async fn policies_of(connection: &mut PgConnection, project: Uuid) -> Result<Vec<BranchPolicy>, StoreError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT pattern, policy FROM push_policies WHERE project_id = $1 ORDER BY position")
            .bind(project)
            .fetch_all(connection)
            .await
            .map_err(|error| StoreError::of("read push policies", error))?;
    let policy =
        |(pattern, policy): (String, String)| Ok(BranchPolicy { pattern, policy: parsed("push policy", &policy)? });
    rows.into_iter().map(policy).collect()
}
