//! The merge, beside `broker/src/store/merge.rs` and `verdicts.rs`.

use std::collections::{BTreeMap, BTreeSet};

use schemas::magic::Magic;
use schemas::partial::PartialResult;
use schemas::score;
use schemas::tally::Tally;

use super::{Answer, AuditState, Record, TaskRef, TaskState, is_open};
use crate::simulation::answers;

/// What a batch came to: `store::merge::Merged`.
#[derive(Debug, Default)]
pub(in crate::simulation) struct Merged {
    pub(in crate::simulation) fresh: Vec<TaskRef>,
    /// Results of tasks that were done already, or not to be done any more.
    pub(in crate::simulation) repeated: usize,
    /// Among them those that say something else than the first one.
    pub(in crate::simulation) contradictions: usize,
    pub(in crate::simulation) finished: Vec<usize>,
}

impl Record {
    /// `Store::merge`: closes tasks, keeps the results of those that were open, counts, and ends what is complete.
    pub(in crate::simulation) fn merge(&mut self, now_ms: u64, batch: &[(TaskRef, Answer)]) -> Merged {
        let closed = self.close_tasks(batch);
        let mut open: BTreeSet<TaskRef> = closed.iter().map(|(task, _)| *task).collect();
        let mut merged = Merged::default();
        for (task, answer) in batch {
            if open.remove(task) {
                self.insert_result(*task, *answer);
                merged.fresh.push(*task);
            } else {
                merged.repeated += 1;
                let first = self.audits[task.0].tasks[task.1].result.as_ref().map(|(first, _)| *first);
                merged.contradictions += usize::from(first.is_some_and(|first| first != *answer));
            }
        }
        self.count_done(&closed);
        let touched: BTreeSet<usize> = closed.iter().map(|((audit, _), _)| *audit).collect();
        merged.finished = self.finish_if_complete(now_ms, &touched);
        merged
    }

    /// `close_tasks`: `SET state = 'done' WHERE state IN ('ready', 'published') RETURNING old.state = 'published'`.
    fn close_tasks(&mut self, batch: &[(TaskRef, Answer)]) -> Vec<(TaskRef, bool)> {
        let mut closed = Vec::new();
        for ((audit, task), _) in batch {
            // A result of an audit whose plan was never made has no task to close.
            let Some(row) = self.audits[*audit].tasks.get_mut(*task).filter(|row| is_open(row.state)) else { continue };
            closed.push(((*audit, *task), row.state == TaskState::Published));
            row.state = TaskState::Done;
        }
        closed
    }

    /// `insert_results`: `ON CONFLICT DO NOTHING`.
    fn insert_result(&mut self, (audit, task): TaskRef, answer: Answer) {
        let row = &mut self.audits[audit];
        let partial: PartialResult = answers::partial(&row.ask, task, answer);
        row.tasks[task].result.get_or_insert_with(|| (answer, Tally::of(&partial)));
    }

    /// `count_done`: the counters move by the tasks that were really closed.
    fn count_done(&mut self, closed: &[(TaskRef, bool)]) {
        for ((audit, task), was_in_flight) in closed {
            let row = &mut self.audits[*audit];
            row.tasks_done += 1;
            row.tasks_in_flight -= i64::from(*was_in_flight);
            row.cost_done += row.tasks[*task].cost;
        }
    }

    /// `finish_if_complete`: `WHERE tasks_done = tasks_total AND state = 'running'`.
    pub(super) fn finish_if_complete(&mut self, now_ms: u64, audits: &BTreeSet<usize>) -> Vec<usize> {
        let mut finished = Vec::new();
        for &audit in audits {
            let row = &mut self.audits[audit];
            if row.tasks_done != row.tasks_total || row.state != AuditState::Running {
                continue;
            }
            let magics = (0..row.ask.per_shard).map(|place| (answers::MAGICS[place], Tally::default()));
            let mut tallies: BTreeMap<Magic, Tally> = magics.collect();
            for (task, result) in row.tasks.iter().enumerate() {
                if let Some((_, tally)) = &result.result {
                    tallies.entry(answers::magic(&row.ask, task)).or_default().merge(tally.clone());
                }
            }
            let verdict = score::judge(tallies);
            row.state = if verdict.partial { AuditState::Partial } else { AuditState::Completed };
            (row.verdict, row.finished_ms) = (Some(verdict), Some(now_ms));
            finished.push(audit);
        }
        finished
    }
}
