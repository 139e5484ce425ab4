//! From grants to tasks: how many of each audit, in which order, and what they really cost. Pure.

use std::collections::{HashMap, VecDeque};

use broker::store::dispatch::ReadyTask;
use schemas::ids::AuditId;
use schemas::request::Priority;

use crate::fairness::{Grant, Turns};

/// How many tasks of each audit, in the order of the first grant.
pub fn wanted(grants: &[Grant]) -> Vec<(AuditId, u64)> {
    let mut places: HashMap<AuditId, usize> = HashMap::new();
    let mut wanted: Vec<(AuditId, u64)> = Vec::new();
    for grant in grants {
        let place = *places.entry(grant.audit).or_insert(wanted.len());
        if place == wanted.len() {
            wanted.push((grant.audit, 0));
        }
        wanted[place].1 += grant.tasks;
    }
    wanted
}

/// Puts the tasks into the order of the grants, and charges what they really cost.
pub fn in_turn(grants: &[Grant], tasks: Vec<ReadyTask>, turns: &mut Turns) -> Vec<(Priority, ReadyTask)> {
    let mut waiting: HashMap<AuditId, VecDeque<ReadyTask>> = HashMap::new();
    for task in tasks {
        waiting.entry(task.key.audit).or_default().push_back(task);
    }
    let mut ordered = Vec::new();
    for grant in grants {
        let Some(queue) = waiting.get_mut(&grant.audit) else { continue };
        let mut cost = 0_u64;
        for _ in 0..grant.tasks {
            let Some(task) = queue.pop_front() else { break };
            cost = cost.saturating_add(task.cost);
            ordered.push((grant.class, task));
        }
        turns.settle(grant, cost);
    }
    ordered
}
