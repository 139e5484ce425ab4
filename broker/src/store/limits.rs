//! How much of the queue projects and teams may have.

use super::Store;
use crate::error::StoreError;

/// Limits kept at most: every round of the dispatcher reads all of them.
const LIMITS_MAX: i64 = 100_000;

/// What a limit is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One project, by its slug.
    Project,
    /// All projects of one team together, by the team's id.
    Team,
}

impl Scope {
    /// The name in columns, JSON and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Team => "team",
        }
    }
}

/// A word that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("scope `{0}` is not known: use project or team")]
pub struct UnknownScope(String);

impl std::str::FromStr for Scope {
    type Err = UnknownScope;
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        match text {
            "project" => Ok(Self::Project),
            "team" => Ok(Self::Team),
            _ => Err(UnknownScope(text.chars().take(80).flat_map(char::escape_debug).collect())),
        }
    }
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LimitRow {
    /// What it is about.
    pub scope: Scope,
    /// Which project or team.
    pub name: String,
    /// Most tasks in the queue or running; as many as there is room for if absent.
    pub tasks_in_flight: Option<i32>,
    /// Its share beside other projects of the same class that have work; 1 for teams.
    pub weight: i32,
}

impl Store {
    /// Every limit, by scope and name.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn limits(&self) -> Result<Vec<LimitRow>, StoreError> {
        let rows: Vec<(String, String, Option<i32>, i32)> =
            sqlx::query_as("SELECT scope, name, tasks_in_flight, weight FROM limits ORDER BY scope, name LIMIT $1")
                .bind(LIMITS_MAX)
                .fetch_all(&self.pool)
                .await
                .map_err(|error| StoreError::of("read limits", error))?;
        rows.into_iter()
            .map(|(scope, name, tasks_in_flight, weight)| {
                Ok(LimitRow { scope: super::parsed("scope", &scope)?, name, tasks_in_flight, weight })
            })
            .collect()
    }

    /// Sets a limit, or changes the one that is there; the dispatcher heeds it within seconds.
    ///
    /// # Errors
    /// If the database cannot be reached or refuses the numbers.
    pub async fn set_limit(&self, limit: &LimitRow) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO limits (scope, name, tasks_in_flight, weight) VALUES ($1, $2, $3, $4)
             ON CONFLICT (scope, name) DO UPDATE
             SET tasks_in_flight = excluded.tasks_in_flight, weight = excluded.weight, updated_at = now()",
        )
        .bind(limit.scope.as_str())
        .bind(&limit.name)
        .bind(limit.tasks_in_flight)
        .bind(limit.weight)
        .execute(&self.pool)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of("set a limit", error))
    }

    /// Removes a limit. Returns whether it was there.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn remove_limit(&self, scope: Scope, name: &str) -> Result<bool, StoreError> {
        let removed = sqlx::query("DELETE FROM limits WHERE scope = $1 AND name = $2")
            .bind(scope.as_str())
            .bind(name)
            .execute(&self.pool)
            .await
            .map_err(|error| StoreError::of("remove a limit", error))?;
        Ok(removed.rows_affected() > 0)
    }
}
