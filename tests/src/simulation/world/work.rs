//! Workers, as `worker/src/` runs them: pull, hold the lease by heartbeats, answer, acknowledge; and everything that can
//! become of one in between.

use schemas::retry::ErrorClass;

use super::{Event, World, numbers};
use crate::simulation::record::{Answer, TaskRef};
use crate::simulation::scenario::Poison;
use crate::simulation::stream::{Delivered, Published};

/// Workers that may fall silent over a task before nobody else gets it.
const DEATHS_MAX: u64 = 2;

/// How long one pass may take.
const SHARD_TIME_MAX_MS: u64 = 600_000;

/// How long a worker is away after it died, and how long one sleeps that was frozen beyond its lease.
const AWAY_MS: u64 = 60_000;
const FROZEN_MS: u64 = 300_000;

/// A worker.
#[derive(Debug, Default)]
pub(in crate::simulation) struct Worker {
    is_busy: bool,
    /// When it looks for tasks next, if that is known.
    pulls_ms: Option<u64>,
}

/// What a task message says.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulation) struct TaskBody {
    pub(in crate::simulation) task: TaskRef,
    pub(in crate::simulation) deadline_ms: u64,
}

/// What a worker holds, and what becomes of it.
#[derive(Debug)]
pub(in crate::simulation) struct Job {
    worker: usize,
    held: Vec<Delivered<TaskBody>>,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answers,
    AnswersTwice,
    /// Its heartbeats stop, and it answers when others have the tasks already.
    AnswersLate,
    Fails(ErrorClass),
    Dies,
    DiesAfterTheAnswer,
}

impl World {
    /// Has those who wait for tasks look at `at_ms`.
    pub(super) fn stir_workers(&mut self, at_ms: u64) {
        for number in 0..self.workers.len() {
            let worker = &mut self.workers[number];
            if !worker.is_busy && worker.pulls_ms.is_none_or(|pulls_ms| at_ms < pulls_ms) {
                worker.pulls_ms = Some(at_ms);
                self.agenda.add(at_ms, Event::Pull(number));
            }
        }
    }

    pub(super) fn pull(&mut self, number: usize) {
        if self.workers[number].pulls_ms != Some(self.now_ms) || self.workers[number].is_busy {
            return;
        }
        self.workers[number].pulls_ms = None;
        let delivered = self.tasks.fetch(self.now_ms, self.scenario.batch);
        if delivered.is_empty() {
            self.rest(number, self.tasks.next_due_ms());
            return;
        }
        let held: Vec<_> = delivered.into_iter().filter_map(|held| self.accept(held)).collect();
        if held.is_empty() {
            self.rest(number, Some(self.now_ms + 1));
            return;
        }
        self.workers[number].is_busy = true;
        self.begin(number, held);
    }

    fn rest(&mut self, number: usize, until_ms: Option<u64>) {
        self.workers[number] = Worker { is_busy: false, pulls_ms: until_ms };
        if let Some(at_ms) = until_ms {
            self.agenda.add(at_ms, Event::Pull(number));
        }
    }

    /// `Worker::accept`: what nobody is to work on ends here.
    fn accept(&mut self, held: Delivered<TaskBody>) -> Option<Delivered<TaskBody>> {
        let TaskBody { task, deadline_ms } = held.body;
        self.note("pull", &[task.0 as u64, task.1 as u64, held.deliveries]);
        if held.deliveries > 1 {
            self.see("a task was delivered again");
        }
        // Most workers have heard of a stopped audit by then.
        if self.record.audits[task.0].state.is_final() && self.random.chance(800) {
            self.see("a worker let go of a task of an audit that ended");
            self.ack_task(&held);
            return None;
        }
        let tries = self.retries.get(&(task, held.published_ms)).cloned().unwrap_or_default();
        if deadline_ms <= self.now_ms {
            self.see("a deadline passed before a worker began");
            self.give_up(&held, ErrorClass::Deadline);
            None
        } else if tries.deaths(held.deliveries) >= DEATHS_MAX {
            self.see("a task was given up after the deaths of its workers");
            self.give_up(&held, ErrorClass::Resource);
            None
        } else {
            Some(held)
        }
    }

    /// Draws what becomes of it, and lets the lease live as long as the worker says that it works.
    fn begin(&mut self, worker: usize, held: Vec<Delivered<TaskBody>>) {
        let cost: u64 = held.iter().map(|held| self.cost(held.body.task)).sum();
        let faults = self.scenario.faults;
        let slowness = if self.fails(faults.worker_is_slow) { 10 } else { 1 };
        let mut took_ms = cost * slowness * self.random.between(50, 150) / 100 + 1;
        let mut fate = if held.iter().any(|held| self.poison(held.body.task) == Some(Poison::Kills)) {
            Fate::Dies
        } else {
            self.draw_fate()
        };
        if self.fails(faults.worker_hangs) || took_ms > SHARD_TIME_MAX_MS {
            (fate, took_ms) = (Fate::Fails(ErrorClass::Deadline), SHARD_TIME_MAX_MS);
        }
        // The last heartbeat of one that stops to give any.
        let silent_ms = match fate {
            Fate::Dies | Fate::AnswersLate => self.random.between(0, took_ms),
            _ => took_ms,
        };
        for held in &held {
            self.tasks.keep_alive(held.sequence, self.now_ms + silent_ms);
        }
        let ends_ms = match fate {
            Fate::Dies => silent_ms,
            Fate::AnswersLate => silent_ms + self.scenario.ack_wait_ms + self.random.between(0, FROZEN_MS),
            _ => took_ms,
        };
        self.agenda.add(self.now_ms + ends_ms, Event::Finish(Job { worker, held, fate }));
    }

    fn draw_fate(&mut self) -> Fate {
        let faults = self.scenario.faults;
        if self.fails(faults.worker_dies) {
            if self.random.chance(500) { Fate::Dies } else { Fate::DiesAfterTheAnswer }
        } else if self.fails(faults.worker_freezes) {
            Fate::AnswersLate
        } else if self.fails(faults.answers_twice) {
            Fate::AnswersTwice
        } else if self.fails(faults.analyzer_fails) {
            Fate::Fails(if self.random.chance(500) { ErrorClass::Analyzer } else { ErrorClass::Transient })
        } else {
            Fate::Answers
        }
    }

    pub(super) fn finish(&mut self, job: Job) {
        let Job { worker, held, fate } = job;
        for held in &held {
            let TaskBody { task, .. } = held.body;
            match (fate, self.poison(task)) {
                (Fate::Dies, _) => {}
                (Fate::Fails(class), _) | (_, Some(Poison::Fails(class))) => self.try_again(held, class),
                (Fate::DiesAfterTheAnswer, _) => {
                    self.answer(task, Answer::Found);
                }
                _ => self.answer_and_ack(held, Answer::Found),
            }
            if fate == Fate::AnswersTwice {
                // Also when the server does not know the first one any more.
                let after_ms = self.random.between(0, 900_000);
                self.agenda.add(self.now_ms + after_ms, Event::AnswerAgain(task, Answer::Found));
            }
        }
        match fate {
            Fate::Dies | Fate::DiesAfterTheAnswer => {
                self.see("a worker died");
                let away_ms = self.random.between(1_000, AWAY_MS);
                self.rest(worker, Some(self.now_ms + away_ms));
            }
            _ => self.rest(worker, Some(self.now_ms + 1)),
        }
    }

    /// `answer`: the result is stored first, the task is acknowledged after.
    fn answer_and_ack(&mut self, held: &Delivered<TaskBody>, answer: Answer) {
        if self.answer(held.body.task, answer) {
            self.ack_task(held);
        } else {
            self.put_back(held, ErrorClass::Transient);
        }
    }

    /// Publishes a result; false if the server did not say that it has it.
    pub(super) fn answer(&mut self, task: TaskRef, answer: Answer) -> bool {
        if self.fails(self.scenario.faults.publish_fails) {
            return false;
        }
        // The id is made of what is answered.
        let variant = match answer {
            Answer::Found => 0,
            Answer::Failed(class) => 1 + class as u64,
        };
        let body = (task, answer);
        let published = self.results.publish(self.now_ms, (0, task), (task, variant), body, u64::MAX);
        if published == Published::Duplicate {
            self.see("a result was published again within the duplicate window");
        }
        self.laws.answer_is_stored(task);
        self.note("answer", &[task.0 as u64, task.1 as u64, variant]);
        self.stir_aggregators(self.now_ms + 1);
        true
    }

    /// `Worker::try_one_again`: by the retry law, and then given up.
    fn try_again(&mut self, held: &Delivered<TaskBody>, class: ErrorClass) {
        let task = held.body.task;
        let attempts = self.tries(held).failed(class) + 1;
        if attempts < class.attempts_max() {
            self.see("a task was tried again");
            self.put_back(held, class);
        } else if class == ErrorClass::Transient {
            // Says nothing about the task: no answer, the reconciler tries anew.
            self.see("a task was buried without an answer");
            self.end_task(held.sequence, held.deliveries, task);
        } else {
            self.see("a task was given up after its tries");
            self.give_up(held, class);
        }
    }

    fn put_back(&mut self, held: &Delivered<TaskBody>, class: ErrorClass) {
        let tries = self.tries(held).and_failed(class);
        self.retries.insert((held.body.task, held.published_ms), tries);
        let at_ms = self.now_ms + self.pause_ms(class, held.deliveries);
        self.tasks.retry(held.sequence, at_ms);
        self.stir_workers(at_ms);
    }

    fn give_up(&mut self, held: &Delivered<TaskBody>, class: ErrorClass) {
        self.answer_and_ack(held, Answer::Failed(class));
    }

    fn tries(&self, held: &Delivered<TaskBody>) -> broker::retries::Tries {
        self.retries.get(&(held.body.task, held.published_ms)).cloned().unwrap_or_default()
    }

    fn ack_task(&mut self, held: &Delivered<TaskBody>) {
        let (sequence, deliveries, task) = (held.sequence, held.deliveries, held.body.task);
        self.laws.check_task_ack(&self.record, task);
        if self.fails(self.scenario.faults.ack_lost) {
            self.see("an acknowledgement got lost");
        } else if self.fails(self.scenario.faults.ack_late) {
            let after_ms = self.random.between(1, 3 * self.scenario.ack_wait_ms);
            self.agenda.add(self.now_ms + after_ms, Event::AckTask(sequence, deliveries, task));
        } else {
            self.end_task(sequence, deliveries, task);
        }
    }

    /// The server gets an acknowledgement.
    pub(super) fn end_task(&mut self, sequence: u64, deliveries: u64, task: TaskRef) {
        let Some((subject, delivered)) = self.tasks.ack(sequence) else { return };
        self.note("ack", &numbers(task));
        if subject.1 != task {
            self.see("an acknowledgement from before the store was lost ended another task");
        } else if delivered > deliveries {
            self.see("an acknowledgement of an earlier delivery ended a later one");
        }
    }

    fn cost(&self, (audit, task): TaskRef) -> u64 {
        self.record.audits[audit].ask.costs[task]
    }

    fn poison(&self, (audit, task): TaskRef) -> Option<Poison> {
        let poison = &self.record.audits[audit].ask.poison;
        poison.iter().find(|(place, _)| *place == task).map(|(_, poison)| *poison)
    }
}
