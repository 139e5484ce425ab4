//! The dispatcher, as `producer/src/dispatcher.rs` runs it: look, choose, publish, mark; with another process in its seat at
//! any moment, before or after the one who had it noticed.

use std::collections::BTreeSet;

use broker::store::dispatch::ReadyTask;
use producer::dispatcher::order::{Offered, cursors, in_turn, short, wanted};
use producer::fairness::Turns;
use producer::window::Window;
use schemas::ids::Digest;
use schemas::ids::TraceId;
use schemas::request::Priority;
use uuid::Uuid;

use super::{Event, World, numbers};
use crate::simulation::answers;
use crate::simulation::laws::Look;
use crate::simulation::record::TaskRef;
use crate::simulation::scenario::Scenario;
use crate::simulation::stream::Published;
use crate::simulation::world::work::TaskBody;

/// How long nobody has the seat after it was lost.
const SEAT_PERIOD_MS: u64 = 1_000;

/// How long to wait after a round in which nothing could be published of what was granted; shorter in the product.
const PERIOD_MS: u64 = 1_000;

/// How long the server keeps a task beyond its deadline.
const TTL_GRACE_MS: u64 = 2 * 60_000;

/// The dispatcher.
#[derive(Debug)]
pub(in crate::simulation) struct Dispatcher {
    /// Counts those who had the seat.
    term: u64,
    /// Terms whose process died and does nothing any more.
    dead: BTreeSet<u64>,
    turns: Turns,
    window: Window,
    looked_ms: u64,
    in_flight: u64,
    /// Whether it sleeps until something happens.
    sleeps: bool,
    bundle: Digest,
}

/// What one round publishes.
#[derive(Debug)]
pub(in crate::simulation) struct Round {
    term: u64,
    looked_ms: u64,
    tasks: Vec<Chosen>,
    /// Whether the queue did not take all of it.
    has_failed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Chosen {
    task: TaskRef,
    class: usize,
    generation: u64,
    deadline_ms: u64,
    /// Its audit's cursor as it was read.
    seen: i32,
    is_published: bool,
}

impl Dispatcher {
    pub(in crate::simulation) fn new(scenario: &Scenario) -> Self {
        Self {
            term: 0,
            dead: BTreeSet::new(),
            turns: Turns::default(),
            window: Window::new(scenario.window_least, scenario.window_most),
            looked_ms: 0,
            in_flight: 0,
            sleeps: true,
            bundle: Digest::of(b""),
        }
    }
}

impl World {
    /// Something may be to do for the dispatcher.
    pub(super) fn wake_dispatcher(&mut self) {
        if std::mem::take(&mut self.dispatcher.sleeps) {
            let after_ms = self.random.between(1, 20);
            self.agenda.add(self.now_ms + after_ms, Event::Look(self.dispatcher.term));
        }
    }

    pub(super) fn look(&mut self, term: u64) {
        if term != self.dispatcher.term {
            return;
        }
        let backlog = self.record.open_backlog();
        let in_flight: u64 = backlog.iter().map(|entry| entry.in_flight).sum();
        let passed_secs = secs(self.now_ms - self.dispatcher.looked_ms);
        if self.dispatcher.in_flight > 0 {
            self.dispatcher.window.observe(self.dispatcher.in_flight.saturating_sub(in_flight), passed_secs);
        }
        (self.dispatcher.looked_ms, self.dispatcher.in_flight) = (self.now_ms, in_flight);
        let room = self.dispatcher.window.size().saturating_sub(in_flight);
        let limits = &self.scenario.limits;
        let grants = self.dispatcher.turns.choose(self.now_ms, &backlog, limits, room);
        let ready = self.record.ready_tasks(self.now_ms, &wanted(&grants));
        let ready = ready.into_iter().map(|task| self.ready_task(task)).collect();
        let ordered = in_turn(&grants, ready, &mut self.dispatcher.turns);
        let costs: Vec<_> = ordered.iter().map(|(_, task)| (task.key.audit, task.cost)).collect();
        let look = Look { now_ms: self.now_ms, backlog: &backlog, limits, room, grants: &grants, costs: &costs };
        for grant in &grants {
            let class = Priority::ALL.iter().position(|class| *class == grant.class);
            let audit = self.record.places[&grant.audit] as u64;
            self.trace.note(self.now_ms, "grant", &[audit, class.unwrap_or_default() as u64, grant.tasks, grant.cost]);
        }
        self.laws.check_look(&look, &mut self.seen);
        self.note("look", &[in_flight, room, ordered.len() as u64]);
        // In the product after the round's mark; a rewind is right at any moment.
        let short = short(&grants, &ordered);
        if !short.is_empty() {
            self.see("an audit had fewer ready tasks than its counters say");
        }
        self.record.rewind(&short);
        let tasks: Vec<Chosen> = ordered.iter().map(|(class, task)| self.chosen(*class, task)).collect();
        if tasks.is_empty() {
            self.dispatcher.sleeps = grants.is_empty();
            if !grants.is_empty() {
                self.see("a round was granted to tasks past their deadline");
                self.agenda.add(self.now_ms + PERIOD_MS, Event::Look(term));
            }
            return;
        }
        let is_lost = self.fails(self.scenario.faults.dispatcher_loses_seat);
        // One that lost its seat and does not know may be as slow as it likes; others go on meanwhile.
        let after_ms = if is_lost { self.random.between(1, 5_000) } else { self.random.between(1, 20) };
        if is_lost {
            self.next_term();
        }
        let round = Round { term, looked_ms: self.now_ms, tasks, has_failed: false };
        self.agenda.add(self.now_ms + after_ms, Event::Publish(round));
    }

    fn ready_task(&self, (audit, task): TaskRef) -> ReadyTask {
        let row = &self.record.audits[audit];
        ReadyTask {
            key: answers::key(row, task),
            bundle: self.dispatcher.bundle.clone(),
            items: None,
            cost: row.tasks[task].cost,
            generation: i32::try_from(row.tasks[task].generation).expect("few"),
            // The simulation keeps its own clock.
            deadline_at: None,
            trace: TraceId::from(Uuid::nil()),
            cursor: row.next_shard,
        }
    }

    fn chosen(&self, class: Priority, ready: &ReadyTask) -> Chosen {
        let audit = self.record.places[&ready.key.audit];
        let row = &self.record.audits[audit];
        let task = answers::task_of(&row.ask, &ready.key);
        let class = Priority::ALL.iter().position(|other| *other == class).expect("all are there");
        let deadline_ms = row.tasks[task].deadline_ms.unwrap_or(self.now_ms + self.scenario.task_time_max_ms);
        let generation = row.tasks[task].generation;
        Chosen { task: (audit, task), class, generation, deadline_ms, seen: ready.cursor, is_published: false }
    }

    pub(super) fn publish(&mut self, mut round: Round) {
        if self.dispatcher.dead.contains(&round.term) {
            return;
        }
        for place in 0..round.tasks.len() {
            let Chosen { task, class, generation, deadline_ms, .. } = round.tasks[place];
            self.laws.check_publish(&self.record, task, round.looked_ms);
            let is_error = self.fails(self.scenario.faults.publish_fails);
            round.has_failed |= is_error;
            // The server may have stored what it did not say that it stored.
            if is_error && self.random.chance(500) {
                continue;
            }
            let body = TaskBody { task, deadline_ms };
            let expires_ms = deadline_ms + TTL_GRACE_MS;
            let published = self.tasks.publish(self.now_ms, (class, task), (task, generation), body, expires_ms);
            match published {
                Published::Stored => self.see("a task was published"),
                Published::Duplicate => self.see("a task was published again within the duplicate window"),
                Published::Taken => self.see("a task was published while it was in the queue"),
            }
            self.note("publish", &numbers(task));
            round.tasks[place].is_published = !is_error;
        }
        self.stir_workers(self.now_ms + 1);
        let after_ms = self.random.between(1, 50);
        self.agenda.add(self.now_ms + after_ms, Event::Mark(round));
    }

    pub(super) fn mark(&mut self, round: Round) {
        if round.term == self.dispatcher.term && self.fails(self.scenario.faults.dispatcher_dies) {
            self.dispatcher.dead.insert(round.term);
            self.next_term();
        }
        if self.dispatcher.dead.contains(&round.term) {
            self.see("a dispatcher died between queue and record");
            return;
        }
        let published = round.tasks.iter().filter(|chosen| chosen.is_published);
        let tasks: Vec<_> = published.map(|chosen| (chosen.task, chosen.deadline_ms)).collect();
        let offered = round.tasks.iter().map(|&Chosen { task: (audit, task), seen, is_published, .. }| {
            let row = &self.record.audits[audit];
            Offered { audit: row.id, shard: row.shard_of(task), seen, is_published }
        });
        let cursors = cursors(offered);
        let marked = self.record.mark_published(self.now_ms, &tasks, &cursors);
        let holds_seat = round.term == self.dispatcher.term;
        self.note("mark", &[marked.len() as u64, u64::from(holds_seat)]);
        self.laws.check_marked(&self.record, &self.scenario, &marked, holds_seat);
        if !holds_seat {
            self.see("a dispatcher without the seat finished its round");
        } else if round.has_failed {
            self.see("the queue did not take a task");
            self.next_term();
        } else {
            self.dispatcher.in_flight += tasks.len() as u64;
            self.agenda.add(self.now_ms + 1, Event::Look(round.term));
        }
    }

    pub(super) fn change_leader(&mut self) {
        // The one who had the seat may be dead, or only have lost its connection.
        if self.random.chance(500) {
            self.dispatcher.dead.insert(self.dispatcher.term);
        }
        self.see("the dispatcher's seat changed hands");
        self.next_term();
    }

    fn next_term(&mut self) {
        let Dispatcher { term, dead, .. } = &self.dispatcher;
        let (term, dead) = (term + 1, dead.clone());
        let bundle = self.dispatcher.bundle.clone();
        self.dispatcher = Dispatcher { term, dead, sleeps: false, bundle, ..Dispatcher::new(&self.scenario) };
        self.dispatcher.looked_ms = self.now_ms;
        self.laws.forget_turns();
        self.note("term", &[term]);
        self.agenda.add(self.now_ms + SEAT_PERIOD_MS, Event::Look(term));
    }
}

#[expect(clippy::cast_precision_loss, reason = "hours in milliseconds")]
fn secs(ms: u64) -> f64 {
    ms as f64 / 1e3
}
