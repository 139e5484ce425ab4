//! One class of urgency: the ring of its projects and what each has saved up.

use std::collections::{HashMap, VecDeque};

use schemas::ids::ProjectSlug;

use super::{Backlog, Lanes};

/// What charges are scaled by, so that dividing by a weight loses nothing that matters.
const SCALE: u128 = 1 << 16;

/// Projects remembered only for what they owe.
const DEBTORS_MAX: usize = 10_000;

/// Most that one turn may bring: a prediction gone wrong must not make the sums overflow or a turn last for ever.
const QUANTUM_MAX: u64 = 1 << 40;

fn shard_cost(entry: &Backlog) -> u64 {
    entry.per_shard.max(1).saturating_mul(entry.task_cost.max(1)).min(QUANTUM_MAX)
}

/// One class.
#[derive(Debug, Clone, Default)]
pub(super) struct Class {
    /// Cost granted so far divided by the weight of the class, scaled; only differences between classes count.
    pub(super) charged: u128,
    /// Whether it had work in the last round.
    pub(super) was_busy: bool,
    /// Projects with work; the first one has the turn.
    ring: VecDeque<ProjectSlug>,
    /// What each project of the ring may still spend; below zero after a task that cost more than predicted.
    savings: HashMap<ProjectSlug, i128>,
    /// What a project of weight 1 gains for each turn: the dearest shard of the class, so that each turn of a project
    /// without debts grants something.
    quantum: u64,
}

impl Class {
    /// Takes up projects that have work and forgets those that have none: who has nothing to do saves nothing. Newcomers
    /// join at the end, those who have waited longest first.
    pub(super) fn admit(&mut self, lanes: &Lanes<'_>, backlog: &[Backlog]) {
        self.ring.retain(|project| lanes.contains_key(project));
        // Debts are kept while the project is there, so that nobody sheds them by a short pause; the map stays bounded.
        self.savings.retain(|project, saved| lanes.contains_key(project) || *saved < 0);
        if self.savings.len() > lanes.len() + DEBTORS_MAX {
            self.savings.retain(|project, _| lanes.contains_key(project));
        }
        let costs = lanes.values().flatten().map(|&position| shard_cost(&backlog[position]));
        self.quantum = costs.max().unwrap_or_default();
        let mut newcomers: Vec<_> = lanes.iter().filter(|(project, _)| !self.ring.contains(project)).collect();
        newcomers
            .sort_by_key(|(project, audits)| (audits.first().map(|&position| backlog[position].since_ms), **project));
        for (project, _) in newcomers {
            self.ring.push_back((*project).clone());
            self.savings.entry((*project).clone()).or_default();
        }
    }

    /// The position that `head` gives for the project whose turn it is, charged with the cost that it gives. Projects
    /// without a head are passed over: they have no task left or have reached a limit.
    pub(super) fn pick(
        &mut self,
        head: impl Fn(&ProjectSlug) -> Option<(usize, u64)>,
        weight: impl Fn(&ProjectSlug) -> u64,
        class_weight: u64,
    ) -> Option<usize> {
        // Once around without anyone who has a head, and nobody will have one.
        let mut passed_over = 0;
        while passed_over < self.ring.len() {
            let project = self.ring.front()?.clone();
            let saved = self.savings.entry(project.clone()).or_default();
            match head(&project) {
                Some((position, cost)) if *saved >= i128::from(cost) => {
                    *saved -= i128::from(cost);
                    self.charge(cost, class_weight);
                    return Some(position);
                }
                Some(_) => {
                    *saved += i128::from(self.quantum) * i128::from(weight(&project));
                    passed_over = 0;
                }
                None => {
                    *saved = (*saved).min(0);
                    passed_over += 1;
                }
            }
            self.ring.rotate_left(1);
        }
        None
    }

    fn charge(&mut self, cost: u64, class_weight: u64) {
        self.charged += u128::from(cost) * SCALE / u128::from(class_weight);
    }

    /// Replaces what `project` was charged by what it should have been.
    pub(super) fn correct(&mut self, project: &ProjectSlug, charged: u64, actual: u64, class_weight: u64) {
        *self.savings.entry(project.clone()).or_default() += i128::from(charged) - i128::from(actual);
        let scaled = |cost: u64| u128::from(cost) * SCALE / u128::from(class_weight.max(1));
        self.charged = (self.charged + scaled(actual)).saturating_sub(scaled(charged));
    }
}
