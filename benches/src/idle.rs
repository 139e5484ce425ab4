//! A stack whose tasks have nothing to read, so that all that takes time is their way through queue and record.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use broker::config::{DatabaseArgs, NatsArgs, TopologyArgs};
use broker::store::intake::NewAudit;
use broker::store::plan::{Extent, Plan, PlannedShard};
use broker::store::projects::Project;
use broker::store::{OUTBOX_CHANNEL, Wakeups};
use broker::{Bus, Store};
use deploy::embedded::Durability;
use schemas::bundle::Manifest;
use schemas::ids::{AuditId, Digest, TraceId};
use schemas::magic::Magic;
use schemas::request::{AuditKind, AuditRequest, Priority};
use tests::stack::{Role, SECRET, Stack, StackConfig};
use uuid::Uuid;

/// How often the record is looked at when nothing is announced.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Longest audit; a benchmark that waits this long measures a fault.
const AUDIT_TIME_MAX: Duration = Duration::from_secs(600);

/// The project of every audit.
const PROJECT: &str = "nothing";

/// Planner, aggregator and workers beside a record that holds audits which nobody has planned yet.
pub struct IdleStack {
    /// The processes.
    pub stack: Stack,
    store: Store,
    bundle: Digest,
    audits: Vec<AuditId>,
    announced: Wakeups,
}

impl IdleStack {
    /// Starts one with `audits` audits and `workers` workers.
    ///
    /// # Errors
    /// If a server refuses something.
    pub async fn start(durability: Durability, workers: usize, audits: usize) -> Result<Self> {
        // Nothing is lost here, and nothing must be taken for lost while it waits for its turn.
        let environment = vec![("ELDER_LOST_AFTER_SECS".to_owned(), "86400".to_owned())];
        let mut stack =
            Stack::services(StackConfig { durability, workers, environment, ..StackConfig::default() }).await;
        stack.set_up().await;
        let store = connect_store(&stack, 4)?;
        let nats = NatsArgs { nats_url: stack.nats.url().into(), nats_nkey: None, topology: TopologyArgs::default() };
        let bus = Bus::connect(&nats, "bench").await?;
        let bundle = producer::bundle::pack(&Manifest::default(), |_| Ok::<_, std::io::Error>(Vec::new()))?;
        bus.put_object(&bundle.digest, &bundle.bytes).await?;
        let audits = record(&store, audits).await?;
        // No planner runs yet. It would try to fetch the repository.
        sqlx::query("DELETE FROM outbox").execute(&mut stack.record().await).await?;
        let announced = store.listen(OUTBOX_CHANNEL).await?;
        stack.add(Role::Planner).await;
        stack.add(Role::Aggregator).await;
        for _ in 0..workers {
            stack.add(Role::Worker).await;
        }
        Ok(Self { stack, store, bundle: bundle.digest, audits, announced })
    }

    /// Starts the next audit with `tasks` empty tasks. Returns how long it took to commit that, and from there until
    /// the verdict could be read.
    ///
    /// # Errors
    /// If the record refuses, or the audit does not end.
    pub async fn audit(&mut self, tasks: usize) -> Result<(Duration, Duration)> {
        let id = self.audits.pop().context("every recorded audit was used")?;
        let (bundle, magics) = (self.bundle.clone(), vec![Magic::Integrity]);
        let shard = PlannedShard { bundle, manifest: Manifest::default(), magics, cost: 1 };
        let plan = Plan {
            commit: "1".repeat(40).parse()?,
            shards: vec![shard; tasks],
            known: BTreeMap::new(),
            extent: Extent::default(),
        };
        let begin = Instant::now();
        ensure!(self.store.start_audit(id, &plan).await?, "audit {id} was not waiting");
        let committed = Instant::now();
        while self.store.audit(id).await?.is_none_or(|audit| audit.finished_at.is_none()) {
            ensure!(committed.elapsed() < AUDIT_TIME_MAX, "audit {id} does not end");
            // The announcement of the verdict is part of its commit. A missed one costs a look.
            if let Ok(announced) = tokio::time::timeout(LOOK_EVERY, self.announced.next()).await {
                announced?;
            }
        }
        Ok((committed - begin, committed.elapsed()))
    }

    /// Every process that takes part, by name; all workers have one name.
    pub fn processes(&self, workers: usize) -> Vec<(&'static str, u32)> {
        let stack = &self.stack;
        let mut processes = vec![
            ("dispatcher", stack.process(Role::Planner, 0).pid()),
            ("aggregator", stack.process(Role::Aggregator, 0).pid()),
            ("nats-server", stack.nats.pid().unwrap_or_default()),
            ("postgres", stack.postgres.pid().unwrap_or_default()),
        ];
        processes.extend((0..workers).map(|index| ("workers", stack.process(Role::Worker, index).pid())));
        processes
    }
}

/// The record of a stack, over at most `connections` connections.
///
/// # Errors
/// If its address is not one.
pub fn connect_store(stack: &Stack, connections: u32) -> Result<Store> {
    let args = DatabaseArgs { database_url: stack.postgres.url().into(), database_connections: connections };
    Ok(Store::connect(&args)?)
}

async fn record(store: &Store, audits: usize) -> Result<Vec<AuditId>> {
    let project = Project {
        id: Uuid::new_v4(),
        slug: PROJECT.parse()?,
        name: PROJECT.to_owned(),
        repository_url: "https://example.org/nothing.git".to_owned(),
        provider: "git".to_owned(),
        team: None,
        default_branch: None,
        webhook_secret: SECRET.into(),
    };
    store.insert_project(&project).await?;
    let mut ids = Vec::new();
    for _ in 0..audits {
        let id = AuditId(Uuid::new_v4());
        let request = AuditRequest {
            audit: None,
            project: project.slug.clone(),
            revision: None,
            base: None,
            kind: AuditKind::Full,
            magics: Vec::new(),
            priority: Priority::Normal,
        };
        let (magics, trace) = (vec![Magic::Integrity], TraceId::random());
        let audit = NewAudit { id, request, magics, branch: None, requested_by: "bench", trace };
        store.record_audit(&project, &audit).await?;
        ids.push(id);
    }
    Ok(ids)
}
