//! What a run is about, all of it drawn from one seed: who asks for what, what holds, and what goes wrong how often.

use producer::fairness::{Limit, Limits};
use schemas::ids::ProjectSlug;
use schemas::request::Priority;
use schemas::retry::ErrorClass;

use crate::random::Random;

/// Simulated time in which audits are asked for and things go wrong: one hour.
pub const HOUR_MS: u64 = 60 * 60 * 1_000;

/// What a scenario puts the weight on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Projects of equal weight beside one with a hundred times as much work, and nothing that goes wrong.
    Neighbours,
    /// The same in all classes, some of them held by limits, some of them late.
    Classes,
    /// More urgent work than can be done, beside work that is not urgent.
    Flood,
    /// Anything.
    Mixed,
}

/// A task that does harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Poison {
    /// Whoever works on it dies.
    Kills,
    /// Every try fails like this.
    Fails(ErrorClass),
}

/// An audit that somebody asks for.
#[derive(Debug, Clone, Default)]
pub(super) struct Ask {
    pub(super) project: usize,
    pub(super) priority: Priority,
    pub(super) at_ms: u64,
    /// How long the planner takes; absent if the request gets lost on its way there.
    pub(super) planned_after_ms: Option<u64>,
    /// Tries of the planner that fail because of the repository.
    pub(super) plan_failures: u64,
    /// When somebody stops it.
    pub(super) cancel_ms: Option<u64>,
    /// Magics, and so tasks of one shard.
    pub(super) per_shard: usize,
    /// What each task costs, in milliseconds of a usual worker; shard by shard.
    pub(super) costs: Vec<u64>,
    /// So many of the last of them judge the whole tree, and wait for the others; in the product each has a shard of its own.
    pub(super) trees: usize,
    /// Which of them do harm.
    pub(super) poison: Vec<(usize, Poison)>,
}

/// How often something goes wrong, in a thousand times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Faults {
    pub(super) worker_dies: u64,
    pub(super) worker_freezes: u64,
    pub(super) worker_hangs: u64,
    pub(super) worker_is_slow: u64,
    pub(super) answers_twice: u64,
    pub(super) analyzer_fails: u64,
    pub(super) ack_lost: u64,
    pub(super) ack_late: u64,
    pub(super) publish_fails: u64,
    pub(super) dispatcher_dies: u64,
    pub(super) dispatcher_loses_seat: u64,
    pub(super) aggregator_dies: u64,
    pub(super) aggregator_is_slow: u64,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) kind: Kind,
    pub(super) projects: Vec<(ProjectSlug, Option<String>)>,
    pub(super) limits: Limits,
    pub(super) asks: Vec<Ask>,
    pub(super) workers: usize,
    /// Tasks that a worker pulls at once.
    pub(super) batch: usize,
    pub(super) window_least: u64,
    pub(super) window_most: u64,
    pub(super) ack_wait_ms: u64,
    pub(super) lost_after_ms: u64,
    pub(super) task_time_max_ms: u64,
    pub(super) faults: Faults,
    pub(super) wipes_ms: Vec<u64>,
    pub(super) leader_changes_ms: Vec<u64>,
}

impl Scenario {
    pub(super) fn draw(random: &mut Random) -> Self {
        let kind = match random.between(0, 11) {
            0 => [Kind::Neighbours, Kind::Classes, Kind::Classes][random.below(3)],
            1 | 2 => Kind::Flood,
            _ => Kind::Mixed,
        };
        let faults = faults(random, kind);
        let projects: Vec<_> = (0..random.between(2, 6)).map(|number| project(random, kind, number)).collect();
        let limits = limits(random, kind, &projects);
        let asks = match kind {
            Kind::Neighbours | Kind::Classes => neighbours(random, kind, projects.len()),
            Kind::Flood => flood(random, projects.len()),
            Kind::Mixed => mixed(random, projects.len()),
        };
        let is_calm = matches!(kind, Kind::Neighbours | Kind::Classes);
        let moments = |random: &mut Random, most: u64| {
            let count = if is_calm { 0 } else { random.between(0, most) };
            (0..count).map(|_| random.between(0, HOUR_MS)).collect()
        };
        let window_least = random.between(1, 8);
        Self {
            kind,
            projects,
            limits,
            asks,
            workers: usize::try_from(random.between(1, 6)).expect("few"),
            batch: usize::try_from(random.between(1, 4)).expect("few"),
            window_least,
            // Patience is measured in windows where shares are looked at.
            window_most: window_least + random.between(0, if is_calm { 4 } else { 24 }),
            ack_wait_ms: random.between(10, 60) * 1_000,
            lost_after_ms: random.between(60, 300) * 1_000,
            task_time_max_ms: random.between(10, 60) * 60_000,
            faults,
            wipes_ms: moments(random, 2),
            leader_changes_ms: moments(random, 4),
        }
    }
}

fn faults(random: &mut Random, kind: Kind) -> Faults {
    // Some runs are about shares; of the others, some see hardly anything and some see nearly everything go wrong.
    let is_calm = matches!(kind, Kind::Neighbours | Kind::Classes);
    let most = if is_calm { 0 } else { [10, 40, 120][random.below(3)] };
    let mut rate = || random.between(0, most);
    Faults {
        worker_dies: rate(),
        worker_freezes: rate(),
        worker_hangs: rate() / 4,
        worker_is_slow: rate(),
        answers_twice: rate(),
        analyzer_fails: rate(),
        ack_lost: rate(),
        ack_late: rate(),
        publish_fails: rate() / 2,
        dispatcher_dies: rate() / 4,
        dispatcher_loses_seat: rate() / 4,
        aggregator_dies: rate(),
        aggregator_is_slow: rate(),
    }
}

fn project(random: &mut Random, kind: Kind, number: u64) -> (ProjectSlug, Option<String>) {
    let slug = format!("p{number}").parse().expect("a slug");
    let team = (!matches!(kind, Kind::Neighbours | Kind::Classes) && random.chance(400))
        .then(|| format!("t{}", random.between(0, 1)));
    (slug, team)
}

fn limits(random: &mut Random, kind: Kind, projects: &[(ProjectSlug, Option<String>)]) -> Limits {
    let mut limits = Limits::default();
    if kind == Kind::Neighbours {
        return limits;
    }
    for (number, (slug, _)) in projects.iter().enumerate() {
        if kind == Kind::Classes && number == 1 {
            let in_flight = Some(random.between(1, 3));
            limits.projects.insert(slug.clone(), Limit { in_flight, weight: 1 });
        } else if random.chance(600) {
            let in_flight = random.chance(500).then(|| random.between(1, 8));
            limits.projects.insert(slug.clone(), Limit { in_flight, weight: random.between(1, 6) });
        }
    }
    if kind == Kind::Classes {
        return limits;
    }
    for number in 0..2 {
        if random.chance(300) {
            limits.teams.insert(format!("t{number}"), random.between(2, 10));
        }
    }
    if random.chance(200) {
        limits.project_default.in_flight = Some(random.between(2, 10));
    }
    limits
}

/// An audit of so many shards, all of about the same cost.
fn audit(random: &mut Random, project: usize, at_ms: u64, shards: u64, cost: u64) -> Ask {
    let per_shard = usize::try_from(random.between(1, 3)).expect("few");
    let tasks = shards * per_shard as u64;
    Ask {
        project,
        at_ms,
        planned_after_ms: Some(random.between(50, 20_000)),
        per_shard,
        costs: (0..tasks).map(|_| random.between(cost / 2 + 1, cost + cost / 2)).collect(),
        ..Ask::default()
    }
}

/// Audits that one project has at once, where it has a hundred times as much work as others: ten times as much in each.
const NOISY_AUDITS: usize = 10;

fn neighbours(random: &mut Random, kind: Kind, projects: usize) -> Vec<Ask> {
    let (shards, cost) = (random.between(20, 30), random.between(2_000, 8_000));
    let mut asks = Vec::new();
    // One that is held by a limit, and one without that joins its class later: what a class could not have is not owed it.
    let held = Priority::ALL[random.below(2)];
    for project in 0..projects {
        let (audits, shards) = match (project, kind) {
            (0, _) => (NOISY_AUDITS, 10 * shards),
            // Enough that they are still there when the other one comes.
            (_, Kind::Classes) => (1, 3 * shards),
            _ => (1, shards),
        };
        let (priority, late_ms) = match kind {
            Kind::Classes if project == 1 => (held, 0),
            Kind::Classes if project == 0 && random.chance(800) => (held, random.between(60_000, HOUR_MS / 8)),
            Kind::Classes => (Priority::ALL[random.below(4)], random.between(0, HOUR_MS / 8)),
            _ => (Priority::Normal, 0),
        };
        for _ in 0..audits {
            let at_ms = late_ms + random.between(0, 20_000);
            let ask = Ask { priority, ..audit(random, project, at_ms, shards, cost) };
            // The shares are seen by then, and nobody needs the rest of it.
            let cancel_ms = (project == 0).then(|| HOUR_MS / 4 + random.between(0, HOUR_MS / 4));
            asks.push(Ask { cancel_ms, ..ask });
        }
    }
    asks
}

fn flood(random: &mut Random, projects: usize) -> Vec<Ask> {
    let mut asks = Vec::new();
    for number in 0..random.between(6, 12) {
        let project = random.below(projects);
        let (shards, cost) = (random.between(2, 8), random.between(5_000, 40_000));
        let at_ms = random.between(0, HOUR_MS / 2);
        let priority = if number < 2 { Priority::Low } else { Priority::ALL[random.below(2)] };
        let at_ms = if number < 2 { at_ms / 8 } else { at_ms };
        asks.push(Ask { priority, ..trouble(random, 20, |random| audit(random, project, at_ms, shards, cost)) });
    }
    asks
}

fn mixed(random: &mut Random, projects: usize) -> Vec<Ask> {
    let mut asks = Vec::new();
    for _ in 0..random.between(3, 14) {
        let project = random.below(projects);
        let cost = [500, 5_000, 30_000][random.below(3)] + random.between(0, 5_000);
        // Some have nothing for workers to do.
        let shards = if random.chance(50) { 0 } else { random.between(1, 12) };
        let at_ms = random.between(0, HOUR_MS);
        let priority = Priority::ALL[random.below(4)];
        asks.push(Ask { priority, ..trouble(random, 60, |random| audit(random, project, at_ms, shards, cost)) });
    }
    asks
}

/// An audit with which something may be wrong.
fn trouble(random: &mut Random, permille: u64, draw: impl FnOnce(&mut Random) -> Ask) -> Ask {
    let mut ask = draw(random);
    if random.chance(400) {
        ask.trees = ask.per_shard;
        ask.costs.extend((0..ask.trees).map(|_| random.between(100, 5_000)));
    }
    if random.chance(permille) {
        ask.planned_after_ms = None;
    }
    if random.chance(permille) {
        ask.plan_failures = random.between(1, ErrorClass::Repository.attempts_max() + 1);
    }
    if random.chance(2 * permille) {
        ask.cancel_ms = Some(ask.at_ms + random.between(0, HOUR_MS / 2));
    }
    if !ask.costs.is_empty() && random.chance(2 * permille) {
        let poison = match random.below(5) {
            0 => Poison::Kills,
            1 => Poison::Fails(ErrorClass::Transient),
            2 => Poison::Fails(ErrorClass::Resource),
            3 => Poison::Fails(ErrorClass::Deadline),
            _ => Poison::Fails(ErrorClass::Analyzer),
        };
        ask.poison.push((random.below(ask.costs.len()), poison));
    }
    ask
}
