//! The reconciler: compares the record with what came back, and sends again what the queue must have lost.

use std::time::Duration;

use broker::error::chain;
use broker::store::reconcile::StaleShard;
use tokio_util::sync::CancellationToken;

use crate::plan::with_messages;
use crate::planner::{PlanError, Planner, blocking, pack_from};
use crate::repository_url::RepositoryUrl;

/// Audits and shards looked at in one round; what is left is looked at in the next.
const ROUND_MAX: i64 = 256;

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

/// Makes the open tasks of a shard ready again, after making sure that what they read is there.
async fn reopen(planner: &Planner, stale: StaleShard) -> Result<u64, PlanError> {
    let StaleShard { audit, shard, project_id, repository_url, commit, bundle, manifest, .. } = stale;
    let digest = if planner.bus.has_object(&bundle).await? {
        bundle
    } else {
        let url = RepositoryUrl::parse(&repository_url, planner.access)?;
        let mirrors = std::sync::Arc::clone(&planner.mirrors);
        let packed = blocking(move || {
            let mirror = mirrors.fetch(project_id, &url, Some(&commit))?;
            Ok(pack_from(&mirror, &with_messages(&mirror, manifest)?)?)
        });
        let packed = packed.await?;
        planner.bus.put_object(&packed.digest, &packed.bytes).await?;
        packed.digest
    };
    Ok(planner.store.reopen_shard(audit, shard, &digest).await?)
}
