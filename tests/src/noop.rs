//! Audits whose tasks have nothing to read, so that all that counts is their way through queue and record.

use std::collections::BTreeMap;

use broker::config::{DatabaseArgs, NatsArgs, TopologyArgs};
use broker::store::plan::{Extent, Plan, PlannedShard};
use broker::store::projects::Project;
use broker::{Bus, Store};
use schemas::bundle::Manifest;
use schemas::ids::{AuditId, Digest};
use schemas::magic::Magic;
use schemas::request::Priority;
use uuid::Uuid;

use crate::stack::{SECRET, Stack};

/// Digest and bytes of a bundle without files.
const EMPTY_MANIFEST: &str = "an empty manifest can be packed";

/// Makes such audits.
pub struct Noop {
    /// The record.
    pub store: Store,
    bundle: Digest,
    database_url: String,
}

impl Noop {
    /// Connects, and stores the bundle that all tasks read.
    pub async fn connect(stack: &Stack) -> Self {
        let args = DatabaseArgs { database_url: stack.postgres.url().into(), database_connections: 4 };
        let store = Store::connect(&args).expect("the address of a server is a URL");
        let nats = NatsArgs { nats_url: stack.nats_url().into(), nats_nkey: None, topology: TopologyArgs::default() };
        let bus = Bus::connect(&nats, "test").await.expect("the server is there");
        let bundle = producer::bundle::pack(&Manifest::default(), |_| Ok::<_, std::io::Error>(Vec::new()));
        let bundle = bundle.expect(EMPTY_MANIFEST);
        bus.put_object(&bundle.digest, &bundle.bytes).await.expect("the bundle can be stored");
        Self { store, bundle: bundle.digest, database_url: stack.postgres.url().to_owned() }
    }

    /// Registers a project that has no repository.
    pub async fn project(&self, slug: &str, team: Option<&str>) {
        let project = Project {
            id: Uuid::new_v4(),
            slug: slug.parse().expect("a slug"),
            name: slug.to_owned(),
            repository_url: format!("https://example.org/{slug}.git"),
            provider: "git".to_owned(),
            team: team.map(str::to_owned),
            default_branch: None,
            webhook_secret: SECRET.into(),
        };
        self.store.insert_project(&project).await.expect("the project is new");
    }

    /// Records an audit that nobody is asked to plan.
    pub async fn record(&self, slug: &str, priority: Priority) -> AuditId {
        use sqlx::Connection as _;
        let id = AuditId(Uuid::new_v4());
        let mut record = sqlx::PgConnection::connect(&self.database_url).await.expect("the record can be reached");
        sqlx::query(
            "INSERT INTO audits (id, project_id, project_slug, kind, priority, magics, requested_by, trace_id)
             SELECT $1, id, slug, 'full', $3, ARRAY['integrity'], 'test', gen_random_uuid() FROM projects WHERE slug = $2",
        )
        .bind(id.0)
        .bind(slug)
        .bind(priority.as_str())
        .execute(&mut record)
        .await
        .expect("the audit is new");
        id
    }

    /// A plan of so many tasks, each of the given cost.
    pub fn plan(&self, tasks: usize, cost: u64) -> Plan {
        let (bundle, magics) = (self.bundle.clone(), vec![Magic::Integrity]);
        let shard = PlannedShard { bundle, manifest: Manifest::default(), magics, cost };
        Plan {
            commit: "1".repeat(40).parse().expect("a commit"),
            shards: vec![shard; tasks],
            trees: Vec::new(),
            known: BTreeMap::new(),
            rulesets: BTreeMap::new(),
            extent: Extent::default(),
        }
    }

    /// Gives an audit such a plan and starts it.
    pub async fn start(&self, audit: AuditId, tasks: usize, cost: u64) {
        let plan = self.plan(tasks, cost);
        assert!(
            self.store.start_audit(audit, &plan).await.expect("the plan is right"),
            "audit {audit} was not waiting"
        );
    }

    /// Both at once.
    pub async fn audit(&self, slug: &str, priority: Priority, tasks: usize) -> AuditId {
        let audit = self.record(slug, priority).await;
        self.start(audit, tasks, 1).await;
        audit
    }
}
