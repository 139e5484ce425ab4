//! Looking at dead letters: which ones, and what is in them.

use std::str::FromStr;

use schemas::dead_letter::Cause;
use schemas::ids::{AuditId, ProjectSlug};
use schemas::magic::Magic;
use schemas::retry::ErrorClass;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::postgres::{PgArguments, PgRow};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::StoreError;
use crate::moment::Moment;
use crate::store::Store;

/// Shortest beginning of an id that stands for it, in characters: of a million letters, two in five thousand share one.
const ID_CHARS_MIN: usize = 8;

/// Longest text to look for in a reason, in characters.
const MATCH_CHARS_MAX: usize = 200;

/// What a filter lets through: see [`bound`] for the values, in the same order.
macro_rules! matching {
    () => {
        "($1::text IS NULL OR project_slug = $1) AND ($2::text IS NULL OR magic = $2)
         AND ($3::text IS NULL OR cause = $3) AND ($4::text IS NULL OR class = $4)
         AND ($5::uuid IS NULL OR audit_id = $5)
         AND ($6::timestamptz IS NULL OR received_at >= $6) AND ($7::timestamptz IS NULL OR received_at < $7)
         AND ($8::text IS NULL OR strpos(lower(reason), lower($8)) > 0) AND ($9::text IS NULL OR state = $9)"
    };
}

/// How far a letter is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterState {
    /// Somebody must look at it.
    #[default]
    Open,
    /// Its message was published again, or its audit asked for again.
    Requeued,
    /// Nothing is to be done about it.
    Discarded,
    /// All of them.
    Any,
}

/// A word that is none of the states.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("state `{0}` is not known: use open, requeued, discarded or any")]
pub struct UnknownState(String);

impl FromStr for LetterState {
    type Err = UnknownState;
    fn from_str(text: &str) -> Result<Self, UnknownState> {
        match text {
            "open" => Ok(Self::Open),
            "requeued" => Ok(Self::Requeued),
            "discarded" => Ok(Self::Discarded),
            "any" => Ok(Self::Any),
            other => Err(UnknownState(other.chars().take(80).flat_map(char::escape_debug).collect())),
        }
    }
}

/// The id of a letter, or enough of its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LetterId(String);

/// Text that no letter's id begins with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("letter `{0}` is not valid: use at least {ID_CHARS_MIN} of the 64 lower-case hex digits of its id")]
pub struct InvalidLetterId(String);

impl FromStr for LetterId {
    type Err = InvalidLetterId;
    fn from_str(text: &str) -> Result<Self, InvalidLetterId> {
        let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_hex && (ID_CHARS_MIN..=64).contains(&text.len()) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidLetterId(text.chars().take(80).flat_map(char::escape_debug).collect()))
    }
}

impl TryFrom<String> for LetterId {
    type Error = InvalidLetterId;
    fn try_from(text: String) -> Result<Self, InvalidLetterId> {
        text.parse()
    }
}

impl std::fmt::Display for LetterId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text to look for in a reason.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ReasonText(String);

/// Text that no reason holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the text to match needs 1 to {MATCH_CHARS_MAX} characters without control characters")]
pub struct InvalidReasonText;

impl FromStr for ReasonText {
    type Err = InvalidReasonText;
    fn from_str(text: &str) -> Result<Self, InvalidReasonText> {
        let is_valid = (1..=MATCH_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if is_valid { Ok(Self(text.to_owned())) } else { Err(InvalidReasonText) }
    }
}

impl TryFrom<String> for ReasonText {
    type Error = InvalidReasonText;
    fn try_from(text: String) -> Result<Self, InvalidReasonText> {
        text.parse()
    }
}

/// Which letters: those that pass everything that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LetterFilter {
    /// Of this project.
    pub project: Option<ProjectSlug>,
    /// Of this magic.
    pub magic: Option<Magic>,
    /// Dead for this cause.
    pub cause: Option<Cause>,
    /// Failed in this way.
    pub class: Option<ErrorClass>,
    /// Of this audit.
    pub audit: Option<AuditId>,
    /// Received at this moment or later.
    pub since: Option<Moment>,
    /// Received earlier than this.
    pub before: Option<Moment>,
    /// With this text in the reason, in upper or lower case.
    #[serde(rename = "match")]
    pub text: Option<ReasonText>,
    /// How far they are.
    pub state: LetterState,
}

impl LetterFilter {
    /// Whether it lets every letter of its state through.
    pub fn is_empty(&self) -> bool {
        Self { state: LetterState::default(), ..self.clone() } == Self::default()
    }
}

/// A dead letter without the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Letter {
    /// Its key.
    pub id: String,
    /// When it came.
    #[serde(with = "time::serde::rfc3339")]
    pub received_at: OffsetDateTime,
    /// `open`, `requeued` or `discarded`.
    pub state: String,
    /// `request`, `task` or `result`.
    pub origin: String,
    /// Where the message was published.
    pub subject: String,
    /// Why it died.
    pub cause: String,
    /// What exactly was wrong.
    pub reason: String,
    /// What kind of failure it was, where it is known.
    pub class: Option<String>,
    /// How often it was delivered.
    pub attempts: i64,
    /// Its project.
    pub project_id: Option<String>,
    /// Its audit.
    pub audit_id: Option<Uuid>,
    /// Its magic.
    pub magic: Option<String>,
    /// Its shard.
    pub shard: Option<i32>,
    /// The file or commit at fault, once it is known.
    pub item: Option<String>,
    /// Who had it last.
    pub worker: Option<String>,
    /// `receiver`, `advisory` or `reconciler`.
    pub noticed_by: String,
    /// When somebody dealt with it.
    #[serde(with = "time::serde::rfc3339::option")]
    pub handled_at: Option<OffsetDateTime>,
    /// What became of it.
    pub became: Option<String>,
}

impl Letter {
    fn from_row(row: &PgRow) -> Result<Self, StoreError> {
        let failed = |error| StoreError::of("read a dead letter", error);
        Ok(Self {
            id: row.try_get("id").map_err(failed)?,
            received_at: row.try_get("received_at").map_err(failed)?,
            state: row.try_get("state").map_err(failed)?,
            origin: row.try_get("origin").map_err(failed)?,
            subject: row.try_get("subject").map_err(failed)?,
            cause: row.try_get("cause").map_err(failed)?,
            reason: row.try_get("reason").map_err(failed)?,
            class: row.try_get("class").map_err(failed)?,
            attempts: row.try_get("attempts").map_err(failed)?,
            project_id: row.try_get("project_slug").map_err(failed)?,
            audit_id: row.try_get("audit_id").map_err(failed)?,
            magic: row.try_get("magic").map_err(failed)?,
            shard: row.try_get("shard").map_err(failed)?,
            item: row.try_get("item").map_err(failed)?,
            worker: row.try_get("worker").map_err(failed)?,
            noticed_by: row.try_get("noticed_by").map_err(failed)?,
            handled_at: row.try_get("handled_at").map_err(failed)?,
            became: row.try_get("became").map_err(failed)?,
        })
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, PgArguments>;

/// The values of [`matching`].
fn bound<'q>(query: Query<'q>, filter: &LetterFilter) -> Query<'q> {
    let state = match filter.state {
        LetterState::Open => Some("open"),
        LetterState::Requeued => Some("requeued"),
        LetterState::Discarded => Some("discarded"),
        LetterState::Any => None,
    };
    query
        .bind(filter.project.as_ref().map(ToString::to_string))
        .bind(filter.magic.map(|magic| magic.as_str()))
        .bind(filter.cause.map(|cause| cause.as_str()))
        .bind(filter.class.map(|class| class.as_str()))
        .bind(filter.audit.map(|audit| audit.0))
        .bind(filter.since.map(|moment| moment.0))
        .bind(filter.before.map(|moment| moment.0))
        .bind(filter.text.as_ref().map(|text| text.0.clone()))
        .bind(state)
}

impl Store {
    /// Letters, newest first; those after the letter with the id `after`, where that is given.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn dead_letters(
        &self,
        filter: &LetterFilter,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Letter>, StoreError> {
        let query = sqlx::query(concat!(
            "SELECT * FROM dead_letters WHERE ",
            matching!(),
            " AND ($10::text IS NULL
                   OR (received_at, id) < (SELECT received_at, id FROM dead_letters WHERE id = $10))
              ORDER BY received_at DESC, id DESC LIMIT $11"
        ));
        let rows = bound(query, filter).bind(after).bind(limit).fetch_all(&self.pool).await;
        let rows = rows.map_err(|error| StoreError::of("list dead letters", error))?;
        rows.iter().map(Letter::from_row).collect()
    }

    /// How many letters pass a filter.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn count_dead_letters(&self, filter: &LetterFilter) -> Result<i64, StoreError> {
        let query = sqlx::query(concat!("SELECT count(*) FROM dead_letters WHERE ", matching!()));
        let row = bound(query, filter).fetch_one(&self.pool).await;
        let counted = row.and_then(|row| row.try_get(0));
        counted.map_err(|error| StoreError::of("count dead letters", error))
    }

    /// The letters whose ids begin so, two at most: more than one means that the beginning is too short.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn find_dead_letter(&self, id: &LetterId) -> Result<Vec<Letter>, StoreError> {
        let rows = sqlx::query("SELECT * FROM dead_letters WHERE id LIKE $1 || '%' ORDER BY id LIMIT 2")
            .bind(&id.0)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| StoreError::of("look for a dead letter", error))?;
        rows.iter().map(Letter::from_row).collect()
    }

    /// The message that died, or its beginning.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn dead_letter_body(&self, id: &str) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar("SELECT body FROM dead_letters WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| StoreError::of("read a dead letter", error))
    }
}
