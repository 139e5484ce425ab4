//! `elder queue`: how the queue stands, why an audit waits, how to stop it, and who may have how much of it.

mod cancel;
mod limit;
mod report;
mod text;

use std::io::Write as _;

use anyhow::{Context as _, Result};
use broker::Store;
use broker::config::{DatabaseArgs, NatsArgs};
use clap::{Args, Subcommand, ValueEnum};
use schemas::ids::AuditId;

use self::cancel::CancelArgs;
use self::limit::LimitCommand;
use crate::runtime;

/// Options of `elder queue`.
#[derive(Debug, Clone, Args)]
pub struct QueueArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    nats: NatsArgs,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text, global = true)]
    format: Format,
    #[command(subcommand)]
    command: Option<QueueCommand>,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs: the same as the API answers
    Json,
}

#[derive(Debug, Clone, Subcommand)]
enum QueueCommand {
    /// Show what waits, what runs and how fast it moves, by class and project, and the workers by pool (the default)
    Show,
    /// Say where an audit stands: its position, what is ahead, what holds it, when it will start and end
    Explain {
        /// The audit
        audit: AuditId,
    },
    /// Stop an audit that is queued or running
    Cancel(CancelArgs),
    /// List, set and remove limits of projects and teams
    Limit {
        #[command(subcommand)]
        command: LimitCommand,
    },
}

/// Prints what was asked for.
pub fn run(args: QueueArgs) -> Result<()> {
    let QueueArgs { database, nats, format, command } = args;
    runtime::run(async |_stop| {
        let store = Store::connect(&database)?;
        let out = match command.unwrap_or(QueueCommand::Show) {
            QueueCommand::Show => {
                let bus = crate::roles::connect(&nats, "queue").await?;
                let report = producer::queue::report(&store, &bus).await?;
                print(format, &report, report::text)?
            }
            QueueCommand::Explain { audit } => {
                let explanation = producer::queue::explain::explain(&store, audit).await?;
                let explanation = explanation.with_context(|| format!("there is no audit `{audit}`"))?;
                print(format, &explanation, text::explanation)?
            }
            QueueCommand::Cancel(args) => cancel::run(&store, args, format).await?,
            QueueCommand::Limit { command } => limit::run(&store, command, format).await?,
        };
        store.close().await;
        std::io::stdout().lock().write_all(out.as_bytes())?;
        Ok(())
    })
}

pub(crate) fn print<T: serde::Serialize>(format: Format, value: &T, text: impl Fn(&T) -> String) -> Result<String> {
    match format {
        Format::Text => Ok(text(value)),
        Format::Json => Ok(format!("{}\n", serde_json::to_string_pretty(value)?)),
    }
}
