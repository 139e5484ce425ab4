//! The queue as people see it: how much waits for how long, who has how much of it, and how fast it moves.

pub mod explain;
mod pools;
mod projects;
mod rates;

use std::time::Duration;

use broker::error::{StoreError, chain};
use broker::store::throughput::Sample;
use broker::store::waiting::Unplanned;
use broker::{Bus, Store};
use schemas::presence::WorkerPresence;
use schemas::request::Priority;
use serde::Serialize;

pub use self::pools::PoolReport;
pub use self::projects::ProjectReport;
use self::rates::Rates;
use crate::dispatcher::{entry, limits_of, now_ms};
use crate::fairness::{Backlog, Limits, Turns};

/// How far predictions look back.
const LOOK_BACK: Duration = Duration::from_secs(600);

/// Samples read at most; the dispatcher writes one every ten seconds.
const SAMPLES_MAX: i64 = 60;

/// The queue at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct QueueReport {
    /// By class of urgency, most urgent first; an audit that has waited for long counts where it is served.
    pub classes: Vec<ClassReport>,
    /// Projects with something to do now or lately, those with the most ready tasks first; at most fifty.
    pub projects: Vec<ProjectReport>,
    /// Projects with something to do now or lately in all.
    pub projects_total: usize,
    /// Seconds before this moment that rates of classes and projects are a mean of.
    pub rates_over_secs: f64,
    /// How fast it moved in the last ten minutes; absent if nothing was done.
    pub pace: Option<PaceReport>,
    /// Workers that live by pool; absent if the queue cannot be asked. Pools are names: every worker takes tasks of all kinds.
    pub pools: Option<Vec<PoolReport>>,
    /// Workers that live, with what they are doing; absent if the queue cannot be asked.
    pub workers: Option<Vec<WorkerPresence>>,
}

/// One class of urgency.
#[derive(Debug, Clone, Serialize)]
pub struct ClassReport {
    /// `critical`, `high`, `normal` or `low`.
    pub class: &'static str,
    /// Audits that have no plan yet.
    pub audits_unplanned: i64,
    /// Audits whose tasks are served.
    pub audits_running: u64,
    /// Tasks that wait to be published.
    pub tasks_ready: u64,
    /// Tasks in the queue or running.
    pub tasks_in_flight: u64,
    /// Tasks answered in a second, of audits that were asked for in this class.
    pub tasks_per_sec: f64,
    /// Seconds that the longest waiting audit has waited for its first task; 0 if none waits.
    pub oldest_wait_secs: f64,
}

/// How fast the queue moved while there was something to do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PaceReport {
    /// Tasks done in a second: the middle of the samples.
    pub tasks_per_sec: f64,
    /// Predicted cost done in a second, in bytes' worth of analysis: the middle of the samples.
    pub cost_per_sec: f64,
    /// The same on a bad stretch: nine of ten samples were faster.
    pub cost_per_sec_p10: f64,
    /// How many samples of about ten seconds this is made of.
    pub samples: usize,
}

/// Everything that is read once for a report or an explanation.
pub(crate) struct Snapshot {
    pub(crate) now_ms: u64,
    pub(crate) backlog: Vec<Backlog>,
    /// Of each entry of the backlog: whether a task of it was ever published.
    pub(crate) begun: Vec<bool>,
    pub(crate) limits: Limits,
    /// Most tasks that the dispatcher has in flight; unknown before there was one.
    pub(crate) tasks_in_flight_max: Option<u64>,
    pub(crate) pace: Option<PaceReport>,
}

impl Snapshot {
    /// Reads it.
    pub(crate) async fn read(store: &Store) -> Result<Self, StoreError> {
        let audits = store.open_backlog().await?;
        let begun = audits.iter().map(|audit| audit.done + audit.in_flight > 0).collect();
        let settings = store.dispatcher_settings().await?;
        let project_default = settings.and_then(|settings| settings.project_tasks_in_flight);
        let limits = limits_of(&store.limits().await?, project_default);
        let pace = pace(&store.throughput(LOOK_BACK, SAMPLES_MAX).await?);
        let (backlog, now_ms) = (audits.into_iter().map(entry).collect(), now_ms());
        let tasks_in_flight_max = settings.map(|settings| settings.tasks_in_flight);
        Ok(Self { now_ms, backlog, begun, limits, tasks_in_flight_max, pace })
    }

    /// The backlog, each with the seconds that it has waited for its first task; 0 once there was one.
    fn waits(&self) -> impl Iterator<Item = (&Backlog, f64)> {
        self.backlog.iter().zip(&self.begun).map(|(entry, begun)| {
            let since_ms = if *begun { self.now_ms } else { entry.since_ms };
            (entry, Duration::from_millis(self.now_ms.saturating_sub(since_ms)).as_secs_f64())
        })
    }
}

/// Reads the queue.
///
/// # Errors
/// If the database cannot be reached.
pub async fn report(store: &Store, bus: &Bus) -> Result<QueueReport, StoreError> {
    let snapshot = Snapshot::read(store).await?;
    let unplanned = store.unplanned_audits().await?;
    let rates = Rates::read(store, snapshot.pace).await?;
    let classes = classes(&snapshot, &unplanned, &rates);
    let (projects, projects_total) = projects::projects(&snapshot, &unplanned, &rates);
    let workers = match bus.workers().await {
        Ok(workers) => Some(workers),
        Err(error) => {
            tracing::warn!(error = %chain(&error), "cannot tell which workers live");
            None
        }
    };
    let pools = workers.as_deref().map(pools::pools);
    let rates_over_secs = rates.window_secs();
    Ok(QueueReport { classes, projects, projects_total, rates_over_secs, pace: snapshot.pace, pools, workers })
}

fn classes(snapshot: &Snapshot, unplanned: &[Unplanned], rates: &Rates) -> Vec<ClassReport> {
    let turns = Turns::default();
    let row = |class: Priority| {
        let served = |entry: &Backlog| turns.class_of(snapshot.now_ms, entry) == class;
        let mut row = ClassReport {
            class: class.as_str(),
            audits_unplanned: 0,
            audits_running: 0,
            tasks_ready: 0,
            tasks_in_flight: 0,
            tasks_per_sec: rates.of(|answered| answered.priority == class),
            oldest_wait_secs: 0.0,
        };
        for (entry, waited) in snapshot.waits().filter(|(entry, _)| served(entry)) {
            row.audits_running += 1;
            row.tasks_ready += entry.ready;
            row.tasks_in_flight += entry.in_flight;
            row.oldest_wait_secs = row.oldest_wait_secs.max(waited);
        }
        for waiting in unplanned.iter().filter(|waiting| waiting.priority == class) {
            row.audits_unplanned += waiting.audits;
            row.oldest_wait_secs = row.oldest_wait_secs.max(waiting.oldest_secs);
        }
        row
    };
    Priority::ALL.into_iter().map(row).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a pace needs no more than 52 bits")]
fn pace(samples: &[Sample]) -> Option<PaceReport> {
    let rates = |of: fn(&Sample) -> i64| {
        let timed = samples.iter().filter(|sample| sample.seconds > 0.0);
        let mut rates: Vec<f64> = timed.map(|sample| of(sample) as f64 / sample.seconds).collect();
        rates.sort_by(f64::total_cmp);
        rates
    };
    let (tasks, costs) = (rates(|sample| sample.tasks), rates(|sample| sample.cost));
    Some(PaceReport {
        tasks_per_sec: quantile(&tasks, 0.5)?,
        cost_per_sec: quantile(&costs, 0.5)?,
        cost_per_sec_p10: quantile(&costs, 0.1)?,
        samples: samples.len(),
    })
}

/// The value below which a share `q` of `sorted` lies; the nearest one there is.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
pub(crate) fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last as f64 * q).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_the_middle_and_the_bad_stretch_is_slower() {
        let sample = |tasks| Sample { seconds: 10.0, tasks, cost: 100 * tasks, tasks_in_flight: 1 };
        let samples: Vec<Sample> = (1..=11).map(|number| sample(10 * number)).collect();
        let pace = pace(&samples).unwrap();
        assert_eq!((pace.tasks_per_sec, pace.cost_per_sec, pace.cost_per_sec_p10), (6.0, 600.0, 200.0));
        assert_eq!(super::pace(&[]), None);
    }
}
