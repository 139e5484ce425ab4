//! `elder queue limit`: who may have how much of the queue.

use anyhow::{Result, bail};
use broker::Store;
use broker::store::limits::{LimitRow, Scope};
use clap::{Args, Subcommand};
use producer::limits::checked;

use super::{Format, print, text};

/// Whose limit.
#[derive(Debug, Clone, Args)]
pub(crate) struct Whose {
    /// `project` or `team`
    scope: Scope,
    /// The project's slug or the team's id
    name: String,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum LimitCommand {
    /// List all limits
    List,
    /// Set a limit, or change the one that is there; what is in flight already is not called back
    Set {
        #[command(flatten)]
        whose: Whose,
        /// Most tasks in the queue or running; as many as there is room for if not given
        #[arg(long, value_name = "N")]
        tasks_in_flight: Option<u32>,
        /// Share beside other projects of the same class; 1 if not given; only for projects
        #[arg(long, value_name = "N")]
        weight: Option<u32>,
    },
    /// Remove a limit
    Remove {
        #[command(flatten)]
        whose: Whose,
    },
}

/// Does it, and returns what to print.
pub(super) async fn run(store: &Store, command: LimitCommand, format: Format) -> Result<String> {
    match command {
        LimitCommand::List => print(format, &store.limits().await?, |limits| text::limits(limits)),
        LimitCommand::Set { whose: Whose { scope, name }, tasks_in_flight, weight } => {
            let limit = checked(scope, name, tasks_in_flight, weight)?;
            store.set_limit(&limit).await?;
            print(format, &vec![limit], |limits: &Vec<LimitRow>| text::limits(limits))
        }
        LimitCommand::Remove { whose: Whose { scope, name } } => {
            if !store.remove_limit(scope, &name).await? {
                bail!("there is no limit of {} `{}`", scope.as_str(), name.escape_debug());
            }
            Ok(format!("removed the limit of {} `{}`\n", scope.as_str(), name.escape_debug()))
        }
    }
}
