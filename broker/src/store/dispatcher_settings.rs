//! What the dispatcher goes by, for whoever explains what it does.

use super::Store;
use crate::error::StoreError;

/// What the dispatcher was told when it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DispatcherSettings {
    /// Most tasks in the queue or running, in all.
    pub tasks_in_flight: u64,
    /// The same of each project without a limit of its own; as many as there is room for if absent.
    pub project_tasks_in_flight: Option<u64>,
}

impl Store {
    /// Notes what the dispatcher goes by, in the place of what the one before it went by.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn set_dispatcher_settings(&self, settings: DispatcherSettings) -> Result<(), StoreError> {
        let column = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        sqlx::query(
            "INSERT INTO dispatcher_settings (tasks_in_flight, project_tasks_in_flight) VALUES ($1, $2)
             ON CONFLICT (is_only) DO UPDATE
             SET tasks_in_flight = excluded.tasks_in_flight, project_tasks_in_flight = excluded.project_tasks_in_flight,
                 updated_at = now()",
        )
        .bind(column(settings.tasks_in_flight))
        .bind(settings.project_tasks_in_flight.map(column))
        .execute(&self.pool)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of("note the dispatcher's settings", error))
    }

    /// What the dispatcher goes by, or went by last; nothing before there was one.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn dispatcher_settings(&self) -> Result<Option<DispatcherSettings>, StoreError> {
        let row: Option<(i64, Option<i64>)> =
            sqlx::query_as("SELECT tasks_in_flight, project_tasks_in_flight FROM dispatcher_settings")
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| StoreError::of("read the dispatcher's settings", error))?;
        Ok(row.map(|(most, of_project)| DispatcherSettings {
            tasks_in_flight: most.unsigned_abs(),
            project_tasks_in_flight: of_project.map(i64::unsigned_abs),
        }))
    }
}
