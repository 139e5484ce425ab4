//! The queue by project.

use std::collections::BTreeMap;

use broker::store::waiting::Unplanned;
use schemas::ids::ProjectSlug;
use serde::Serialize;

use super::Snapshot;
use super::rates::Rates;

/// Projects listed, those with the most ready tasks first.
const PROJECTS_MAX: usize = 50;

/// One project.
#[derive(Debug, Clone, Serialize)]
pub struct ProjectReport {
    /// The project.
    pub project: ProjectSlug,
    /// Its team.
    pub team: Option<String>,
    /// Audits that have no plan yet.
    pub audits_unplanned: i64,
    /// Tasks that wait to be published.
    pub tasks_ready: u64,
    /// Tasks in the queue or running.
    pub tasks_in_flight: u64,
    /// Tasks answered in a second.
    pub tasks_per_sec: f64,
    /// Seconds that its longest waiting audit has waited for its first task; 0 if none waits.
    pub oldest_wait_secs: f64,
    /// Most tasks that it may have in flight; absent if neither it nor projects without a limit of their own have one.
    pub tasks_in_flight_max: Option<u64>,
    /// Its share beside others.
    pub weight: u64,
}

/// Projects that have something to do or had lately, at most fifty, and how many they are in all.
pub(super) fn projects(snapshot: &Snapshot, unplanned: &[Unplanned], rates: &Rates) -> (Vec<ProjectReport>, usize) {
    let mut projects: BTreeMap<&ProjectSlug, ProjectReport> = BTreeMap::new();
    for (entry, waited) in snapshot.waits() {
        let row =
            projects.entry(&entry.project).or_insert_with(|| empty(&entry.project, entry.team.as_ref(), snapshot));
        row.tasks_ready += entry.ready;
        row.tasks_in_flight += entry.in_flight;
        row.oldest_wait_secs = row.oldest_wait_secs.max(waited);
    }
    for waiting in unplanned {
        let (project, team) = (&waiting.project, waiting.team.as_ref());
        let row = projects.entry(project).or_insert_with(|| empty(project, team, snapshot));
        row.audits_unplanned += waiting.audits;
        row.oldest_wait_secs = row.oldest_wait_secs.max(waiting.oldest_secs);
    }
    for answered in rates.answered() {
        let (project, team) = (&answered.project, answered.team.as_ref());
        projects.entry(project).or_insert_with(|| empty(project, team, snapshot));
    }
    let total = projects.len();
    let mut projects: Vec<ProjectReport> = projects.into_values().collect();
    projects.sort_by_key(|row| std::cmp::Reverse((row.tasks_ready, row.tasks_in_flight, row.audits_unplanned)));
    projects.truncate(PROJECTS_MAX);
    for row in &mut projects {
        row.tasks_per_sec = rates.of(|answered| answered.project == row.project);
    }
    (projects, total)
}

fn empty(project: &ProjectSlug, team: Option<&String>, snapshot: &Snapshot) -> ProjectReport {
    let limit = snapshot.limits.of(project);
    ProjectReport {
        project: project.clone(),
        team: team.cloned(),
        audits_unplanned: 0,
        tasks_ready: 0,
        tasks_in_flight: 0,
        tasks_per_sec: 0.0,
        oldest_wait_secs: 0.0,
        tasks_in_flight_max: limit.in_flight,
        weight: limit.weight,
    }
}
