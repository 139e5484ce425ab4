//! The reconciler, as `producer/src/reconciler.rs` runs it: one in each planner, all doing the same.

use schemas::retry::ErrorClass;

use super::{Event, World};
use crate::simulation::record::{Answer, AuditState, TaskRef};
use crate::simulation::scenario::HOUR_MS;

/// Tasks and shards looked at in one round.
const ROUND_MAX: usize = 256;

impl World {
    pub(super) fn reconcile(&mut self, planner: usize) {
        let age_ms = self.scenario.lost_after_ms;
        // `Store::repeat_stale_requests`.
        for audit in 0..self.record.audits.len() {
            let row = &self.record.audits[audit];
            if row.state == AuditState::Queued && row.ask.at_ms + age_ms < self.now_ms {
                self.see("a lost request was sent again");
                let after_ms = self.random.between(50, 5_000);
                self.agenda.add(self.now_ms + after_ms, Event::Plan(audit, 0));
            }
        }
        self.laws.check_news(&self.record, self.now_ms, age_ms);
        let overdue = self.record.overdue_tasks(self.now_ms, age_ms, ROUND_MAX);
        if !overdue.is_empty() {
            let after_ms = self.random.between(1, 500);
            self.agenda.add(self.now_ms + after_ms, Event::GiveUp(overdue));
        }
        let mut after_ms = 0;
        for (audit, shard) in self.record.stale_shards(self.now_ms, age_ms, ROUND_MAX) {
            // One after the other, some of them packed anew: by then they may not be stale any more.
            after_ms += self.random.between(1, 1_000);
            self.agenda.add(self.now_ms + after_ms, Event::Reopen(audit, shard));
        }
        let is_over = self.now_ms > HOUR_MS && self.record.audits.iter().all(|row| row.state.is_final());
        if !is_over {
            self.agenda.add(self.now_ms + age_ms / 2, Event::Reconcile(planner));
        }
    }

    pub(super) fn give_up_overdue(&mut self, tasks: &[TaskRef]) {
        for task in tasks {
            self.see("a task was given up past its deadline");
            self.merge(&[(*task, Answer::Failed(ErrorClass::Deadline))]);
            // `Bus::withdraw`.
            self.tasks.purge(|other| other == *task);
        }
    }

    pub(super) fn reopen(&mut self, audit: usize, shard: usize) {
        let reopened = self.record.reopen_shard(self.now_ms, audit, shard);
        if reopened > 0 {
            self.see("tasks without news were made ready again");
            self.note("reopen", &[audit as u64, shard as u64, reopened as u64]);
            self.wake_dispatcher();
        }
        self.laws.check(&self.record, &[audit]);
    }
}
