//! Settling branches: right after a push is recorded, and again before its audit is planned, so that a crash in between
//! loses nothing.

use std::collections::BTreeSet;

use broker::Store;
use broker::error::{StoreError, chain};
use broker::store::audits::Audit;
use schemas::ids::AuditId;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Pushes that may wait to have their branches settled; further ones are settled when they are planned.
const WAITING_MAX: usize = 1_024;

/// A branch of a project.
pub(crate) type Branch = (Uuid, String);

/// Where webhooks leave word of the branches that were pushed to. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Pushed(mpsc::Sender<Branch>);

impl Pushed {
    /// Leaves word, without waiting: whoever pushed does.
    pub(crate) fn tell(&self, project: Uuid, branch: &str) {
        if self.0.try_send((project, branch.to_owned())).is_err() {
            tracing::debug!("a branch will be settled when its audit is planned");
        }
    }
}

/// The two ends of the word about branches.
pub(crate) fn channel() -> (Pushed, mpsc::Receiver<Branch>) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (Pushed(sender), receiver)
}

/// Settles branches as they are pushed to, until `stop` is cancelled. Many pushes to one branch are settled as one.
pub(crate) async fn run(store: Store, mut pushed: mpsc::Receiver<Branch>, stop: CancellationToken) {
    let mut batch = Vec::new();
    while stop.run_until_cancelled(pushed.recv_many(&mut batch, WAITING_MAX)).await.is_some_and(|count| count > 0) {
        for (project, branch) in batch.drain(..).collect::<BTreeSet<_>>() {
            match store.settle_branch(project, &branch).await {
                Ok(0) => {}
                Ok(audits) => tracing::info!(audits, "superseded by a newer push"),
                Err(error) => tracing::warn!(error = %chain(&error), "a branch will be settled when it is planned"),
            }
        }
    }
}

/// The audit as it is to be planned now, after settling its branch; nothing if it has ended, runs, or is to wait.
///
/// # Errors
/// If the database cannot be reached.
pub(crate) async fn to_plan(store: &Store, id: AuditId) -> Result<Option<Audit>, StoreError> {
    let Some(audit) = store.audit(id).await? else { return Ok(None) };
    let Some((project, branch)) = audit.project_id.zip(audit.branch.as_ref()) else {
        return Ok((audit.state == "queued").then_some(audit));
    };
    if audit.state != "queued" {
        return Ok(None);
    }
    store.settle_branch(project, branch).await?;
    let settled = store.audit(id).await?;
    Ok(settled.filter(|audit| audit.state == "queued" && audit.waits_for.is_none()))
}
