//! The queue as metrics: the same figures as `GET /api/v1/queue`.

use std::sync::atomic::AtomicU64;

use broker::depths::StreamDepth;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use schemas::presence::WorkerPresence;

use super::Labels;
use crate::queue::{ClassReport, PoolReport, ProjectReport, QueueReport};

type Real = Gauge<f64, AtomicU64>;

/// Gauges of the queue.
#[derive(Default)]
pub(super) struct QueueMetrics {
    audits_waiting: Family<Labels, Gauge>,
    audits_running: Family<Labels, Gauge>,
    tasks_ready: Family<Labels, Gauge>,
    tasks_in_flight: Family<Labels, Gauge>,
    oldest_wait: Family<Labels, Real>,
    class_rate: Family<Labels, Real>,
    project_audits_waiting: Family<Labels, Gauge>,
    project_tasks_ready: Family<Labels, Gauge>,
    project_tasks_in_flight: Family<Labels, Gauge>,
    project_oldest_wait: Family<Labels, Real>,
    project_rate: Family<Labels, Real>,
    tasks_per_second: Real,
    cost_per_second: Real,
    workers: Gauge,
    worker_slots: Gauge,
    worker_tasks: Gauge,
    pool_workers: Family<Labels, Gauge>,
    pool_slots: Family<Labels, Gauge>,
    pool_tasks: Family<Labels, Gauge>,
    pool_rate: Family<Labels, Real>,
    stream_messages: Family<Labels, Gauge>,
    stream_bytes: Family<Labels, Gauge>,
    stream_bytes_max: Family<Labels, Gauge>,
}

impl QueueMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let new = Self::default();
        let mut gauge =
            |name, help: &str, family: &Family<Labels, Gauge>| registry.register(name, help, family.clone());
        gauge("queue_audits_waiting", "Audits that have no plan yet, by class", &new.audits_waiting);
        gauge("queue_audits_running", "Audits whose tasks are served, by class", &new.audits_running);
        gauge("queue_tasks_ready", "Tasks that wait to be published, by class", &new.tasks_ready);
        gauge("queue_tasks_in_flight", "Tasks in the queue or running, by class", &new.tasks_in_flight);
        let of = "of the fifty projects with the most tasks ready";
        let mut of_project = |name, help: &str, family| gauge(name, &format!("{help}, {of}"), family);
        of_project("queue_project_audits_waiting", "Audits that have no plan yet", &new.project_audits_waiting);
        of_project("queue_project_tasks_ready", "Tasks that wait to be published", &new.project_tasks_ready);
        of_project("queue_project_tasks_in_flight", "Tasks in the queue or running", &new.project_tasks_in_flight);
        gauge("pool_workers", "Workers that live, by pool", &new.pool_workers);
        gauge("pool_slots", "Batches that they can work on at the same time, by pool", &new.pool_slots);
        gauge("pool_tasks", "Tasks that they are working on, by pool", &new.pool_tasks);
        gauge("stream_messages", "Messages in a stream", &new.stream_messages);
        gauge("stream_bytes", "Bytes in a stream", &new.stream_bytes);
        gauge("stream_bytes_max", "Bytes that a stream may have", &new.stream_bytes_max);
        let mut real = |name, help: &str, family: &Family<Labels, Real>| registry.register(name, help, family.clone());
        let oldest = "Seconds that the longest waiting audit has waited for its first task";
        real("queue_oldest_wait_seconds", &format!("{oldest}, by class"), &new.oldest_wait);
        real("queue_project_oldest_wait_seconds", &format!("{oldest}, {of}"), &new.project_oldest_wait);
        let rate = "Tasks answered in a second over the last minute";
        real("queue_class_tasks_per_second", &format!("{rate}, by the class asked for"), &new.class_rate);
        real("queue_project_tasks_per_second", &format!("{rate}, {of}"), &new.project_rate);
        real("pool_tasks_per_second", "Tasks done with in a second over the last minute, by pool", &new.pool_rate);
        let pace = "Tasks done in a second while there was work, the middle of ten minutes; 0 if nothing was done";
        registry.register("queue_tasks_per_second", pace, new.tasks_per_second.clone());
        let pace = "Predicted cost done in a second, in bytes' worth of analysis";
        registry.register("queue_cost_per_second", pace, new.cost_per_second.clone());
        registry.register("workers", "Workers that live", new.workers.clone());
        registry.register("worker_slots", "Batches that they can work on at the same time", new.worker_slots.clone());
        registry.register("worker_tasks", "Tasks that they are working on", new.worker_tasks.clone());
        new
    }

    pub(super) fn set(&self, report: &QueueReport) {
        for row in &report.classes {
            self.set_class(row);
        }
        // Projects that have nothing to do any more are forgotten, and so are pools without workers.
        for family in [&self.project_audits_waiting, &self.project_tasks_ready, &self.project_tasks_in_flight] {
            family.clear();
        }
        self.project_oldest_wait.clear();
        self.project_rate.clear();
        for row in &report.projects {
            self.set_project(row);
        }
        self.tasks_per_second.set(report.pace.map_or(0.0, |pace| pace.tasks_per_sec));
        self.cost_per_second.set(report.pace.map_or(0.0, |pace| pace.cost_per_sec));
        // Nobody can say while the queue is away: what was last known stays.
        if let Some(workers) = &report.workers {
            let sum = |of: fn(&WorkerPresence) -> u32| workers.iter().map(|worker| i64::from(of(worker))).sum();
            self.workers.set(signed(workers.len() as u64));
            self.worker_slots.set(sum(|worker| worker.slots));
            self.worker_tasks.set(sum(|worker| worker.running));
        }
        if let Some(pools) = &report.pools {
            for family in [&self.pool_workers, &self.pool_slots, &self.pool_tasks] {
                family.clear();
            }
            self.pool_rate.clear();
            for row in pools {
                self.set_pool(row);
            }
        }
    }

    pub(super) fn set_streams(&self, depths: &[StreamDepth]) {
        for depth in depths {
            let labels = vec![("stream", depth.stream.clone())];
            self.stream_messages.get_or_create(&labels).set(signed(depth.messages));
            self.stream_bytes.get_or_create(&labels).set(signed(depth.bytes));
            self.stream_bytes_max.get_or_create(&labels).set(signed(depth.bytes_max));
        }
    }

    fn set_class(&self, row: &ClassReport) {
        let labels = vec![("class", row.class.to_owned())];
        self.audits_waiting.get_or_create(&labels).set(row.audits_unplanned);
        self.audits_running.get_or_create(&labels).set(signed(row.audits_running));
        self.tasks_ready.get_or_create(&labels).set(signed(row.tasks_ready));
        self.tasks_in_flight.get_or_create(&labels).set(signed(row.tasks_in_flight));
        self.oldest_wait.get_or_create(&labels).set(row.oldest_wait_secs);
        self.class_rate.get_or_create(&labels).set(row.tasks_per_sec);
    }

    /// A slug is validated text, and no more than fifty are shown.
    fn set_project(&self, row: &ProjectReport) {
        let labels = vec![("project", row.project.to_string())];
        self.project_tasks_ready.get_or_create(&labels).set(signed(row.tasks_ready));
        self.project_tasks_in_flight.get_or_create(&labels).set(signed(row.tasks_in_flight));
        self.project_audits_waiting.get_or_create(&labels).set(row.audits_unplanned);
        self.project_oldest_wait.get_or_create(&labels).set(row.oldest_wait_secs);
        self.project_rate.get_or_create(&labels).set(row.tasks_per_sec);
    }

    /// The same: a name of a pool is validated text, and no more than fifty are shown.
    fn set_pool(&self, row: &PoolReport) {
        let labels = vec![("pool", row.pool.to_string())];
        self.pool_workers.get_or_create(&labels).set(signed(row.workers));
        self.pool_slots.get_or_create(&labels).set(signed(row.slots));
        self.pool_tasks.get_or_create(&labels).set(signed(row.running));
        self.pool_rate.get_or_create(&labels).set(row.tasks_per_sec);
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
