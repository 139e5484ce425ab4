//! Who is served when: limits, turns, aging, shares, and how long anybody waits while others are served.
//!
//! Told from the grants alone, with a ledger of its own. Costs are those of the tasks that were really published.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use producer::fairness::{AGING_MS, Backlog, Grant, Limits, class_weight};
use schemas::ids::{AuditId, ProjectSlug};
use schemas::request::Priority;

use crate::simulation::scenario::{Kind, Scenario};

/// Least index of Jain over projects that all had work, each share divided by its weight.
const JAIN_MIN: f64 = 0.95;

/// How many of the dearest shards each project must have been served, in the mean, before shares are compared: turns are
/// taken in whole shards.
const STRETCH_SHARDS: u64 = 12;

/// A round of the dispatcher.
#[derive(Debug)]
pub(in crate::simulation) struct Look<'a> {
    pub(in crate::simulation) now_ms: u64,
    pub(in crate::simulation) backlog: &'a [Backlog],
    pub(in crate::simulation) limits: &'a Limits,
    pub(in crate::simulation) room: u64,
    pub(in crate::simulation) grants: &'a [Grant],
    /// What the tasks cost that are published, in the order in which they are.
    pub(in crate::simulation) costs: &'a [(AuditId, u64)],
}

/// A project within a class.
type Lane = (usize, ProjectSlug);

/// The ledger.
#[derive(Debug)]
pub(super) struct Fairness {
    kind: Kind,
    /// The dearest shard, and the dearest window of tasks: turns and predictions are as coarse as that.
    shard_cost: u64,
    window_cost: u64,
    weights: u64,
    granted_ms: BTreeMap<AuditId, u64>,
    /// What others were served since a class, and a project within its class, could have been.
    class_waits: BTreeMap<usize, u64>,
    lane_waits: BTreeMap<Lane, u64>,
    /// What each project of a class was served since the same ones have had work.
    stretches: BTreeMap<usize, BTreeMap<ProjectSlug, u64>>,
    limits: Limits,
}

/// What is left within a round.
struct Round<'a> {
    look: &'a Look<'a>,
    classes: Vec<usize>,
    left: Vec<u64>,
    projects: HashMap<&'a ProjectSlug, u64>,
    teams: HashMap<&'a str, u64>,
}

impl Fairness {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let shards = scenario.asks.iter().flat_map(|ask| ask.costs.chunks(ask.per_shard.max(1)));
        let dearest_task = scenario.asks.iter().flat_map(|ask| ask.costs.iter().copied()).max().unwrap_or(1);
        let weight = |(slug, _): &(ProjectSlug, _)| scenario.limits.of(slug).weight;
        Self {
            kind: scenario.kind,
            shard_cost: shards.map(|tasks| tasks.iter().sum()).max().unwrap_or(1).max(dearest_task),
            window_cost: scenario.window_most * dearest_task,
            weights: scenario.projects.iter().map(weight).sum(),
            granted_ms: BTreeMap::new(),
            class_waits: BTreeMap::new(),
            lane_waits: BTreeMap::new(),
            stretches: BTreeMap::new(),
            limits: scenario.limits.clone(),
        }
    }

    pub(super) fn forget(&mut self) {
        self.granted_ms.clear();
        self.class_waits.clear();
        self.lane_waits.clear();
        self.stretches.clear();
    }

    pub(super) fn check(&mut self, look: &Look<'_>, seen: &mut BTreeMap<&'static str, u64>) {
        let classes = look.backlog.iter().map(|entry| self.class_of(look.now_ms, entry)).collect();
        let mut round = Round::new(look, classes);
        let mut costs = costs_of_grants(look);
        self.follow(&round.lanes(), seen);
        for grant in look.grants {
            let place = look.backlog.iter().position(|entry| entry.audit == grant.audit).expect("it was asked about");
            round.check_grant(grant, place);
            if round.classes[place] != index_of(look.backlog[place].priority) {
                *seen.entry("an audit was served as if it were more urgent").or_default() += 1;
            }
            let cost = costs.next().unwrap_or_default();
            self.serve((round.classes[place], grant.project.clone()), cost);
            round.take(place, grant.tasks);
            self.granted_ms.insert(grant.audit, look.now_ms);
            self.follow(&round.lanes(), seen);
        }
        let granted: u64 = look.grants.iter().map(|grant| grant.tasks).sum();
        assert!(granted <= look.room, "{granted} tasks were granted and there was room for {}", look.room);
        if granted < look.room {
            assert_eq!(round.lanes(), BTreeSet::new(), "there was room, and nobody who could have had it did");
        }
    }

    /// The stretches that last to the end.
    pub(super) fn check_end(&mut self, seen: &mut BTreeMap<&'static str, u64>) {
        for served in std::mem::take(&mut self.stretches).into_values() {
            self.compare_shares(&served, seen);
        }
    }

    /// One class more urgent for each [`AGING_MS`] without a grant.
    fn class_of(&self, now_ms: u64, entry: &Backlog) -> usize {
        let served_ms = self.granted_ms.get(&entry.audit).copied().unwrap_or(0).max(entry.since_ms);
        let steps = usize::try_from(now_ms.saturating_sub(served_ms) / AGING_MS).expect("hours");
        index_of(entry.priority).saturating_sub(steps)
    }

    /// Who has nothing that could be served waits for nothing, and a stretch ends when others have work.
    fn follow(&mut self, lanes: &BTreeSet<Lane>, seen: &mut BTreeMap<&'static str, u64>) {
        self.class_waits.retain(|class, _| lanes.iter().any(|(other, _)| other == class));
        self.lane_waits.retain(|lane, _| lanes.contains(lane));
        for (class, project) in lanes {
            self.class_waits.entry(*class).or_default();
            self.lane_waits.entry((*class, project.clone())).or_default();
        }
        for class in 0..Priority::ALL.len() {
            let projects = || lanes.iter().filter(|(other, _)| *other == class).map(|(_, project)| project);
            let known = self.stretches.get(&class);
            if known.is_some_and(|served| served.keys().eq(projects())) {
                continue;
            }
            if let Some(served) = self.stretches.remove(&class) {
                self.compare_shares(&served, seen);
            }
            let fresh: BTreeMap<_, _> = projects().map(|project| (project.clone(), 0)).collect();
            if fresh.len() > 1 {
                self.stretches.insert(class, fresh);
            }
        }
    }

    /// Charges a grant to the one who got it, and to the patience of all others.
    fn serve(&mut self, lane: Lane, cost: u64) {
        let all_classes: u64 = Priority::ALL.into_iter().map(class_weight).sum();
        for (class, wait) in &mut self.class_waits {
            *wait = if *class == lane.0 { 0 } else { *wait + cost };
            // Its share of what is served, turns that were begun, and what a round charges before it knows what tasks cost.
            let share = all_classes * self.shard_cost / class_weight(Priority::ALL[*class]);
            let most = share + 2 * self.shard_cost + self.window_cost;
            assert!(*wait <= most, "class {class} waited while others were served {wait}, and may wait {most}");
        }
        // Two turns of all, since a prediction that was too low may have left a debt.
        let most = 2 * self.weights * self.shard_cost + self.window_cost;
        for (other, wait) in self.lane_waits.iter_mut().filter(|(other, _)| other.0 == lane.0) {
            *wait = if other.1 == lane.1 { 0 } else { *wait + cost };
            assert!(
                *wait <= most,
                "{other:?} waited while others of its class were served {wait}, and may wait {most}"
            );
        }
        if let Some(served) = self.stretches.get_mut(&lane.0).and_then(|served| served.get_mut(&lane.1)) {
            *served += cost;
        }
    }

    /// Jain's index: 1 if all have the same for their weight, 1/n if one has everything.
    #[expect(clippy::cast_precision_loss, reason = "costs stay far below 2^52")]
    fn compare_shares(&self, served: &BTreeMap<ProjectSlug, u64>, seen: &mut BTreeMap<&'static str, u64>) {
        let weight = |project: &ProjectSlug| self.limits.of(project).weight.max(1);
        let shares: Vec<f64> = served.iter().map(|(project, cost)| *cost as f64 / weight(project) as f64).collect();
        let (count, sum) = (shares.len() as f64, shares.iter().sum::<f64>());
        if sum / count < (STRETCH_SHARDS * self.shard_cost) as f64 {
            return;
        }
        let index = sum * sum / (count * shares.iter().map(|share| share * share).sum::<f64>());
        assert!(index >= JAIN_MIN, "projects with work were served {served:?}: Jain's index is {index:.3}");
        *seen.entry("shares were compared").or_default() += 1;
        if self.kind == Kind::Neighbours {
            *seen.entry("shares beside a noisy neighbour were compared").or_default() += 1;
        }
    }
}

impl<'a> Round<'a> {
    fn new(look: &'a Look<'a>, classes: Vec<usize>) -> Self {
        let left = look.backlog.iter().map(|entry| entry.ready).collect();
        let mut round = Self { look, classes, left, projects: HashMap::new(), teams: HashMap::new() };
        for entry in look.backlog {
            round.count(entry, entry.in_flight);
        }
        round
    }

    fn count(&mut self, entry: &'a Backlog, tasks: u64) {
        *self.projects.entry(&entry.project).or_default() += tasks;
        if let Some(team) = &entry.team {
            *self.teams.entry(team).or_default() += tasks;
        }
    }

    /// What the limits leave to an entry.
    fn room(&self, entry: &Backlog) -> u64 {
        let limits = self.look.limits;
        let own = limits.of(&entry.project).in_flight.map(|most| most.saturating_sub(self.projects[&entry.project]));
        let team = entry.team.as_deref().and_then(|team| {
            let most = limits.teams.get(team)?;
            Some(most.saturating_sub(self.teams[team]))
        });
        own.unwrap_or(u64::MAX).min(team.unwrap_or(u64::MAX))
    }

    /// Who could be served now.
    fn lanes(&self) -> BTreeSet<Lane> {
        let entries = self.look.backlog.iter().enumerate();
        let open = entries.filter(|(place, entry)| self.left[*place] > 0 && self.room(entry) > 0);
        open.map(|(place, entry)| (self.classes[place], entry.project.clone())).collect()
    }

    fn check_grant(&self, grant: &Grant, place: usize) {
        let entry = &self.look.backlog[place];
        assert_eq!(index_of(grant.class), self.classes[place], "the class follows from urgency and waiting: {entry:?}");
        assert!(grant.tasks > 0 && grant.tasks <= self.left[place], "as many as wait: {grant:?} of {entry:?}");
        assert!(grant.tasks <= self.room(entry), "{grant:?} goes beyond a limit: {entry:?}");
        assert!(grant.tasks <= entry.per_shard.max(1), "a turn is one shard: {grant:?} of {entry:?}");
        for (other, older) in self.look.backlog.iter().enumerate() {
            let is_before = (older.since_ms, older.audit) < (entry.since_ms, entry.audit);
            let is_same_lane = older.project == entry.project && self.classes[other] == self.classes[place];
            assert!(!(is_before && is_same_lane && self.left[other] > 0), "{older:?} is older than {entry:?}");
        }
    }

    fn take(&mut self, place: usize, tasks: u64) {
        self.left[place] -= tasks;
        self.count(&self.look.backlog[place], tasks);
    }
}

/// What the tasks of each grant cost, in the order of the grants; fewer tasks than granted if some are not ready any more.
fn costs_of_grants<'a>(look: &'a Look<'a>) -> impl Iterator<Item = u64> + 'a {
    let mut waiting: HashMap<AuditId, Vec<u64>> = HashMap::new();
    for (audit, cost) in look.costs.iter().rev() {
        waiting.entry(*audit).or_default().push(*cost);
    }
    look.grants.iter().map(move |grant| {
        let Some(costs) = waiting.get_mut(&grant.audit) else { return 0 };
        (0..grant.tasks).map_while(|_| costs.pop()).sum()
    })
}

fn index_of(class: Priority) -> usize {
    Priority::ALL.iter().position(|other| *other == class).expect("all are there")
}
