//! Workers by pool.

use std::collections::BTreeMap;

use schemas::ids::PoolName;
use schemas::presence::{ENDED_WINDOW_SECS, WorkerPresence};
use serde::Serialize;

/// Pools listed, in the order of their names: a pool is a deployment, and nobody has more of them.
const POOLS_MAX: usize = 50;

/// A group of workers that an operator has given a name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PoolReport {
    /// Its name.
    pub pool: PoolName,
    /// Workers of it that live.
    pub workers: u64,
    /// Batches that they can work on at the same time.
    pub slots: u64,
    /// Tasks that they are working on.
    pub running: u64,
    /// Tasks that they were done with in a second, over the last minute.
    pub tasks_per_sec: f64,
}

/// Pools with workers that live, by name; at most fifty.
pub(super) fn pools(workers: &[WorkerPresence]) -> Vec<PoolReport> {
    let mut pools: BTreeMap<&PoolName, PoolReport> = BTreeMap::new();
    for worker in workers {
        let pool = worker.pool.clone();
        let empty = PoolReport { pool, workers: 0, slots: 0, running: 0, tasks_per_sec: 0.0 };
        let row = pools.entry(&worker.pool).or_insert(empty);
        row.workers += 1;
        row.slots += u64::from(worker.slots);
        row.running += u64::from(worker.running);
        row.tasks_per_sec += f64::from(worker.ended_lately) / f64::from(ENDED_WINDOW_SECS);
    }
    pools.into_values().take(POOLS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_summed_by_pool() {
        let worker = |pool: &str, slots, running, ended_lately| WorkerPresence {
            worker: "w".to_owned(),
            pool: pool.parse().unwrap(),
            version: "1".to_owned(),
            started_at: 0,
            slots,
            threads: 1,
            running,
            ended_lately,
            files_read: 0,
            files_parsed: 0,
            tasks: Vec::new(),
        };
        let found = pools(&[worker("large", 8, 3, 60), worker("default", 2, 1, 0), worker("large", 8, 0, 120)]);
        let row = |pool: &str, workers, slots, running, tasks_per_sec| PoolReport {
            pool: pool.parse().unwrap(),
            workers,
            slots,
            running,
            tasks_per_sec,
        };
        assert_eq!(found, [row("default", 1, 2, 1, 0.0), row("large", 2, 16, 3, 3.0)]);
    }
}
