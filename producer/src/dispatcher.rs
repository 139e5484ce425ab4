//! The dispatcher: one per deployment; keeps the queue shallow and fair by publishing tasks as others are done.

pub mod order;
pub(crate) mod pace;
mod publish;
pub(crate) mod trees;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use broker::error::{StoreError, chain};
use broker::store::dispatch::OpenAudit;
use broker::store::dispatcher_settings::DispatcherSettings;
use broker::store::limits::{LimitRow, Scope};
use broker::store::{DispatcherSeat, TASKS_CHANNEL, Wakeups};
use broker::{Bus, Store};
use schemas::ids::AuditId;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use self::pace::Pace;
use self::publish::publish;
use crate::fairness::{Backlog, Limit, Limits, Turns};
use crate::planner::Planner;
use crate::stops;

/// How long to sleep while the queue is full: tasks that are done make room without an announcement.
const PERIOD: Duration = Duration::from_millis(20);

/// Least time between two rounds while the queue is well filled.
const ROUND_PERIOD: Duration = Duration::from_millis(20);

/// How long to sleep when there is nothing to dispatch at all.
const IDLE_PERIOD: Duration = Duration::from_secs(1);

/// How often another process looks whether the seat is free.
const SEAT_PERIOD: Duration = Duration::from_secs(1);

/// How often limits are read again: so long may a change take to be heeded.
const LIMITS_PERIOD: Duration = Duration::from_secs(2);

/// How long an audit is passed over of which fewer tasks could be had than its row says.
const PASS_OVER: Duration = Duration::from_secs(1);

/// Tasks published in one round: a full batch for the servers, and a few milliseconds until the next look. An audit that starts
/// while a round is under way may see that one and the next go by before its own.
const ROUND_MAX: u64 = 512;

/// What the dispatcher is told on the command line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// Most tasks in the queue or running.
    pub(crate) tasks_in_flight: u64,
    /// Fewest that the queue may hold.
    pub(crate) tasks_in_flight_min: u64,
    /// Most tasks in the queue or running of each project that has no limit of its own.
    pub(crate) project_tasks_in_flight: Option<u64>,
    /// How long a task may take in all, from the first time it is published.
    pub(crate) task_time_max: Duration,
}

impl Settings {
    /// What others need to know to say what the dispatcher does.
    fn told(self) -> DispatcherSettings {
        let Self { tasks_in_flight, project_tasks_in_flight, .. } = self;
        DispatcherSettings { tasks_in_flight, project_tasks_in_flight }
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Dispatches until `stop` is cancelled, while this process holds the seat.
pub(crate) async fn run(planner: Planner, settings: Settings, stop: CancellationToken) {
    let Planner { store, bus, .. } = &planner;
    while !stop.is_cancelled() {
        match store.take_dispatcher_seat().await {
            Ok(Some(seat)) => {
                tracing::info!("dispatching");
                // Whichever fails: the seat is given up, and taken again for both.
                let ended = tokio::select! {
                    ended = dispatch(store, bus, seat, settings, &stop) => ended,
                    ended = trees::run(&planner, settings.task_time_max, &stop) => ended,
                };
                if let Err(error) = ended {
                    tracing::warn!(error = %chain(&*error), "dispatching was interrupted");
                }
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(error = %chain(&error), "cannot look for the dispatcher's seat"),
        }
        stop.run_until_cancelled(tokio::time::sleep(SEAT_PERIOD)).await;
    }
}

async fn dispatch(
    store: &Store,
    bus: &Bus,
    mut seat: DispatcherSeat,
    settings: Settings,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    store.set_dispatcher_settings(settings.told()).await?;
    let mut wakeups = store.listen(TASKS_CHANNEL).await?;
    let (mut turns, mut pace) = (Turns::default(), Pace::new(settings.tasks_in_flight_min, settings.tasks_in_flight));
    let mut limits = limits(store, settings).await?;
    let mut limits_read = Instant::now();
    let mut passed_over: HashMap<AuditId, Instant> = HashMap::new();
    while !stop.is_cancelled() {
        let begun = Instant::now();
        if limits_read.elapsed() >= LIMITS_PERIOD {
            limits = self::limits(store, settings).await?;
            limits_read = Instant::now();
        }
        let mut backlog: Vec<Backlog> = store.open_backlog().await?.into_iter().map(entry).collect();
        passed_over.retain(|_, since: &mut Instant| since.elapsed() < PASS_OVER);
        // What only waits to be answered by the reconciler must not be granted the room of others.
        for entry in backlog.iter_mut().filter(|entry| passed_over.contains_key(&entry.audit)) {
            entry.ready = 0;
        }
        pace.look(&backlog);
        pace.keep(store).await?;
        pace.count_workers(bus).await;
        let in_flight: u64 = backlog.iter().map(|entry| entry.in_flight).sum();
        let room = pace.window().saturating_sub(in_flight).min(ROUND_MAX);
        let grants = turns.choose(now_ms(), &backlog, &limits, room);
        let published = publish(store, bus, &grants, settings.task_time_max, &mut turns).await?;
        pace.published(&published);
        // After the tasks, which somebody waits for. Who has lost the seat has published what the next one would, under the
        // same ids.
        let (is_held, removed) = tokio::join!(seat.is_held(), stops::remove_tasks(store, bus));
        removed?;
        if !is_held {
            break;
        }
        passed_over.extend(published.short.iter().map(|audit| (*audit, Instant::now())));
        let ready: u64 = backlog.iter().map(|entry| entry.ready).sum();
        if published.tasks == 0 || published.tasks == ready {
            // Room that is left although something waits: a limit holds it, and frees it without an announcement too.
            wait(&mut wakeups, if published.tasks == ready { IDLE_PERIOD } else { PERIOD }, stop).await?;
        } else if 2 * in_flight > pace.window() {
            // Nobody runs dry meanwhile, and a round costs the same for few tasks as for many.
            wait(&mut wakeups, ROUND_PERIOD.saturating_sub(begun.elapsed()), stop).await?;
        }
    }
    Ok(())
}

async fn wait(wakeups: &mut Wakeups, period: Duration, stop: &CancellationToken) -> Result<(), StoreError> {
    match stop.run_until_cancelled(tokio::time::timeout(period, wakeups.next())).await {
        Some(Ok(woken)) => woken,
        _period_or_stop => Ok(()),
    }
}

/// Unix milliseconds.
pub(crate) fn now_ms() -> u64 {
    millis(OffsetDateTime::now_utc())
}

fn millis(at: OffsetDateTime) -> u64 {
    u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

/// What the turns are taken over.
pub(crate) fn entry(audit: OpenAudit) -> Backlog {
    let OpenAudit { audit, project, team, priority, created_at, ready, in_flight, done: _, task_cost, magics } = audit;
    let since_ms = millis(created_at);
    Backlog { audit, project, team, priority, since_ms, ready, in_flight, task_cost, per_shard: magics }
}

async fn limits(store: &Store, settings: Settings) -> Result<Limits, StoreError> {
    Ok(limits_of(&store.limits().await?, settings.project_tasks_in_flight))
}

/// The limits that the record holds; `default` is for projects that it holds none for. A limit that says nothing about tasks in flight
/// lifts that default.
pub(crate) fn limits_of(rows: &[LimitRow], default: Option<u64>) -> Limits {
    let mut limits = Limits { project_default: Limit { in_flight: default, weight: 1 }, ..Limits::default() };
    for LimitRow { scope, name, tasks_in_flight, weight } in rows {
        let in_flight = tasks_in_flight.map(|most| u64::from(most.unsigned_abs()));
        match scope {
            Scope::Project => {
                if let Ok(project) = name.parse() {
                    let weight = u64::from(weight.unsigned_abs().max(1));
                    limits.projects.insert(project, Limit { in_flight, weight });
                }
            }
            Scope::Team => {
                limits.teams.extend(in_flight.map(|most| (name.clone(), most)));
            }
        }
    }
    limits
}
