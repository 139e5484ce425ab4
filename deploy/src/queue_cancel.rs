//! `elder cancel`: stops an audit that is queued or running.

use std::io::Write as _;

use anyhow::{Result, bail};
use broker::Store;
use broker::config::DatabaseArgs;
use clap::Args;
use schemas::ids::AuditId;

use crate::runtime;

/// Options of `elder cancel`.
#[derive(Debug, Clone, Args)]
pub struct CancelArgs {
    /// The audit, as the API or an event names it
    #[arg(value_name = "AUDIT")]
    audit: AuditId,
    /// Why, for its record and for whoever watches
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Stops the audit; queued tasks leave the queue, running ones are told to stop. Asked twice, it says the same twice.
pub fn run(args: CancelArgs) -> Result<()> {
    let CancelArgs { audit: id, reason, database } = args;
    let reason = producer::stops::reason(reason, "on the command line")?;
    runtime::run(async |_stop| {
        let Some((audit, _is_new)) = Store::connect(&database)?.cancel_audit(id, &reason).await? else {
            bail!("there is no audit {id}");
        };
        if audit.state != "cancelled" {
            bail!("audit {id} ended as {} and cannot be cancelled", audit.state);
        }
        let reason = audit.reason.unwrap_or_default();
        Ok(writeln!(std::io::stdout(), "{id} of project {} is cancelled: {reason}", audit.project)?)
    })
}
