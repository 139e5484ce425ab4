//! What will become of the queue as it stands: position, what is ahead, what holds it, and when it starts and ends.

use std::collections::HashSet;

use schemas::ids::AuditId;

use super::{Backlog, Limits, Turns, Usage};

/// Windows that are played through at most; a queue that is longer than this is only said to be long.
const STEPS_MAX: usize = 20_000;

/// What keeps an audit from having more tasks in the queue now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// Nothing: all its tasks are in the queue or done.
    Nothing,
    /// The queue is as full as it may be; others of its class and project have their turns.
    Turn,
    /// Its project has as many tasks in flight as it may.
    Project {
        /// How many that is.
        in_flight_max: u64,
        /// Whether it is the limit of all projects without one of their own.
        is_default: bool,
    },
    /// Its team has as many tasks in flight as it may.
    Team {
        /// The team.
        team: String,
        /// How many that is.
        in_flight_max: u64,
    },
}

/// What will become of one audit if nothing new comes in.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Audits that get a task before its next one, plus 1.
    pub position: u64,
    /// Tasks that are published before its next one, those in flight included.
    pub tasks_ahead: u64,
    /// What holds it now.
    pub hold: Hold,
    /// Seconds until its next task is published; absent if that is beyond what is played through.
    pub starts_in_secs: Option<f64>,
    /// Seconds until its last task is done; absent if that is beyond what is played through.
    pub ends_in_secs: Option<f64>,
}

/// How fast the queue moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Predicted cost done in a second, over all workers.
    pub cost_per_sec: f64,
    /// Tasks that may be in flight.
    pub window: u64,
}

/// What holds `audit` now.
pub fn hold(backlog: &[Backlog], limits: &Limits, audit: AuditId) -> Hold {
    let Some(entry) = backlog.iter().find(|entry| entry.audit == audit && entry.ready > 0) else {
        return Hold::Nothing;
    };
    let usage = Usage::of(backlog);
    let used = usage.projects.get(&entry.project).copied().unwrap_or_default();
    if let Some(in_flight_max) = limits.of(&entry.project).in_flight.filter(|most| used >= *most) {
        let is_default = !limits.projects.contains_key(&entry.project);
        return Hold::Project { in_flight_max, is_default };
    }
    let team = entry.team.as_deref().and_then(|team| Some((team, *limits.teams.get(team)?)));
    match team.filter(|(team, most)| usage.teams.get(team).copied().unwrap_or_default() >= *most) {
        Some((team, in_flight_max)) => Hold::Team { team: team.to_owned(), in_flight_max },
        None => Hold::Turn,
    }
}

/// Plays the queue through, window by window: what is in flight is done at the given pace, then the next ones are
/// granted as the dispatcher would.
pub fn forecast(now_ms: u64, backlog: &[Backlog], limits: &Limits, pace: Pace, audit: AuditId) -> Option<Forecast> {
    let target = backlog.iter().position(|entry| entry.audit == audit)?;
    let mut forecast = Forecast {
        position: 1,
        tasks_ahead: backlog.iter().map(|entry| entry.in_flight).sum(),
        hold: hold(backlog, limits, audit),
        starts_in_secs: None,
        ends_in_secs: None,
    };
    let (mut turns, mut queue, mut secs) = (Turns::default(), backlog.to_vec(), 0.0);
    let mut ahead: HashSet<AuditId> = HashSet::new();
    for _ in 0..STEPS_MAX {
        let in_flight: u64 = queue.iter().map(|entry| entry.in_flight).sum();
        let passed_ms = now_ms.saturating_add(millis(secs));
        for grant in turns.choose(passed_ms, &queue, limits, pace.window.saturating_sub(in_flight)) {
            if grant.audit == audit {
                forecast.starts_in_secs.get_or_insert(secs);
            } else if forecast.starts_in_secs.is_none() {
                ahead.insert(grant.audit);
                forecast.tasks_ahead += grant.tasks;
            }
            if let Some(entry) = queue.iter_mut().find(|entry| entry.audit == grant.audit) {
                entry.ready -= grant.tasks;
                entry.in_flight += grant.tasks;
            }
        }
        let cost: f64 = queue.iter().map(|entry| real(entry.in_flight) * real(entry.task_cost.max(1))).sum();
        secs += cost / pace.cost_per_sec.max(f64::MIN_POSITIVE);
        queue.iter_mut().for_each(|entry| entry.in_flight = 0);
        if queue[target].ready == 0 {
            forecast.starts_in_secs.get_or_insert(0.0);
            forecast.ends_in_secs = Some(secs);
            break;
        }
    }
    forecast.position += ahead.len() as u64;
    Some(forecast)
}

#[expect(clippy::cast_precision_loss, reason = "a prediction needs no more than 52 bits")]
fn real(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn millis(secs: f64) -> u64 {
    (secs * 1e3).clamp(0.0, 1e15) as u64
}
