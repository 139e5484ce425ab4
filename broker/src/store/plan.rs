//! The plan of an audit: its shards and tasks, and what was known without any worker.

use std::collections::BTreeMap;

use schemas::bundle::Manifest;
use schemas::catalogue::Ruleset;
use schemas::event::{AuditEvent, EventKind};
use schemas::ids::{AuditId, Digest, ObjectId};
use schemas::magic::Magic;
use schemas::partial::PartialResult;
use schemas::task::PLANNED_SHARD;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::audits::Audit;
use super::merge::{Part, insert_findings, insert_results};
use super::outbox::event_row;
use super::verdicts::{Complete, finish};
use super::{Store, TASKS_CHANNEL, TREES_CHANNEL, announce, commit, to_json};
use crate::error::StoreError;

/// What judging a whole repository is predicted to cost, in bytes' worth of analysis: facts are quickly read.
const TREE_COST: u64 = 256 * 1024;

/// One shard of a plan.
#[derive(Debug, Clone)]
pub struct PlannedShard {
    /// The bundle that holds it.
    pub bundle: Digest,
    /// What is in it, without what its commits say.
    pub manifest: Manifest,
    /// The magics to run over it.
    pub magics: Vec<Magic>,
    /// What one magic over it is predicted to cost, in bytes' worth of analysis.
    pub cost: u64,
}

/// What is to be done for an audit, and what is known already.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is audited.
    pub commit: ObjectId,
    /// Shards for workers, numbered from 1 in this order.
    pub shards: Vec<PlannedShard>,
    /// Magics that judge the whole repository once all shards are done: each is one more shard, numbered after the others.
    pub trees: Vec<Magic>,
    /// Per magic: results from the cache, and what was ruled out without reading it.
    pub known: BTreeMap<Magic, PartialResult>,
    /// The rules that it is planned for, by magic.
    pub rulesets: BTreeMap<Magic, Ruleset>,
    /// How much of it workers have to look at.
    pub extent: Extent,
}

/// How many files and commits an audit looks at, and how many of them for the first time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Files given to workers.
    pub files_analyzed: usize,
    /// Files whose results were known for every magic that reads them.
    pub files_cached: usize,
    /// Commits given to workers.
    pub commits_analyzed: usize,
    /// Commits whose results were known for every magic that reads them.
    pub commits_cached: usize,
}

impl Plan {
    fn task_count(&self) -> usize {
        self.shards.iter().map(|shard| shard.magics.len()).sum::<usize>() + self.trees.len()
    }

    fn cost(&self) -> u64 {
        let shards = self.shards.iter().map(|shard| shard.cost.saturating_mul(shard.magics.len() as u64));
        shards.chain(self.trees.iter().map(|_| TREE_COST)).fold(0, u64::saturating_add)
    }
}

/// How the record keeps rule sets: whoever knows none but those of items reads them as before.
#[derive(Serialize)]
struct RulesetsColumn<'p> {
    #[serde(flatten)]
    items: BTreeMap<Magic, &'p Digest>,
    trees: BTreeMap<Magic, &'p Digest>,
}

impl<'p> RulesetsColumn<'p> {
    fn of(rulesets: &'p BTreeMap<Magic, Ruleset>) -> Self {
        let items = rulesets.iter().map(|(magic, ruleset)| (*magic, &ruleset.items));
        let trees = rulesets.iter().filter_map(|(magic, ruleset)| Some((*magic, ruleset.tree.as_ref()?)));
        Self { items: items.collect(), trees: trees.collect() }
    }
}

impl Store {
    /// Records a plan and starts the audit. Returns false, having changed nothing, if it is not queued any more.
    ///
    /// # Errors
    /// If the database cannot be reached or refuses the plan.
    pub async fn start_audit(&self, id: AuditId, plan: &Plan) -> Result<bool, StoreError> {
        self.start(id, None, plan).await
    }

    /// The same, unless the audit was told to wait or to cover something else since it was read as `planned`.
    ///
    /// # Errors
    /// As [`Store::start_audit`].
    pub async fn start_as_planned(&self, planned: &Audit, plan: &Plan) -> Result<bool, StoreError> {
        self.start(planned.id, Some(planned), plan).await
    }

    async fn start(&self, id: AuditId, planned: Option<&Audit>, plan: &Plan) -> Result<bool, StoreError> {
        let failed = |error| StoreError::of("start an audit", error);
        let mut transaction = self.begin().await?;
        let started: Option<(String, Uuid, Vec<String>, bool)> = sqlx::query_as(
            "UPDATE audits SET state = 'running', started_at = now(), commit_sha = $2, tasks_total = $3,
                    files_analyzed = $4, files_cached = $5, commits_analyzed = $6, commits_cached = $7, cost_total = $8,
                    tasks_waiting = $12, rulesets = $13
             WHERE id = $1 AND state = 'queued' AND waits_for IS NULL
               AND ($9::text IS NULL OR (kind = $9 AND base_commit IS NOT DISTINCT FROM $10 AND magics = $11))
             RETURNING project_slug, trace_id, magics, EXISTS (SELECT 1 FROM audits w WHERE w.waits_for = $1)",
        )
        .bind(id.0)
        .bind(plan.commit.as_str())
        .bind(count(plan.task_count()))
        .bind(count(plan.extent.files_analyzed))
        .bind(count(plan.extent.files_cached))
        .bind(count(plan.extent.commits_analyzed))
        .bind(count(plan.extent.commits_cached))
        .bind(cost_column(plan.cost()))
        .bind(planned.map(|audit| audit.kind.as_str()))
        .bind(planned.and_then(|audit| audit.base.as_ref()).map(ObjectId::as_str))
        .bind(planned.map(|audit| audit.magics.iter().map(|magic| magic.as_str()).collect::<Vec<_>>()))
        .bind(count(plan.trees.len()))
        .bind(to_json("rule sets", &RulesetsColumn::of(&plan.rulesets))?)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
        let Some((project, trace, magics, is_waited_for)) = started else {
            return Ok(false);
        };
        let mut event = AuditEvent::new(EventKind::Started, Some(super::parsed("project slug", &project)?), Some(id));
        event.commit = Some(plan.commit.clone());
        event.tasks_done = Some(0);
        event.tasks_total = Some(plan.task_count() as u64);
        event_row(&mut transaction, &event, trace.into()).await?;
        insert_shards(&mut transaction, id, plan).await?;
        insert_tasks(&mut transaction, id, plan).await?;
        insert_known(&mut transaction, id, plan).await?;
        if plan.task_count() == 0 {
            let complete = Complete::new(id, &project, trace.into(), &magics, is_waited_for)?;
            finish(&mut transaction, vec![complete]).await?;
        }
        announce(&mut transaction, if plan.shards.is_empty() { TREES_CHANNEL } else { TASKS_CHANNEL }).await?;
        commit(transaction).await?;
        Ok(true)
    }
}

fn cost_column(cost: u64) -> i64 {
    i64::try_from(cost).unwrap_or(i64::MAX)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Shards are numbered from 1; a plan has far fewer than 2^31 of them, since a repository has at most 200,000 entries.
fn numbered(plan: &Plan) -> impl Iterator<Item = (i32, &PlannedShard)> {
    (1..).zip(&plan.shards)
}

fn numbered_trees(plan: &Plan) -> impl Iterator<Item = (i32, Magic)> {
    (1..).skip(plan.shards.len()).zip(plan.trees.iter().copied())
}

async fn insert_shards(connection: &mut PgConnection, id: AuditId, plan: &Plan) -> Result<(), StoreError> {
    let (mut shards, mut bundles, mut manifests) = (Vec::new(), Vec::new(), Vec::new());
    for (number, shard) in numbered(plan) {
        shards.push(number);
        bundles.push(Some(shard.bundle.as_str()));
        manifests.push(to_json("manifest", &shard.manifest)?);
    }
    for (number, _) in numbered_trees(plan) {
        shards.push(number);
        bundles.push(None);
        manifests.push(to_json("manifest", &Manifest::default())?);
    }
    sqlx::query(
        "INSERT INTO shards (audit_id, shard, bundle, manifest, is_tree)
         SELECT $1, s, b, m, b IS NULL FROM UNNEST($2::integer[], $3::text[], $4::jsonb[]) AS t(s, b, m)",
    )
    .bind(id.0)
    .bind(shards)
    .bind(bundles)
    .bind(manifests)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of("record shards", error))
}

async fn insert_tasks(connection: &mut PgConnection, id: AuditId, plan: &Plan) -> Result<(), StoreError> {
    let (mut shards, mut magics, mut costs, mut states) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (number, shard) in numbered(plan) {
        for magic in &shard.magics {
            shards.push(number);
            magics.push(magic.as_str());
            costs.push(cost_column(shard.cost));
            states.push("ready");
        }
    }
    for (number, magic) in numbered_trees(plan) {
        shards.push(number);
        magics.push(magic.as_str());
        costs.push(cost_column(TREE_COST));
        states.push("waiting");
    }
    sqlx::query(
        "INSERT INTO tasks (audit_id, shard, magic, cost, state)
         SELECT $1, s, m, c, st FROM UNNEST($2::integer[], $3::text[], $4::bigint[], $5::text[]) AS t(s, m, c, st)",
    )
    .bind(id.0)
    .bind(shards)
    .bind(magics)
    .bind(costs)
    .bind(states)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of("record tasks", error))
}

async fn insert_known(connection: &mut PgConnection, id: AuditId, plan: &Plan) -> Result<(), StoreError> {
    let parts: Vec<Part<'_>> = plan
        .known
        .iter()
        .map(|(magic, partial)| {
            let digest = partial.digest();
            Part { audit: id, shard: PLANNED_SHARD, magic: *magic, partial, digest }
        })
        .collect();
    insert_results(connection, &parts).await?;
    insert_findings(connection, &parts).await
}
