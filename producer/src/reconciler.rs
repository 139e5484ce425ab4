//! The reconciler: compares the record with what came back, and sends again what the queue must have lost.

use std::time::Duration;

use broker::error::{BusError, chain};
use broker::failpoint::{self, Step};
use broker::moment::Moment;
use broker::store::merge::TaskResult;
use broker::store::reconcile::{OverdueTask, StaleShard};
use broker::subject::{Origin, Subject};
use schemas::dead_letter::{Cause, DeadLetter, NoticedBy};
use schemas::ids::AuditId;
use schemas::partial::PartialResult;
use schemas::retry::ErrorClass;
use tokio_util::sync::CancellationToken;

use crate::dispatcher::trees;
use crate::mirror::Mirror;
use crate::plan::with_messages;
use crate::planner::{PlanError, Planner, blocking, pack_from};
use crate::repository_url::RepositoryUrl;

/// Audits, tasks and shards looked at in one round; what is left is looked at in the next.
const ROUND_MAX: i64 = 256;

/// Bundles of one audit looked at in one round: at some milliseconds each this is seconds, and the next round goes on.
const BUNDLES_MAX: i64 = 1_024;

/// Reconciles until `stop` is cancelled. Several at once do the same work twice, which is harmless.
pub(crate) async fn run(planner: Planner, lost_after: Duration, stop: CancellationToken) {
    // Twice within the time after which something counts as lost: it is noticed at most half as late again.
    let period = lost_after / 2;
    while stop.run_until_cancelled(tokio::time::sleep(period)).await.is_some() {
        if let Err(error) = planner.bus.restore_topology().await {
            tracing::warn!(error = %chain(&error), "the queue cannot be reached; reconciling waits");
            continue;
        }
        if let Err(error) = round(&planner, lost_after).await {
            tracing::warn!(error = %chain(&error), "reconciling waits");
        }
    }
}

async fn round(planner: &Planner, lost_after: Duration) -> Result<(), PlanError> {
    let requests = planner.store.repeat_stale_requests(lost_after, ROUND_MAX).await?;
    if requests > 0 {
        tracing::info!(requests, "requests without news were published again");
    }
    for overdue in planner.store.overdue_tasks(lost_after, ROUND_MAX).await? {
        let (key, trace) = (overdue.key.clone(), overdue.trace);
        if let Err(error) = give_up(planner, overdue).await {
            tracing::warn!(error = %chain(&error), trace_id = %trace, audit_id = %key.audit, shard = key.shard,
                "an overdue task waits");
        }
    }
    let letters = planner.store.write_lost_letters(lost_after, ROUND_MAX).await?;
    if letters > 0 {
        tracing::warn!(letters, "dead letters were lost on their way and are written from the answers");
    }
    let closed = planner.store.close_settled_letters(ROUND_MAX).await?;
    if closed > 0 {
        tracing::info!(letters = closed, "letters were closed of tasks that nobody needs to look at any more");
    }
    for stale in planner.store.stale_shards(lost_after, ROUND_MAX).await? {
        let (audit, shard, trace) = (stale.audit, stale.shard, stale.trace);
        match reopen(planner, stale).await {
            Ok(0) => {}
            Ok(tasks) => {
                tracing::info!(trace_id = %trace, audit_id = %audit, shard, tasks, "tasks without news are ready again");
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), trace_id = %trace, audit_id = %audit, shard, "trying again")
            }
        }
    }
    Ok(())
}

/// Ends a task that nobody has answered in time, so that its audit does not wait for ever: the letter first, then the
/// answer. What is still in the queue of it comes last: were it removed first, nobody would be left to answer.
async fn give_up(planner: &Planner, overdue: OverdueTask) -> Result<(), PlanError> {
    let OverdueTask { key, priority, task, published, deadline, trace } = overdue;
    let subject = Subject::Task(priority, key.clone());
    let reason = format!("not done by {}, and nobody said why", Moment(deadline));
    tracing::warn!(trace_id = %trace, audit_id = %key.audit, magic = %key.magic, shard = key.shard, reason, "task given up");
    let body = serde_json::to_vec(&task).map_err(|source| BusError::Encode { subject: subject.to_string(), source })?;
    let letter = DeadLetter::new(&subject.to_string(), Cause::Exhausted, &reason, published, &body);
    let letter = DeadLetter { class: Some(ErrorClass::Deadline), noticed_by: NoticedBy::Reconciler, ..letter };
    planner.store.keep_dead_letter(&letter, trace).await?;
    planner.bus.bury(Origin::Task, &letter, trace).await?;
    // Without a class, so that the shard is not split: nobody says that it is its content that takes so long.
    let partial = PartialResult::refused(reason);
    planner.store.merge(&[TaskResult { key: key.clone(), partial, trace }]).await?;
    planner.bus.withdraw(&key).await?;
    Ok(())
}

/// Makes the open tasks of a shard ready again, after making sure that what they read is there.
async fn reopen(planner: &Planner, stale: StaleShard) -> Result<u64, PlanError> {
    let StaleShard { audit, shard, project, project_id, repository_url, commit, bundle, manifest, generation, .. } =
        stale;
    let digest = if planner.bus.has_object(&bundle).await? {
        bundle
    } else if let Some(tree) = planner.store.tree_of(audit, shard).await? {
        let packed = trees::packed(planner, &tree).await?;
        planner.bus.put_object(&packed.digest, &packed.bytes).await?;
        packed.digest
    } else {
        let url = RepositoryUrl::parse(&repository_url, planner.access)?;
        let mirrors = std::sync::Arc::clone(&planner.mirrors);
        let packed = blocking(move || {
            let mirror = mirrors.fetch(project_id, &url, Some(&commit))?;
            let packed = pack_from(&mirror, &with_messages(&mirror, manifest)?)?;
            Ok((mirror, packed))
        });
        let (mirror, packed) = packed.await?;
        planner.bus.put_object(&packed.digest, &packed.bytes).await?;
        // Where one is lost, others are: those that wait would each be found missing only after they were published.
        pack_lost(planner, audit, mirror).await?;
        failpoint::reach_store(Step::ReconcilerAfterPut).await?;
        packed.digest
    };
    if generation > 0 {
        // Published twice and still no word: a server that was killed may hold a message that it gives to nobody, and that
        // keeps a new one off its subject. A worker that is merely slow answers all the same.
        planner.bus.withdraw_shard(&project, audit, shard).await?;
    }
    Ok(planner.store.reopen_shard(audit, shard, &digest).await?)
}

/// Packs the bundles again that open tasks of an audit read and that are not there.
async fn pack_lost(planner: &Planner, audit: AuditId, mirror: Mirror) -> Result<(), PlanError> {
    let mut mirror = mirror;
    for (bundle, manifest) in planner.store.open_bundles(audit, BUNDLES_MAX).await? {
        if planner.bus.has_object(&bundle).await? {
            continue;
        }
        let packed = blocking(move || {
            let packed = pack_from(&mirror, &with_messages(&mirror, manifest)?)?;
            Ok((mirror, packed))
        });
        let packed = packed.await?;
        mirror = packed.0;
        // The same content gives the same bundle; were it another one, its shard would have to say so, as a stale one does.
        if packed.1.digest == bundle {
            planner.bus.put_object(&bundle, &packed.1.bytes).await?;
        }
    }
    Ok(())
}
