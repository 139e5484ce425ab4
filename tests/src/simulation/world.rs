//! The loop over events, and what all parts of it share.

mod aggregate;
mod dispatch;
mod pack;
mod reconcile;
mod work;

use std::collections::BTreeMap;

use broker::retries::Tries;
use schemas::retry::ErrorClass;

use self::aggregate::{Aggregator, Batch};
use self::dispatch::{Dispatcher, Round};
use self::work::{Job, TaskBody, Worker};
use super::Outcome;
use super::agenda::Agenda;
use super::answers;
use super::laws::Laws;
use super::record::{Answer, Record, TaskRef};
use super::scenario::{HOUR_MS, Scenario};
use super::stream::{Settings, Stream};
use super::trace::Trace;
use crate::random::Random;

/// Simulated time in which everything has to have ended: what is asked for within the hour takes about two, and what is
/// given up some more.
const END_MS: u64 = 12 * HOUR_MS;

/// Aggregators, and planners with their reconcilers.
const AGGREGATORS: usize = 2;
const PLANNERS: usize = 2;

/// What is to happen.
#[derive(Debug)]
pub(super) enum Event {
    /// Somebody asks for an audit, by its place in the scenario.
    Ask(usize),
    /// The planner has a request; so often it has failed on it.
    Plan(usize, u64),
    /// The facts of an audit's files are packed.
    Pack(usize),
    Cancel(usize),
    /// The tasks of a stopped audit are removed from the queue.
    Purge(usize),
    /// The dispatcher of this term looks at the backlog.
    Look(u64),
    Publish(Round),
    Mark(Round),
    /// Another process takes the dispatcher's seat.
    ChangeLeader,
    Pull(usize),
    Finish(Job),
    /// An acknowledgement arrives: of a sequence, as it was delivered so often, for this task.
    AckTask(u64, u64, TaskRef),
    AnswerAgain(TaskRef, Answer),
    Take(usize),
    Commit(Batch),
    Settle(Batch),
    Reconcile(usize),
    GiveUp(Vec<TaskRef>),
    Reopen(usize, usize),
    /// The store of the queue is lost.
    Wipe,
}

/// Everything.
pub(super) struct World {
    now_ms: u64,
    random: Random,
    trace: Trace,
    scenario: Scenario,
    agenda: Agenda<Event>,
    record: Record,
    tasks: Stream<TaskBody>,
    results: Stream<(TaskRef, Answer)>,
    /// The bucket in which workers note how tries ended: by task, and when its message was published.
    retries: BTreeMap<(TaskRef, u64), Tries>,
    dispatcher: Dispatcher,
    workers: Vec<Worker>,
    aggregators: Vec<Aggregator>,
    laws: Laws,
    seen: BTreeMap<&'static str, u64>,
}

impl World {
    pub(super) fn new(scenario: Scenario, random: Random, trace: Trace) -> Self {
        let settings = |is_one_per_subject| Settings {
            ack_wait_ms: scenario.ack_wait_ms,
            // As the topology has it for both.
            duplicate_window_ms: HOUR_MS / 6,
            is_one_per_subject,
        };
        let mut agenda = Agenda::new();
        for (place, ask) in scenario.asks.iter().enumerate() {
            agenda.add(ask.at_ms, Event::Ask(place));
        }
        scenario.wipes_ms.iter().for_each(|at_ms| agenda.add(*at_ms, Event::Wipe));
        scenario.leader_changes_ms.iter().for_each(|at_ms| agenda.add(*at_ms, Event::ChangeLeader));
        let period_ms = scenario.lost_after_ms / 2;
        (0..PLANNERS).for_each(|planner| agenda.add(period_ms + 777 * planner as u64, Event::Reconcile(planner)));
        Self {
            now_ms: 0,
            random,
            trace,
            agenda,
            record: Record::default(),
            tasks: Stream::new(settings(true)),
            results: Stream::new(settings(false)),
            retries: BTreeMap::new(),
            dispatcher: Dispatcher::new(&scenario),
            workers: (0..scenario.workers).map(|_| Worker::default()).collect(),
            aggregators: (0..AGGREGATORS).map(|_| Aggregator::default()).collect(),
            laws: Laws::new(&scenario),
            scenario,
            seen: BTreeMap::new(),
        }
    }

    pub(super) fn run(mut self) -> Outcome {
        while let Some((at_ms, event)) = self.agenda.next() {
            assert!(at_ms >= self.now_ms, "time goes on");
            assert!(at_ms < END_MS, "not over after {END_MS} ms: {:?}", self.laws.open(&self.record));
            self.now_ms = at_ms;
            self.happen(event);
        }
        assert_eq!(self.record.audits.len(), self.scenario.asks.len(), "every audit was asked for");
        self.laws.check_end(&self.record, &mut self.seen);
        Outcome {
            hash: self.trace.hash(),
            events: self.trace.events(),
            ended_ms: self.now_ms,
            kind: self.scenario.kind,
            seen: self.seen,
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Ask(place) => self.ask(place),
            Event::Plan(audit, failures) => self.plan(audit, failures),
            Event::Pack(audit) => self.pack(audit),
            Event::Cancel(audit) => self.cancel(audit),
            Event::Purge(audit) => self.tasks.purge(|task| task.0 == audit),
            Event::Look(term) => self.look(term),
            Event::Publish(round) => self.publish(round),
            Event::Mark(round) => self.mark(round),
            Event::ChangeLeader => self.change_leader(),
            Event::Pull(worker) => self.pull(worker),
            Event::Finish(job) => self.finish(job),
            Event::AckTask(sequence, deliveries, task) => self.end_task(sequence, deliveries, task),
            Event::AnswerAgain(task, answer) => {
                self.answer(task, answer);
            }
            Event::Take(aggregator) => self.take(aggregator),
            Event::Commit(batch) => self.commit(batch),
            Event::Settle(batch) => self.settle(batch),
            Event::Reconcile(planner) => self.reconcile(planner),
            Event::GiveUp(tasks) => self.give_up_overdue(&tasks),
            Event::Reopen(audit, shard) => self.reopen(audit, shard),
            Event::Wipe => {
                self.note("wipe", &[]);
                self.see("the store of the queue was lost");
                self.tasks.wipe();
                self.results.wipe();
                self.retries.clear();
            }
        }
    }

    fn ask(&mut self, place: usize) {
        let ask = self.scenario.asks[place].clone();
        let (slug, team) = self.scenario.projects[ask.project].clone();
        let (planned_after_ms, cancel_ms) = (ask.planned_after_ms, ask.cancel_ms);
        let audit = self.record.accept(answers::audit_id(self.record.audits.len()), ask, slug, team);
        self.note("ask", &[audit as u64]);
        if let Some(after_ms) = planned_after_ms {
            self.agenda.add(self.now_ms + after_ms, Event::Plan(audit, 0));
        }
        if let Some(at_ms) = cancel_ms {
            self.agenda.add(at_ms.max(self.now_ms), Event::Cancel(audit));
        }
    }

    fn plan(&mut self, audit: usize, failures: u64) {
        let class = ErrorClass::Repository;
        if failures < self.record.audits[audit].ask.plan_failures {
            if failures + 1 < class.attempts_max() {
                let pause_ms = self.pause_ms(class, failures + 1);
                self.agenda.add(self.now_ms + pause_ms, Event::Plan(audit, failures + 1));
            } else if self.record.fail_audit(self.now_ms, audit) {
                self.note("unplannable", &[audit as u64]);
            }
        } else if self.record.start_audit(self.now_ms, audit) {
            self.note("start", &[audit as u64]);
            self.wake_dispatcher();
            self.stir_packer(audit);
        } else {
            self.see("an audit was planned twice");
        }
        self.laws.check(&self.record, &[audit]);
    }

    fn cancel(&mut self, audit: usize) {
        if self.record.cancel_audit(self.now_ms, audit) {
            self.note("cancel", &[audit as u64]);
            self.see("an audit was stopped");
            let after_ms = self.random.between(1, 30_000);
            self.agenda.add(self.now_ms + after_ms, Event::Purge(audit));
            self.wake_dispatcher();
        }
        self.laws.check(&self.record, &[audit]);
    }

    /// The pause of the retry law, in milliseconds.
    fn pause_ms(&mut self, class: ErrorClass, attempt: u64) -> u64 {
        let jitter = f64::from(u32::try_from(self.random.between(0, 1_000)).expect("a thousand")) / 1e3;
        let pause = class.pause(attempt, jitter);
        u64::try_from(pause.as_millis()).expect("minutes")
    }

    /// Whether something goes wrong that goes wrong so often in a thousand times, within the hour.
    fn fails(&mut self, permille: u64) -> bool {
        self.now_ms < HOUR_MS && self.random.chance(permille)
    }

    fn note(&mut self, what: &'static str, numbers: &[u64]) {
        self.trace.note(self.now_ms, what, numbers);
    }

    fn see(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }
}

/// The place of a task as numbers of the trace.
fn numbers((audit, task): TaskRef) -> [u64; 2] {
    [audit as u64, task as u64]
}
