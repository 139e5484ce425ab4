//! Dead letters: messages that nobody could use, kept until somebody looks.

use schemas::dead_letter::DeadLetter;

use super::Store;
use crate::error::StoreError;

impl Store {
    /// Keeps a letter under an id made of its content; the same one again changes nothing.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn keep_dead_letter(&self, letter: &DeadLetter) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO dead_letters (id, subject, cause, reason, attempts, body)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(String::from(letter.identity()))
        .bind(letter.subject.replace('\0', "\u{fffd}"))
        .bind(letter.cause.as_str())
        .bind(letter.reason.replace('\0', "\u{fffd}"))
        .bind(i64::try_from(letter.attempts).unwrap_or(i64::MAX))
        .bind(letter.body.replace('\0', "\u{fffd}"))
        .execute(&self.pool)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of("keep a dead letter", error))
    }

    /// How many letters are kept, for metrics.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn dead_letter_count(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT count(*) FROM dead_letters")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| StoreError::of("count dead letters", error))
    }
}
