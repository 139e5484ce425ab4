//! Restarts of every role in turn, under load: what was begun is finished, and nothing is done twice.

use std::collections::VecDeque;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::audits::deliver;
use crate::checker::{Accepted, Count};
use crate::ledger::Traffic;
use crate::stack::{Role, Stack, StackConfig};
use crate::wait::{LONG, wait_for};
use crate::workload::Model;

/// Files of one push.
const FILES: usize = 24;

/// Restarts while the tasks of one push are worked on, one of each process.
const RESTARTS_PER_PUSH: usize = 5;

/// What is told to stop, in turn.
const PROCESSES: [(Role, usize); RESTARTS_PER_PUSH] =
    [(Role::Worker, 0), (Role::Aggregator, 0), (Role::Planner, 0), (Role::Worker, 1), (Role::Serve, 0)];

/// Tasks that are done between two restarts, so that each meets work under way.
const TASKS_BETWEEN: i64 = 6;

/// What became of it.
#[derive(Debug)]
pub struct Rolled {
    /// What the checker counted.
    pub count: Count,
    /// Longest time from SIGTERM to the end.
    pub slowest_stop: Duration,
}

/// Restarts `restarts` times. Panics if a process does not end well, or anything is lost or delivered twice.
pub async fn run(restarts: usize) -> Rolled {
    // A long ack wait: every repeated delivery below would be somebody's fault, not the machine's.
    let settings = [("ELDER_ACK_WAIT_SECS", "60"), ("ELDER_LOST_AFTER_SECS", "3600"), ("ELDER_SHARD_FILES", "1")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let environment = [settings.as_slice(), &[("ELDER_TASKS_IN_FLIGHT".to_owned(), "16".to_owned())]].concat();
    let mut stack = Box::pin(Stack::start_with(StackConfig { environment, ..StackConfig::default() })).await;
    let (mut waiting, mut deliveries) =
        (pushes(&stack, restarts.div_ceil(RESTARTS_PER_PUSH) + 1).await, JoinSet::new());
    let mut slowest_stop = Duration::ZERO;
    let mut done = 0;
    for restart in 0..restarts {
        if restart % RESTARTS_PER_PUSH == 0 {
            let (api, next) = (stack.api().clone(), waiting.pop_front().expect("there are enough"));
            deliveries.spawn_blocking(move || {
                let audit = Handle::current().block_on(deliver(api, next.slug.clone(), next.push.clone()));
                Accepted { audit, ..next }
            });
        }
        done += TASKS_BETWEEN;
        stack.reaches(done).await;
        let (role, index) = PROCESSES[restart % PROCESSES.len()];
        let begin = Instant::now();
        stack.stop(role, index).await;
        slowest_stop = slowest_stop.max(begin.elapsed());
        stack.restart(role, index).await;
    }
    let accepted = deliveries.join_all().await;
    wait_for("every audit to end", 2 * LONG, async || {
        let open = "SELECT count(*) FROM audits WHERE finished_at IS NULL";
        let open: i64 = sqlx::query_scalar(open).fetch_one(&mut stack.record().await).await.ok()?;
        (open == 0).then_some(())
    })
    .await;
    stack.balances().await;
    let count = stack.is_exact(&accepted).await;
    let once = |stored| Traffic { stored, delivered: stored };
    assert_eq!(stack.traffic("AUDIT_REQ", "planner").await, once(accepted.len() as u64));
    assert_eq!(stack.traffic("AUDIT_TASKS", "worker-normal").await, once(count.tasks as u64));
    assert_eq!(stack.traffic("AUDIT_RESULTS", "aggregator").await, once(count.tasks as u64));
    Rolled { count, slowest_stop }
}

/// Pushes that wait, each with a project of its own.
async fn pushes(stack: &Stack, count: usize) -> VecDeque<Accepted> {
    let (models, shops) = (stack.folder("models"), stack.folder("shops"));
    fs::create_dir_all(&models).expect("the test's folder can be written to");
    fs::create_dir_all(&shops).expect("the test's folder can be written to");
    let build = move || Model::build(&models.join("0"), 0, 1, FILES);
    let model = tokio::task::spawn_blocking(build).await.expect("the model can be built");
    let mut pushes = VecDeque::new();
    for number in 0..count {
        let slug = format!("shop-{number}");
        stack.register_url(&slug, &model.another(&shops, &slug)).await;
        let version = Arc::clone(&model.versions()[0]);
        pushes.push_back(Accepted { slug, push: version.push(number), version, audit: String::new() });
    }
    pushes
}
