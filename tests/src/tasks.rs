//! Tasks published by hand and what workers answer, without planner and aggregator in between.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream;
use async_nats::jetstream::consumer::{self, pull};
use broker::Bus;
use broker::config::{NatsArgs, TopologyArgs};
use broker::subject::Subject;
use futures::StreamExt as _;
use futures::future::join_all;
use producer::bundle::pack;
use schemas::bundle::{Manifest, ManifestFile};
use schemas::ids::{AuditId, Digest};
use schemas::magic::Magic;
use schemas::partial::PartialResult;
use schemas::request::Priority;
use schemas::task::{ItemRange, Task, TaskKey};
use serde_json::Value;

use crate::failpoints::{Action, poison};
use crate::stack::Stack;
use crate::wait::{LONG, wait_for};

/// Functions in a file of [`Stack::slow_bundle`]: as large as a file may be, for a parser to be busy with.
const SLOW_FUNCTIONS: usize = 16_000;

/// The file of [`Stack::hanging_bundle`].
const HANGING_PATH: &str = "hang.py";

/// What workers need in their environment to hang on [`Stack::hanging_bundle`].
pub fn hanging() -> (&'static str, String) {
    ("FAILPOINTS", poison(HANGING_PATH, Action::Stall(600_000)))
}

/// A task of `audit` for the integrity magic.
pub fn task_key(audit: AuditId, shard: u32) -> TaskKey {
    TaskKey { magic: Magic::Integrity, project: "shop".parse().expect("a slug"), audit, shard }
}

/// A small task that is done at once.
pub fn small_task() -> Task {
    serde_json::from_str(r##"{"files": [{"path": "a.py", "text": "# FIXME x\n"}]}"##).expect("a task")
}

/// A task over some items of a bundle.
pub fn part(bundle: &Digest, first: u32, count: u32) -> Task {
    Task { items: Some(ItemRange { first, count }), ..Task::bundle(bundle.clone()) }
}

impl Stack {
    /// A connection to the queue of the kind that roles have.
    pub async fn bus(&self) -> Bus {
        let args = NatsArgs { nats_url: self.nats.url().into(), nats_nkey: None, topology: TopologyArgs::default() };
        Bus::connect(&args, "test").await.expect("the queue is up")
    }

    /// Publishes a task, with a header more where one is given.
    pub async fn publish_task(&self, priority: Priority, key: &TaskKey, task: &Task, header: Option<(&str, String)>) {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(name, value.as_str());
        }
        publish(&self.jetstream().await, priority, key, task, headers).await;
    }

    /// Publishes the same task under each of many keys.
    pub async fn publish_tasks(&self, priority: Priority, keys: &[TaskKey], task: &Task) {
        let jetstream = self.jetstream().await;
        join_all(keys.iter().map(|key| publish(&jetstream, priority, key, task, HeaderMap::new()))).await;
    }

    /// Stores a bundle of files.
    pub async fn put_bundle(&self, files: &[(String, String)]) -> Digest {
        let manifest_file = |(path, text): &(String, String)| ManifestFile {
            path: path.clone(),
            blob: Digest::of(text.as_bytes()).as_str().parse().expect("a digest may stand for a blob"),
            size: text.len() as u64,
        };
        let manifest = Manifest { files: files.iter().map(manifest_file).collect(), ..Manifest::default() };
        let text = |file: &ManifestFile| {
            let found = files.iter().find(|(path, _)| *path == file.path).map(|(_, text)| text.clone().into_bytes());
            found.ok_or_else(|| std::io::Error::other("not there"))
        };
        let bundle = pack(&manifest, text).expect("small enough");
        self.bus().await.put_object(&bundle.digest, &bundle.bytes).await.expect("the store is up");
        bundle.digest
    }

    /// Stores a bundle that keeps one thread busy for long, one file at a time.
    pub async fn slow_bundle(&self, files: usize) -> Digest {
        let function = |number: usize| format!("def f{number}(a, b):\n    return [a] if a > b else {{b: a}}\n\n");
        let text: String = (0..SLOW_FUNCTIONS).map(function).collect();
        let files: Vec<_> = (0..files).map(|number| (format!("{number}.py"), text.clone())).collect();
        self.put_bundle(&files).await
    }

    /// Stores a bundle on which every worker hangs that has the [`hanging`] environment, for longer than any test.
    pub async fn hanging_bundle(&self) -> Digest {
        self.put_bundle(&[(HANGING_PATH.to_owned(), "a = 1\n".to_owned())]).await
    }

    /// The results that nobody has taken yet, in the order in which they came; an aggregator must not run.
    pub async fn results(&self) -> Vec<(TaskKey, PartialResult)> {
        let stream = self.jetstream().await.get_stream("AUDIT_RESULTS").await.expect("the stream is there");
        let (mut results, mut after) = (Vec::new(), 0);
        while let Ok(message) = stream.direct_get_next_for_subject("audit.result.>", Some(after + 1)).await {
            after = message.sequence;
            let Ok(Subject::Result(key)) = message.subject.as_str().parse() else { panic!("{}", message.subject) };
            results.push((key, serde_json::from_slice(&message.payload).expect("a result")));
        }
        results
    }

    /// Waits until so many results are there.
    pub async fn answered(&self, count: usize) -> BTreeMap<TaskKey, PartialResult> {
        wait_for(&format!("{count} results"), LONG, async || {
            let results = self.results().await;
            (results.len() >= count).then(|| results.into_iter().collect())
        })
        .await
    }

    /// What is known of the consumer of one priority.
    pub async fn worker_consumer(&self, priority: Priority) -> consumer::Info {
        let name = format!("worker-{}", priority.as_str());
        let stream = self.jetstream().await.get_stream("AUDIT_TASKS").await.expect("the stream is there");
        let consumer = stream.get_consumer::<pull::Config>(&name).await.expect("the consumer is there");
        consumer.cached_info().clone()
    }

    /// Takes a task like a worker that falls silent then; whether there was one within that time.
    pub async fn takes_task(&self, priority: Priority, within: Duration) -> bool {
        let name = format!("worker-{}", priority.as_str());
        let stream = self.jetstream().await.get_stream("AUDIT_TASKS").await.expect("the stream is there");
        let consumer = stream.get_consumer::<pull::Config>(&name).await.expect("the consumer is there");
        let taken = consumer.batch().max_messages(1).expires(within).messages().await;
        taken.expect("the queue is up").next().await.is_some()
    }

    /// Waits until so many tasks of one priority are held by workers.
    pub async fn held(&self, priority: Priority, count: usize) {
        wait_for(&format!("{count} tasks to be held"), LONG, async || {
            (self.worker_consumer(priority).await.num_ack_pending == count).then_some(())
        })
        .await;
    }

    /// How the tries of tasks ended, one entry for each task that was put back.
    pub async fn tries(&self) -> Vec<Value> {
        let stream = self.jetstream().await.get_stream("KV_audit_retries").await.expect("the bucket is there");
        let (mut tries, mut after) = (Vec::new(), 0);
        while let Ok(message) = stream.direct_get_next_for_subject("$KV.audit_retries.>", Some(after + 1)).await {
            after = message.sequence;
            tries.push(serde_json::from_slice(&message.payload).expect("tries are JSON"));
        }
        tries
    }

    /// Says that an audit was stopped, as the record's outbox does.
    pub async fn stop_audit(&self, audit: AuditId) {
        let stopped = self.jetstream().await.get_key_value("audit_stopped").await.expect("the bucket is there");
        stopped.put(audit.to_string(), "by a test".into()).await.expect("the bucket takes it");
    }
}

async fn publish(jetstream: &jetstream::Context, priority: Priority, key: &TaskKey, task: &Task, headers: HeaderMap) {
    let subject = Subject::Task(priority, key.clone()).to_string();
    let body = serde_json::to_vec(task).expect("a task is JSON").into();
    let ack = jetstream.publish_with_headers(subject, headers, body).await.expect("the queue is up");
    ack.await.expect("the stream takes it");
}
