//! How fast tasks were done lately: written by the dispatcher, read for predictions and metrics.

use std::time::Duration;

use super::Store;
use crate::error::StoreError;

/// How long samples are kept: predictions look back for minutes, and a table that only grows is a fault.
const KEPT: Duration = Duration::from_secs(3_600);

/// What was done in one stretch of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// How long the stretch was.
    pub seconds: f64,
    /// Tasks done in it.
    pub tasks: i64,
    /// Their predicted cost, in bytes' worth of analysis.
    pub cost: i64,
    /// Tasks in the queue or running at its end.
    pub tasks_in_flight: i64,
}

impl Store {
    /// Keeps a sample and forgets those that are too old.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn keep_throughput(&self, sample: &Sample) -> Result<(), StoreError> {
        sqlx::query(
            "WITH forgotten AS (DELETE FROM throughput WHERE measured_at < now() - make_interval(secs => $5))
             INSERT INTO throughput (seconds, tasks, cost, tasks_in_flight) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(sample.seconds)
        .bind(sample.tasks)
        .bind(sample.cost)
        .bind(sample.tasks_in_flight)
        .bind(KEPT.as_secs_f64())
        .execute(&self.pool)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of("keep a throughput sample", error))
    }

    /// The samples of the last `age`, newest first; at most `limit`.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn throughput(&self, age: Duration, limit: i64) -> Result<Vec<Sample>, StoreError> {
        let rows: Vec<(f64, i64, i64, i64)> = sqlx::query_as(
            "SELECT seconds, tasks, cost, tasks_in_flight FROM throughput
             WHERE measured_at > now() - make_interval(secs => $1) ORDER BY measured_at DESC LIMIT $2",
        )
        .bind(age.as_secs_f64())
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| StoreError::of("read throughput samples", error))?;
        let sample = |(seconds, tasks, cost, tasks_in_flight)| Sample { seconds, tasks, cost, tasks_in_flight };
        Ok(rows.into_iter().map(sample).collect())
    }
}
