//! `elder dead-letter`: look at the messages that nobody could use, and have their work done again or close them.

mod act;
mod show;

use anyhow::{Result, bail};
use broker::Store;
use broker::config::DatabaseArgs;
use broker::moment::Moment;
use broker::store::dead_letters::{Act, Letter, LetterFilter, LetterId, LetterState, ReasonText};
use clap::{Args, Subcommand, ValueEnum};
use schemas::dead_letter::Cause;
use schemas::ids::{AuditId, ProjectSlug};
use schemas::magic::Magic;
use schemas::retry::ErrorClass;

use crate::runtime;

/// Options of `elder dead-letter`.
#[derive(Debug, Clone, Args)]
pub struct DeadLetterArgs {
    #[command(subcommand)]
    command: DeadLetterCommand,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Clone, Subcommand)]
enum DeadLetterCommand {
    /// List letters, newest first, or what they have in common
    List {
        #[command(flatten)]
        filter: FilterArgs,
        /// Most letters listed
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Count letters that are alike instead
        #[arg(long, value_name = "WHAT")]
        by: Option<Grouping>,
    },
    /// Show everything about one letter, with the message that died
    Show {
        /// Its id, or the first eight characters or more of it
        id: LetterId,
    },
    /// Have the work of letters done again: publish requests and tasks made by hand once more, ask for audits once more
    Requeue(SelectionArgs),
    /// Close letters about which nothing is to be done
    Discard(SelectionArgs),
}

/// What letters can have in common.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Grouping {
    /// The reason, but for names, ids and numbers in it
    Reason,
}

/// Which letters.
#[derive(Debug, Clone, Args)]
struct FilterArgs {
    /// Of this project
    #[arg(long, value_name = "PROJECT")]
    project: Option<ProjectSlug>,
    /// Of this magic
    #[arg(long, value_name = "MAGIC")]
    magic: Option<Magic>,
    /// Dead for this cause: undecodable, exhausted or refused
    #[arg(long, value_name = "CAUSE")]
    cause: Option<Cause>,
    /// Failed in this way: transient, repository, analyzer, resource or deadline
    #[arg(long, value_name = "CLASS")]
    class: Option<ErrorClass>,
    /// Of this audit
    #[arg(long, value_name = "AUDIT")]
    audit: Option<AuditId>,
    /// Received at this moment or later: RFC 3339, or an age in s, m, h or d, e.g. `2h`
    #[arg(long, value_name = "MOMENT")]
    since: Option<Moment>,
    /// Received earlier than this: RFC 3339, or an age, e.g. `30m`
    #[arg(long, value_name = "MOMENT")]
    before: Option<Moment>,
    /// With this text in the reason, in upper or lower case
    #[arg(long = "match", value_name = "TEXT")]
    text: Option<ReasonText>,
    /// How far they are: open, requeued, discarded or any
    #[arg(long, default_value = "open", value_name = "STATE")]
    state: LetterState,
}

impl FilterArgs {
    fn filter(self) -> LetterFilter {
        let Self { project, magic, cause, class, audit, since, before, text, state } = self;
        LetterFilter { project, magic, cause, class, audit, since, before, text, state }
    }
}

/// Which letters to deal with, and how fast.
#[derive(Debug, Clone, Args)]
struct SelectionArgs {
    /// Ids, or the first eight characters or more of them; or none, with a filter
    ids: Vec<LetterId>,
    #[command(flatten)]
    filter: FilterArgs,
    /// Most letters dealt with, newest first
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Change nothing: print how many letters it would be and what would become of them
    #[arg(long)]
    dry_run: bool,
    /// Letters a second: what comes back all at once may fail all at once again
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    per_second: u32,
}

/// Runs what was asked for.
pub fn run(args: DeadLetterArgs) -> Result<()> {
    let DeadLetterArgs { command, database } = args;
    runtime::run(async |stop| {
        let store = Store::connect(&database)?;
        match command {
            DeadLetterCommand::List { filter, limit, by: None } => show::list(&store, &filter.filter(), limit).await,
            DeadLetterCommand::List { filter, limit, by: Some(Grouping::Reason) } => {
                show::groups(&store, &filter.filter(), limit).await
            }
            DeadLetterCommand::Show { id } => show::one(&store, &id).await,
            DeadLetterCommand::Requeue(selection) => act::run(&store, Act::Requeue, selection, &stop).await,
            DeadLetterCommand::Discard(selection) => act::run(&store, Act::Discard, selection, &stop).await,
        }
    })
}

/// The one letter that an id stands for.
async fn find(store: &Store, id: &LetterId) -> Result<Letter> {
    let mut found = store.find_dead_letter(id).await?;
    match (found.pop(), found.is_empty()) {
        (Some(letter), true) => Ok(letter),
        (Some(_), false) => bail!("several letters begin with `{id}`; give more of the id"),
        (None, _) => bail!("there is no letter `{id}`; `elder dead-letter list --state any` lists them all"),
    }
}
