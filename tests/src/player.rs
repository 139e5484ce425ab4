//! A worker played by the test over JetStream: it analyzes as a worker does, but for one file on which it always fails.

use std::collections::BTreeSet;

use broker::config::{NatsArgs, TopologyArgs};
use broker::lease::Lease;
use broker::subject::{Origin, Subject};
use broker::subscription::Subscription;
use broker::{Bus, topology};
use schemas::bundle::Shard;
use schemas::dead_letter::{Cause, DeadLetter};
use schemas::partial::PartialResult;
use schemas::request::Priority;
use schemas::retry::ErrorClass;
use schemas::task::{ItemRange, Task, TaskKey};
use tokio_util::sync::CancellationToken;

use crate::stack::Stack;

/// What the played worker says of the file that it fails on.
pub const REASON: &str = "the analyzer panicked at line 7";

/// Takes tasks of normal priority.
pub struct Player {
    /// Its connection.
    pub bus: Bus,
    tasks: Subscription,
}

/// What one task came to.
#[derive(Debug, Clone)]
pub struct Played {
    /// Which task.
    pub key: TaskKey,
    /// Which items of the bundle it was for.
    pub items: Option<ItemRange>,
    /// The files that it was to read.
    pub paths: Vec<String>,
    /// Whether the file was among them.
    pub is_failed: bool,
}

impl Player {
    /// One that has taken nothing yet.
    pub async fn new(stack: &Stack) -> Self {
        let (nats_url, topology) = (stack.nats.url().into(), TopologyArgs::default());
        let nats = NatsArgs { nats_url, nats_nkey: None, topology };
        let bus = Bus::connect(&nats, "player").await.expect("the server of the test is there");
        Self { tasks: Subscription::new(bus.clone(), topology::worker(Priority::Normal)), bus }
    }

    /// The next tasks, not answered.
    pub async fn take(&mut self) -> Vec<Lease> {
        self.tasks.next(16, &CancellationToken::new()).await.expect("nothing stops the player")
    }

    /// Answers tasks, failing on the file `poison`, for as long as `meanwhile` takes. Returns its outcome and the tasks.
    pub async fn play<T>(&mut self, poison: &str, meanwhile: impl Future<Output = T>) -> (T, Vec<Played>) {
        let mut played = Vec::new();
        let answering = async {
            loop {
                for lease in self.take().await {
                    played.push(answer(&self.bus, lease, poison).await);
                }
            }
        };
        let outcome = tokio::select! {
            outcome = meanwhile => outcome,
            () = answering => unreachable!("the player never ends by itself"),
        };
        (outcome, played)
    }

    /// Answers the first tasks that come and no more, then waits for `meanwhile`.
    pub async fn play_once<T>(&mut self, poison: &str, meanwhile: impl Future<Output = T>) -> (T, Vec<Played>) {
        let mut played = Vec::new();
        for lease in self.take().await {
            played.push(answer(&self.bus, lease, poison).await);
        }
        (meanwhile.await, played)
    }
}

async fn answer(bus: &Bus, lease: Lease, poison: &str) -> Played {
    let (Subject::Task(_, key), task) = lease.read::<Task>().expect("the task can be read") else {
        panic!("`{}` is no task", lease.subject_text());
    };
    let digest = task.bundle.expect("a planned task has a bundle");
    let bundle = bus.get_object(&digest).await.expect("the bundle is there");
    let shard = part(worker::unpack::unpack(&bundle).expect("the bundle is one"), task.items);
    let paths: Vec<String> = shard.files.iter().map(|file| file.path.clone()).collect();
    let is_failed = paths.iter().any(|path| path == poison);
    let partial = if is_failed {
        let letter = DeadLetter::new(lease.subject_text(), Cause::Exhausted, REASON, lease.attempts(), lease.body());
        let letter = DeadLetter { class: Some(ErrorClass::Analyzer), worker: Some("player".to_owned()), ..letter };
        bus.bury(Origin::Task, &letter, lease.trace()).await.expect("the letter is stored");
        PartialResult::failed(ErrorClass::Analyzer, REASON)
    } else {
        let items = worker::analyze(&shard, &BTreeSet::from([key.magic])).remove(&key.magic).unwrap_or_default();
        let ruleset = worker::rulesets(&shard).remove(&key.magic);
        PartialResult { ruleset, items, ..PartialResult::default() }
    };
    let id = format!("A:{}:{}:{}:{}", key.audit, key.magic, key.shard, partial.digest());
    bus.publish(&Subject::Result(key.clone()), &id, lease.trace(), &partial).await.expect("the result is stored");
    lease.done().await.expect("the task is acknowledged");
    Played { key, items: task.items, paths, is_failed }
}

/// The items of a task: files first, then commits.
fn part(mut shard: Shard, items: Option<ItemRange>) -> Shard {
    let Some(ItemRange { first, count }) = items else { return shard };
    let (first, end) = (first as usize, (first + count) as usize);
    let files = shard.files.len();
    shard.commits = shard.commits[first.saturating_sub(files)..end.saturating_sub(files)].to_vec();
    shard.files = shard.files[first.min(files)..end.min(files)].to_vec();
    shard
}
