//! From grants to tasks: how many of each audit, in which order, and what they really cost. Pure.

use std::collections::{BTreeMap, HashMap, VecDeque};

use broker::store::dispatch::{Cursor, ReadyTask};
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

/// Audits of which fewer tasks could be had than were granted: what is left of them is past its deadline, or was stopped
/// meanwhile.
pub fn short(grants: &[Grant], tasks: &[(Priority, ReadyTask)]) -> Vec<AuditId> {
    let mut had: HashMap<AuditId, u64> = HashMap::new();
    for (_, task) in tasks {
        *had.entry(task.key.audit).or_default() += 1;
    }
    let granted = wanted(grants).into_iter();
    granted
        .filter(|(audit, tasks)| had.get(audit).copied().unwrap_or_default() < *tasks)
        .map(|(audit, _)| audit)
        .collect()
}

/// A task that was to be published, as far as the next look for ready ones is concerned.
#[derive(Debug, Clone, Copy)]
pub struct Offered {
    /// Its audit.
    pub audit: AuditId,
    /// Its shard.
    pub shard: i32,
    /// Its audit's cursor when it was read.
    pub seen: i32,
    /// Whether the queue has it.
    pub is_published: bool,
}

/// Where the next ready tasks of each audit begin: at the first that the queue did not take, else at the last one, since
/// some of its shard may be left.
pub fn cursors(offered: impl IntoIterator<Item = Offered>) -> Vec<Cursor> {
    let mut cursors: BTreeMap<AuditId, (i32, i32, Option<i32>)> = BTreeMap::new();
    for Offered { audit, shard, seen, is_published } in offered {
        let (_, last, failed) = cursors.entry(audit).or_insert((seen, shard, None));
        *last = shard.max(*last);
        if !is_published {
            *failed = Some(failed.map_or(shard, |first| first.min(shard)));
        }
    }
    let cursor =
        |(audit, (seen, last, failed)): (_, (_, _, Option<i32>))| Cursor { audit, seen, next: failed.unwrap_or(last) };
    cursors.into_iter().map(cursor).collect()
}

#[cfg(test)]
mod tests {
    use schemas::ids::{Digest, TraceId};
    use schemas::magic::Magic;
    use schemas::task::TaskKey;
    use uuid::Uuid;

    use super::*;

    fn audit(number: u128) -> AuditId {
        AuditId(Uuid::from_u128(number))
    }

    fn grant(number: u128, tasks: u64) -> Grant {
        let project = "shop".parse().unwrap();
        Grant { audit: audit(number), project, class: Priority::Normal, tasks, cost: tasks }
    }

    fn task(number: u128, shard: u32) -> ReadyTask {
        let (magic, project, audit) = (Magic::Git, "shop".parse().unwrap(), audit(number));
        let key = TaskKey { magic, project, audit, shard };
        let (bundle, trace) = (Digest::of(b""), TraceId::random());
        ReadyTask { key, bundle, items: None, cost: 1, generation: 0, deadline_at: None, trace, cursor: 0 }
    }

    #[test]
    fn tasks_go_out_in_the_order_of_the_grants_and_those_that_are_missing_are_told() {
        let grants = [grant(1, 1), grant(2, 2), grant(1, 1), grant(3, 1)];
        assert_eq!(wanted(&grants), [(audit(1), 2), (audit(2), 2), (audit(3), 1)]);
        let tasks = vec![task(1, 1), task(1, 2), task(2, 1)];
        let ordered = in_turn(&grants, tasks, &mut Turns::default());
        let keys: Vec<_> = ordered.iter().map(|(_, task)| (task.key.audit, task.key.shard)).collect();
        assert_eq!(keys, [(audit(1), 1), (audit(2), 1), (audit(1), 2)]);
        assert_eq!(short(&grants, &ordered), [audit(2), audit(3)]);
    }
    #[test]
    fn the_next_tasks_begin_at_the_first_that_was_not_taken_or_else_at_the_last_shard() {
        let offered = |number, shard, is_published| Offered { audit: audit(number), shard, seen: 3, is_published };
        let offers = [(1, 4, true), (1, 6, true), (2, 5, true), (2, 7, false), (2, 6, false), (2, 8, true)];
        let cursors = cursors(offers.map(|(number, shard, is_published)| offered(number, shard, is_published)));
        let cursor = |number, next| Cursor { audit: audit(number), seen: 3, next };
        assert_eq!(cursors, [cursor(1, 6), cursor(2, 6)]);
    }
}
