//! The record as a state machine: what the statements of `broker/src/store/` do to audits and tasks, one transition for
//! each of them, to be read beside it. Every transition is one transaction.

mod merge;

use std::collections::{BTreeMap, BTreeSet};

use broker::store::dispatch::Cursor;
use producer::fairness::Backlog;
use schemas::ids::{AuditId, ProjectSlug};
use schemas::retry::ErrorClass;
use schemas::tally::Tally;
use schemas::verdict::Verdict;

use super::scenario::Ask;

/// A task: the place of its audit in the record, and its own in the audit.
pub(super) type TaskRef = (usize, usize);

/// How far a task is: the column `tasks.state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TaskState {
    Waiting,
    Ready,
    Published,
    Done,
    Cancelled,
}

/// How far an audit is: the column `audits.state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AuditState {
    Queued,
    Running,
    Completed,
    Partial,
    Failed,
    Cancelled,
}

impl AuditRow {
    /// The shard of a task: they count from one.
    pub(super) fn shard_of(&self, task: usize) -> i32 {
        number(task / self.ask.per_shard) + 1
    }
}

impl AuditState {
    pub(super) fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// What a worker, or the reconciler in its place, answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Found,
    Failed(ErrorClass),
}

/// A row of `tasks`, with its row of `results`.
#[derive(Debug, Clone)]
pub(super) struct TaskRow {
    pub(super) state: TaskState,
    pub(super) cost: u64,
    pub(super) generation: u64,
    pub(super) published_ms: u64,
    pub(super) deadline_ms: Option<u64>,
    /// Its result: how it was answered first, and what that adds up to.
    pub(super) result: Option<(Answer, Tally)>,
}

/// A row of `audits`.
#[derive(Debug, Clone)]
pub(super) struct AuditRow {
    pub(super) id: AuditId,
    pub(super) ask: Ask,
    pub(super) slug: ProjectSlug,
    pub(super) team: Option<String>,
    pub(super) state: AuditState,
    pub(super) tasks_total: i64,
    pub(super) tasks_done: i64,
    pub(super) tasks_in_flight: i64,
    pub(super) tasks_waiting: i64,
    pub(super) next_shard: i32,
    pub(super) cost_total: u64,
    pub(super) cost_done: u64,
    pub(super) tasks: Vec<TaskRow>,
    pub(super) verdict: Option<Verdict>,
    pub(super) finished_ms: Option<u64>,
}

/// The record.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) audits: Vec<AuditRow>,
    /// By id, as the product names them.
    pub(super) places: BTreeMap<AuditId, usize>,
}

impl Record {
    /// `Store::accept`: the audit is queued.
    pub(super) fn accept(&mut self, id: AuditId, ask: Ask, slug: ProjectSlug, team: Option<String>) -> usize {
        let place = self.audits.len();
        self.places.insert(id, place);
        self.audits.push(AuditRow {
            id,
            ask,
            slug,
            team,
            state: AuditState::Queued,
            tasks_total: 0,
            tasks_done: 0,
            tasks_in_flight: 0,
            tasks_waiting: 0,
            next_shard: 0,
            cost_total: 0,
            cost_done: 0,
            tasks: Vec::new(),
            verdict: None,
            finished_ms: None,
        });
        place
    }

    /// `Store::start_audit`: `WHERE state = 'queued'`, so that a second plan changes nothing; an audit without tasks ends
    /// in the same transaction.
    pub(super) fn start_audit(&mut self, now_ms: u64, audit: usize) -> bool {
        let row = &mut self.audits[audit];
        if row.state != AuditState::Queued {
            return false;
        }
        row.state = AuditState::Running;
        let files = row.ask.costs.len() - row.ask.trees;
        let fresh = |(task, cost): (usize, &u64)| TaskRow {
            state: if task < files { TaskState::Ready } else { TaskState::Waiting },
            cost: *cost,
            generation: 0,
            published_ms: 0,
            deadline_ms: None,
            result: None,
        };
        row.tasks = row.ask.costs.iter().enumerate().map(fresh).collect();
        row.tasks_waiting = whole(row.ask.trees);
        row.tasks_total = whole(row.tasks.len());
        row.cost_total = row.ask.costs.iter().sum();
        self.finish_if_complete(now_ms, &BTreeSet::from([audit]));
        true
    }

    /// `Store::fail_audit`: `WHERE state = 'queued'`.
    pub(super) fn fail_audit(&mut self, now_ms: u64, audit: usize) -> bool {
        let row = &mut self.audits[audit];
        if row.state != AuditState::Queued {
            return false;
        }
        (row.state, row.finished_ms) = (AuditState::Failed, Some(now_ms));
        true
    }

    /// `stop_audits`: `WHERE state IN ('queued', 'running')`; `tasks_in_flight = 0, tasks_waiting = 0`,
    /// and tasks that are open or wait are cancelled.
    pub(super) fn cancel_audit(&mut self, now_ms: u64, audit: usize) -> bool {
        let row = &mut self.audits[audit];
        if row.state.is_final() {
            return false;
        }
        (row.state, row.finished_ms) = (AuditState::Cancelled, Some(now_ms));
        (row.tasks_in_flight, row.tasks_waiting) = (0, 0);
        let is_left = |task: &&mut TaskRow| task.state == TaskState::Waiting || is_open(task.state);
        for task in row.tasks.iter_mut().filter(is_left) {
            task.state = TaskState::Cancelled;
        }
        true
    }

    /// `Store::open_backlog`: `state = 'running' AND tasks_done < tasks_total ORDER BY created_at, id`; what is ready is
    /// what the counters leave.
    pub(super) fn open_backlog(&self) -> Vec<Backlog> {
        let open = |row: &&AuditRow| row.state == AuditState::Running && row.tasks_done < row.tasks_total;
        let mut backlog: Vec<Backlog> = self.audits.iter().filter(open).map(entry).collect();
        backlog.sort_by_key(|entry| (entry.since_ms, entry.audit));
        backlog
    }

    /// `Store::ready_tasks`: of each running audit that is wanted,
    /// `shard >= next_shard AND state = 'ready' ORDER BY shard, magic LIMIT tasks`, those past their deadline left out.
    pub(super) fn ready_tasks(&self, now_ms: u64, wanted: &[(AuditId, u64)]) -> Vec<TaskRef> {
        let mut ready = Vec::new();
        for (id, most) in wanted {
            let audit = self.places[id];
            let row = &self.audits[audit];
            let is_ready = |task: &TaskRow| {
                task.state == TaskState::Ready && task.deadline_ms.is_none_or(|deadline_ms| deadline_ms > now_ms)
            };
            let tasks = (0..row.tasks.len()).filter(|&task| {
                row.state == AuditState::Running && row.shard_of(task) >= row.next_shard && is_ready(&row.tasks[task])
            });
            ready.extend(tasks.take(usize::try_from(*most).unwrap_or(usize::MAX)).map(|task| (audit, task)));
        }
        ready
    }

    /// `Store::mark_published`: `WHERE t.state = 'ready'`; the deadline is set by the first time; the counter moves by the
    /// rows that were changed, and the cursor as it was read moves on.
    pub(super) fn mark_published(&mut self, now_ms: u64, tasks: &[(TaskRef, u64)], cursors: &[Cursor]) -> Vec<TaskRef> {
        let mut marked = Vec::new();
        for ((audit, task), deadline_ms) in tasks {
            let row = &mut self.audits[*audit];
            let task_row = &mut row.tasks[*task];
            if task_row.state == TaskState::Ready {
                (task_row.state, task_row.published_ms) = (TaskState::Published, now_ms);
                task_row.deadline_ms.get_or_insert(*deadline_ms);
                row.tasks_in_flight += 1;
                marked.push((*audit, *task));
            }
        }
        for Cursor { audit, seen, next } in cursors {
            let audit = self.places[audit];
            let row = &mut self.audits[audit];
            if row.next_shard == *seen && marked.iter().any(|(marked, _)| *marked == audit) {
                row.next_shard = *next;
            }
        }
        marked
    }

    /// `Store::rewind`: `SET next_shard = 0`.
    pub(super) fn rewind(&mut self, audits: &[AuditId]) {
        for audit in audits {
            let audit = self.places[audit];
            self.audits[audit].next_shard = 0;
        }
    }

    /// `Store::stale_shards`: shards of running audits with tasks `WHERE state = 'published' AND published_at < now() - age`
    /// that may still be done.
    pub(super) fn stale_shards(&self, now_ms: u64, age_ms: u64, limit: usize) -> Vec<(usize, usize)> {
        let mut stale = Vec::new();
        for (audit, row) in self.audits.iter().enumerate().filter(|(_, row)| row.state == AuditState::Running) {
            let is_stale = |task: &TaskRow| {
                task.state == TaskState::Published
                    && task.published_ms + age_ms < now_ms
                    && task.deadline_ms.is_none_or(|deadline_ms| deadline_ms > now_ms)
            };
            let shards = row.tasks.chunks(row.ask.per_shard).enumerate();
            stale.extend(shards.filter(|(_, tasks)| tasks.iter().any(is_stale)).map(|(shard, _)| (audit, shard)));
        }
        stale.truncate(limit);
        stale
    }

    /// `Store::reopen_shard`: `SET state = 'ready', generation = generation + 1 WHERE state = 'published'`, unless the
    /// deadline is past; the counter moves by the rows that were changed.
    pub(super) fn reopen_shard(&mut self, now_ms: u64, audit: usize, shard: usize) -> usize {
        let row = &mut self.audits[audit];
        let mut reopened = 0;
        for task in row.tasks.iter_mut().skip(shard * row.ask.per_shard).take(row.ask.per_shard) {
            if task.state == TaskState::Published && task.deadline_ms.is_none_or(|deadline_ms| deadline_ms > now_ms) {
                (task.state, task.generation) = (TaskState::Ready, task.generation + 1);
                reopened += 1;
            }
        }
        row.tasks_in_flight -= whole(reopened);
        row.next_shard = row.next_shard.min(number(shard) + 1);
        reopened
    }

    /// `Store::waiting_trees`: waiting tasks of a running audit whose counters say that all others are done:
    /// `tasks_waiting > 0 AND tasks_done + tasks_waiting = tasks_total`.
    pub(super) fn waiting_trees(&self, audit: usize) -> Vec<TaskRef> {
        let row = &self.audits[audit];
        if row.state != AuditState::Running || row.tasks_done + row.tasks_waiting != row.tasks_total {
            return Vec::new();
        }
        let is_waiting = |task: &usize| row.tasks[*task].state == TaskState::Waiting;
        (0..row.tasks.len()).filter(is_waiting).map(|task| (audit, task)).collect()
    }

    /// `Store::open_tree`: `SET state = 'ready' WHERE state = 'waiting'`; the counter moves by the rows that were changed.
    pub(super) fn open_tree(&mut self, (audit, task): TaskRef) -> bool {
        let row = &mut self.audits[audit];
        if row.tasks[task].state != TaskState::Waiting {
            return false;
        }
        row.tasks[task].state = TaskState::Ready;
        row.tasks_waiting -= 1;
        row.next_shard = row.next_shard.min(row.shard_of(task));
        true
    }

    /// `Store::overdue_tasks`: open tasks of running audits `WHERE deadline_at < now() - grace`.
    pub(super) fn overdue_tasks(&self, now_ms: u64, grace_ms: u64, limit: usize) -> Vec<TaskRef> {
        let mut overdue = Vec::new();
        for (audit, row) in self.audits.iter().enumerate().filter(|(_, row)| row.state == AuditState::Running) {
            let is_overdue = |task: &TaskRow| {
                is_open(task.state) && task.deadline_ms.is_some_and(|deadline_ms| deadline_ms + grace_ms < now_ms)
            };
            let tasks = row.tasks.iter().enumerate().filter(|(_, task)| is_overdue(task));
            overdue.extend(tasks.map(|(task, _)| (audit, task)));
        }
        overdue.truncate(limit);
        overdue
    }
}

fn is_open(state: TaskState) -> bool {
    matches!(state, TaskState::Ready | TaskState::Published)
}

/// `dispatcher::entry` over a row of `Store::open_backlog`.
fn entry(row: &AuditRow) -> Backlog {
    let number = |count: i64| u64::try_from(count).expect("a counter of the record never falls below zero");
    Backlog {
        audit: row.id,
        project: row.slug.clone(),
        team: row.team.clone(),
        priority: row.ask.priority,
        since_ms: row.ask.at_ms,
        ready: number(row.tasks_total - row.tasks_done - row.tasks_in_flight - row.tasks_waiting),
        in_flight: number(row.tasks_in_flight),
        task_cost: row.cost_total / number(row.tasks_total).max(1),
        per_shard: row.ask.per_shard as u64,
    }
}

fn number(shard: usize) -> i32 {
    i32::try_from(shard).expect("a simulation has few shards")
}

pub(super) fn whole(number: usize) -> i64 {
    i64::try_from(number).expect("a simulation has few of anything")
}
