//! Who is served next: classes by weight, inside a class projects by deficit round robin over predicted cost, inside a
//! project the oldest audit first. Pure: no clock, no I/O; the same calls give the same grants.
//!
//! Two levels, so that neither an urgent flood stops the rest nor a large project a small one. A class is charged the
//! predicted cost of what it was granted, divided by its weight, and the class that was charged least is next. A project
//! that waits for its turn gains a quantum for each turn; what it was granted is taken from that (Shreedhar and Varghese,
//! 1995). Limits on tasks in flight are kept by leaving out whoever has reached one.

mod class;
pub mod forecast;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use schemas::ids::{AuditId, ProjectSlug};
use schemas::request::Priority;

use self::class::Class;

/// How long an audit waits for its first or next task before it is served as if it were one class more urgent.
pub const AGING_MS: u64 = 10 * 60 * 1_000;

/// A running audit, as the record counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// The audit.
    pub audit: AuditId,
    /// Its project.
    pub project: ProjectSlug,
    /// The team of the project.
    pub team: Option<String>,
    /// How urgent it was asked to be.
    pub priority: Priority,
    /// When it was asked for, in Unix milliseconds.
    pub since_ms: u64,
    /// Tasks that wait to be published.
    pub ready: u64,
    /// Tasks in the queue or running.
    pub in_flight: u64,
    /// Predicted cost of a task, in bytes' worth of analysis; the mean over the audit.
    pub task_cost: u64,
    /// Tasks that read the same shard, one for each magic: they are granted together, so that one worker reads it once.
    pub per_shard: u64,
}

/// What a project may have of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Most tasks in the queue or running; as many as there is room for if absent.
    pub in_flight: Option<u64>,
    /// Its share beside other projects of the same class; at least 1.
    pub weight: u64,
}

impl Default for Limit {
    fn default() -> Self {
        Self { in_flight: None, weight: 1 }
    }
}

/// Every limit that somebody has set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// By project.
    pub projects: HashMap<ProjectSlug, Limit>,
    /// By team: most tasks in the queue or running of all its projects together.
    pub teams: HashMap<String, u64>,
    /// For projects without a limit of their own.
    pub project_default: Limit,
}

impl Limits {
    /// What holds for `project`.
    pub fn of(&self, project: &ProjectSlug) -> Limit {
        self.projects.get(project).copied().unwrap_or(self.project_default)
    }
}

/// So many tasks of one audit may be published next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The audit.
    pub audit: AuditId,
    /// Its project.
    pub project: ProjectSlug,
    /// The class that it was served in: its priority, or a more urgent one if it had waited for long.
    pub class: Priority,
    /// How many tasks, at least 1.
    pub tasks: u64,
    /// What was charged for them.
    pub cost: u64,
}

/// What a project or a team has in flight.
#[derive(Debug, Default)]
struct Usage<'a> {
    projects: HashMap<&'a ProjectSlug, u64>,
    teams: HashMap<&'a str, u64>,
}

impl<'a> Usage<'a> {
    fn of(backlog: &'a [Backlog]) -> Self {
        let mut usage = Self::default();
        for entry in backlog {
            usage.add(entry, entry.in_flight);
        }
        usage
    }

    fn add(&mut self, entry: &'a Backlog, tasks: u64) {
        *self.projects.entry(&entry.project).or_default() += tasks;
        if let Some(team) = &entry.team {
            *self.teams.entry(team).or_default() += tasks;
        }
    }

    /// How many more tasks the limits leave to the project of `entry`.
    fn room(&self, entry: &Backlog, limits: &Limits) -> u64 {
        let used = self.projects.get(&entry.project).copied().unwrap_or_default();
        let own = limits.of(&entry.project).in_flight.map_or(u64::MAX, |most| most.saturating_sub(used));
        let team = entry.team.as_deref().and_then(|team| Some((team, *limits.teams.get(team)?)));
        let teams = team
            .map_or(u64::MAX, |(team, most)| most.saturating_sub(self.teams.get(team).copied().unwrap_or_default()));
        own.min(teams)
    }
}

/// The work of one class: per project its audits with ready tasks, oldest first, as indexes of the backlog.
type Lanes<'a> = BTreeMap<&'a ProjectSlug, Vec<usize>>;

/// Whose turn it is. Kept from round to round; made anew it has forgotten only how the current turns stood.
#[derive(Debug, Clone, Default)]
pub struct Turns {
    classes: [Class; Priority::ALL.len()],
    /// Where the class stood that was served last: where everybody begins after a time in which nobody had work.
    served: u128,
    /// When each audit was last granted something, in Unix milliseconds.
    granted_ms: HashMap<AuditId, u64>,
}

impl Turns {
    /// Grants at most `room` tasks, in the order in which they are to be published.
    pub fn choose(&mut self, now_ms: u64, backlog: &[Backlog], limits: &Limits, room: u64) -> Vec<Grant> {
        let open: HashSet<AuditId> = backlog.iter().map(|entry| entry.audit).collect();
        self.granted_ms.retain(|audit, _| open.contains(audit));
        let lanes = self.lanes(now_ms, backlog);
        for (class, lanes) in self.classes.iter_mut().zip(&lanes) {
            class.admit(lanes, backlog);
        }
        self.wake(&lanes);
        let left = backlog.iter().map(|entry| entry.ready).collect();
        let mut round = Round { backlog, limits, lanes, left, usage: Usage::of(backlog), room };
        let mut grants = Vec::new();
        while round.room > 0 {
            let Some((index, position)) = self.next(&round) else { break };
            let grant = round.grant(index, position);
            self.granted_ms.insert(grant.audit, now_ms);
            grants.push(grant);
        }
        grants
    }

    /// Corrects what was charged for a grant by what its tasks really cost.
    pub fn settle(&mut self, grant: &Grant, actual_cost: u64) {
        let class = &mut self.classes[index_of(grant.class)];
        class.correct(&grant.project, grant.cost, actual_cost.max(1), class_weight(grant.class));
    }

    /// Sorts what is ready by class and project.
    fn lanes<'a>(&self, now_ms: u64, backlog: &'a [Backlog]) -> [Lanes<'a>; Priority::ALL.len()] {
        let mut lanes: [Lanes<'a>; Priority::ALL.len()] = Default::default();
        for (position, entry) in backlog.iter().enumerate().filter(|(_, entry)| entry.ready > 0) {
            let class = index_of(self.class_of(now_ms, entry));
            lanes[class].entry(&entry.project).or_default().push(position);
        }
        for audits in lanes.iter_mut().flat_map(BTreeMap::values_mut) {
            audits.sort_by_key(|&position| (backlog[position].since_ms, backlog[position].audit));
        }
        lanes
    }

    /// The class that an audit is served in now.
    pub fn class_of(&self, now_ms: u64, entry: &Backlog) -> Priority {
        let served_ms = self.granted_ms.get(&entry.audit).copied().unwrap_or_default().max(entry.since_ms);
        let steps = now_ms.saturating_sub(served_ms) / AGING_MS;
        let index = index_of(entry.priority).saturating_sub(usize::try_from(steps).unwrap_or(usize::MAX));
        Priority::ALL[index]
    }

    /// A class that had nothing to do has saved up nothing: it goes on where the others are.
    fn wake(&mut self, lanes: &[Lanes<'_>]) {
        let busy = self.classes.iter().zip(lanes).filter(|(class, lanes)| class.was_busy && !lanes.is_empty());
        let now = busy.map(|(class, _)| class.charged).min().unwrap_or(self.served);
        for (class, lanes) in self.classes.iter_mut().zip(lanes) {
            if !class.was_busy && !lanes.is_empty() {
                class.charged = class.charged.max(now);
            }
            class.was_busy = !lanes.is_empty();
        }
        // Only differences count; kept small, so that the sums never overflow.
        let least = self.classes.iter().map(|class| class.charged).min().unwrap_or_default();
        for class in &mut self.classes {
            class.charged -= least;
        }
        self.served = self.served.saturating_sub(least);
    }

    /// The class and the position in the backlog that are next; classes in which everybody has reached a limit are
    /// passed over, and have saved up nothing by that: what a class could not have is not owed to it later.
    fn next(&mut self, round: &Round<'_>) -> Option<(usize, usize)> {
        let mut order: Vec<usize> = (0..self.classes.len()).filter(|&index| !round.lanes[index].is_empty()).collect();
        order.sort_by_key(|&index| (self.classes[index].charged, index));
        let mut passed_over: Vec<usize> = Vec::new();
        for index in order {
            let now = self.classes[index].charged;
            let head = |project: &ProjectSlug| {
                let position = *round.lanes[index].get(project)?.first()?;
                let tasks = round.unit(position);
                (tasks > 0).then(|| (position, round.cost(position, tasks)))
            };
            let weight = |project: &ProjectSlug| round.limits.of(project).weight.max(1);
            if let Some(position) = self.classes[index].pick(head, weight, class_weight(Priority::ALL[index])) {
                for held in passed_over {
                    self.classes[held].charged = self.classes[held].charged.max(now);
                }
                self.served = now;
                return Some((index, position));
            }
            passed_over.push(index);
        }
        None
    }
}

/// What is left to grant in one round.
struct Round<'a> {
    backlog: &'a [Backlog],
    limits: &'a Limits,
    lanes: [Lanes<'a>; Priority::ALL.len()],
    /// Ready tasks by position in the backlog.
    left: Vec<u64>,
    usage: Usage<'a>,
    room: u64,
}

impl Round<'_> {
    /// How many tasks are granted at once: those of one shard, as far as there are so many and every limit leaves room.
    fn unit(&self, position: usize) -> u64 {
        let entry = &self.backlog[position];
        entry.per_shard.max(1).min(self.left[position]).min(self.usage.room(entry, self.limits)).min(self.room)
    }

    fn cost(&self, position: usize, tasks: u64) -> u64 {
        tasks.saturating_mul(self.backlog[position].task_cost.max(1))
    }

    /// Takes the next tasks of an audit out of what is left.
    fn grant(&mut self, index: usize, position: usize) -> Grant {
        let (entry, tasks) = (&self.backlog[position], self.unit(position));
        let cost = self.cost(position, tasks);
        self.left[position] -= tasks;
        self.room -= tasks;
        self.usage.add(entry, tasks);
        if self.left[position] == 0
            && let Some(audits) = self.lanes[index].get_mut(&entry.project)
        {
            audits.retain(|audit| *audit != position);
        }
        Grant { audit: entry.audit, project: entry.project.clone(), class: Priority::ALL[index], tasks, cost }
    }
}

/// The share of a class beside the others that have work.
pub const fn class_weight(class: Priority) -> u64 {
    match class {
        Priority::Critical => 16,
        Priority::High => 8,
        Priority::Normal => 4,
        Priority::Low => 1,
    }
}

/// The place of a class in [`Priority::ALL`], most urgent first.
fn index_of(class: Priority) -> usize {
    Priority::ALL.iter().position(|other| *other == class).unwrap_or_default()
}
