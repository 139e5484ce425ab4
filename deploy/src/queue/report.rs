//! `elder queue` as people read it.

use producer::queue::{ClassReport, PoolReport, ProjectReport, QueueReport};
use schemas::presence::WorkerPresence;

use super::text::{duration, table};

/// The whole report.
pub(super) fn text(report: &QueueReport) -> String {
    let mut parts = vec![classes(&report.classes), projects(report)];
    parts.extend(report.pools.as_deref().filter(|pools| !pools.is_empty()).map(pools));
    parts.extend(report.workers.as_deref().map(workers));
    parts.push(match report.pace {
        Some(pace) => format!(
            "{:.1} tasks/s while there was work, over the last ten minutes ({} samples)\n",
            pace.tasks_per_sec, pace.samples
        ),
        None => "Nothing was done in the last ten minutes.\n".to_owned(),
    });
    parts.join("\n")
}

fn classes(classes: &[ClassReport]) -> String {
    let row = |row: &ClassReport| {
        vec![
            row.class.to_owned(),
            row.audits_unplanned.to_string(),
            row.audits_running.to_string(),
            row.tasks_ready.to_string(),
            row.tasks_in_flight.to_string(),
            rate(row.tasks_per_sec),
            duration(row.oldest_wait_secs),
        ]
    };
    let head = ["class", "audits waiting", "running", "tasks ready", "in flight", "tasks/s", "oldest wait"];
    table(&head, &classes.iter().map(row).collect::<Vec<_>>())
}

fn projects(report: &QueueReport) -> String {
    if report.projects.is_empty() {
        return "No project has or had anything to do lately.\n".to_owned();
    }
    let row = |row: &ProjectReport| {
        vec![
            row.project.to_string(),
            row.team.as_deref().unwrap_or("-").escape_debug().to_string(),
            row.audits_unplanned.to_string(),
            row.tasks_ready.to_string(),
            row.tasks_in_flight.to_string(),
            rate(row.tasks_per_sec),
            duration(row.oldest_wait_secs),
            row.tasks_in_flight_max.map_or_else(|| "-".to_owned(), |most| most.to_string()),
            row.weight.to_string(),
        ]
    };
    let head =
        ["project", "team", "audits waiting", "tasks ready", "in flight", "tasks/s", "oldest wait", "limit", "weight"];
    let mut out = table(&head, &report.projects.iter().map(row).collect::<Vec<_>>());
    if report.projects_total > report.projects.len() {
        out += &format!("  … and {} more projects\n", report.projects_total - report.projects.len());
    }
    out
}

fn pools(pools: &[PoolReport]) -> String {
    let row = |row: &PoolReport| {
        let counts = [row.workers, row.slots, row.running].map(|count| count.to_string());
        [vec![row.pool.to_string()], counts.into(), vec![rate(row.tasks_per_sec)]].concat()
    };
    table(&["pool", "workers", "slots", "tasks", "tasks/s"], &pools.iter().map(row).collect::<Vec<_>>())
}

fn workers(workers: &[WorkerPresence]) -> String {
    if workers.is_empty() {
        return "No worker lives.\n".to_owned();
    }
    let row = |worker: &WorkerPresence| {
        let longest = worker.tasks.iter().min_by_key(|task| task.since);
        let task = longest
            .map_or_else(|| "-".to_owned(), |task| format!("{} of {} shard {}", task.magic, task.project, task.shard));
        let (name, pool) = (worker.worker.escape_debug().to_string(), worker.pool.to_string());
        let counts = [worker.slots, worker.threads, worker.running].map(|count| count.to_string());
        [vec![name, pool], counts.into(), vec![task]].concat()
    };
    let head = ["worker", "pool", "slots", "threads", "tasks", "longest running"];
    table(&head, &workers.iter().map(row).collect::<Vec<_>>())
}

fn rate(per_second: f64) -> String {
    format!("{per_second:.1}")
}
