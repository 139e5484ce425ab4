//! Schedules of projects: their definitions, and the firing of each moment exactly once, by the database's clock alone.

use schemas::ids::ScheduleName;
use schemas::schedule::{Calendar, Definition, SCHEDULES_MAX, ScheduledRequest};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use time::OffsetDateTime;
use uuid::Uuid;

use super::intake::{NewAudit, insert_audit};
use super::projects::Project;
use super::{Store, commit, from_json, parsed, to_json};
use crate::error::StoreError;

/// A schedule as it stands.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Its name within the project.
    pub name: ScheduleName,
    /// What was defined.
    pub definition: Definition,
    /// The first moment that has not been dealt with; none if none is to come.
    pub next_at: Option<OffsetDateTime>,
    /// The last moment that became an audit.
    pub last_fired_at: Option<OffsetDateTime>,
}

impl Schedule {
    fn from_row(row: &PgRow) -> Result<Self, StoreError> {
        let failed = |error| StoreError::of("read a schedule", error);
        let request: ScheduledRequest = from_json("scheduled request", row.try_get("request").map_err(failed)?)?;
        let definition = Definition {
            cron: row.try_get("cron").map_err(failed)?,
            time_zone: row.try_get("time_zone").map_err(failed)?,
            catch_up: parsed("catch-up policy", row.try_get("catch_up").map_err(failed)?)?,
            request,
            enabled: row.try_get("enabled").map_err(failed)?,
        };
        Ok(Self {
            name: parsed("schedule name", row.try_get("name").map_err(failed)?)?,
            definition,
            next_at: row.try_get("next_at").map_err(failed)?,
            last_fired_at: row.try_get("last_fired_at").map_err(failed)?,
        })
    }
}

/// A schedule whose next moment has come.
#[derive(Debug)]
pub struct DueSchedule {
    /// Its project.
    pub project: Project,
    /// The schedule.
    pub schedule: Schedule,
    /// The first moment that was not dealt with.
    pub since: OffsetDateTime,
    /// The database's clock.
    pub now: OffsetDateTime,
}

/// What comes of a due schedule.
#[derive(Debug, Default)]
pub struct Fired {
    /// An audit for each moment that fires. Their ids are made of the moments, so that a repetition is the same audit.
    pub audits: Vec<NewAudit>,
    /// The last of those moments.
    pub last: Option<OffsetDateTime>,
    /// The first moment to come.
    pub next: Option<OffsetDateTime>,
}

impl Store {
    /// The database's clock.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn now(&self) -> Result<OffsetDateTime, StoreError> {
        let now = sqlx::query_scalar("SELECT now()").fetch_one(&self.pool).await;
        now.map_err(|error| StoreError::of("tell the time", error))
    }

    /// The schedules of a project, by name.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn schedules(&self, project: Uuid) -> Result<Vec<Schedule>, StoreError> {
        let rows = sqlx::query("SELECT * FROM schedules WHERE project_id = $1 ORDER BY name").bind(project);
        let rows = rows.fetch_all(&self.pool).await.map_err(|error| StoreError::of("list schedules", error))?;
        rows.iter().map(Schedule::from_row).collect()
    }

    /// One schedule.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn schedule(&self, project: Uuid, name: &ScheduleName) -> Result<Option<Schedule>, StoreError> {
        let row = sqlx::query("SELECT * FROM schedules WHERE project_id = $1 AND name = $2")
            .bind(project)
            .bind(name.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| StoreError::of("read a schedule", error))?;
        row.as_ref().map(Schedule::from_row).transpose()
    }

    /// Defines a schedule, or defines it anew. Moments that it has missed stay missed where its moments are the same as
    /// before. Returns it; nothing if the project has as many as it may.
    ///
    /// # Errors
    /// If the database cannot be reached: then it is what it was.
    pub async fn set_schedule(
        &self,
        project: Uuid,
        name: &ScheduleName,
        definition: &Definition,
        calendar: &Calendar,
    ) -> Result<Option<Schedule>, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(now) = room_for(&mut transaction, project, name).await? else { return Ok(None) };
        let row = sqlx::query(
            "INSERT INTO schedules (project_id, name, cron, time_zone, catch_up, request, enabled, next_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (project_id, name) DO UPDATE
             SET cron = excluded.cron, time_zone = excluded.time_zone, catch_up = excluded.catch_up,
                 request = excluded.request, enabled = excluded.enabled,
                 next_at = CASE WHEN schedules.cron = excluded.cron AND schedules.time_zone = excluded.time_zone
                                 AND schedules.enabled AND excluded.enabled
                           THEN schedules.next_at ELSE excluded.next_at END
             RETURNING *",
        )
        .bind(project)
        .bind(name.as_str())
        .bind(&definition.cron)
        .bind(&definition.time_zone)
        .bind(definition.catch_up.as_str())
        .bind(to_json("scheduled request", &definition.request)?)
        .bind(definition.enabled)
        .bind(calendar.next_after(now))
        .fetch_one(&mut *transaction)
        .await
        .map_err(|error| StoreError::of("define a schedule", error))?;
        let schedule = Schedule::from_row(&row)?;
        commit(transaction).await?;
        Ok(Some(schedule))
    }

    /// Removes a schedule. Returns whether it was there.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn remove_schedule(&self, project: Uuid, name: &ScheduleName) -> Result<bool, StoreError> {
        let removed = sqlx::query("DELETE FROM schedules WHERE project_id = $1 AND name = $2")
            .bind(project)
            .bind(name.as_str())
            .execute(&self.pool)
            .await
            .map_err(|error| StoreError::of("remove a schedule", error))?;
        Ok(removed.rows_affected() > 0)
    }

    /// Takes one schedule whose moment has come and that nobody else has taken, asks `fire` what comes of it, and records
    /// that together with the next moment. Returns how many audits are new; nothing if no schedule is due.
    ///
    /// # Errors
    /// If the database cannot be reached: then nothing has fired.
    pub async fn fire_due<F>(&self, fire: F) -> Result<Option<usize>, StoreError>
    where
        F: FnOnce(&DueSchedule) -> Fired,
    {
        let mut transaction = self.begin().await?;
        let Some(due) = take_due(&mut transaction).await? else { return Ok(None) };
        let Fired { audits, last, next } = fire(&due);
        let mut new = 0;
        for audit in &audits {
            new += usize::from(insert_audit(&mut transaction, &due.project, audit).await?);
        }
        sqlx::query(
            "UPDATE schedules SET next_at = $3, last_fired_at = coalesce($4, last_fired_at)
             WHERE project_id = $1 AND name = $2",
        )
        .bind(due.project.id)
        .bind(due.schedule.name.as_str())
        .bind(next)
        .bind(last)
        .execute(&mut *transaction)
        .await
        .map_err(|error| StoreError::of("fire a schedule", error))?;
        commit(transaction).await?;
        Ok(Some(new))
    }
}

/// The database's clock, if the project may have this schedule. Two writers at once: the second waits here.
async fn room_for(
    connection: &mut PgConnection,
    project: Uuid,
    name: &ScheduleName,
) -> Result<Option<OffsetDateTime>, StoreError> {
    let failed = |error| StoreError::of("define a schedule", error);
    sqlx::query("SELECT 1 FROM projects WHERE id = $1 FOR NO KEY UPDATE")
        .bind(project)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    let (others, now): (i64, OffsetDateTime) =
        sqlx::query_as("SELECT count(*), now() FROM schedules WHERE project_id = $1 AND name <> $2")
            .bind(project)
            .bind(name.as_str())
            .fetch_one(connection)
            .await
            .map_err(failed)?;
    Ok((others < SCHEDULES_MAX).then_some(now))
}

async fn take_due(connection: &mut PgConnection) -> Result<Option<DueSchedule>, StoreError> {
    let failed = |error| StoreError::of("look for due schedules", error);
    let row = sqlx::query(
        "SELECT *, now() AS now FROM schedules WHERE enabled AND next_at <= now()
         ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    .fetch_optional(&mut *connection)
    .await
    .map_err(failed)?;
    let Some(row) = row else { return Ok(None) };
    let project: Uuid = row.try_get("project_id").map_err(failed)?;
    let project = sqlx::query("SELECT * FROM projects WHERE id = $1").bind(project).fetch_one(connection).await;
    Ok(Some(DueSchedule {
        project: Project::from_row(&project.map_err(failed)?)?,
        schedule: Schedule::from_row(&row)?,
        since: row.try_get("next_at").map_err(failed)?,
        now: row.try_get("now").map_err(failed)?,
    }))
}
