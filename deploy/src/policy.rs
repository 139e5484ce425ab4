//! `elder policy`: what pushes to the branches of a project mean for older audits of them.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use broker::Store;
use broker::config::DatabaseArgs;
use clap::{Args, Subcommand};
use schemas::ids::ProjectSlug;
use schemas::policy::{BranchPolicy, PushPolicy, validate};

use crate::runtime;

/// Options of `elder policy`.
#[derive(Debug, Clone, Args)]
pub struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Clone, Subcommand)]
enum PolicyCommand {
    /// Print the policies of a project, in the order in which they are tried
    Show {
        /// The project
        #[arg(value_name = "PROJECT")]
        project: ProjectSlug,
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Replace the policies of a project; without any, every push supersedes the one before
    Set {
        /// The project
        #[arg(value_name = "PROJECT")]
        project: ProjectSlug,
        /// A glob over branch names (`*` matches `/` too) and `supersede`, `coalesce` or `run_all`; the first that matches counts
        #[arg(value_name = "PATTERN=POLICY")]
        policies: Vec<BranchPolicy>,
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

/// Shows or replaces.
pub fn run(args: PolicyArgs) -> Result<()> {
    runtime::run(async |_stop| match args.command {
        PolicyCommand::Show { project, database } => show(&Store::connect(&database)?, &project).await,
        PolicyCommand::Set { project, policies, database } => {
            validate(&policies)?;
            let store = Store::connect(&database)?;
            store.set_push_policies(id(&store, &project).await?, &policies).await?;
            show(&store, &project).await
        }
    })
}

async fn id(store: &Store, project: &ProjectSlug) -> Result<uuid::Uuid> {
    let found = store.project(project).await?;
    Ok(found.with_context(|| format!("there is no project `{project}`"))?.id)
}

async fn show(store: &Store, project: &ProjectSlug) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let policies = store.push_policies(id(store, project).await?).await?;
    for BranchPolicy { pattern, policy } in policies {
        writeln!(out, "{:<10}  {pattern}", policy.as_str())?;
    }
    Ok(writeln!(out, "{:<10}  every other branch", PushPolicy::default().as_str())?)
}
