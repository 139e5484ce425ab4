//! Packs what rules over whole repositories read, once every other task of an audit is done. Beside the dispatcher, so in one
//! process at a time; another one that does the same changes nothing.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::error::chain;
use broker::failpoint::{self, Step};
use broker::store::TREES_CHANNEL;
use broker::store::trees::TreeTask;
use futures::StreamExt as _;
use schemas::bundle::{ConfigFile, Manifest};
use schemas::day::Day;
use schemas::facts::Tree;
use schemas::ids::AuditId;
use schemas::retry::ErrorClass;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{Failure, wait};
use crate::bundle::{Bundle, pack};
use crate::mirror::MirrorError;
use crate::planner::{PlanError, Planner, blocking};
use crate::repository_url::RepositoryUrl;
use crate::tree::{self, Listed};
use crate::wishes::Wishes;

/// How long to sleep where nothing is announced: an announcement that was missed is made up for.
const PERIOD: Duration = Duration::from_secs(2);

/// Packed at once. One whose repository must be fetched again takes long, and others must not wait for it.
const AT_ONCE: usize = 4;

/// Looked at in one round; what is left is looked at in the next.
const ROUND_MAX: i64 = 256;

/// How long one that failed is left alone.
const PAUSE: Duration = Duration::from_secs(10);

/// Packs until `stop` is cancelled. What cannot be packed within `patience` is judged by nobody, and says so.
pub(super) async fn run(planner: &Planner, patience: Duration, stop: &CancellationToken) -> Result<(), Failure> {
    let mut wakeups = planner.store.listen(TREES_CHANNEL).await?;
    let mut paused: HashMap<(AuditId, i32), Instant> = HashMap::new();
    while !stop.is_cancelled() {
        paused.retain(|_, since| since.elapsed() < PAUSE);
        let waiting = planner.store.waiting_trees(ROUND_MAX).await?;
        let waiting = waiting.into_iter().filter(|task| !paused.contains_key(&(task.audit, task.shard)));
        let settling = futures::stream::iter(waiting).map(|task| settle(planner, task, patience));
        let failed: Vec<Option<_>> = settling.buffer_unordered(AT_ONCE).collect().await;
        paused.extend(failed.into_iter().flatten().map(|key| (key, Instant::now())));
        wait(&mut wakeups, PERIOD, stop).await?;
    }
    Ok(())
}

/// Packs and opens one task. Returns which one it was if it has to wait.
async fn settle(planner: &Planner, task: TreeTask, patience: Duration) -> Option<(AuditId, i32)> {
    let TreeTask { audit, shard, trace, magic, .. } = &task;
    let span = tracing::info_span!("tree", trace_id = %trace, audit_id = %audit, %magic);
    match open(planner, &task, patience).instrument(span).await {
        Ok(is_fresh) => {
            tracing::info!(trace_id = %trace, audit_id = %audit, shard, is_fresh, "facts are packed");
            None
        }
        Err(error) => {
            tracing::warn!(error = %chain(&error), trace_id = %trace, audit_id = %audit, shard, "packing facts waits");
            Some((*audit, *shard))
        }
    }
}

/// Stores what the task reads, and only then lets it be published.
async fn open(planner: &Planner, task: &TreeTask, patience: Duration) -> Result<bool, PlanError> {
    let bundle = match packed(planner, task).await {
        Err(error)
            if error.class() != Some(ErrorClass::Transient) || task.since + patience < OffsetDateTime::now_utc() =>
        {
            let reason = chain(&error);
            tracing::warn!(error = %reason, shard = task.shard, "the repository is not judged");
            pack_tree(nothing_known(task, reason), None).await?
        }
        packed => packed?,
    };
    planner.bus.put_object(&bundle.digest, &bundle.bytes).await?;
    failpoint::reach_store(Step::TreesAfterPut).await?;
    let is_fresh = planner.store.open_tree(task.audit, task.shard, &bundle.digest).await?;
    failpoint::reach_store(Step::TreesAfterOpen).await?;
    Ok(is_fresh)
}

/// The bundle of a task: the tree of its commit, with the facts that the result cache has.
pub(crate) async fn packed(planner: &Planner, task: &TreeTask) -> Result<Bundle, PlanError> {
    let url = RepositoryUrl::parse(&task.repository_url, planner.access)?;
    let (mirrors, TreeTask { project_id, commit, kind, base, .. }) = (planner.mirrors.clone(), task.clone());
    let catalogue = Arc::clone(&planner.catalogue);
    let listing = blocking(move || {
        let mirror = mirrors.fetch(project_id, &url, Some(&commit))?;
        let since = tree::since(&mirror, kind, base.as_ref());
        let wishes = Wishes::read(&mirror, &commit, &catalogue)?;
        Ok((tree::list(&mirror, &commit, since, &wishes)?, wishes))
    });
    let (listed, Wishes { config, settings, .. }): (Listed, Wishes) = listing.await?;
    let Some(ruleset) = settings.rulesets(&planner.catalogue).remove(&task.magic) else {
        return pack_tree(listed.without_facts(format!("{} has no rules in this build", task.magic)), config).await;
    };
    let known = planner.store.known_facts(task.project_id, task.magic, &ruleset.items, &listed.items()).await?;
    pack_tree(listed.with_facts(known), config).await
}

async fn pack_tree(tree: Tree, config: Option<ConfigFile>) -> Result<Bundle, PlanError> {
    // What is allowed until a day is so on the day on which it is judged.
    let day = Some(Day::of(OffsetDateTime::now_utc()));
    blocking(move || {
        let manifest = Manifest { tree: Some(tree), config, day, ..Manifest::default() };
        Ok(pack(&manifest, |file| Err(MirrorError::UnknownObject(file.blob.clone())))?)
    })
    .await
}

/// The tree of a repository that cannot be looked at.
fn nothing_known(task: &TreeTask, gap: String) -> Tree {
    let (commit, since) = (task.commit.clone(), task.base.clone());
    Tree { commit, since, changed: None, paths: BTreeSet::new(), files: Vec::new(), gap: Some(gap) }
}
