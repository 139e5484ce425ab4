//! `elder queue cancel`: stops an audit that is queued or running.

use anyhow::{Result, bail};
use broker::Store;
use clap::Args;
use schemas::ids::AuditId;
use serde::Serialize;

use super::{Format, print};

/// Options of `elder queue cancel`.
#[derive(Debug, Clone, Args)]
pub(super) struct CancelArgs {
    /// The audit, as the API or an event names it
    audit: AuditId,
    /// Why, for its record and for whoever watches
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Cancelled {
    audit_id: AuditId,
    project_id: String,
    state: String,
    reason: Option<String>,
}

/// Stops the audit; queued tasks leave the queue, running ones are told to stop. Asked twice, it says the same twice.
pub(super) async fn run(store: &Store, args: CancelArgs, format: Format) -> Result<String> {
    let CancelArgs { audit: id, reason } = args;
    let reason = producer::stops::reason(reason, "on the command line")?;
    let Some((audit, _is_new)) = store.cancel_audit(id, &reason).await? else {
        bail!("there is no audit `{id}`");
    };
    if audit.state != "cancelled" {
        bail!("audit `{id}` ended as {} and cannot be cancelled", audit.state);
    }
    let cancelled =
        Cancelled { audit_id: id, project_id: audit.project.into(), state: audit.state, reason: audit.reason };
    print(format, &cancelled, |Cancelled { project_id, reason, .. }| {
        format!("{id} of project {project_id} is cancelled: {}\n", reason.as_deref().unwrap_or_default())
    })
}
