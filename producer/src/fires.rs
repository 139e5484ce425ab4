//! Schedules that the queue's server keeps: each of their firings becomes one audit, whichever planner takes it.

use broker::subscription::Subscription;
use broker::topology;
use schemas::ids::{AuditId, ProjectSlug, ScheduleName};
use tokio_util::sync::CancellationToken;

use crate::planner::Planner;

/// Firings taken at once: each is one row, and they are dealt with one after the other well within the ack wait.
const BATCH: usize = 16;

/// Records what fires until `stop` is cancelled. Planning is not done here: the record asks for it.
pub(crate) async fn run(planner: Planner, stop: CancellationToken) {
    let mut firings = Subscription::new(planner.bus.clone(), topology::FIRE);
    while let Some(leases) = firings.next(BATCH, &stop).await {
        for lease in leases {
            planner.handle(lease).await;
        }
    }
}

/// The audit that a firing always means. A schedule fires once a second at most, so the moment at which the server stored
/// the message tells its firings apart, and every delivery says the same one.
pub(crate) fn audit_at(project: &ProjectSlug, name: &ScheduleName, stored_unix_millis: i128) -> AuditId {
    AuditId::from_key(project, &format!("fire:{name}:{stored_unix_millis}"))
}
