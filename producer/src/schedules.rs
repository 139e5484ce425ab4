//! Schedules: whatever planner looks first fires a moment, and whoever looks again finds it fired.

use std::sync::Arc;
use std::time::Duration;

use broker::Store;
use broker::error::chain;
use broker::store::intake::NewAudit;
use broker::store::schedules::{DueSchedule, Fired};
use schemas::catalogue::Catalogue;
use schemas::ids::{AuditId, ProjectSlug, ScheduleName, TraceId};
use schemas::request::AuditRequest;
use schemas::schedule::{Calendar, Definition, InvalidCalendar, ScheduledRequest, due};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio_util::sync::CancellationToken;

use crate::intake::{Asker, Refused, admit};

/// How often it is looked for due schedules: half of the finest that a cron expression can say.
const PERIOD: Duration = Duration::from_millis(500);

/// A schedule that could never fire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchedule {
    /// Its moments.
    #[error(transparent)]
    Calendar(#[from] InvalidCalendar),
    /// What it asks for.
    #[error(transparent)]
    Request(#[from] Refused),
}

/// The moments of a definition, if it can fire.
///
/// # Errors
/// If its moments or what it asks for are not valid.
pub fn check(definition: &Definition, catalogue: &Catalogue) -> Result<Calendar, InvalidSchedule> {
    let calendar = Calendar::new(&definition.cron, &definition.time_zone)?;
    crate::intake::check(definition.request.kind, &definition.request.magics, catalogue)?;
    Ok(calendar)
}

/// The audit that a schedule asks for.
///
/// # Errors
/// If this build cannot do what was asked when the schedule was defined.
pub fn audit_of(
    project: &ProjectSlug,
    request: &ScheduledRequest,
    audit: AuditId,
    catalogue: &Catalogue,
) -> Result<NewAudit, Refused> {
    let ScheduledRequest { revision, kind, magics, priority } = request.clone();
    let request = AuditRequest { audit: None, project: project.clone(), revision, base: None, kind, magics, priority };
    let asker = Asker { requested_by: "schedule", audit, trace: TraceId::random(), branch: None };
    admit(request, asker, catalogue)
}

/// Fires what is due until `stop` is cancelled. Several at once share the work.
pub(crate) async fn run(store: Store, catalogue: Arc<Catalogue>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match store.fire_due(|due| fire(due, &catalogue)).await {
            Ok(Some(_)) => continue,
            Ok(None) => {}
            Err(error) => tracing::warn!(error = %chain(&error), "schedules wait"),
        }
        stop.run_until_cancelled(tokio::time::sleep(PERIOD)).await;
    }
}

/// One audit per moment. What cannot be done is said and passed over: it would be no better a moment later.
fn fire(due_now: &DueSchedule, catalogue: &Catalogue) -> Fired {
    let DueSchedule { project, schedule, since, now } = due_now;
    let (name, definition) = (&schedule.name, &schedule.definition);
    let calendar = match Calendar::new(&definition.cron, &definition.time_zone) {
        Ok(calendar) => calendar,
        Err(error) => {
            tracing::error!(%error, project = %project.slug, schedule = %name, "a schedule cannot fire any more");
            return Fired::default();
        }
    };
    let due = due(&calendar, definition.catch_up, *since, *now);
    let mut fired = Fired { next: due.next, ..Fired::default() };
    for moment in due.moments {
        let audit = audit_at(&project.slug, name, moment);
        match audit_of(&project.slug, &definition.request, audit, catalogue) {
            Ok(audit) => {
                tracing::info!(trace_id = %audit.trace, audit_id = %audit.id, project = %project.slug, schedule = %name,
                    %moment, "a schedule fires");
                fired.audits.push(audit);
                fired.last = Some(moment);
            }
            Err(error) => {
                tracing::error!(%error, project = %project.slug, schedule = %name, %moment, "a schedule fired in vain");
            }
        }
    }
    fired
}

/// The audit that a moment of a schedule always means.
fn audit_at(project: &ProjectSlug, name: &ScheduleName, moment: OffsetDateTime) -> AuditId {
    let moment = moment.format(&Rfc3339).unwrap_or_else(|_no_such_year| moment.unix_timestamp().to_string());
    AuditId::from_key(project, &format!("schedule:{name}:{moment}"))
}
