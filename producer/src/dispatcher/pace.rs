//! How fast tasks are done, as the dispatcher sees it: what it published, less what is still in flight.

use std::time::{Duration, Instant};

use broker::error::{StoreError, chain};
use broker::store::throughput::Sample;
use broker::{Bus, Store};

use super::publish::Published;
use crate::fairness::Backlog;
use crate::window::Window;

/// How often a sample is kept for predictions.
const SAMPLE_PERIOD: Duration = Duration::from_secs(10);

/// Tasks that may always be in the queue, so that a few workers have something each before their pace is known.
pub(crate) const LEAST: u32 = 16;

/// Tasks in the queue for each batch that workers can work on at the same time: one at work, one at hand, and as many on
/// their way.
const LEAST_PER_SLOT: u64 = 4;

/// How often it is asked which workers live.
const WORKERS_PERIOD: Duration = Duration::from_secs(5);

/// The pace.
pub(super) struct Pace {
    window: Window,
    looked: Instant,
    /// What was in flight at the last look, and published since.
    in_flight: Load,
    /// What was done since the last sample, and in how much time with work.
    done: Load,
    busy: Duration,
    sampled: Instant,
    counted: Option<Instant>,
    least: u64,
}

/// Tasks and their predicted cost.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    tasks: u64,
    cost: u64,
}

impl Pace {
    pub(super) fn new(least: u64, most: u64) -> Self {
        let now = Instant::now();
        let (in_flight, done) = (Load::default(), Load::default());
        let (window, busy, counted) = (Window::new(least, most), Duration::ZERO, None);
        Self { window, looked: now, in_flight, done, busy, sampled: now, counted, least }
    }

    /// Counts the workers now and then: the more there are, the more must be in the queue for all of them to have
    /// something.
    pub(super) async fn count_workers(&mut self, bus: &Bus) {
        if self.counted.is_some_and(|counted| counted.elapsed() < WORKERS_PERIOD) {
            return;
        }
        self.counted = Some(Instant::now());
        match bus.workers().await {
            Ok(workers) => {
                let slots: u64 = workers.iter().map(|worker| u64::from(worker.slots)).sum();
                self.window.set_least(self.least.max(LEAST_PER_SLOT * slots));
            }
            // What was known last still serves; the queue itself says loudly enough that it is away.
            Err(error) => tracing::debug!(error = %chain(&error), "cannot tell which workers live"),
        }
    }

    /// Takes a look: what was in flight and is not any more is done.
    pub(super) fn look(&mut self, backlog: &[Backlog]) {
        let mut now = Load::default();
        for entry in backlog {
            now.tasks += entry.in_flight;
            now.cost = now.cost.saturating_add(entry.in_flight.saturating_mul(entry.task_cost));
        }
        let passed = self.looked.elapsed();
        if self.in_flight.tasks > 0 {
            let tasks = self.in_flight.tasks.saturating_sub(now.tasks);
            self.window.observe(tasks, passed.as_secs_f64());
            self.done.tasks += tasks;
            self.done.cost = self.done.cost.saturating_add(self.in_flight.cost.saturating_sub(now.cost));
            self.busy += passed;
        }
        self.looked = Instant::now();
        self.in_flight = now;
    }

    pub(super) fn published(&mut self, published: &Published) {
        self.in_flight.tasks += published.tasks;
        self.in_flight.cost = self.in_flight.cost.saturating_add(published.predicted_cost);
    }

    pub(super) fn window(&self) -> u64 {
        self.window.size()
    }

    /// Keeps a sample now and then, if there was something to do.
    pub(super) async fn keep(&mut self, store: &Store) -> Result<(), StoreError> {
        if self.sampled.elapsed() < SAMPLE_PERIOD {
            return Ok(());
        }
        self.sampled = Instant::now();
        let (done, busy) = (std::mem::take(&mut self.done), std::mem::take(&mut self.busy));
        if done.tasks == 0 {
            return Ok(());
        }
        let column = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let (tasks, cost, tasks_in_flight) = (column(done.tasks), column(done.cost), column(self.in_flight.tasks));
        store.keep_throughput(&Sample { seconds: busy.as_secs_f64(), tasks, cost, tasks_in_flight }).await
    }
}
