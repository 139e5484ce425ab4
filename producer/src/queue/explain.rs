//! One audit in the queue: its place, what is ahead of it, what holds it, and when it will probably start and end.

use broker::Store;
use broker::error::StoreError;
use broker::store::audits::Audit;
use schemas::ids::{AuditId, ProjectSlug};
use serde::Serialize;

use super::{Snapshot, quantile};
use crate::dispatcher::pace::LEAST;
use crate::fairness::forecast::{Forecast, Hold, Pace, forecast};
use crate::fairness::{Turns, class_weight};

/// Two predictions of the same moment, in seconds from now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Predicted {
    /// As often earlier as later.
    pub p50: f64,
    /// Later only one time in ten.
    pub p90: f64,
}

/// What there is to say about one audit.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The audit.
    pub audit: AuditId,
    /// Its project.
    pub project: ProjectSlug,
    /// `queued`, `running` or how it ended.
    pub state: String,
    /// The class that it was asked to be in.
    pub priority: &'static str,
    /// The class that it is served in now; more urgent once it has waited for long.
    pub class: &'static str,
    /// Audits that are served before its next task, plus 1; absent if it has ended.
    pub position: Option<u64>,
    /// Tasks that are published before its next one, those in flight included.
    pub tasks_ahead: u64,
    /// Tasks of its own that wait to be published.
    pub tasks_ready: u64,
    /// Tasks of its own in the queue or running.
    pub tasks_in_flight: u64,
    /// Tasks of its own that are done.
    pub tasks_done: i64,
    /// Tasks of its own in all; 0 before it has a plan.
    pub tasks_total: i64,
    /// What holds it, in one sentence.
    pub held_by: String,
    /// Seconds until its next task is published; absent if it cannot be said.
    pub starts_in_secs: Option<Predicted>,
    /// Seconds until its verdict; absent if it cannot be said.
    pub ends_in_secs: Option<Predicted>,
    /// What the predictions are made of.
    pub basis: String,
}

/// Explains one audit; nothing if there is no such audit.
///
/// # Errors
/// If the database cannot be reached.
pub async fn explain(store: &Store, id: AuditId) -> Result<Option<Explanation>, StoreError> {
    let Some(audit) = store.audit(id).await? else { return Ok(None) };
    let snapshot = Snapshot::read(store).await?;
    let mut explanation = facts(&audit, &snapshot);
    match audit.state.as_str() {
        "queued" => unplanned(store, &audit, &snapshot, &mut explanation).await?,
        "running" => running(&snapshot, &mut explanation),
        _ended => {
            explanation.held_by = format!("nothing: it has ended as {}", audit.state);
            explanation.basis = "it has ended".to_owned();
        }
    }
    Ok(Some(explanation))
}

fn facts(audit: &Audit, snapshot: &Snapshot) -> Explanation {
    let entry = snapshot.backlog.iter().find(|entry| entry.audit == audit.id);
    let class = entry.map_or(audit.priority, |entry| Turns::default().class_of(snapshot.now_ms, entry));
    Explanation {
        audit: audit.id,
        project: audit.project.clone(),
        state: audit.state.clone(),
        priority: audit.priority.as_str(),
        class: class.as_str(),
        position: None,
        tasks_ahead: 0,
        tasks_ready: entry.map_or(0, |entry| entry.ready),
        tasks_in_flight: entry.map_or(0, |entry| entry.in_flight),
        tasks_done: audit.tasks_done,
        tasks_total: audit.tasks_total,
        held_by: String::new(),
        starts_in_secs: None,
        ends_in_secs: None,
        basis: String::new(),
    }
}

/// An audit without a plan: its tasks are not known, so its own project's past says how long it takes.
async fn unplanned(
    store: &Store,
    audit: &Audit,
    snapshot: &Snapshot,
    explanation: &mut Explanation,
) -> Result<(), StoreError> {
    let before = store.unplanned_before(audit.id).await?.unsigned_abs();
    let durations = store.durations(&audit.project).await?;
    explanation.position = Some(before + 1);
    explanation.tasks_ahead = snapshot.backlog.iter().map(|entry| entry.in_flight).sum();
    explanation.held_by = match before {
        0 => "its plan: the repository is fetched and cut into tasks first".to_owned(),
        before => format!("its plan: {before} audits were asked for before it and are planned first"),
    };
    let both = |sorted: &[f64]| Some((quantile(sorted, 0.5)?, quantile(sorted, 0.9)?));
    let waited = (time::OffsetDateTime::now_utc() - audit.created_at).as_seconds_f64();
    explanation.basis = format!("the last {} audits of the project", durations.running.len());
    if let Some((p50, p90)) = both(&durations.planning) {
        let starts = Predicted { p50: (p50 - waited).max(0.0), p90: (p90 - waited).max(0.0) };
        explanation.starts_in_secs = Some(starts);
        explanation.ends_in_secs =
            both(&durations.running).map(|(p50, p90)| Predicted { p50: starts.p50 + p50, p90: starts.p90 + p90 });
    }
    Ok(())
}

/// An audit with a plan: the queue is played through at the pace of the last minutes.
fn running(snapshot: &Snapshot, explanation: &mut Explanation) {
    let in_flight: u64 = snapshot.backlog.iter().map(|entry| entry.in_flight).sum();
    let most = snapshot.tasks_in_flight_max.unwrap_or(u64::MAX);
    let window = in_flight.max(u64::from(LEAST)).min(most).max(1);
    let play = |cost_per_sec| {
        let pace = Pace { cost_per_sec, window };
        forecast(snapshot.now_ms, &snapshot.backlog, &snapshot.limits, pace, explanation.audit)
    };
    // Without a pace the order is known all the same; a pace of 1 says nothing of times, and they are left out.
    let (middle, bad) = match snapshot.pace {
        Some(pace) => (play(pace.cost_per_sec), play(pace.cost_per_sec_p10)),
        None => (play(1.0), None),
    };
    let Some(middle) = middle else {
        explanation.held_by = "nothing: its verdict is being made".to_owned();
        return;
    };
    explanation.position = Some(middle.position);
    explanation.tasks_ahead = middle.tasks_ahead;
    explanation.held_by = held_by(&middle, explanation);
    explanation.basis = match snapshot.pace {
        Some(pace) => format!("{} samples of the last ten minutes, {:.1} tasks/s", pace.samples, pace.tasks_per_sec),
        None => "nothing was done in the last ten minutes, so no times can be predicted".to_owned(),
    };
    if let Some(bad) = bad {
        let both = |of: fn(&Forecast) -> Option<f64>| {
            of(&middle).zip(of(&bad)).map(|(p50, p90)| Predicted { p50, p90: p90.max(p50) })
        };
        explanation.starts_in_secs = both(|forecast| forecast.starts_in_secs);
        explanation.ends_in_secs = both(|forecast| forecast.ends_in_secs);
    }
}

fn held_by(forecast: &Forecast, explanation: &Explanation) -> String {
    let Explanation { project, class, .. } = explanation;
    match &forecast.hold {
        Hold::Nothing => "nothing: all its tasks are in the queue, running or done".to_owned(),
        Hold::Turn => {
            let weight = class.parse().map(class_weight).unwrap_or_default();
            format!("its turn: the queue is full, class {class} has {weight} of 29 shares and its projects take turns")
        }
        Hold::Project { in_flight_max, is_default: false } => {
            format!("the limit of project `{project}`: {in_flight_max} tasks in flight")
        }
        Hold::Project { in_flight_max, is_default: true } => {
            format!("the planner's limit for each project without one of its own: {in_flight_max} tasks in flight")
        }
        Hold::Team { team, in_flight_max } => {
            format!("the limit of team `{}`: {in_flight_max} tasks in flight", team.escape_debug())
        }
    }
}
