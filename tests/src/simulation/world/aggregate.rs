//! Aggregators, as `broker/src/aggregator.rs` runs them: take a batch, merge, commit, and only then acknowledge; any of them
//! slow enough for another to get the same results, or dead between any two steps.

use super::{Event, World, numbers};
use crate::simulation::record::{Answer, TaskRef};
use crate::simulation::stream::Delivered;

/// Results merged in one transaction.
const BATCH: usize = 20;

/// How long a process is away after it died.
const AWAY_MS: u64 = 30_000;

/// An aggregator.
#[derive(Debug, Default)]
pub(in crate::simulation) struct Aggregator {
    is_busy: bool,
    /// When it looks for results next, if that is known.
    takes_ms: Option<u64>,
}

/// What an aggregator holds.
#[derive(Debug)]
pub(in crate::simulation) struct Batch {
    aggregator: usize,
    held: Vec<Delivered<(TaskRef, Answer)>>,
}

impl World {
    /// Has those who wait for results look at `at_ms`.
    pub(super) fn stir_aggregators(&mut self, at_ms: u64) {
        for number in 0..self.aggregators.len() {
            let aggregator = &mut self.aggregators[number];
            if !aggregator.is_busy && aggregator.takes_ms.is_none_or(|takes_ms| at_ms < takes_ms) {
                aggregator.takes_ms = Some(at_ms);
                self.agenda.add(at_ms, Event::Take(number));
            }
        }
    }

    pub(super) fn take(&mut self, number: usize) {
        if self.aggregators[number].takes_ms != Some(self.now_ms) || self.aggregators[number].is_busy {
            return;
        }
        self.aggregators[number].takes_ms = None;
        let held = self.results.fetch(self.now_ms, BATCH);
        if held.is_empty() {
            if let Some(at_ms) = self.results.next_due_ms() {
                self.aggregators[number].takes_ms = Some(at_ms);
                self.agenda.add(at_ms, Event::Take(number));
            }
            return;
        }
        self.aggregators[number].is_busy = true;
        self.note("take", &[number as u64, held.len() as u64]);
        if held.iter().any(|held| held.deliveries > 1) {
            self.see("a result was delivered again");
        }
        let batch = Batch { aggregator: number, held };
        if self.fails(self.scenario.faults.aggregator_dies) {
            self.see("an aggregator died before its commit");
            return self.leave(number);
        }
        let usual_ms = self.random.between(5, 200);
        let slow_ms =
            if self.fails(self.scenario.faults.aggregator_is_slow) { 2 * self.scenario.ack_wait_ms } else { 0 };
        self.agenda.add(self.now_ms + usual_ms + slow_ms, Event::Commit(batch));
    }

    pub(super) fn commit(&mut self, batch: Batch) {
        let answers: Vec<(TaskRef, Answer)> = batch.held.iter().map(|held| held.body).collect();
        self.merge(&answers);
        if self.fails(self.scenario.faults.aggregator_dies) {
            self.see("an aggregator died between commit and acknowledgement");
            return self.leave(batch.aggregator);
        }
        let after_ms = self.random.between(1, 20);
        self.agenda.add(self.now_ms + after_ms, Event::Settle(batch));
    }

    /// The transaction, with what the laws say of it.
    pub(super) fn merge(&mut self, answers: &[(TaskRef, Answer)]) {
        let expected = self.laws.expect_answers(&self.record, answers);
        let merged = self.record.merge(self.now_ms, answers);
        for (task, _) in answers {
            self.note("merge", &numbers(*task));
        }
        assert_eq!(merged.fresh, expected, "the first answers, and no others, are merged");
        self.note("merged", &[merged.fresh.len() as u64, merged.finished.len() as u64]);
        *self.seen.entry("a result came again or too late").or_default() += merged.repeated as u64;
        *self.seen.entry("a task was answered differently").or_default() += merged.contradictions as u64;
        let mut touched: Vec<usize> = answers.iter().map(|((audit, _), _)| *audit).collect();
        touched.sort_unstable();
        touched.dedup();
        self.laws.check(&self.record, &touched);
        self.wake_dispatcher();
        touched.into_iter().for_each(|audit| self.stir_packer(audit));
    }

    pub(super) fn settle(&mut self, batch: Batch) {
        for held in &batch.held {
            if self.fails(self.scenario.faults.ack_lost) {
                self.see("an acknowledgement got lost");
            } else {
                self.end_result(held);
            }
        }
        self.aggregators[batch.aggregator].is_busy = false;
        self.stir_aggregators(self.now_ms + 1);
    }

    fn end_result(&mut self, held: &Delivered<(TaskRef, Answer)>) {
        self.laws.check_result_ack(&self.record, held.body.0);
        if self.results.ack(held.sequence).is_some_and(|(_, deliveries)| deliveries > held.deliveries) {
            self.see("two aggregators had the same result");
        }
    }

    /// It is away for a while and has forgotten everything.
    fn leave(&mut self, number: usize) {
        let after_ms = self.random.between(1_000, AWAY_MS);
        self.aggregators[number] = Aggregator { is_busy: false, takes_ms: Some(self.now_ms + after_ms) };
        self.agenda.add(self.now_ms + after_ms, Event::Take(number));
    }
}
