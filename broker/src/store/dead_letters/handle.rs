//! Dealing with dead letters: each is requeued or discarded once, whoever asks and however often.

use std::collections::BTreeSet;

use schemas::ids::{AuditId, TraceId};
use schemas::request::{AuditKind, AuditRequest};
use schemas::task::{Task, TaskKey};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::again::{ask_again, is_answered_well};
use crate::error::StoreError;
use crate::store::audits::Audit;
use crate::store::outbox::outbox_row;
use crate::store::{Store, commit, to_json};
use crate::subject::{Origin, Subject};

/// What to do about a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Have its work done again.
    Requeue,
    /// Close it.
    Discard,
}

/// What became of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handled {
    /// Its message is published again under this id.
    Published(String),
    /// The same audit is asked for again, as this one.
    Asked(AuditId),
    /// It is closed.
    Discarded,
    /// Somebody has dealt with it before: it is in this state.
    NotOpen(String),
    /// It cannot be requeued, for this reason; it stays open.
    Refused(String),
    /// There is no such letter.
    Missing,
}

/// What became of several letters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Handling {
    /// Messages published again.
    pub published: usize,
    /// Letters for which an audit is asked for again.
    pub asked: usize,
    /// Those audits, each once.
    pub audits: BTreeSet<AuditId>,
    /// Letters closed.
    pub discarded: usize,
    /// Letters that were not open any more.
    pub not_open: usize,
    /// Letters that cannot be requeued, with the reasons.
    pub refused: Vec<Refusal>,
}

/// A letter that cannot be requeued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Its id.
    pub id: String,
    /// Why.
    pub reason: String,
}

impl Handling {
    /// Counts what became of one more letter.
    pub fn add(&mut self, id: &str, handled: Handled) {
        match handled {
            Handled::Published(_) => self.published += 1,
            Handled::Asked(audit) => {
                self.asked += 1;
                self.audits.insert(audit);
            }
            Handled::Discarded => self.discarded += 1,
            Handled::NotOpen(_) | Handled::Missing => self.not_open += 1,
            Handled::Refused(reason) => self.refused.push(Refusal { id: id.to_owned(), reason }),
        }
    }
}

/// What a letter says of its message.
struct Dead {
    subject: String,
    origin: String,
    body: String,
    audit: Option<AuditId>,
}

impl Store {
    /// Requeues or discards a letter, if it is open. A dry run does all of it and takes it back.
    ///
    /// # Errors
    /// If the database cannot be reached: then nothing has changed.
    pub async fn handle_dead_letter(&self, id: &str, act: Act, is_dry_run: bool) -> Result<Handled, StoreError> {
        let failed = |error| StoreError::of("deal with a dead letter", error);
        let mut transaction = self.begin().await?;
        // Two at once: the second waits here until the first has committed, and finds nothing open.
        let row: Option<(String, String, String, Option<Uuid>)> = sqlx::query_as(
            "UPDATE dead_letters SET state = $2, handled_at = now() WHERE id = $1 AND state = 'open'
             RETURNING subject, origin, body, audit_id",
        )
        .bind(id)
        .bind(if act == Act::Requeue { "requeued" } else { "discarded" })
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
        let Some((subject, origin, body, audit)) = row else {
            let state: Option<String> = sqlx::query_scalar("SELECT state FROM dead_letters WHERE id = $1")
                .bind(id)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(failed)?;
            return Ok(state.map_or(Handled::Missing, Handled::NotOpen));
        };
        let handled = match act {
            Act::Requeue => {
                requeue(&mut transaction, &Dead { subject, origin, body, audit: audit.map(AuditId) }).await?
            }
            Act::Discard => Handled::Discarded,
        };
        let became = match &handled {
            Handled::Published(message) => Some(format!("message {message}")),
            Handled::Asked(audit) => Some(format!("audit {audit}")),
            _ => None,
        };
        if is_dry_run || matches!(handled, Handled::Refused(_)) {
            transaction.rollback().await.map_err(failed)?;
            return Ok(handled);
        }
        sqlx::query("UPDATE dead_letters SET became = $2 WHERE id = $1")
            .bind(id)
            .bind(became)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        commit(transaction).await?;
        Ok(handled)
    }
}

async fn requeue(connection: &mut PgConnection, dead: &Dead) -> Result<Handled, StoreError> {
    let refused = |reason: &str| Ok(Handled::Refused(reason.to_owned()));
    let subject = match dead.subject.parse::<Subject>() {
        Ok(subject) => subject,
        Err(error) => return Ok(Handled::Refused(format!("nobody would receive it: {error}"))),
    };
    match &subject {
        Subject::Request | Subject::ProjectRequest(_) => requeue_request(connection, dead, &subject).await,
        // Not fired again: that is the schedule's to do, and this is one audit now.
        Subject::Fire(project, _) => requeue_request(connection, dead, &Subject::ProjectRequest(project.clone())).await,
        Subject::Task(_, key) => requeue_task(connection, dead, &subject, key).await,
        _ if dead.origin == Origin::Result.as_str() => refused(
            "it is a worker's answer: its task was answered with the reason; requeue the letter of the task, or ask for a new audit",
        ),
        _ => refused("it is no message that anybody works on"),
    }
}

async fn requeue_request(connection: &mut PgConnection, dead: &Dead, subject: &Subject) -> Result<Handled, StoreError> {
    let request: AuditRequest = match serde_json::from_str(&dead.body) {
        Ok(request) => request,
        Err(error) => return Ok(Handled::Refused(format!("it is no request that can be read: {error}"))),
    };
    let audit = match request.audit {
        Some(audit) => audit_of(connection, audit).await?,
        None => None,
    };
    match audit {
        Some(audit) if audit.is_finished() => ask_again(connection, &audit).await,
        Some(audit) if audit.state != "queued" => {
            Ok(Handled::Refused(format!("its audit {} is planned and under way", audit.id)))
        }
        _ => publish_again(connection, subject, to_json("request", &request)?).await,
    }
}

async fn requeue_task(
    connection: &mut PgConnection,
    dead: &Dead,
    subject: &Subject,
    key: &TaskKey,
) -> Result<Handled, StoreError> {
    let audit = match dead.audit {
        Some(audit) => audit_of(connection, audit).await?,
        None => None,
    };
    if let Some(audit) = audit.as_ref().filter(|audit| audit.kind != AuditKind::AdHoc) {
        if audit.is_finished() {
            return ask_again(connection, audit).await;
        }
        return Ok(Handled::Refused(format!(
            "its audit {} is still under way; requeue it once that has ended",
            audit.id
        )));
    }
    let task: Task = match serde_json::from_str(&dead.body) {
        Ok(task) => task,
        Err(error) => return Ok(Handled::Refused(format!("it is no task that can be read: {error}"))),
    };
    if let Err(error) = task.validate() {
        return Ok(Handled::Refused(format!("nobody can run it: {error}")));
    }
    if task.bundle.is_some() && audit.is_none() {
        return Ok(Handled::Refused(format!("its audit {} is not in the record any more", key.audit)));
    }
    if is_answered_well(connection, key).await? {
        return Ok(Handled::Refused("its task was answered since".to_owned()));
    }
    publish_again(connection, subject, to_json("task", &task)?).await
}

async fn audit_of(connection: &mut PgConnection, audit: AuditId) -> Result<Option<Audit>, StoreError> {
    let row = sqlx::query("SELECT * FROM audits WHERE id = $1").bind(audit.0).fetch_optional(connection);
    let row = row.await.map_err(|error| StoreError::of("read an audit", error))?;
    row.as_ref().map(Audit::from_row).transpose()
}

/// Publishes under a fresh id and in a fresh trace: should it die again, that is another death.
async fn publish_again(
    connection: &mut PgConnection,
    subject: &Subject,
    body: serde_json::Value,
) -> Result<Handled, StoreError> {
    let id = format!("Q:{}", Uuid::new_v4());
    match outbox_row(connection, subject, &id, TraceId::random(), body).await {
        Ok(()) => Ok(Handled::Published(id)),
        Err(StoreError::Refused { .. }) => {
            Ok(Handled::Refused("it holds a character that the database cannot keep; publish it by hand".to_owned()))
        }
        Err(error) => Err(error),
    }
}
